// @ts-check
/** The channel key and its proofs: each request of a phone is signed by it (RFC 9449, ES256). */

import { encode, randomBytes, sha256, utf8 } from "./bytes.js";

/** @typedef {import("./phone_types.js").ChannelKey} ChannelKey */

const ES256 = { name: "ECDSA", hash: "SHA-256" };

/**
 * @returns {Promise<ChannelKey>} a fresh key whose private half code cannot read
 */
export async function makeChannelKey() {
  const isExtractable = false;
  const pair = await crypto.subtle.generateKey({ name: "ECDSA", namedCurve: "P-256" }, isExtractable, ["sign", "verify"]);
  const { kty = "", crv = "", x = "", y = "" } = await crypto.subtle.exportKey("jwk", pair.publicKey);
  return { key: pair.privateKey, jwk: { kty, crv, x, y } };
}

/**
 * @param {ChannelKey["jwk"]} jwk
 * @returns {Promise<string>} RFC 7638: SHA-256 of the required members in their order, base64url
 */
export async function thumbprint({ kty, crv, x, y }) {
  return encode(await sha256(utf8(JSON.stringify({ crv, kty, x, y }))));
}

/**
 * @param {ChannelKey} channel
 * @param {{ method: string, url: string, atS: number }} request `atS`: true time, seconds since 1970
 * @returns {Promise<string>} the value of the field `DPoP`; query and fragment are left out of the proof (§4.2)
 */
export async function proof({ key, jwk }, { method, url, atS }) {
  const header = { alg: "ES256", jwk, typ: "dpop+jwt" };
  const claims = { jti: encode(randomBytes(16)), htm: method, htu: target(url), iat: Math.floor(atS) };
  const input = `${part(header)}.${part(claims)}`;
  return `${input}.${encode(await crypto.subtle.sign(ES256, key, utf8(input)))}`;
}

/** @param {string} url */
function target(url) {
  return (url.split("#")[0] ?? "").split("?")[0];
}

/** @param {object} value */
function part(value) {
  return encode(utf8(JSON.stringify(value)));
}
