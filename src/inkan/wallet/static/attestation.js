// @ts-check
/**
 * The public key of a new passkey as COSE_Key bytes, cut out of the attestation object (WebAuthn §6.5.4, §6.1): the
 * platform hashes these very bytes, so they are taken as they stand. Nothing here is verified; the platform does that.
 */

import { equal, utf8 } from "./bytes.js";
import { AuthenticatorMalformed } from "./errors.js";

/** @typedef {import("./phone_types.js").Bytes} Bytes */

const MAX_DEPTH = 8;
// The CBOR text "authData": major type 3, eight bytes.
const AUTH_DATA = utf8("\x68authData");
const FLAG_ATTESTED = 0x40;
// SHA-256 of the RP ID, flags, counter; then AAGUID and the length of the credential id.
const FLAGS_AT = 32;
const AAGUID_AT = 37;
const LENGTH_AT = AAGUID_AT + 16;

/**
 * @param {Bytes} attestationObject CBOR map with `authData`
 * @param {Bytes} credentialId
 * @returns {Bytes} COSE_Key
 * @throws {AuthenticatorMalformed}
 */
export function coseKeyOf(attestationObject, credentialId) {
  const data = authenticatorData(attestationObject);
  const idAt = LENGTH_AT + 2;
  const size = ((data[LENGTH_AT] ?? 0) << 8) | (data[LENGTH_AT + 1] ?? 0);
  const isAttested = ((data[FLAGS_AT] ?? 0) & FLAG_ATTESTED) !== 0;
  if (!isAttested || !equal(data.subarray(idAt, idAt + size), credentialId)) {
    throw new AuthenticatorMalformed("the new credential is not in the authenticator data");
  }
  const start = idAt + size;
  return data.slice(start, itemEnd(data, start, 0));
}

/** @param {Bytes} object */
function authenticatorData(object) {
  const map = head(object, 0);
  if (map.major !== 5 || itemEnd(object, 0, 0) !== object.length) {
    throw new AuthenticatorMalformed("no attestation object");
  }
  for (let at = map.next; at < object.length; ) {
    const valueAt = itemEnd(object, at, 0);
    const { major, argument, next } = head(object, valueAt);
    if (equal(object.subarray(at, valueAt), AUTH_DATA) && major === 2) {
      return object.slice(next, next + argument);
    }
    at = itemEnd(object, valueAt, 0);
  }
  throw new AuthenticatorMalformed("no authenticator data");
}

/**
 * @param {Bytes} bytes
 * @param {number} at
 * @param {number} depth
 * @returns {number} where the CBOR item that begins at `at` ends (RFC 8949 §3; definite lengths, as CTAP2 writes)
 */
function itemEnd(bytes, at, depth) {
  const { major, argument, next } = head(bytes, at);
  if (depth > MAX_DEPTH || major === 6) {
    throw new AuthenticatorMalformed("not CTAP2 CBOR");
  }
  const items = [0, 0, 0, 0, argument, 2 * argument, 0, 0][major] ?? 0;
  let end = major === 2 || major === 3 ? next + argument : next;
  for (let item = 0; item < items; item += 1) {
    end = itemEnd(bytes, end, depth + 1);
  }
  if (end > bytes.length) {
    throw new AuthenticatorMalformed("cut off");
  }
  return end;
}

/**
 * @param {Bytes} bytes
 * @param {number} at
 */
function head(bytes, at) {
  const first = bytes[at];
  const short = (first ?? 0) & 0x1f;
  const size = short < 24 ? 0 : { 24: 1, 25: 2, 26: 4 }[short];
  if (first === undefined || size === undefined || at + 1 + size > bytes.length) {
    throw new AuthenticatorMalformed("not CTAP2 CBOR");
  }
  const next = at + 1 + size;
  const argument = size === 0 ? short : bytes.subarray(at + 1, next).reduce((sum, byte) => sum * 256 + byte, 0);
  return { major: first >> 5, argument, next };
}
