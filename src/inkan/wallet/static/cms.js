// @ts-check
/**
 * CMS SignedData with one signer and enclosed content (RFC 5652), of the shape that `inkan.crypto.cms` builds: what a
 * phone sends to renew its certificates without the card.
 */

import { sha256 } from "./bytes.js";
import { context, integer, nothing, objectIdentifier, octetString, sequence, setOf } from "./der.js";

/** @typedef {import("./phone_types.js").Bytes} Bytes */

const SIGNED_DATA = "1.2.840.113549.1.7.2";
const SHA256 = "2.16.840.1.101.3.4.2.1";
const CONTENT_TYPE = "1.2.840.113549.1.9.3";
const MESSAGE_DIGEST = "1.2.840.113549.1.9.4";
const SIGNING_CERTIFICATE_V2 = "1.2.840.113549.1.9.16.2.47"; // RFC 5035 §3

/**
 * @param {object} message
 * @param {Bytes} message.content the octets to be enclosed
 * @param {string} message.contentType eContentType, dotted; never id-data
 * @param {Bytes[]} message.chain DER certificates, the signer's first, without the root
 * @param {Bytes} message.signer DER IssuerAndSerialNumber of the signer's certificate
 * @param {Bytes} message.identifier DER AlgorithmIdentifier of the signature
 * @param {(bytes: Bytes) => Promise<Bytes>} message.sign gives the signature as CMS has it (ECDSA: DER)
 * @returns {Promise<Bytes>} DER ContentInfo
 */
export async function signedData({ content, contentType, chain, signer, identifier, sign }) {
  const [certificate] = chain;
  if (certificate === undefined) {
    throw new TypeError("the signer's certificate comes first");
  }
  const attributes = await signedAttributes(content, contentType, certificate);
  const digest = sequence(objectIdentifier(SHA256), nothing()); // RFC 5754 §2: with NULL or without
  const signerInfo = sequence(
    integer(1),
    signer,
    digest,
    implicitSet(attributes),
    identifier,
    octetString(await sign(attributes)),
  );
  const signed = sequence(
    integer(3), // RFC 5652 §5.1: a content type other than id-data
    setOf(digest),
    sequence(objectIdentifier(contentType), context(0, octetString(content))),
    implicitSet(setOf(...chain)),
    setOf(signerInfo),
  );
  return sequence(objectIdentifier(SIGNED_DATA), context(0, signed));
}

/**
 * @param {Bytes} content
 * @param {string} contentType
 * @param {Bytes} certificate DER, named by its SHA-256
 * @returns {Promise<Bytes>} DER SET OF Attribute: the bytes that are signed (RFC 5652 §5.4)
 */
export async function signedAttributes(content, contentType, certificate) {
  const identified = sequence(octetString(await sha256(certificate)));
  return setOf(
    attribute(CONTENT_TYPE, objectIdentifier(contentType)),
    attribute(MESSAGE_DIGEST, octetString(await sha256(content))),
    attribute(SIGNING_CERTIFICATE_V2, sequence(sequence(identified))),
  );
}

/**
 * @param {string} type dotted
 * @param {Bytes} value
 */
function attribute(type, value) {
  return sequence(objectIdentifier(type), setOf(value));
}

/**
 * @param {Bytes} set DER SET
 * @returns {Bytes} the same as [0] IMPLICIT
 */
function implicitSet(set) {
  const tagged = set.slice();
  tagged[0] = 0xa0;
  return tagged;
}
