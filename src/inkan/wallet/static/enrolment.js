// @ts-check
/**
 * Binding, the phone's side (design §5.2 steps 1 and 2): join, make everything, show the digits, collect.
 *
 * What the card signs names what this phone made, by hashes; the phone compares that content with its own memory before
 * it shows the digits, and the certificates with its keys before it believes that it is bound (threat 6).
 */

import { ENROLMENT_PATH, parseFrame } from "./addresses.js";
import { withTexts } from "./answers.js";
import { decode, encode, randomBytes, sha256 } from "./bytes.js";
import { fetchCertificates } from "./certificates.js";
import { thumbprint } from "./dpop.js";
import { digitsOf, isKeySet, parseBind } from "./enrolment_content.js";
import {
  BackEndUnavailable,
  EnrolmentEnded,
  EnrolmentSubstituted,
  Malformed,
  NothingToBind,
  PhoneBound,
  PRFUnavailable,
} from "./errors.js";
import { visibleLine } from "./forms.js";
import { keepKeys, makeKeys, remoteKeys, requestsOf, signerOf } from "./signer.js";

/** @typedef {import("./parts.js").Parts} Parts */
/** @typedef {import("./passkeys.js").Registration} Registration */
/** @typedef {import("./phone_types.js").BackEnd} BackEnd */
/** @typedef {import("./phone_types.js").Bound} Bound */
/** @typedef {import("./phone_types.js").Bytes} Bytes */
/** @typedef {import("./phone_types.js").Enrolment} Enrolment */
/** @typedef {import("./phone_types.js").HeldKeys} HeldKeys */
/** @typedef {import("./phone_types.js").KeyUse} KeyUse */
/** @typedef {import("./phone_types.js").Prepared} Prepared */
/** @typedef {import("./phone_types.js").Step} Step */

const OVER = new Set(["refused", "expired"]);

/**
 * Join the enrolment whose code was scanned; the page's secret never comes here.
 *
 * @param {Parts} parts
 * @param {string} frame
 * @param {BackEnd} backEnd
 * @returns {Promise<Enrolment>}
 * @throws {PhoneBound} the phone has a binding
 * @throws {BackEndUnavailable} a place for keys that this wallet does not have, or may not use here
 * @throws {EnrolmentSubstituted} another platform or another RP ID answers
 * @throws {CallRefused} a stale or foreign frame, among others
 */
export async function join(parts, frame, backEnd) {
  requireUnbound(parts, backEnd);
  parseFrame(frame, parts.walletOrigin, ENROLMENT_PATH);
  const name = visibleLine(parts.memory.name, { tables: parts.tables, form: "phone_name", where: "/name" });
  const body = { frame, name, back_end: backEnd };
  const answer = await parts.api.post("/phone/v1/enrolments", body, { again: true });
  return begun(parts, answer, { backEnd, name });
}

/**
 * Remember a binding under way, begun by this phone's joining or by itself; an earlier attempt is forgotten.
 *
 * @param {Parts} parts
 * @param {Record<string, any>} answer
 * @param {{ backEnd: BackEnd, name: string, atKiosk?: boolean }} own
 * @returns {Promise<Enrolment>}
 * @throws {EnrolmentSubstituted} another platform or another RP ID answered
 */
export async function begun(parts, answer, { backEnd, name, atKiosk = false }) {
  withTexts(answer, ["id", "nonce", "scheme", "key_spec", "challenge", "terms_version"]);
  compare("issuer", answer.issuer, parts.platform);
  compare("rp_id", answer.rp_id, new URL(parts.walletOrigin).hostname);
  if (!Array.isArray(answer.uses) || !isKeySet(answer.uses)) {
    throw new EnrolmentSubstituted("uses");
  }
  if (!Array.isArray(answer.algorithms)) {
    throw new EnrolmentSubstituted("algorithms");
  }
  const key_backends = Array.isArray(answer.key_backends) ? answer.key_backends : [];
  const enrolment = /** @type {Enrolment} */ ({ ...answer, key_backends, backEnd, name, atKiosk });
  await forgetPasskey(parts);
  await parts.save({ enrolment, prepared: null });
  return enrolment;
}

/**
 * Make passkey, keys and requests, send them, and return the 8 digits for the card's dialog.
 *
 * 1. Passkey with PRF: its value at creation, or by one more assertion.
 * 2. Certificate keys; each signs its request while it is held, and is then wrapped. With back end B the platform's
 *    signer makes them for this passkey, and their requests come with the answer.
 * 3. Everything is on the disk before anything is sent.
 * 4. The content that the platform made of it names exactly these things.
 * 5. The digits are computed from the phone's own values, not from the content.
 *
 * @param {Parts} parts
 * @param {(step: Step) => void} onStep
 * @returns {Promise<string>}
 * @throws {NothingToBind} join first
 * @throws {UserNotVerified} step 1
 * @throws {PRFUnavailable} step 1
 * @throws {EnrolmentSubstituted} step 4, with the member that differs; `keys`: not those that were asked for, or others
 *   than before
 * @throws {CallRefused} the platform refuses keys or registration
 */
export async function prepare(parts, onStep) {
  const enrolment = underWay(parts);
  const prepared = parts.memory.prepared ?? (await makeAll(parts, enrolment, onStep)); // 1, 2, 3
  onStep("sending");
  const path = `/phone/v1/enrolments/${encodeURIComponent(enrolment.id)}/csr`;
  const answer = await parts.api.post(path, prepared.body, { again: true });
  onStep("checking");
  if (!signerOf(enrolment.backEnd).isHere) {
    await noteMade(parts, enrolment, answer);
  }
  await verifyContent(parts, answer.content); // 4
  return digits(parts); // 5
}

/**
 * @param {Parts} parts
 * @returns {Promise<string>} the 8 digits, computed from what this phone made
 * @throws {NothingToBind} nothing was prepared
 */
export async function digits(parts) {
  return digitsOf(await ownHashes(parts));
}

/**
 * @param {Parts} parts
 * @param {unknown} content base64url of what the card will sign
 * @returns {Promise<Record<string, any>>} it, if it says what this phone knows
 * @throws {EnrolmentSubstituted} with the first member that differs, or that the content cannot be read
 */
export async function verifyContent(parts, content) {
  const bind = readBind(parts, content);
  const enrolment = underWay(parts);
  const { keys, ...own } = await ownHashes(parts);
  const named = /** @type {{ use: string, spki_sha256: string }[]} */ (bind.keys);
  compare("keys", named.map(({ spki_sha256 }) => spki_sha256).join(" "), keys.join(" "));
  compare("keys", named.map(({ use }) => use).join(" "), enrolment.uses.join(" "));
  const expected = {
    ...own,
    aud: enrolment.issuer,
    scheme: enrolment.scheme,
    rp_id: enrolment.rp_id,
    back_end: enrolment.backEnd,
    terms_version: enrolment.terms_version,
    phone_name: enrolment.name,
  };
  for (const [member, value] of Object.entries(expected)) {
    compare(member, bind[member], value);
  }
  return bind;
}

/**
 * @param {Parts} parts
 * @param {{ waitS: number, signal: AbortSignal | undefined }} how
 * @returns {Promise<Bound | null>} null when the card has not signed yet
 * @throws {NothingToBind} nothing was prepared
 * @throws {EnrolmentEnded} refused or expired; the made keys are forgotten
 * @throws {CertificateNotOurs} a certificate does not fit this phone
 */
export async function collect(parts, { waitS, signal }) {
  const { keys, credential } = preparedOf(parts);
  const enrolment = underWay(parts);
  const path = `/phone/v1/enrolments/${encodeURIComponent(enrolment.id)}`;
  const reading = await parts.api.get(path, { waitS, signal });
  if (OVER.has(reading.state)) {
    await leave(parts);
    throw new EnrolmentEnded(reading.refusal ?? reading.state);
  }
  if (reading.state !== "issued" || typeof reading.phone !== "string") {
    return null;
  }
  const { bindingId, certificates } = await fetchCertificates(parts, reading.certificates, { keys, credential });
  /** @type {Bound} */
  const bound = {
    phone: reading.phone,
    bindingId,
    scheme: enrolment.scheme,
    rpId: enrolment.rp_id,
    backEnd: enrolment.backEnd,
    credential,
    keys,
    certificates,
  };
  await parts.save({ bound, enrolment: null, prepared: null });
  return bound;
}

/** Let go of the binding under way: its passkey and its keys. @param {Parts} parts */
export async function leave(parts) {
  await forgetPasskey(parts);
  await parts.save({ enrolment: null, prepared: null });
}

/**
 * @param {Parts} parts
 * @param {BackEnd} backEnd
 * @throws {PhoneBound}
 * @throws {BackEndUnavailable} a place for keys that this wallet does not have, or may not use here
 */
export function requireUnbound(parts, backEnd) {
  if (parts.memory.bound !== null) {
    throw new PhoneBound();
  }
  signerOf(backEnd);
  if (backEnd === "plain" && !parts.allowPlain) {
    throw new BackEndUnavailable(backEnd);
  }
}

/** @param {Parts} parts @returns {Enrolment} */
export function underWay(parts) {
  if (parts.memory.enrolment === null) {
    throw new NothingToBind();
  }
  return parts.memory.enrolment;
}

/** @param {Parts} parts @returns {boolean} whether `digits` answers: passkey and keys are there */
export function isPrepared({ memory: { prepared } }) {
  return prepared !== null && Object.keys(prepared.keys).length > 0;
}

/** @param {Parts} parts @returns {Prepared} */
export function preparedOf(parts) {
  if (parts.memory.prepared === null || !isPrepared(parts)) {
    throw new NothingToBind();
  }
  return parts.memory.prepared;
}

/**
 * @param {Parts} parts
 * @param {Enrolment} enrolment
 * @param {(step: Step) => void} onStep
 * @returns {Promise<Prepared>}
 */
async function makeAll(parts, enrolment, onStep) {
  const { registration, prf } = await register(parts, enrolment, onStep); // 1
  const { keys, csrs } = await makeOwn(enrolment, prf, onStep); // 2
  prf?.fill(0);
  /** @type {Prepared} */
  const prepared = {
    keys,
    credential: {
      id: registration.credentialId,
      coseKey: registration.coseKey,
      attestationSHA256: await sha256(registration.attestationObject),
    },
    body: JSON.stringify({ csrs, registration: wire(registration) }),
  };
  await parts.save({ prepared }); // 3
  return prepared;
}

/**
 * @param {Enrolment} enrolment
 * @param {Bytes | null} prf
 * @param {(step: Step) => void} onStep
 * @returns {Promise<{ keys: HeldKeys, csrs: Record<string, string> }>} none where the keys are made elsewhere
 */
async function makeOwn({ backEnd, key_spec: keySpec, uses }, prf, onStep) {
  if (!signerOf(backEnd).isHere) {
    return { keys: {}, csrs: {} };
  }
  onStep("keys");
  const made = await makeKeys(keySpec, uses);
  return { keys: await keepKeys(made, { backEnd, prf }), csrs: requestsOf(made) };
}

/**
 * Remember the keys that were made for this phone, each proved by its own request; they stay what they are.
 *
 * @param {Parts} parts
 * @param {Enrolment} enrolment
 * @param {Record<string, any>} answer
 */
async function noteMade(parts, { key_spec: keySpec, uses }, answer) {
  const { prepared } = parts.memory;
  if (prepared === null) {
    throw new NothingToBind();
  }
  const keys = await madeKeys(keySpec, uses, answer);
  for (const [use, { spki }] of Object.entries(prepared.keys)) {
    compare("keys", encode(keys[/** @type {KeyUse} */ (use)]?.spki ?? new Uint8Array()), encode(spki));
  }
  await parts.save({ prepared: { ...prepared, keys } });
}

/**
 * @param {string} keySpec
 * @param {KeyUse[]} uses
 * @param {Record<string, any>} answer
 */
async function madeKeys(keySpec, uses, answer) {
  try {
    return await remoteKeys(keySpec, uses, answer);
  } catch (error) {
    throw error instanceof Malformed ? new EnrolmentSubstituted("keys", error.message) : error;
  }
}

/**
 * @param {Parts} parts
 * @param {Enrolment} enrolment
 * @param {(step: Step) => void} onStep
 * @returns {Promise<{ registration: Registration, prf: Bytes | null }>}
 */
async function register(parts, { rp_id: rpId, challenge, algorithms, backEnd, name }, onStep) {
  onStep("passkey");
  const { needsPRF: wantsPRF } = signerOf(backEnd);
  const asking = { rpId, userName: name, challenge: decode(challenge), algorithms, wantsPRF };
  const registration = await parts.passkeys.create(asking);
  if (registration.prf !== null || !wantsPRF) {
    return { registration, prf: registration.prf };
  }
  try {
    if (!registration.isPRFEnabled) {
      throw new PRFUnavailable();
    }
    onStep("passkey_again");
    // This challenge never leaves the phone: only the PRF value is wanted.
    const asked = { rpId, challenge: randomBytes(32), credentialId: registration.credentialId };
    const { prf } = await parts.passkeys.get(asked);
    if (prf === null) {
      throw new PRFUnavailable();
    }
    return { registration, prf };
  } catch (error) {
    await parts.passkeys.forget(rpId, registration.credentialId);
    throw error;
  }
}

/** @param {Registration} registration */
function wire({ credentialId, clientDataJSON, attestationObject }) {
  return {
    credential_id: encode(credentialId),
    client_data_json: encode(clientDataJSON),
    attestation_object: encode(attestationObject),
  };
}

/**
 * @param {Parts} parts
 * @param {unknown} content
 */
function readBind(parts, content) {
  try {
    return parseBind(decode(content), parts.tables);
  } catch (error) {
    throw error instanceof Malformed ? new EnrolmentSubstituted("content", error.message) : error;
  }
}

/**
 * The arguments of the digits, from this phone's memory alone.
 *
 * @param {Parts} parts
 * @returns {Promise<import("./enrolment_content.js").OwnHashes>}
 */
export async function ownHashes(parts) {
  const { keys, credential } = preparedOf(parts);
  const spkis = underWay(parts).uses.map((use) => keys[use]?.spki ?? new Uint8Array());
  return {
    nonce: underWay(parts).nonce,
    keys: await Promise.all(spkis.map(async (spki) => encode(await sha256(spki)))),
    credential_id_sha256: encode(await sha256(credential.id)),
    cose_key_sha256: encode(await sha256(credential.coseKey)),
    channel_jkt: await thumbprint(parts.memory.channel.jwk),
    attestation_sha256: encode(credential.attestationSHA256),
  };
}

/** Give up the passkey of an earlier attempt. @param {Parts} parts */
async function forgetPasskey(parts) {
  const { enrolment, prepared } = parts.memory;
  if (enrolment !== null && prepared !== null) {
    await parts.passkeys.forget(enrolment.rp_id, prepared.credential.id);
  }
}

/**
 * @param {string} member
 * @param {unknown} theirs
 * @param {unknown} ours
 */
function compare(member, theirs, ours) {
  if (theirs !== ours) {
    throw new EnrolmentSubstituted(member, `${member} is not what this phone knows`);
  }
}
