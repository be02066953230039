// @ts-check
/**
 * The contents that a card or an expiring phone key signs to bind or renew a phone (`inkan.wire.enrolment_request`), and
 * the 8 digits that tie the phone to the content on the card's side.
 */

import { concat, decode, sha256, utf8 } from "./bytes.js";
import { list, moment, object, oneOf, orNull, require, text } from "./forms.js";
import { canonical, parseCanonical } from "./jcs.js";

/** @typedef {import("./phone_types.js").Bytes} Bytes */
/** @typedef {import("./phone_types.js").Tables} Tables */

/** eContentType of the renewal's CMS. */
export const RENEW_TYPE = "1.3.6.1.4.1.32473.1985.3.2";

const CONTENT_LIMIT = 8 * 1024;
const DIGITS = 8;
const BIND_LABEL = utf8("inkan-bind-v1\0");
const RENEW_LABEL = utf8("inkan-renew-v1\0");
const KEY_SETS = ["auth sign", "single"];
const BACK_ENDS = ["A", "B", "C", "plain"];

const KEYS = list(object({ use: oneOf("auth", "sign", "single"), spki_sha256: text("bytes32") }), { min: 1, max: 2 });

const BIND = object({
  v: oneOf(1),
  purpose: oneOf("bind"),
  aud: text("issuer"),
  scheme: text("code"),
  nonce: text("bytes32"),
  keys: KEYS,
  credential_id_sha256: text("bytes32"),
  cose_key_sha256: text("bytes32"),
  channel_jkt: text("bytes32"),
  rp_id: text("domain"),
  back_end: oneOf(...BACK_ENDS),
  attestation_sha256: orNull(text("bytes32")),
  scope: list(text("code"), { max: 32 }),
  terms_version: text("identifier"),
  phone_name: text("phone_name"),
  at: moment,
});

const RENEW = object({
  v: oneOf(1),
  purpose: oneOf("renew"),
  aud: text("issuer"),
  scheme: text("code"),
  nonce: text("bytes32"),
  binding_id: text("identifier"),
  old_certificate_sha256: text("bytes32"),
  keys: KEYS,
  credential_id_sha256: text("bytes32"),
  back_end: oneOf(...BACK_ENDS),
  at: moment,
});

/**
 * @param {readonly string[]} uses
 * @returns {boolean} whether one slot may hold these keys, in this order
 */
export function isKeySet(uses) {
  return KEY_SETS.includes(uses.join(" "));
}

/**
 * @param {Uint8Array} data at most 8 KiB
 * @param {Tables} tables
 * @returns {Record<string, any>} the content whose canonical bytes these are
 * @throws {NotCanonical}
 * @throws {DocumentMalformed}
 */
export function parseBind(data, tables) {
  const content = parseCanonical(data, CONTENT_LIMIT);
  BIND(content, "", tables);
  verifyKeys(content.keys);
  require(new Set(content.scope).size === content.scope.length, "/scope");
  return content;
}

/**
 * @param {Record<string, unknown>} content
 * @param {Tables} tables
 * @returns {Bytes} the eContent of a renewal
 * @throws {DocumentMalformed} a member has a value that the format does not admit
 */
export function renewBytes(content, tables) {
  RENEW(content, "", tables);
  verifyKeys(/** @type {any} */ (content).keys);
  return canonical(content);
}

/** @param {{ use: string, spki_sha256: string }[]} keys */
function verifyKeys(keys) {
  require(isKeySet(keys.map(({ use }) => use)), "/keys");
  require(new Set(keys.map(({ spki_sha256 }) => spki_sha256)).size === keys.length, "/keys");
}

/**
 * @typedef {object} OwnHashes every value base64url of 32 bytes
 * @property {string} nonce
 * @property {string[]} keys
 * @property {string} credential_id_sha256
 * @property {string} cose_key_sha256
 * @property {string} channel_jkt
 * @property {string | null} attestation_sha256
 */

/**
 * The first 8 bytes of SHA-256("inkan-bind-v1" ‖ 0x00 ‖ nonce ‖ keys ‖ credential id ‖ COSE key ‖ channel key ‖
 * attestation) as a big-endian number modulo 10^8; 32 zero bytes stand for no attestation.
 *
 * @param {OwnHashes} hashes
 * @returns {Promise<string>} 8 digits
 */
export async function digitsOf(hashes) {
  const digest = await sha256(concat(BIND_LABEL, madeValues(hashes)));
  const number = new DataView(digest.buffer).getBigUint64(0) % 10n ** BigInt(DIGITS);
  return number.toString().padStart(DIGITS, "0");
}

/**
 * What a phone made for one request, 32 bytes each, in the order of the digits.
 *
 * @param {OwnHashes} hashes
 * @returns {Bytes}
 */
export function madeValues({ nonce, keys, credential_id_sha256, cose_key_sha256, channel_jkt, attestation_sha256 }) {
  const named = [nonce, ...keys, credential_id_sha256, cose_key_sha256, channel_jkt];
  const attestation = attestation_sha256 === null ? new Uint8Array(32) : decode(attestation_sha256, 32);
  return concat(...named.map((value) => decode(value, 32)), attestation);
}

/**
 * @param {Bytes} content
 * @returns {Promise<Bytes>} the WebAuthn challenge of a renewal
 */
export async function renewChallenge(content) {
  return sha256(concat(RENEW_LABEL, content));
}
