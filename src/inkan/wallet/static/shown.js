// @ts-check
/**
 * The text that a person reads before deciding (`inkan.wire.shown`), rendered again on the phone. The wordings are the
 * server's tables; the structure is here, so that a text that says something else than the draft is seen.
 */

import { decode, encode, hex, sha256, utf8 } from "./bytes.js";
import { ShownImpossible } from "./errors.js";
import { visibleLine } from "./forms.js";

/** @typedef {import("./phone_types.js").Tables} Tables */

const FINGERPRINT_BYTES = 8;

/**
 * @typedef {object} Facts
 * @property {string} template
 * @property {string} lang
 * @property {string} relyingParty
 * @property {string} domain
 * @property {string} purposeText
 * @property {string} door
 * @property {{ name: string, alg: string, digest: string }[]} contents
 * @property {string[]} claims codes
 * @property {boolean} fullEvidence
 */

/**
 * @param {Facts} facts
 * @param {Tables} tables
 * @returns {string} lines ended by LF except the last one
 * @throws {UnsafeText} a text could draw lines of its own
 * @throws {ShownImpossible} the template cannot tell the truth about these facts
 */
export function render(facts, tables) {
  verifyHonest(facts, tables);
  const labels = row(tables.labels, facts.lang, "/lang");
  const wording = row(row(tables.wordings, facts.template, "/template"), facts.lang, "/lang");
  const bare = facts.claims.length > 0 ? labels.pseudonym_and_claims : labels.pseudonym;
  const given = facts.fullEvidence ? labels.name_and_certificate : bare;
  const lines = [
    [labels.asker, line(facts.relyingParty, "name", "/relying_party/name", tables)],
    [labels.domain, line(facts.domain, "domain", "/relying_party/domain", tables)],
    [labels.purpose, line(facts.purposeText, "text", "/purpose", tables)],
    [labels.given, given],
  ];
  if (facts.claims.length > 0) {
    lines.push([labels.claims, claimNames(facts, tables).join(labels.separator)]);
  }
  lines.push([labels.started, row(row(tables.started, facts.door, "/door"), facts.lang, "/lang")]);
  const told = lines.map(([name, value]) => `${name}${labels.colon}${value}`);
  const listed = facts.contents.length > 0 ? [...contentLines(facts, wording.contents, tables), ""] : [];
  return [wording.heading, "", ...told, "", ...listed, wording.effect, labels.closing].join("\n");
}

/**
 * @param {string} text
 * @returns {Promise<string>} SHA-256 over its UTF-8, base64url
 */
export async function textSHA256(text) {
  return encode(await sha256(utf8(text)));
}

/**
 * @param {string} digest base64url
 * @returns {string} its first 8 bytes as people compare them: `9f86 d081 884c 7d65`
 */
export function fingerprint(digest) {
  const digits = hex(decode(digest).subarray(0, FINGERPRINT_BYTES));
  return (digits.match(/.{1,4}/g) ?? []).join(" ");
}

/**
 * @param {Facts} facts
 * @param {Tables} tables
 */
function verifyHonest(facts, tables) {
  const kind = row(tables.kinds, facts.template, "/template");
  if (kind === "identify" && facts.contents.length > 0) {
    throw new ShownImpossible("/contents");
  }
  if (kind === "sign" && !(facts.contents.length > 0 && facts.fullEvidence)) {
    throw new ShownImpossible("/contents");
  }
  if (facts.claims.length > (tables.limits.claims ?? 0)) {
    throw new ShownImpossible("/claims");
  }
}

/**
 * @param {Facts} facts
 * @param {Tables} tables
 */
function claimNames(facts, tables) {
  return facts.claims.map((code) => row(row(tables.claims, code, "/claims"), facts.lang, "/claims"));
}

/**
 * @param {Facts} facts
 * @param {string} heading
 * @param {Tables} tables
 */
function contentLines({ lang, contents }, heading, tables) {
  const { colon } = row(tables.labels, lang, "/lang");
  const lines = contents.flatMap((content, index) => [
    `${index + 1}. ${line(content.name, "name", `/contents/${index}/name`, tables)}`,
    `   ${content.alg.toUpperCase()} ${fingerprint(content.digest)}`,
  ]);
  return [`${heading}${colon}${contents.length}`, ...lines];
}

/**
 * @template T
 * @param {Record<string, T>} table
 * @param {string} name
 * @param {string} where
 * @returns {T}
 */
function row(table, name, where) {
  const found = Object.hasOwn(table, name) ? table[name] : undefined;
  if (found === undefined) {
    throw new ShownImpossible(where);
  }
  return found;
}

/**
 * @param {string} text
 * @param {string} form
 * @param {string} where
 * @param {Tables} tables
 */
function line(text, form, where, tables) {
  return visibleLine(text, { tables, form, where });
}
