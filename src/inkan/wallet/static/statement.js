// @ts-check
/**
 * The statement: the bytes that a phone signs to approve one request (`inkan.wire.statement`). The platform fixes every
 * member but `phone_nonce`; the phone adds 32 random bytes and the hash of the text that it really showed.
 */

import { concat, encode, sha256, utf8 } from "./bytes.js";
import { list, moment, namedIn, object, oneOf, orNull, require, text } from "./forms.js";
import { canonical } from "./jcs.js";

/** @typedef {import("./phone_types.js").Bytes} Bytes */
/** @typedef {import("./phone_types.js").Tables} Tables */

export const STATEMENT_TYP = "inkan-statement+jws";
export const NONCE_SIZE = 32;
const CHALLENGE_LABEL = utf8("inkan-statement-v1\0");
const BY_STATEMENT = "statement";

const CONTENT = object({
  id: text("identifier"),
  name: text("name"),
  digest: text("digest"),
  alg: namedIn((tables) => tables.digests),
  format: oneOf(BY_STATEMENT, "cms", "pades", "xades", "jws"),
  tbs_sha256: orNull(text("bytes32")),
});

const DRAFT = object({
  v: oneOf(1),
  iss: text("issuer"),
  kind: oneOf("identify", "approve", "sign"),
  decision: oneOf("approve"),
  session: text("identifier"),
  system: text("identifier"),
  relying_party: object({ id: text("identifier"), name: text("name"), domain: text("domain") }),
  purpose: text("code"),
  shown: object({
    template: namedIn((tables) => tables.kinds),
    lang: namedIn((tables) => tables.labels),
    text_sha256: text("bytes32"),
  }),
  claims: list(text("code"), { max: (tables) => tables.limits.claims ?? 0 }),
  challenge: text("challenge"),
  contents: list(CONTENT, { max: (tables) => tables.limits.contents ?? 0 }),
  door: namedIn((tables) => tables.started),
  return_origin: orNull(text("origin")),
  cert_sha256: text("bytes32"),
  cred_sha256: text("bytes32"),
  server_nonce: text("bytes32"),
  at: moment,
});

/**
 * @param {unknown} members
 * @param {Tables} tables
 * @returns {Record<string, any>} the draft, if every member is there, known and of its form
 * @throws {DocumentMalformed}
 */
export function readDraft(members, tables) {
  DRAFT(members, "", tables);
  const draft = /** @type {Record<string, any>} */ (members);
  require(tables.kinds[draft.shown.template] === draft.kind, "/shown/template");
  require(new Set(draft.claims).size === draft.claims.length, "/claims");
  verifyContents(draft.kind, draft.contents, tables);
  canonical(draft);
  return draft;
}

/**
 * What the `auth` key answers signs no document; only the `sign` key does (TW-23).
 *
 * @param {string} kind
 * @param {Record<string, any>[]} contents
 * @param {Tables} tables
 */
function verifyContents(kind, contents, tables) {
  require(kind !== "sign" || contents.length > 0, "/contents");
  require(kind !== "identify" || contents.length === 0, "/contents");
  require(new Set(contents.map(({ id }) => id)).size === contents.length, "/contents");
  contents.forEach((content, index) => {
    const where = `/contents/${index}`;
    const byStatement = content.format === BY_STATEMENT;
    require(content.digest.length === tables.digests[content.alg], `${where}/digest`);
    require(kind !== "approve" || byStatement, `${where}/format`);
    require(byStatement === (content.tbs_sha256 === null), `${where}/tbs_sha256`);
  });
}

/**
 * @param {Record<string, any>} draft as the platform gave it out
 * @param {{ phoneNonce: Bytes, textSHA256: string }} own `textSHA256`: of the text that the phone really showed
 * @returns {Bytes} what the phone signs
 */
export function statementBytes(draft, { phoneNonce, textSHA256 }) {
  const shown = { ...draft.shown, text_sha256: textSHA256 };
  return canonical({ ...draft, shown, phone_nonce: encode(phoneNonce) });
}

/**
 * @param {Bytes} data the statement
 * @returns {Promise<Bytes>} the WebAuthn challenge: the label keeps it apart from every other one
 */
export async function statementChallenge(data) {
  return sha256(concat(CHALLENGE_LABEL, data));
}

/**
 * @param {Bytes} der one certificate
 * @returns {Promise<string>} `cert_sha256`
 */
export async function certificateSHA256(der) {
  return encode(await sha256(der));
}

/**
 * @param {Bytes} credentialId
 * @param {Bytes} coseKey
 * @returns {Promise<Bytes>} the 32 bytes of `cred_sha256`, which the certificate carries too
 */
export async function credentialSHA256(credentialId, coseKey) {
  return sha256(concat(credentialId, coseKey));
}
