// @ts-check
/**
 * Canonical JSON (RFC 8785) for the values that Inkan signs: strings, safe integers, booleans, null, arrays, objects
 * with ASCII names, at most 16 deep. Within this domain every value has one spelling.
 */

import { fromUTF8, utf8 } from "./bytes.js";
import { NotCanonical } from "./errors.js";

const MAX_DEPTH = 16;
const ASCII = /^[\x00-\x7f]*$/;

/**
 * @param {unknown} value
 * @returns {import("./phone_types.js").Bytes} UTF-8
 * @throws {NotCanonical} fractions, integers of 2^53 and more, other types, names outside ASCII, lone surrogates
 */
export function canonical(value) {
  return utf8(write(value, 0));
}

/**
 * @param {Uint8Array} data
 * @param {number} limit the largest number of bytes that is parsed at all
 * @returns {Record<string, any>} the object whose canonical form the bytes are
 * @throws {NotCanonical} anything else
 */
export function parseCanonical(data, limit) {
  if (data.length > limit) {
    throw new NotCanonical("more bytes than allowed");
  }
  let text, value;
  try {
    text = fromUTF8(data);
    value = JSON.parse(text);
  } catch (error) {
    throw new NotCanonical(`not JSON: ${error}`);
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new NotCanonical("expected an object");
  }
  if (write(value, 0) !== text) {
    throw new NotCanonical("the bytes are not the canonical form of their value");
  }
  return value;
}

/**
 * @param {unknown} value
 * @param {number} depth
 * @returns {string}
 */
function write(value, depth) {
  if (typeof value === "string") {
    return string(value);
  }
  if (value === null || typeof value === "boolean") {
    return String(value);
  }
  if (typeof value === "number") {
    if (!Number.isSafeInteger(value)) {
      throw new NotCanonical("a number that is no safe integer");
    }
    return String(value);
  }
  if (typeof value !== "object" || depth >= MAX_DEPTH) {
    throw new NotCanonical(depth >= MAX_DEPTH ? "nested too deep" : `a ${typeof value}`);
  }
  if (Array.isArray(value)) {
    return `[${Array.from(value, (item) => write(item, depth + 1)).join(",")}]`;
  }
  const prototype = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) {
    throw new NotCanonical("an object of a class");
  }
  return members(/** @type {Record<string, unknown>} */ (value), depth);
}

/**
 * @param {Record<string, unknown>} value
 * @param {number} depth
 * @returns {string}
 */
function members(value, depth) {
  const names = Object.keys(value).sort();
  const written = names.map((name) => {
    if (!ASCII.test(name)) {
      throw new NotCanonical("a member name outside ASCII");
    }
    return `${string(name)}:${write(value[name], depth + 1)}`;
  });
  return `{${written.join(",")}}`;
}

/**
 * JSON.stringify escapes exactly as RFC 8785 §3.2.2.2 wants, but for lone surrogates, which are no text.
 *
 * @param {string} text
 * @returns {string}
 */
function string(text) {
  if (/\p{Surrogate}/u.test(text)) {
    throw new NotCanonical("a lone surrogate is no text");
  }
  return JSON.stringify(text);
}
