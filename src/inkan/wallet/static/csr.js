// @ts-check
/**
 * PKCS #10 certificate requests (RFC 2986) without names: proof that somebody holds the key, and nothing else. Who the
 * person is, the issuer knows and the phone must not say.
 *
 * Requests of keys that are made elsewhere (back end B) are checked here too, without a DER reader: all of such a
 * request but its signature follows from the key, so it is written anew and compared.
 */

import { KEY_KINDS } from "./algorithms.js";
import { concat, equal, indexOf } from "./bytes.js";
import { bitString, context, ecdsaSignature, integer, sequence } from "./der.js";
import { Malformed } from "./errors.js";

/** @typedef {import("./phone_types.js").Bytes} Bytes */

const P256_HALF = 32;
const BIT_STRING_HEAD = 3; // tag, length, no unused bits
const SEQUENCE_HEAD = 2;

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

/**
 * 1. The key is one for this kind of signature.
 * 2. The request is `certificateRequest` of this key, with some signature of the kind's size at its end.
 * 3. The key itself made that signature.
 *
 * @param {Bytes} csr
 * @param {Bytes} spki
 * @param {string} keySpec
 * @throws {Malformed} at the first of them that does not hold
 */
export async function verifyRequest(csr, spki, keySpec) {
  const { document, generating } = KEY_KINDS[keySpec] ?? refuse(`a key of kind ${keySpec}`);
  const key = await publicKey(spki, document.importing); // 1
  const { modulusLength = 0 } = /** @type {Partial<RsaHashedKeyGenParams>} */ (generating);
  const [info, identifier] = [requestInfo(spki), document.identifier()];
  const isEC = document.name === "ECDSA";
  const raw = isEC ? ecdsaRaw(csr, info, identifier) : csr.slice(-modulusLength / 8);
  const made = await certificateRequest(spki, identifier, async () => (isEC ? ecdsaSignature(raw) : raw)); // 2
  if (!equal(csr, made) || !(await crypto.subtle.verify(document.signing, key, raw, info))) { // 3
    refuse("not the request of this key");
  }
}

/**
 * @param {Bytes} spki
 * @param {EcKeyImportParams | RsaHashedImportParams} importing
 * @returns {Promise<CryptoKey>}
 */
async function publicKey(spki, importing) {
  try {
    return await crypto.subtle.importKey("spki", spki, importing, false, ["verify"]);
  } catch (error) {
    throw new Malformed(String(error));
  }
}

/**
 * r ‖ s out of a request, by the places where `certificateRequest` writes them; what is not there comes out as something
 * that does not give the same request again.
 *
 * @param {Bytes} csr
 * @param {Bytes} info
 * @param {Bytes} identifier
 * @returns {Bytes} 64 bytes
 */
function ecdsaRaw(csr, info, identifier) {
  const at = indexOf(csr, info) + info.length + identifier.length;
  const numbers = csr.slice(at + BIT_STRING_HEAD + SEQUENCE_HEAD);
  const size = numbers[1] ?? 0;
  return concat(half(numbers.slice(2, 2 + size)), half(numbers.slice(2 + size + 2)));
}

/** @param {Bytes} octets @returns {Bytes} without sign, 32 bytes */
function half(octets) {
  const magnitude = octets.slice(-P256_HALF);
  return concat(new Uint8Array(P256_HALF - magnitude.length), magnitude);
}

/** @param {string} detail @returns {never} */
function refuse(detail) {
  throw new Malformed(detail);
}
