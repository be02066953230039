// @ts-check
/** Compact JSON Web Signatures (RFC 7515 §7.1) over given bytes. */

import { encode, utf8 } from "./bytes.js";

/** @typedef {import("./phone_types.js").Bytes} Bytes */

/**
 * @param {object} header protected; `alg` and `typ` among its members
 * @param {Bytes} payload
 * @param {(bytes: Bytes) => Promise<Bytes>} sign ECDSA: r ‖ s
 * @returns {Promise<string>}
 */
export async function compactJWS(header, payload, sign) {
  const input = `${encode(utf8(JSON.stringify(header)))}.${encode(payload)}`;
  return `${input}.${encode(await sign(utf8(input)))}`;
}
