// @ts-check
/** What the platform has written down of a person, from the phone: uses, reports, consents, phones, browsers, news. */

import { AnswerMalformed } from "./errors.js";
import { getWithPresence, postWithPresence, withPresence } from "./presence.js";

/** @typedef {import("./parts.js").Parts} Parts */
/** @typedef {import("./phone_types.js").Decision} Decision */
/** @typedef {Record<string, any>} Answer */

const BASE = "/phone/v1";

/**
 * @param {Parts} parts
 * @param {"phones" | "records" | "consents" | "browsers" | "news" | "notices"} what its path and the answer's member
 * @param {Record<string, string | null | undefined>} [filter]
 * @returns {Promise<Answer[]>}
 */
export async function list(parts, what, filter = {}) {
  const given = Object.entries(filter).filter(([, value]) => (value ?? "") !== "");
  const query = new URLSearchParams(/** @type {[string, string][]} */ (given)).toString();
  const answer = await getWithPresence(parts, `${BASE}/${what}${query === "" ? "" : `?${query}`}`);
  if (!Array.isArray(answer[what])) {
    throw new AnswerMalformed(`no ${what}`);
  }
  return answer[what];
}

/** One use and its place in the audit log. @param {Parts} parts @param {string} id @returns {Promise<Answer>} */
export async function use(parts, id) {
  return getWithPresence(parts, `${BASE}/records/${segment(id)}`);
}

/**
 * @param {Parts} parts
 * @param {string} id
 * @returns {Promise<Answer>}
 * @throws {CallRefused} no head that others can check stands over it yet (`event_not_covered`)
 */
export async function useProof(parts, id) {
  return getWithPresence(parts, `${BASE}/records/${segment(id)}/proof`);
}

/** A second time changes nothing. @param {Parts} parts @param {string} id @returns {Promise<Answer>} */
export async function reportUse(parts, id) {
  return parts.api.post(`${BASE}/records/${segment(id)}/report`, {}, { again: true });
}

/**
 * Refuse what was pushed to this phone without opening it, or say that somebody else started it.
 *
 * @param {Parts} parts
 * @param {string} id
 * @param {boolean} isReport
 * @returns {Promise<Decision>}
 */
export async function turnDown(parts, id, isReport) {
  const path = `${BASE}/approvals/${segment(id)}/${isReport ? "report" : "refuse"}`;
  return /** @type {Promise<any>} */ (parts.api.post(path, {}, { again: true }));
}

/** A second time changes nothing. @param {Parts} parts @param {string} id */
export async function withdrawConsent(parts, id) {
  await postWithPresence(parts, `${BASE}/consents/${segment(id)}/withdraw`, {});
}

/** @param {Parts} parts @param {string} id */
export async function forgetBrowser(parts, id) {
  await withPresence(parts, () => parts.api.delete(`${BASE}/browsers/${segment(id)}`));
}

/**
 * @param {Parts} parts
 * @param {string} phone
 * @param {string | null} reason
 */
export async function revoke(parts, phone, reason) {
  await postWithPresence(parts, `${BASE}/revoke`, reason === null ? { phone } : { phone, reason });
}

/** Stop every phone of this person. @param {Parts} parts @returns {Promise<Answer>} */
export async function freeze(parts) {
  return postWithPresence(parts, `${BASE}/freeze`, {});
}

/** With the fields that a viewer shows. @param {Parts} parts @param {string} id @returns {Promise<Answer>} */
export async function certificate(parts, id) {
  return getWithPresence(parts, `${BASE}/certificates/${segment(id)}`);
}

/** @param {string} id as one segment of a path, whatever it holds */
function segment(id) {
  return encodeURIComponent(id).replaceAll(".", "%2E");
}
