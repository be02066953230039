// @ts-check
/** New keys and certificates without the card, from sixty days before the end (TW-32). */

import { button, notice, steps, waiting } from "./components.js";
import { counted } from "./cooldown.js";
import { fill, h } from "./dom.js";
import { faultNotice } from "./faults.js";
import { STEPS } from "./screen_binding.js";
import { day, t } from "./texts.js";

/** @typedef {import("./router.js").Wallet} Wallet */
/** @typedef {import("./router.js").View} View */

const DAYS_BEFORE = 60; // design §5.2 step 7
const DAY_MS = 86_400_000;

/**
 * When certificates can be renewed.
 *
 * @param {string} notAfter RFC 3339
 * @param {Date} now
 * @returns {{ from: string, isOpen: boolean, isOver: boolean }}
 */
export function renewable(notAfter, now) {
  const end = Date.parse(notAfter);
  const from = end - DAYS_BEFORE * DAY_MS;
  return { from: new Date(from).toISOString(), isOpen: now.getTime() >= from && now.getTime() <= end, isOver: now.getTime() > end };
}

/** @returns {string[]} */
function names() {
  return [t("Recognise you"), t("Make keys"), t("Send"), t("Check")];
}

/** @type {Readonly<Record<string, number>>} */
const PLACES = { passkey: 0, passkey_again: 0, keys: 1, sending: 2, checking: 3 };

/**
 * @param {Wallet} wallet
 * @returns {View}
 */
export function renewal(wallet) {
  const place = h("div", { class: "stack" });
  let isOver = false;
  fill(
    place,
    h("p", {}, wallet.phone.isRenewing ? t("A renewal was begun. It goes on with the same keys.") : beginning(wallet)),
    button(wallet.phone.isRenewing ? t("Go on with it") : t("Renew"), () => run(wallet, place, () => !isOver)),
  );
  return { title: t("Renew the certificates"), nodes: [place], leave: () => (isOver = true) };
}

/** @param {Wallet} wallet @returns {string} */
function beginning({ phone }) {
  return phone.bound?.backEnd === "B"
    ? t("The key store makes new keys for this phone, and the phone gets new certificates for them. You are asked once for fingerprint, face or PIN. The platform checks first that your card is still good.")
    : t("The phone makes new keys and gets new certificates for them. You are asked once for fingerprint, face or PIN. The platform checks first that your card is still good.");
}

/** @param {Wallet} wallet @param {HTMLElement} place @param {() => boolean} alive */
async function run(wallet, place, alive) {
  const show = (/** @type {string} */ step) => alive() && fill(place, steps(names(), PLACES[step] ?? 1), waiting((STEPS[step] ?? STEPS.keys)?.() ?? ""));
  try {
    show("passkey");
    const bound = await counted(() => wallet.phone.renew({ onStep: show }));
    const until = Object.values(bound.certificates)[0]?.notAfter ?? "";
    if (alive()) {
      fill(place, notice("done", t("The certificates are renewed"), h("p", {}, t("They hold until {day}.", { day: day(until) }))), button(t("Certificates"), () => wallet.swap("certificates")));
      wallet.say(t("The certificates are renewed"));
    }
  } catch (error) {
    if (alive()) {
      fill(place, faultNotice(error), h("p", {}, t("The old certificates stay in use. Nothing is lost: trying again goes on where it stopped.")), button(t("Try again"), () => run(wallet, place, alive)));
    }
  }
}
