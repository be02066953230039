// @ts-check
/** Codes as text, in a test country: what a page shows in its code now, at the address that it names beside the code. */

import { DeviceFault, timed } from "./timed.js";

const READ_MS = 5_000;
const SCREEN = /^\/(?:[a-z]+\/)?camera\/[\w.-]{16,160}$/;

/**
 * Whether an address is that of a code on a screen, on a site that this wallet was told of.
 *
 * @param {string} address
 * @param {import("./settings.js").Settings} settings
 * @returns {boolean}
 */
export function isScreen(address, { isTest, platform, screens }) {
  if (!isTest || !URL.canParse(address)) {
    return false;
  }
  const { origin, pathname } = new URL(address);
  return [platform, ...screens].includes(origin) && SCREEN.test(pathname);
}

/**
 * @param {string} address
 * @returns {Promise<string>} the address that the code holds at this moment
 * @throws {DeviceFault} screen_gone: no code is shown there, or nobody answers
 */
export async function readScreen(address) {
  const options = /** @type {const} */ ({ cache: "no-store", credentials: "omit", referrerPolicy: "no-referrer" });
  try {
    const answer = await timed(fetch(address, options), READ_MS, "screen_gone");
    if (answer.ok) {
      return await timed(answer.text(), READ_MS, "screen_gone");
    }
  } catch (error) {
    throw new DeviceFault("screen_gone", error);
  }
  throw new DeviceFault("screen_gone");
}
