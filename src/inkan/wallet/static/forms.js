// @ts-check
/**
 * Documents as tables: each member has a form, and a document has exactly the members of its table. The forms
 * themselves (patterns, lengths) come with the server's tables, so that they stand in one place.
 */

import { DocumentMalformed, UnsafeText } from "./errors.js";

/** @typedef {import("./phone_types.js").Tables} Tables */
/** @typedef {(value: unknown, where: string, tables: Tables) => void} Form throws DocumentMalformed */

/** @type {WeakMap<Tables, Map<string, RegExp>>} */
const compiled = new WeakMap();

/**
 * @param {Tables} tables
 * @param {string} form
 * @param {string} text
 * @returns {boolean} whether the text has the form
 */
export function hasForm(tables, form, text) {
  const row = tables.forms[form];
  if (row === undefined) {
    throw new TypeError(`no form ${form}`);
  }
  const size = Array.from(text).length;
  return size >= (row.min ?? 0) && size <= (row.max ?? Infinity) && pattern(tables, form).test(text);
}

/**
 * @param {Tables} tables
 * @param {string} form
 */
function pattern(tables, form) {
  const known = compiled.get(tables) ?? new Map();
  compiled.set(tables, known);
  const found = known.get(form) ?? new RegExp(tables.forms[form]?.pattern ?? "(?!)", "u");
  known.set(form, found);
  return found;
}

/**
 * @param {string} text
 * @param {{ tables: Tables, form: string, where: string }} as
 * @returns {string} the text, if it is one visible line
 * @throws {UnsafeText}
 */
export function visibleLine(text, { tables, form, where }) {
  if (typeof text !== "string" || /\p{Surrogate}/u.test(text) || !hasForm(tables, form, text)) {
    throw new UnsafeText(where);
  }
  return text;
}

// --- forms of members --------------------------------------------------------------------------------

/** @param {string} name of the server's tables @returns {Form} */
export function text(name) {
  return (value, where, tables) => require(typeof value === "string" && hasForm(tables, name, value), where);
}

/** @param {...unknown} values @returns {Form} */
export function oneOf(...values) {
  return (value, where) => require(values.includes(value), where);
}

/** One of the names that a table of the server has. @param {(tables: Tables) => object} table @returns {Form} */
export function namedIn(table) {
  return (value, where, tables) => require(typeof value === "string" && Object.hasOwn(table(tables), value), where);
}

/** @param {Form} form @returns {Form} */
export function orNull(form) {
  return (value, where, tables) => value === null || form(value, where, tables);
}

/**
 * @param {Form} form of each item
 * @param {{ min?: number, max: number | ((tables: Tables) => number) }} size
 * @returns {Form}
 */
export function list(form, { min = 0, max }) {
  return (value, where, tables) => {
    const most = typeof max === "number" ? max : max(tables);
    if (!Array.isArray(value) || value.length < min || value.length > most) {
      throw new DocumentMalformed(where);
    }
    value.forEach((item, index) => form(item, `${where}/${index}`, tables));
  };
}

/**
 * @param {Record<string, Form>} members all of them and no other
 * @returns {Form}
 */
export function object(members) {
  return (value, where, tables) => {
    if (typeof value !== "object" || value === null || Array.isArray(value)) {
      throw new DocumentMalformed(where);
    }
    const held = /** @type {Record<string, unknown>} */ (value);
    const foreign = Object.keys(held).find((name) => !Object.hasOwn(members, name));
    require(foreign === undefined, `${where}/${foreign}`);
    for (const [name, form] of Object.entries(members)) {
      require(Object.hasOwn(held, name), `${where}/${name}`);
      form(held[name], `${where}/${name}`, tables);
    }
  };
}

/** A time of the form 2026-11-21T22:55:04Z on a day that exists. @type {Form} */
export function moment(value, where, tables) {
  require(typeof value === "string" && hasForm(tables, "moment", value), where);
  const at = new Date(String(value));
  // The year 0000 and 30 February have the form and are no days.
  require(!Number.isNaN(at.getTime()) && at.getUTCFullYear() > 0 && rfc3339(at) === value, where);
}

/**
 * @param {boolean} holds
 * @param {string} where JSON pointer
 * @returns {asserts holds}
 */
export function require(holds, where) {
  if (!holds) {
    throw new DocumentMalformed(where);
  }
}

/**
 * @param {Date} at
 * @returns {string} whole seconds, UTC
 */
export function rfc3339(at) {
  return `${at.toISOString().slice(0, 19)}Z`;
}
