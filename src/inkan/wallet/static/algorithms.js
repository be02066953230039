// @ts-check
/** The signature algorithms of certificate keys, as rows: how the browser, X.509, CMS and JOSE name each. */

import { nothing, objectIdentifier, sequence } from "./der.js";

/** @typedef {import("./phone_types.js").Bytes} Bytes */
/** @typedef {"ECDSA" | "RSA_PKCS1" | "RSA_PSS"} SignatureName */

/**
 * @typedef {object} Signature
 * @property {SignatureName} name
 * @property {EcKeyImportParams | RsaHashedImportParams} importing parameters of importKey and unwrapKey
 * @property {AlgorithmIdentifier | EcdsaParams | RsaPssParams} signing
 * @property {() => Bytes} identifier DER AlgorithmIdentifier
 * @property {string} jose `alg`
 */

const SHA256 = "SHA-256";

/** @type {Record<SignatureName, Signature>} */
export const SIGNATURES = {
  ECDSA: {
    name: "ECDSA",
    importing: { name: "ECDSA", namedCurve: "P-256" },
    signing: { name: "ECDSA", hash: SHA256 },
    identifier: () => sequence(objectIdentifier("1.2.840.10045.4.3.2")), // RFC 5758 §3.2: no parameters
    jose: "ES256",
  },
  RSA_PKCS1: {
    name: "RSA_PKCS1",
    importing: { name: "RSASSA-PKCS1-v1_5", hash: SHA256 },
    signing: { name: "RSASSA-PKCS1-v1_5" },
    identifier: () => sequence(objectIdentifier("1.2.840.113549.1.1.11"), nothing()), // RFC 4055 §5
    jose: "RS256",
  },
  RSA_PSS: {
    name: "RSA_PSS",
    importing: { name: "RSA-PSS", hash: SHA256 },
    signing: { name: "RSA-PSS", saltLength: 32 },
    identifier: () => {
      throw new TypeError("no document of a phone names this one in DER");
    },
    jose: "PS256",
  },
};

/**
 * How the keys of one kind are made, and which signature they give in documents (requests, renewals: what the issuer
 * of certificates reads) and in statements.
 *
 * @typedef {object} KeyKind
 * @property {EcKeyGenParams | RsaHashedKeyGenParams} generating
 * @property {Signature} document
 * @property {Signature} statement
 */

const RSA = { publicExponent: Uint8Array.of(1, 0, 1), hash: SHA256, name: "RSASSA-PKCS1-v1_5" };

/** @type {Record<string, KeyKind>} by the platform's `key_spec` */
export const KEY_KINDS = {
  "P-256": {
    generating: { name: "ECDSA", namedCurve: "P-256" },
    document: SIGNATURES.ECDSA,
    statement: SIGNATURES.ECDSA,
  },
  "RSA-2048": {
    generating: { ...RSA, modulusLength: 2048 },
    document: SIGNATURES.RSA_PKCS1,
    statement: SIGNATURES.RSA_PSS,
  },
  "RSA-3072": {
    generating: { ...RSA, modulusLength: 3072 },
    document: SIGNATURES.RSA_PKCS1,
    statement: SIGNATURES.RSA_PSS,
  },
};
