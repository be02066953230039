// @ts-check
/**
 * The practice lock of a test country: passkeys for browsers on computers that have no screen lock to ask. It is
 * software beside the keys that it guards, so it protects nothing; it lets people see how the rest works. No production
 * instance offers it, and its attestation says "none".
 */

import { concat, decode, encode, equal, randomBytes, sha256, utf8 } from "./bytes.js";
import { ecdsaSignature } from "./der.js";
import { PasskeysUnavailable, UserNotVerified } from "./errors.js";

/** @typedef {import("./phone_types.js").Bytes} Bytes */
/** @typedef {import("./passkeys.js").Creation} Creation */
/** @typedef {import("./passkeys.js").Passkeys} Passkeys */
/** @typedef {import("./passkeys.js").Registration} Registration */
/** @typedef {import("./passkeys.js").Request} Request */
/** @typedef {import("./passkeys.js").Signed} Signed */

/** @typedef {(how: { isNew: boolean }) => Promise<string | null>} AskPIN null when the person does not want to */

/**
 * @typedef {object} Credential
 * @property {string} id base64url
 * @property {CryptoKey} key P-256
 * @property {CryptoKey} secret HMAC-SHA-256: what the PRF value comes from (WebAuthn §10.1.4)
 * @property {number} count
 * @property {Bytes} salt
 * @property {Bytes} pin PBKDF2 of what the person typed
 */

const DATABASE = "inkan-practice";
const STORE = "passkeys";
const ITERATIONS = 100_000;
const PRESENT = 0x01;
const VERIFIED = 0x04;
const ATTESTED = 0x40;
const ES256 = -7;
const PRF_INPUT = utf8("inkan-key-wrap-v1");
const P256 = { name: "ECDSA", namedCurve: "P-256" };

/** @implements {Passkeys} */
export class PracticePasskeys {
  #ask;

  /** @param {AskPIN} ask */
  constructor(ask) {
    this.#ask = ask;
  }

  /** @param {Creation} options @returns {Promise<Registration>} */
  async create({ rpId, challenge, algorithms }) {
    if (!algorithms.includes(ES256)) {
      throw new PasskeysUnavailable("the practice lock knows ES256 alone");
    }
    const typed = await this.#ask({ isNew: true });
    if (typed === null) {
      throw new UserNotVerified();
    }
    const id = randomBytes(32);
    const salt = randomBytes(16);
    const { privateKey, publicKey } = await crypto.subtle.generateKey(P256, false, ["sign"]);
    const secret = await crypto.subtle.generateKey({ name: "HMAC", hash: "SHA-256", length: 256 }, false, ["sign"]);
    /** @type {Credential} */
    const credential = { id: encode(id), key: privateKey, secret, count: 0, salt, pin: await stretched(typed, salt) };
    await keep((store) => store.put(credential, credential.id));
    const coseKey = coseKeyOf(await crypto.subtle.exportKey("jwk", publicKey));
    const attested = concat(new Uint8Array(16), Uint8Array.of(0, id.length), id, coseKey);
    const data = concat(await head(rpId, PRESENT | VERIFIED | ATTESTED, 0), attested);
    return {
      credentialId: id,
      coseKey,
      attestationObject: attestationObject(data),
      clientDataJSON: clientData("webauthn.create", challenge),
      isPRFEnabled: true,
      prf: await prfOf(secret),
    };
  }

  /** @param {Request} options @returns {Promise<Signed>} */
  async get({ rpId, challenge, credentialId, wantsPRF = true }) {
    const id = encode(credentialId);
    const credential = /** @type {Credential | undefined} */ (await keep((store) => store.get(id)));
    if (credential === undefined) {
      throw new PasskeysUnavailable("no such passkey");
    }
    const typed = await this.#ask({ isNew: false });
    if (typed === null || !equal(await stretched(typed, credential.salt), credential.pin)) {
      throw new UserNotVerified();
    }
    credential.count += 1;
    await keep((store) => store.put(credential, id));
    const data = await head(rpId, PRESENT | VERIFIED, credential.count);
    const client = clientData("webauthn.get", challenge);
    const signed = concat(data, await sha256(client));
    const signature = new Uint8Array(await crypto.subtle.sign({ name: "ECDSA", hash: "SHA-256" }, credential.key, signed));
    return {
      assertion: {
        credential_id: id,
        client_data_json: encode(client),
        authenticator_data: encode(data),
        signature: encode(ecdsaSignature(signature)),
      },
      prf: wantsPRF ? await prfOf(credential.secret) : null,
    };
  }

  /** @param {string} _ @param {Bytes} credentialId */
  async forget(_, credentialId) {
    await keep((store) => store.delete(encode(credentialId)));
  }
}

/** @param {string} rpId @param {number} flags @param {number} count @returns {Promise<Bytes>} WebAuthn §6.1 */
async function head(rpId, flags, count) {
  const counter = Uint8Array.of(count >>> 24, count >>> 16, count >>> 8, count);
  return concat(await sha256(utf8(rpId)), Uint8Array.of(flags), counter);
}

/** @param {string} type @param {Bytes} challenge @returns {Bytes} WebAuthn §5.8.1.1 */
function clientData(type, challenge) {
  return utf8(JSON.stringify({ type, challenge: encode(challenge), origin: location.origin, crossOrigin: false }));
}

/** @param {JsonWebKey} jwk @returns {Bytes} COSE_Key of ES256 (RFC 9053 §7.1.1), in CTAP2's order */
function coseKeyOf({ x = "", y = "" }) {
  return concat(
    Uint8Array.of(0xa5, 0x01, 0x02, 0x03, 0x26, 0x20, 0x01, 0x21, 0x58, 0x20),
    decode(x, 32),
    Uint8Array.of(0x22, 0x58, 0x20),
    decode(y, 32),
  );
}

/** @param {Bytes} data @returns {Bytes} {"fmt": "none", "attStmt": {}, "authData": data} (WebAuthn §8.7) */
function attestationObject(data) {
  return concat(
    Uint8Array.of(0xa3, 0x63),
    utf8("fmt"),
    Uint8Array.of(0x64),
    utf8("none"),
    Uint8Array.of(0x67),
    utf8("attStmt"),
    Uint8Array.of(0xa0, 0x68),
    utf8("authData"),
    Uint8Array.of(0x58, data.length),
    data,
  );
}

/** @param {CryptoKey} secret @returns {Promise<Bytes>} */
async function prfOf(secret) {
  const salt = await sha256(concat(utf8("WebAuthn PRF"), Uint8Array.of(0), PRF_INPUT));
  return new Uint8Array(await crypto.subtle.sign("HMAC", secret, salt));
}

/** @param {string} typed @param {Bytes} salt @returns {Promise<Bytes>} */
async function stretched(typed, salt) {
  const key = await crypto.subtle.importKey("raw", utf8(typed), "PBKDF2", false, ["deriveBits"]);
  const how = { name: "PBKDF2", hash: "SHA-256", salt, iterations: ITERATIONS };
  return new Uint8Array(await crypto.subtle.deriveBits(how, key, 256));
}

/**
 * One step in the practice lock's own database.
 *
 * @param {(store: IDBObjectStore) => IDBRequest} step
 * @returns {Promise<unknown>} what the request found, once it is on the disk
 */
async function keep(step) {
  const database = await new Promise((resolve, reject) => {
    const opening = indexedDB.open(DATABASE, 1);
    opening.onupgradeneeded = () => opening.result.createObjectStore(STORE);
    opening.onsuccess = () => resolve(opening.result);
    opening.onerror = () => reject(opening.error);
  });
  try {
    return await new Promise((resolve, reject) => {
      const transaction = database.transaction(STORE, "readwrite", { durability: "strict" });
      const request = step(transaction.objectStore(STORE));
      transaction.oncomplete = () => resolve(request.result);
      transaction.onabort = () => reject(transaction.error);
    });
  } finally {
    database.close();
  }
}
