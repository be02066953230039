// @ts-check
/**
 * The passkey of a phone: made once, asked for each decision (WebAuthn Level 3), with the PRF value that brings back the
 * certificate keys (§10.1.4). Flags of backup and attestation go to the platform as the authenticator gave them.
 */

import { coseKeyOf } from "./attestation.js";
import { encode, randomBytes, utf8 } from "./bytes.js";
import { CredentialExcluded, PasskeysUnavailable, UserNotVerified } from "./errors.js";

/** @typedef {import("./phone_types.js").Bytes} Bytes */

/**
 * @typedef {object} Registration a new passkey; `prf` stays on the phone
 * @property {Bytes} credentialId
 * @property {Bytes} coseKey
 * @property {Bytes} attestationObject
 * @property {Bytes} clientDataJSON
 * @property {boolean} isPRFEnabled
 * @property {Bytes | null} prf many authenticators give the value at the first assertion only
 */

/** @typedef {Record<"credential_id" | "client_data_json" | "authenticator_data" | "signature", string>} WireAssertion */

/**
 * @typedef {object} Signed an assertion; `prf` stays on the phone
 * @property {WireAssertion} assertion
 * @property {Bytes | null} prf
 */

/**
 * @typedef {object} Passkeys
 * @property {(options: Creation) => Promise<Registration>} create
 * @property {(options: Request) => Promise<Signed>} get
 * @property {(rpId: string, credentialId: Bytes) => Promise<void>} forget as far as the authenticator can be asked to
 */

/**
 * @typedef {object} Creation
 * @property {string} rpId
 * @property {string} userName what the device's own dialogs call the passkey
 * @property {Bytes} challenge
 * @property {number[]} algorithms COSE numbers
 * @property {boolean} [wantsPRF]
 */

/**
 * @typedef {object} Request
 * @property {string} rpId
 * @property {Bytes} challenge
 * @property {Bytes} credentialId
 * @property {boolean} [wantsPRF]
 */

// The same for every phone: the value differs because the passkey differs (inkan.client.certificate_keys).
const PRF_INPUT = utf8("inkan-key-wrap-v1");
const ASKING_PRF = { extensions: { prf: { eval: { first: PRF_INPUT } } } };
const RP_NAME = "Inkan";
const TIMEOUT_MS = 120_000;

/** Of the browser's `DOMException.name`: the first one stands for "cancelled", "not recognised" and "too late" alike. */
const REFUSALS = new Map([
  ["NotAllowedError", () => new UserNotVerified()],
  ["AbortError", () => new UserNotVerified()],
  ["InvalidStateError", () => new CredentialExcluded()],
]);

/** The browser's authenticators. @implements {Passkeys} */
export class BrowserPasskeys {
  #credentials;

  /** @param {CredentialsContainer | undefined} [credentials] */
  constructor(credentials = globalThis.navigator?.credentials) {
    this.#credentials = credentials;
  }

  /**
   * @param {Creation} options
   * @returns {Promise<Registration>}
   * @throws {UserNotVerified}
   * @throws {PasskeysUnavailable}
   */
  async create({ rpId, userName, challenge, algorithms, wantsPRF = true }) {
    /** @type {PublicKeyCredentialCreationOptions} */
    const publicKey = {
      rp: { id: rpId, name: RP_NAME },
      // The handle names nobody: the platform finds the phone by its keys.
      user: { id: randomBytes(32), name: userName, displayName: userName },
      challenge,
      pubKeyCredParams: algorithms.map((alg) => ({ type: "public-key", alg })),
      authenticatorSelection: {
        authenticatorAttachment: "platform",
        residentKey: "required",
        requireResidentKey: true,
        userVerification: "required",
      },
      attestation: "direct",
      timeout: TIMEOUT_MS,
      ...(wantsPRF ? ASKING_PRF : {}),
    };
    const credential = await this.#ask((credentials) => credentials.create({ publicKey }));
    const response = /** @type {AuthenticatorAttestationResponse} */ (credential.response);
    const credentialId = bytes(credential.rawId);
    const attestationObject = bytes(response.attestationObject);
    const { prf } = credential.getClientExtensionResults();
    return {
      credentialId,
      coseKey: coseKeyOf(attestationObject, credentialId),
      attestationObject,
      clientDataJSON: bytes(response.clientDataJSON),
      isPRFEnabled: prf?.enabled === true,
      prf: prfValue(prf),
    };
  }

  /**
   * @param {Request} options
   * @returns {Promise<Signed>}
   * @throws {UserNotVerified}
   * @throws {PasskeysUnavailable}
   */
  async get({ rpId, challenge, credentialId, wantsPRF = true }) {
    /** @type {PublicKeyCredentialRequestOptions} */
    const publicKey = {
      rpId,
      challenge,
      allowCredentials: [{ type: "public-key", id: credentialId }],
      userVerification: "required",
      timeout: TIMEOUT_MS,
      ...(wantsPRF ? ASKING_PRF : {}),
    };
    const credential = await this.#ask((credentials) => credentials.get({ publicKey }));
    const response = /** @type {AuthenticatorAssertionResponse} */ (credential.response);
    return {
      assertion: {
        credential_id: encode(credential.rawId),
        client_data_json: encode(response.clientDataJSON),
        authenticator_data: encode(response.authenticatorData),
        signature: encode(response.signature),
      },
      prf: wantsPRF ? prfValue(credential.getClientExtensionResults().prf) : null,
    };
  }

  /**
   * A page cannot remove a passkey; newer browsers can be told that nobody knows it any more (WebAuthn §5.1.10).
   *
   * @param {string} rpId
   * @param {Bytes} credentialId
   */
  async forget(rpId, credentialId) {
    /** @type {any} */
    const kind = globalThis.PublicKeyCredential;
    try {
      await kind?.signalUnknownCredential?.({ rpId, credentialId: encode(credentialId) });
    } catch {
      // An old passkey that stays is a nuisance in the device's list, and opens nothing.
    }
  }

  /**
   * @param {(credentials: CredentialsContainer) => Promise<Credential | null>} ceremony
   * @returns {Promise<PublicKeyCredential>}
   */
  async #ask(ceremony) {
    if (this.#credentials === undefined) {
      throw new PasskeysUnavailable("this browser has none");
    }
    try {
      const found = await ceremony(this.#credentials);
      if (found === null) {
        throw new PasskeysUnavailable("no credential");
      }
      return /** @type {PublicKeyCredential} */ (found);
    } catch (error) {
      throw refusal(error);
    }
  }
}

/** @param {unknown} error @returns {unknown} */
function refusal(error) {
  if (!(error instanceof DOMException)) {
    return error;
  }
  return REFUSALS.get(error.name)?.() ?? new PasskeysUnavailable(`${error.name}: ${error.message}`);
}

/** @param {AuthenticationExtensionsPRFOutputs | undefined} prf */
function prfValue(prf) {
  const value = prf?.results?.first;
  return value === undefined || value === null ? null : bytes(value);
}

/**
 * @param {BufferSource} source
 * @returns {Bytes} a copy
 */
function bytes(source) {
  return source instanceof ArrayBuffer
    ? new Uint8Array(source.slice(0))
    : Uint8Array.from(new Uint8Array(source.buffer, source.byteOffset, source.byteLength));
}
