// @ts-check
/**
 * Being woken: the platform's push key and this browser's subscription. The keys that messages are encrypted for are the
 * browser's own; a message holds an opaque handle and is no news by itself.
 */

import { decode } from "./bytes.js";

/** @typedef {import("./parts.js").Parts} Parts */

const PATH = "/phone/v1/push";
const POINT_SIZE = 65;

/**
 * @param {Parts} parts
 * @returns {Promise<import("./phone_types.js").Bytes>} the `applicationServerKey` of a subscription
 * @throws {CallRefused} the platform speaks no Web Push
 */
export async function fetchKey(parts) {
  const { key } = await parts.api.get(`${PATH}/key`);
  return decode(key, POINT_SIZE);
}

/**
 * @param {Parts} parts
 * @param {PushSubscriptionJSON} subscription of `PushSubscription.toJSON()`
 * @throws {CallRefused} the platform does not call such an endpoint (`push_subscription_refused`)
 */
export async function subscribe(parts, { endpoint, expirationTime = null, keys }) {
  const { p256dh, auth } = keys ?? {};
  await parts.api.put(PATH, { carrier: "webpush", endpoint, expirationTime, keys: { p256dh, auth } });
}

/** @param {Parts} parts */
export async function unsubscribe(parts) {
  await parts.api.delete(PATH);
}
