// @ts-check
/** Bytes: texts and base64url in one spelling each, joining, comparing, hashing. */

import { Base64URLMalformed } from "./errors.js";

/** @typedef {import("./phone_types.js").Bytes} Bytes */

// The last letter of a text of 4n + 2 or 4n + 3 letters holds unused bits, which are zero (RFC 4648 §3.5).
const BASE64URL = /^(?:[A-Za-z0-9_-]{4})*(?:[A-Za-z0-9_-][AQgw]|[A-Za-z0-9_-]{2}[AEIMQUYcgkosw048])?$/;
const CHUNK = 0x8000;
const ENCODER = new TextEncoder();
const DECODER = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/**
 * @param {string} text well-formed
 * @returns {Bytes} UTF-8
 */
export function utf8(text) {
  return ENCODER.encode(text);
}

/**
 * @param {Uint8Array} bytes
 * @returns {string}
 * @throws {TypeError} not UTF-8
 */
export function fromUTF8(bytes) {
  return DECODER.decode(bytes);
}

/**
 * @param {Uint8Array | ArrayBuffer} data
 * @returns {string} base64url without padding
 */
export function encode(data) {
  const bytes = new Uint8Array(data);
  let binary = "";
  for (let at = 0; at < bytes.length; at += CHUNK) {
    binary += String.fromCharCode(...bytes.subarray(at, at + CHUNK));
  }
  return btoa(binary).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

/**
 * @param {unknown} text the canonical base64url spelling of some bytes
 * @param {number} [size] how many bytes there must be
 * @returns {Bytes}
 * @throws {Base64URLMalformed} another spelling, or another size
 */
export function decode(text, size) {
  if (typeof text !== "string" || text.length % 4 === 1 || !BASE64URL.test(text)) {
    throw new Base64URLMalformed("not the canonical spelling of any bytes");
  }
  const binary = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
  const bytes = Uint8Array.from(binary, (letter) => letter.charCodeAt(0));
  if (size !== undefined && bytes.length !== size) {
    throw new Base64URLMalformed(`${bytes.length} bytes instead of ${size}`);
  }
  return bytes;
}

/**
 * @param {...(Uint8Array | ArrayBuffer)} parts
 * @returns {Bytes}
 */
export function concat(...parts) {
  const arrays = parts.map((part) => new Uint8Array(part));
  const joined = new Uint8Array(arrays.reduce((size, part) => size + part.length, 0));
  let at = 0;
  for (const part of arrays) {
    joined.set(part, at);
    at += part.length;
  }
  return joined;
}

/**
 * @param {Uint8Array} one
 * @param {Uint8Array} other
 * @returns {boolean}
 */
export function equal(one, other) {
  return one.length === other.length && one.every((byte, index) => byte === other[index]);
}

/**
 * @param {Uint8Array} bytes
 * @param {Uint8Array} part not empty
 * @param {number} [from]
 * @returns {number} where `part` begins in `bytes`, or -1
 */
export function indexOf(bytes, part, from = 0) {
  const last = bytes.length - part.length;
  for (let at = from; at <= last; at += 1) {
    if (bytes[at] === part[0] && part.every((byte, index) => byte === bytes[at + index])) {
      return at;
    }
  }
  return -1;
}

/**
 * @param {Uint8Array} bytes
 * @returns {string} lower case
 */
export function hex(bytes) {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/**
 * @param {string} text pairs of hexadecimal digits
 * @returns {Bytes}
 */
export function fromHex(text) {
  const pairs = text.match(/[0-9A-Fa-f]{2}/g) ?? [];
  return Uint8Array.from(pairs, (pair) => Number.parseInt(pair, 16));
}

/**
 * @param {Uint8Array<ArrayBuffer> | ArrayBuffer} data
 * @returns {Promise<Bytes>} 32 bytes
 */
export async function sha256(data) {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", data));
}

/**
 * @param {number} size
 * @returns {Bytes} random
 */
export function randomBytes(size) {
  return crypto.getRandomValues(new Uint8Array(size));
}
