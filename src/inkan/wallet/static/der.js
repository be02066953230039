// @ts-check
/**
 * A DER writer (ITU-T X.690) for the few shapes that a phone sends: its certificate requests and its renewals. There is
 * no reader: what a certificate says, the platform tells as JSON.
 */

import { concat, equal, utf8 } from "./bytes.js";
import { DERUnwritable } from "./errors.js";

/** @typedef {import("./phone_types.js").Bytes} Bytes */

const MAX_LENGTH = 0xffff_ffff;
const OID = /^[0-2](?:\.(?:0|[1-9][0-9]{0,37}))+$/;

/**
 * @param {number} tag one byte
 * @param {Uint8Array} content
 * @returns {Bytes}
 * @throws {DERUnwritable} a tag of several bytes, or more than 2^32 − 1 bytes
 */
export function element(tag, content) {
  // Low five bits all set announce a tag of several bytes (X.690 §8.1.2.4).
  if (!Number.isInteger(tag) || tag < 0 || tag > 0xff || (tag & 0x1f) === 0x1f) {
    throw new DERUnwritable(`tag ${tag}`);
  }
  return concat(Uint8Array.of(tag), length(content.length), content);
}

/**
 * @param {number} size
 * @returns {Bytes} the length octets in their shortest form (X.690 §10.1)
 */
export function length(size) {
  if (!Number.isInteger(size) || size < 0 || size > MAX_LENGTH) {
    throw new DERUnwritable(`a length of ${size}`);
  }
  if (size < 0x80) {
    return Uint8Array.of(size);
  }
  const octets = base256(BigInt(size));
  return Uint8Array.from([0x80 | octets.length, ...octets]);
}

/** @param {...Uint8Array} parts */
export function sequence(...parts) {
  return element(0x30, concat(...parts));
}

/**
 * @param {...Uint8Array} parts in any order
 * @returns {Bytes} SET OF: the parts in the order of their bytes (X.690 §11.6)
 */
export function setOf(...parts) {
  return element(0x31, concat(...inOrder(parts)));
}

/**
 * @param {Uint8Array[]} parts
 * @returns {Uint8Array[]} in ascending order, shorter ones padded with zero bytes
 */
function inOrder(parts) {
  return [...parts].sort((one, other) => {
    const size = Math.max(one.length, other.length);
    for (let at = 0; at < size; at += 1) {
      const difference = (one[at] ?? 0) - (other[at] ?? 0);
      if (difference !== 0) {
        return difference;
      }
    }
    return 0;
  });
}

/**
 * @param {number} number of the context tag, 0 to 30
 * @param {...Uint8Array} parts
 * @returns {Bytes} constructed: [n] EXPLICIT, or [n] IMPLICIT of something constructed
 */
export function context(number, ...parts) {
  if (!Number.isInteger(number) || number < 0 || number > 30) {
    throw new DERUnwritable(`context tag ${number}`);
  }
  return element(0xa0 | number, concat(...parts));
}

/**
 * @param {bigint | number} value
 * @returns {Bytes} INTEGER in two's complement, shortest form
 * @throws {DERUnwritable} negative, or no safe integer
 */
export function integer(value) {
  if ((typeof value === "number" && !Number.isSafeInteger(value)) || value < 0) {
    throw new DERUnwritable(`integer ${value}`);
  }
  const octets = base256(BigInt(value));
  return element(0x02, (octets[0] ?? 0) >= 0x80 ? Uint8Array.from([0, ...octets]) : Uint8Array.from(octets));
}

/**
 * @param {Uint8Array} magnitude big-endian, leading zeros allowed, not empty
 * @returns {Bytes} INTEGER, not negative
 */
export function unsigned(magnitude) {
  if (magnitude.length === 0) {
    throw new DERUnwritable("an integer without bytes");
  }
  const start = magnitude.findIndex((byte) => byte !== 0);
  const kept = start < 0 ? Uint8Array.of(0) : magnitude.subarray(start);
  return element(0x02, (kept[0] ?? 0) >= 0x80 ? concat(Uint8Array.of(0), kept) : kept);
}

/** @param {Uint8Array} bytes */
export function octetString(bytes) {
  return element(0x04, bytes);
}

/** @param {Uint8Array} bytes whole octets: no bit unused */
export function bitString(bytes) {
  return element(0x03, concat(Uint8Array.of(0), bytes));
}

/**
 * @param {string} text
 * @throws {DERUnwritable} a lone surrogate
 */
export function utf8String(text) {
  if (/\p{Surrogate}/u.test(text)) {
    throw new DERUnwritable("a lone surrogate is no text");
  }
  return element(0x0c, utf8(text));
}

export function nothing() {
  return element(0x05, new Uint8Array());
}

/**
 * @param {string} dotted `1.2.840.113549.1.1.11`
 * @returns {Bytes} OBJECT IDENTIFIER (X.690 §8.19)
 * @throws {DERUnwritable} not two or more arcs, or a second arc of 40 and more under 0 and 1
 */
export function objectIdentifier(dotted) {
  if (!OID.test(dotted)) {
    throw new DERUnwritable(`object identifier ${dotted}`);
  }
  const [first = 0n, second = 0n, ...rest] = dotted.split(".").map(BigInt);
  if (first < 2n && second >= 40n) {
    throw new DERUnwritable(`object identifier ${dotted}`);
  }
  const octets = [first * 40n + second, ...rest].flatMap(arc);
  return element(0x06, Uint8Array.from(octets));
}

/**
 * @param {Uint8Array} raw r ‖ s of equal size, as WebCrypto signs
 * @returns {Bytes} Ecdsa-Sig-Value (RFC 3279 §2.2.3)
 * @throws {DERUnwritable} not 64 bytes, or r or s is zero
 */
export function ecdsaSignature(raw) {
  const [r, s] = [raw.subarray(0, 32), raw.subarray(32)];
  if (raw.length !== 64 || [r, s].some((half) => equal(half, new Uint8Array(32)))) {
    throw new DERUnwritable("not a P-256 signature");
  }
  return sequence(unsigned(r), unsigned(s));
}

/**
 * @param {bigint} value
 * @returns {number[]} seven bits an octet, the last one without the high bit
 */
function arc(value) {
  const octets = [Number(value & 0x7fn)];
  for (let left = value >> 7n; left > 0n; left >>= 7n) {
    octets.unshift(Number(left & 0x7fn) | 0x80);
  }
  return octets;
}

/**
 * @param {bigint} value not negative
 * @returns {number[]} big-endian, at least one octet
 */
function base256(value) {
  const octets = [Number(value & 0xffn)];
  for (let left = value >> 8n; left > 0n; left >>= 8n) {
    octets.unshift(Number(left & 0xffn));
  }
  return octets;
}
