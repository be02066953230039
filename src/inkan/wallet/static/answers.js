// @ts-check
/** What the platform's answers and refusals say (RFC 9457), and when it wants to be asked again. */

import { AnswerMalformed } from "./errors.js";

/** @typedef {Record<string, any>} Answer an object of the platform's JSON */

/**
 * @param {Response} response
 * @param {string} body
 * @returns {import("./errors.js").Problem} what an answer says about a refusal
 */
export function problemOf(response, body) {
  const type = response.headers.get("content-type")?.split(";")[0]?.trim() ?? "";
  const isJSON = type === "application/problem+json" || type === "application/json";
  /** @type {Record<string, unknown>} */
  const members = isJSON ? membersOf(body) : {};
  return {
    status: response.status,
    code: text(members.code) ?? text(members.error) ?? "unexplained",
    title: text(members.title) ?? `HTTP status ${response.status}`,
    detail: text(members.detail),
    text: text(members.text),
    retryAfterS: retryAfter(response.headers),
  };
}

/**
 * Retry-After first; without one, a rate that is used up says it. A date counts from the answer's own Date.
 *
 * @param {Headers} headers
 * @returns {number | null} seconds
 */
export function retryAfter(headers) {
  const told = headers.get("retry-after")?.trim() ?? "";
  if (told !== "") {
    const between = (Date.parse(told) - Date.parse(headers.get("date") ?? "")) / 1000;
    return /^[0-9]{1,10}$/.test(told) ? Number(told) : finite(Math.max(Math.round(between), 0));
  }
  const rates = (headers.get("ratelimit") ?? "").split(",").map((item) => ({
    left: /;\s*r=([0-9]+)/.exec(item)?.[1],
    fullAfterS: /;\s*t=([0-9]+)/.exec(item)?.[1],
  }));
  const waits = rates.filter(({ left, fullAfterS }) => left === "0" && fullAfterS !== undefined);
  return waits.length === 0 ? null : Math.max(...waits.map(({ fullAfterS }) => Number(fullAfterS)));
}

/** @param {number} seconds */
function finite(seconds) {
  return Number.isFinite(seconds) ? seconds : null;
}

/** @param {string} text @returns {unknown} null for an empty one @throws {AnswerMalformed} */
export function readJSON(text) {
  try {
    return text === "" ? null : JSON.parse(text);
  } catch (error) {
    throw new AnswerMalformed(String(error));
  }
}

/** @param {string} text @returns {Record<string, unknown>} {} for what is no object */
function membersOf(text) {
  try {
    const value = JSON.parse(text);
    return typeof value === "object" && value !== null ? value : {};
  } catch {
    return {};
  }
}

/**
 * @param {Answer} answer
 * @param {string[]} names members that must be texts
 * @returns {Answer}
 * @throws {AnswerMalformed}
 */
export function withTexts(answer, names) {
  const missing = names.find((name) => typeof answer[name] !== "string");
  if (missing !== undefined) {
    throw new AnswerMalformed(`no ${missing}`);
  }
  return answer;
}

/** @param {unknown} answer @returns {Answer} @throws {AnswerMalformed} */
export function objectOf(answer) {
  if (typeof answer !== "object" || answer === null || Array.isArray(answer)) {
    throw new AnswerMalformed("expected an object");
  }
  return answer;
}

/** @param {unknown} value */
function text(value) {
  return typeof value === "string" ? value : null;
}
