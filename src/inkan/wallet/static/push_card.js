// @ts-check
/** The messages of this phone, as a card: what they are, whether they are on, and one button. */

import { button, card, notice } from "./components.js";
import { fill, h } from "./dom.js";
import { faultNotice } from "./faults.js";
import { standing, turnOff, turnOn } from "./push.js";
import { t } from "./texts.js";

/** @typedef {import("./router.js").Wallet} Wallet */

/**
 * For settings, and once after the phone was bound.
 *
 * @param {Wallet} wallet
 * @returns {HTMLElement}
 */
export function pushCard(wallet) {
  const place = h("div", { class: "stack" });
  draw(wallet, place);
  return card(t("Messages"), place);
}

/** @param {Wallet} wallet @param {HTMLElement} place */
function draw(wallet, place) {
  fill(place, ...shown(wallet, place));
}

/** @param {Wallet} wallet @param {HTMLElement} place @returns {import("./dom.js").Child[]} */
function shown(wallet, place) {
  const fault = h("div", {});
  const act = async (/** @type {() => Promise<void>} */ change) => {
    fill(fault);
    try {
      await change();
      draw(wallet, place);
    } catch (error) {
      fill(fault, faultNotice(error));
    }
  };
  switch (standing()) {
    case "unsupported":
      return [h("p", {}, t("This browser shows no messages. Requests still wait in the open wallet, and codes can be scanned."))];
    case "denied":
      return [notice("info", t("Messages are blocked"), h("p", {}, t("Allow them for this site in the settings of the browser or phone. Until then requests wait in the open wallet.")))];
    case "on":
      return [
        h("p", {}, t("This phone shows a message when a request waits.")),
        fault,
        button(t("Turn messages off"), () => act(() => turnOff(wallet.phone)), { kind: "second" }),
      ];
    default:
      return [
        h("p", {}, t("When a service asks by message, this phone can show that a request waits. The message says neither who asks nor what for.")),
        fault,
        button(t("Turn messages on"), () => act(() => turnOn(wallet.phone)), { kind: "second" }),
      ];
  }
}
