// @ts-check
/** Addresses of the wallet as they are scanned or handed over (`inkan.wire.qr`, `inkan.wire.link`). */

import { LinkMalformed, QRFrameMalformed } from "./errors.js";

// inkan.wire.wallet_paths
export const SESSION_PATH = "q";
export const ENROLMENT_PATH = "e";
export const LINK_PATH = "l";

const FRAME = /^1\.([A-Za-z0-9_-]{16,64})\.(0|[1-9][0-9]{0,9})\.([A-Za-z0-9_-]{21}[AQgw])$/;
const HANDLE = /^1\.([A-Za-z0-9_-]{16,64})$/;
const MAX_T = 2 ** 32 - 1;

/**
 * @typedef {object} Frame what a scanned frame says; nothing of it is verified
 * @property {string} handle
 * @property {number} t seconds, by the platform's clock
 * @property {string} mac base64url of 16 bytes
 */

/**
 * @param {string} url
 * @param {string} origin of the wallet
 * @param {string} [path]
 * @returns {Frame}
 * @throws {QRFrameMalformed} another origin, path or version, or a second spelling of a member
 */
export function parseFrame(url, origin, path = SESSION_PATH) {
  const [, handle, t, mac] = FRAME.exec(fragment(url, `${origin}/${path}#`)) ?? [];
  if (handle === undefined || mac === undefined || Number(t) > MAX_T) {
    throw new QRFrameMalformed();
  }
  return { handle, t: Number(t), mac };
}

/**
 * @param {string} url
 * @param {string} origin of the wallet
 * @returns {string} the handle
 * @throws {LinkMalformed}
 */
export function parseAddress(url, origin) {
  const [, handle] = HANDLE.exec(fragment(url, `${origin}/${LINK_PATH}#`)) ?? [];
  if (handle === undefined) {
    throw new LinkMalformed();
  }
  return handle;
}

/**
 * @param {string} url
 * @param {string} prefix
 */
function fragment(url, prefix) {
  return url.startsWith(prefix) ? url.slice(prefix.length) : "";
}
