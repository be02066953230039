// @ts-check
/** Requests that the platform answers only when the person was verified in the last ten minutes (design §5.6). */

import { decode } from "./bytes.js";
import { CallRefused } from "./errors.js";

/** @typedef {import("./parts.js").Parts} Parts */
/** @typedef {Record<string, any>} Answer */

const PRESENCE_REQUIRED = "verification_stale";

/**
 * Verify the person and tell the platform.
 *
 * @param {Parts} parts
 * @throws {UserNotVerified} the person was not recognised
 */
export async function showPresence(parts) {
  const { challenge } = await parts.api.post("/phone/v1/assertions/begin", {});
  const { assertion } = await parts.assertUser(decode(challenge), { wantsPRF: false });
  await parts.api.post("/phone/v1/assertions", assertion);
}

/**
 * @param {Parts} parts
 * @param {string} path
 * @returns {Promise<Answer>}
 */
export async function getWithPresence(parts, path) {
  return withPresence(parts, () => parts.api.get(path));
}

/**
 * @param {Parts} parts
 * @param {string} path
 * @param {object} body
 * @returns {Promise<Answer>}
 */
export async function postWithPresence(parts, path, body) {
  return withPresence(parts, () => parts.api.post(path, body));
}

/**
 * @template T
 * @param {Parts} parts
 * @param {() => Promise<T>} call repeated once, after the person was verified where the platform asks for it
 * @returns {Promise<T>}
 */
export async function withPresence(parts, call) {
  try {
    return await call();
  } catch (error) {
    if (!(error instanceof CallRefused) || error.code !== PRESENCE_REQUIRED) {
      throw error;
    }
  }
  await showPresence(parts);
  return call();
}
