// @ts-check
/**
 * Being woken by a message (Web Push). The browser asks for permission only after a tap; what it never answers has an
 * end here (wallet.md §5); what the message says is nothing but that something waits.
 */

import { equal } from "./bytes.js";
import { read, write } from "./preferences.js";
import { DeviceFault, timed } from "./timed.js";

/** @typedef {Pick<import("./phone.js").Phone, "pushKey" | "subscribe" | "unsubscribe">} Caller */
/** @typedef {"unsupported" | "denied" | "off" | "on"} Standing */

const WISH = "inkan.push"; // "on" when the person wants it
const TOLD = "inkan.push.told"; // the subscription that the platform knows, and since when: "endpoint since"
const LIMIT_MS = 10_000;
const DAY_MS = 86_400_000;
/** The tag of the one notification: a new one takes the place of the one before. */
export const TAG = "inkan-waiting";

/** @returns {boolean} */
function isSupported() {
  return "serviceWorker" in navigator && "PushManager" in globalThis && "Notification" in globalThis;
}

/** How things stand on this device. @returns {Standing} */
export function standing() {
  if (!isSupported()) {
    return "unsupported";
  }
  if (Notification.permission === "denied") {
    return "denied";
  }
  return Notification.permission === "granted" && read(WISH) === "on" ? "on" : "off";
}

/**
 * Be woken from now on; call it from a tap.
 *
 * @param {Caller} phone
 * @throws {DeviceFault} push_unsupported, push_denied, push_timeout, push_failed
 */
export async function turnOn(phone) {
  if (!isSupported()) {
    throw new DeviceFault("push_unsupported");
  }
  if ((await Notification.requestPermission()) !== "granted") {
    throw new DeviceFault("push_denied");
  }
  await tell(phone, await subscribed(phone));
  write(WISH, "on");
}

/** Be woken no more. @param {Caller} phone */
export async function turnOff(phone) {
  write(WISH, "off");
  write(TOLD, "");
  const held = await find();
  await phone.unsubscribe();
  await held?.unsubscribe();
}

/**
 * At each start: the browser may have changed its subscription, or the platform may have ended it.
 *
 * @param {Caller} phone
 */
export async function keepOn(phone) {
  if (standing() !== "on") {
    return;
  }
  const [endpoint, since] = (read(TOLD) ?? "").split(" ");
  const held = await find();
  if (held === null || held.endpoint !== endpoint || Date.now() - Number(since) > DAY_MS) {
    await tell(phone, await subscribed(phone));
  }
}

/** Take away what was shown: the person is looking at the wallet. */
export async function clearNotices() {
  const registration = await navigator.serviceWorker?.getRegistration();
  for (const each of (await registration?.getNotifications?.({ tag: TAG })) ?? []) {
    each.close();
  }
}

/** @returns {Promise<PushSubscription | null>} */
async function find() {
  const registration = await navigator.serviceWorker.getRegistration();
  return registration === undefined ? null : timed(registration.pushManager.getSubscription(), LIMIT_MS, "push_timeout");
}

/** @param {Caller} phone @returns {Promise<PushSubscription>} by the platform's present key */
async function subscribed(phone) {
  const key = await phone.pushKey();
  const registration = await timed(navigator.serviceWorker.ready, LIMIT_MS, "push_timeout");
  const held = await find();
  if (held !== null && isBy(held, key)) {
    return held;
  }
  await held?.unsubscribe();
  const asked = registration.pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: key });
  asked.catch(() => {}); // it may refuse long after its time
  try {
    return await timed(asked, LIMIT_MS, "push_timeout");
  } catch (error) {
    throw error instanceof DeviceFault ? error : new DeviceFault("push_failed", error);
  }
}

/** @param {PushSubscription} held @param {Uint8Array} key */
function isBy(held, key) {
  const own = held.options.applicationServerKey;
  return own !== null && equal(new Uint8Array(own), key);
}

/** @param {Caller} phone @param {PushSubscription} subscription */
async function tell(phone, subscription) {
  await phone.subscribe(subscription.toJSON());
  write(TOLD, `${subscription.endpoint} ${Date.now()}`);
}
