// @ts-check
/**
 * The pause after several failed recognitions (TW-27). The screen lock of the phone has its own; this one stands in
 * front of it, grows, is kept where reloading the page does not reach it, and cannot be skipped.
 */

const KEY = "inkan.cooldown";
const FREE_TRIES = 3;
const FIRST_PAUSE_S = 30;
const LONGEST_PAUSE_S = 900;

/** @typedef {{ failures: number, until: number }} Pause milliseconds since 1970, by the phone's clock */

/** @returns {Pause} */
function read() {
  try {
    const kept = JSON.parse(localStorage.getItem(KEY) ?? "null");
    return { failures: Number(kept?.failures) || 0, until: Number(kept?.until) || 0 };
  } catch {
    return { failures: 0, until: 0 };
  }
}

/**
 * How long nothing may be tried.
 *
 * @param {number} [now] milliseconds since 1970
 * @returns {number} seconds, 0 when there is no pause
 */
export function pauseLeft(now = Date.now()) {
  const { failures, until } = read();
  // A clock that was set back must not make the pause longer than it ever is.
  return Math.min(Math.max(0, Math.ceil((until - now) / 1000)), pauseOf(failures));
}

/** @param {number} failures @returns {number} seconds */
export function pauseOf(failures) {
  return failures < FREE_TRIES ? 0 : Math.min(FIRST_PAUSE_S * 2 ** (failures - FREE_TRIES), LONGEST_PAUSE_S);
}

/** The person was not recognised. @param {number} [now] */
export function countFailure(now = Date.now()) {
  const failures = read().failures + 1;
  localStorage.setItem(KEY, JSON.stringify({ failures, until: now + pauseOf(failures) * 1000 }));
}

/** The person was recognised. */
export function forgetFailures() {
  localStorage.removeItem(KEY);
}

/** Nothing may be tried for now. */
export class Pausing extends Error {
  /** @param {number} seconds */
  constructor(seconds) {
    super(`wait ${seconds} s`);
    this.code = "wallet_pausing";
    this.seconds = seconds;
  }
}

/**
 * Do what may ask for the person, and count when they are not recognised. Success forgets nothing: the platform may
 * have remembered an earlier recognition and asked for none.
 *
 * @template T
 * @param {() => Promise<T>} act
 * @returns {Promise<T>}
 * @throws {Pausing}
 */
export async function counted(act) {
  const pause = pauseLeft();
  if (pause > 0) {
    throw new Pausing(pause);
  }
  try {
    return await act();
  } catch (error) {
    if (/** @type {{ code?: string }} */ (error).code === "authenticator_user_not_verified") {
      countFailure();
    }
    throw error;
  }
}
