// @ts-check
/**
 * What a phone demands of a draft before it shows it: that it is about this phone, and that the text tells the truth.
 *
 * The platform fixes nearly every member of the statement; the phone is the person's last guard, so it takes nothing
 * that it can check itself. In particular it renders the text again from the draft's own members: what stands on the
 * screen names the asker, the door and the documents that will be signed, or nothing is shown at all (threat 22).
 */

import { encode } from "./bytes.js";
import { DraftRefused, PhoneError } from "./errors.js";
import { render, textSHA256 } from "./shown.js";
import { certificateSHA256, credentialSHA256, readDraft } from "./statement.js";

/** @typedef {import("./phone_types.js").Bound} Bound */
/** @typedef {import("./phone_types.js").KeyUse} KeyUse */
/** @typedef {import("./phone_types.js").Tables} Tables */

// A session lives ten minutes at most, and the same phone may open it again.
const AGE_LIMIT_MS = 15 * 60 * 1000;

/** @type {Record<string, KeyUse>} which certificate key answers a question */
const KEY_OF_KIND = { identify: "auth", approve: "auth", sign: "sign" };

/**
 * @param {Bound} bound
 * @param {string} kind
 * @returns {KeyUse} with a single key there is no choice
 */
export function useFor(bound, kind) {
  return bound.keys.single ? "single" : (KEY_OF_KIND[kind] ?? "auth");
}

/**
 * Return the draft if this phone may show and sign it.
 *
 * 1. Every member is there, known and of its form.
 * 2. `iss` is the platform that this phone is bound at.
 * 3. `cert_sha256` is its own certificate for this kind of question, in its term; `cred_sha256` its own passkey.
 * 4. `return_origin`, if any, lies in the relying party's registered domain, or is the origin of `iss`: the platform
 *    takes the browser back itself where it is the OpenID provider of the relying party (ADR 0020).
 * 5. `at` is no more than a quarter of an hour from now.
 * 6. The text is in the person's language, is exactly what the draft's members render to, and has the hash that the
 *    draft names.
 *
 * @param {unknown} members
 * @param {unknown} text what the platform wants shown
 * @param {{ bound: Bound, platform: string, lang: string, now: Date, tables: Tables }} own
 * @returns {Promise<Record<string, any>>}
 * @throws {DraftRefused} at the first member that does not fit
 */
export async function verifyDraft(members, text, { bound, platform, lang, now, tables }) {
  const draft = read(members, tables); // 1
  compare("iss", draft.iss, platform); // 2
  await verifyOwn(draft, bound, now); // 3
  if (!isAdmitted(draft.return_origin, draft)) {
    throw new DraftRefused("return_origin"); // 4
  }
  if (Math.abs(Date.parse(draft.at) - now.getTime()) > AGE_LIMIT_MS) {
    throw new DraftRefused("at"); // 5
  }
  compare("shown", draft.shown.lang, lang); // 6
  if (typeof text !== "string") {
    throw new DraftRefused("shown");
  }
  compare("shown", text, rendered(draft, text, tables));
  compare("shown", draft.shown.text_sha256, await textSHA256(text));
  return draft;
}

/**
 * @param {unknown} members
 * @param {Tables} tables
 */
function read(members, tables) {
  try {
    return readDraft(members, tables);
  } catch (error) {
    throw refusal("draft", error);
  }
}

/**
 * @param {Record<string, any>} draft
 * @param {Bound} bound
 * @param {Date} now
 */
async function verifyOwn(draft, bound, now) {
  const held = bound.certificates[useFor(bound, draft.kind)];
  if (held === undefined) {
    throw new DraftRefused("kind");
  }
  compare("cert_sha256", draft.cert_sha256, await certificateSHA256(held.der));
  if (now.getTime() < Date.parse(held.notBefore) || now.getTime() > Date.parse(held.notAfter)) {
    throw new DraftRefused("cert_sha256", "the certificate has ended");
  }
  const { id, coseKey } = bound.credential;
  compare("cred_sha256", draft.cred_sha256, encode(await credentialSHA256(id, coseKey)));
}

/**
 * What the draft's own members render to; from `text` come only the lines that no member holds. These are the words
 * for the purpose, and which of the two sentences says what is given. Taken into the rendering, they cannot stand for
 * anything else.
 *
 * @param {Record<string, any>} draft
 * @param {string} text
 * @param {Tables} tables
 */
function rendered(draft, text, tables) {
  const labels = tables.labels[draft.shown.lang] ?? {};
  const facts = factsOf(text, labels.colon ?? "");
  try {
    return render(
      {
        template: draft.shown.template,
        lang: draft.shown.lang,
        relyingParty: draft.relying_party.name,
        domain: draft.relying_party.domain,
        purposeText: facts.get(labels.purpose ?? "") ?? "",
        door: draft.door,
        contents: draft.contents,
        claims: draft.claims,
        fullEvidence: facts.get(labels.given ?? "") === labels.name_and_certificate,
      },
      tables,
    );
  } catch (error) {
    throw refusal("shown", error);
  }
}

/**
 * @param {string} text
 * @param {string} colon
 * @returns {Map<string, string>} what stands behind the first colon of each line, by what stands before it
 */
function factsOf(text, colon) {
  const found = new Map();
  for (const line of text.split("\n")) {
    const at = line.indexOf(colon);
    if (at >= 0) {
      found.set(line.slice(0, at), line.slice(at + colon.length));
    }
  }
  return found;
}

/**
 * @param {string | null} origin
 * @param {Record<string, any>} draft
 */
function isAdmitted(origin, draft) {
  if (origin === null || origin === originOf(draft.iss)) {
    return true;
  }
  const host = origin.split("://")[1]?.split(":")[0] ?? ""; // the form of an origin was checked
  const registered = draft.relying_party.domain.split(":")[0] ?? ""; // perhaps with a port
  return host === registered || host.endsWith(`.${registered}`);
}

/** @param {string} address an issuer, perhaps with a path; its form was checked */
function originOf(address) {
  return address.split("/").slice(0, 3).join("/");
}

/**
 * @param {string} member
 * @param {unknown} theirs
 * @param {unknown} ours
 */
function compare(member, theirs, ours) {
  if (theirs !== ours) {
    throw new DraftRefused(member, `${member} is not what this phone knows`);
  }
}

/**
 * @param {string} member
 * @param {unknown} error
 * @returns {unknown} what a malformed value means here; other errors as they are
 */
function refusal(member, error) {
  return error instanceof PhoneError ? new DraftRefused(member, error.message) : error;
}
