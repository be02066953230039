// @ts-check
/**
 * What a phone believes of the certificates that it is given: only what fits its own keys and passkey. A certificate is
 * this phone's if it holds the SubjectPublicKeyInfo of the key, the key usage of its use, and the value of the binding
 * extension with the hash of the passkey (`inkan.crypto.phone_binding`). There is no DER reader here: whether the bytes
 * stand where they belong, and whether the chain holds, is judged by those who rely on the certificate.
 */

import { decode, equal, fromHex, fromUTF8, indexOf } from "./bytes.js";
import { CertificateNotOurs } from "./errors.js";
import { getWithPresence } from "./presence.js";
import { credentialSHA256 } from "./statement.js";

/** @typedef {import("./parts.js").Parts} Parts */
/** @typedef {import("./phone_types.js").Bytes} Bytes */
/** @typedef {import("./phone_types.js").HeldCertificate} HeldCertificate */
/** @typedef {import("./phone_types.js").HeldCertificates} HeldCertificates */
/** @typedef {import("./phone_types.js").HeldCredential} HeldCredential */
/** @typedef {import("./phone_types.js").HeldKey} HeldKey */
/** @typedef {import("./phone_types.js").HeldKeys} HeldKeys */
/** @typedef {import("./phone_types.js").KeyUse} KeyUse */

// The platform tells its time in whole seconds, and issues a moment after it told it.
const LEEWAY_MS = 5000;
const OCTETS_32 = Uint8Array.of(0x04, 0x20);
const UTF8_STRING = 0x0c;
const SEQUENCE = 0x30;
// The whole extension keyUsage, critical, with exactly the bits of the use (RFC 5280 §4.2.1.3).
const USAGE_OF_USE = {
  auth: fromHex("0603551d0f0101ff040403020780"), // digitalSignature
  sign: fromHex("0603551d0f0101ff040403020640"), // contentCommitment
  single: fromHex("0603551d0f0101ff0404030206c0"), // both
};

/**
 * @param {Parts} parts
 * @param {Record<string, string>} ids by use
 * @param {{ keys: HeldKeys, credential: HeldCredential }} own
 * @returns {Promise<{ bindingId: string, certificates: HeldCertificates }>} checked, one for each key
 * @throws {CertificateNotOurs} one is missing, or does not fit
 */
export async function fetchCertificates(parts, ids, { keys, credential }) {
  const uses = /** @type {[KeyUse, HeldKey][]} */ (Object.entries(keys));
  if (uses.length !== Object.keys(ids ?? {}).length || uses.some(([use]) => !Object.hasOwn(ids, use))) {
    throw new CertificateNotOurs("", "uses");
  }
  const hash = await credentialSHA256(credential.id, credential.coseKey);
  /** @type {HeldCertificates} */
  const certificates = {};
  const bindings = new Set();
  for (const [use, key] of uses) {
    const id = ids[use] ?? "";
    const held = heldOf(await getWithPresence(parts, `/phone/v1/certificates/${encodeURIComponent(id)}`), id, use);
    bindings.add(bindingOf(held, { use, key, hash, now: parts.api.now() }));
    certificates[use] = held;
  }
  const [bindingId] = bindings;
  if (bindings.size !== 1 || bindingId === undefined) {
    throw new CertificateNotOurs("", "binding");
  }
  return { bindingId, certificates };
}

/**
 * @param {HeldCertificate} held
 * @param {{ use: KeyUse, key: HeldKey, hash: Bytes, now: Date }} own `hash`: of the passkey
 * @returns {string} the binding's id
 * @throws {CertificateNotOurs}
 */
export function bindingOf(held, { use, key, hash, now }) {
  if (indexOf(held.der, key.spki) < 0) {
    throw new CertificateNotOurs(use, "key");
  }
  const at = now.getTime();
  if (!(at + LEEWAY_MS >= Date.parse(held.notBefore) && at <= Date.parse(held.notAfter))) {
    throw new CertificateNotOurs(use, "term");
  }
  if (indexOf(held.der, USAGE_OF_USE[use]) < 0) {
    throw new CertificateNotOurs(use, "usage");
  }
  const found = bindingId(held.der, hash);
  if (found === null) {
    throw new CertificateNotOurs(use, "credential");
  }
  return found;
}

/**
 * Fixed offsets: SEQUENCE, its length; 32 octets; the id as UTF8String of 1 to 64 ASCII characters.
 *
 * @param {Bytes} der
 * @param {Bytes} hash
 * @returns {string | null}
 */
function bindingId(der, hash) {
  const at = indexOf(der, Uint8Array.from([...OCTETS_32, ...hash]));
  const nameAt = at + OCTETS_32.length + hash.length + 2;
  const size = der[nameAt - 1] ?? 0;
  const name = der.slice(nameAt, nameAt + size);
  const isWhole = name.length === size && size >= 1 && size <= 64 && name.every((byte) => byte < 0x80);
  const head = Uint8Array.of(SEQUENCE, OCTETS_32.length + hash.length + 2 + size);
  if (at < 2 || der[nameAt - 2] !== UTF8_STRING || !isWhole || !equal(der.slice(at - 2, at), head)) {
    return null;
  }
  return fromUTF8(name);
}

/**
 * @param {Record<string, any>} answer
 * @param {string} id
 * @param {string} use
 * @returns {HeldCertificate}
 */
function heldOf(answer, id, use) {
  const { der, chain, not_before, not_after, issuer_and_serial } = answer;
  if (!Array.isArray(chain) || typeof not_before !== "string" || typeof not_after !== "string") {
    throw new CertificateNotOurs(use, "answer");
  }
  return {
    id,
    der: decode(der),
    chain: chain.map((each) => decode(each)),
    notBefore: not_before,
    notAfter: not_after,
    issuerAndSerial: decode(issuer_and_serial),
  };
}
