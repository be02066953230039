// @ts-check
/**
 * PKCS #10 certificate requests (RFC 2986) without names: proof that the phone holds the key, and nothing else. Who the
 * person is, the issuer knows and the phone must not say.
 */

import { bitString, context, integer, sequence } from "./der.js";

/** @typedef {import("./phone_types.js").Bytes} Bytes */

/**
 * @param {Bytes} spki DER SubjectPublicKeyInfo
 * @returns {Bytes} DER CertificationRequestInfo: version 0, empty subject, the key, no attributes
 */
export function requestInfo(spki) {
  return sequence(integer(0), sequence(), spki, context(0));
}

/**
 * @param {Bytes} spki
 * @param {Bytes} identifier DER AlgorithmIdentifier of the signature
 * @param {(bytes: Bytes) => Promise<Bytes>} sign gives the signature as X.509 has it (ECDSA: DER)
 * @returns {Promise<Bytes>} DER CertificationRequest
 */
export async function certificateRequest(spki, identifier, sign) {
  const info = requestInfo(spki);
  return sequence(info, identifier, bitString(await sign(info)));
}
