// @ts-check
/** The six digits that the asking page shows, typed before the request is given out (design §5.4, push). */

import { fill, h } from "./dom.js";
import { faultNotice } from "./faults.js";
import { button, busy, field } from "./components.js";
import { t } from "./texts.js";

/** @typedef {import("./router.js").Wallet} Wallet */
/** @typedef {import("./router.js").View} View */

const LENGTH = 6;

/**
 * @param {Wallet} wallet
 * @param {import("./router.js").Told} told approval, asker, domain
 * @returns {View}
 */
export function code(wallet, told) {
  const fault = h("div", {});
  const input = h("input", {
    inputmode: "numeric",
    autocomplete: "one-time-code",
    pattern: "[0-9]{6}",
    maxlength: LENGTH,
    required: true,
    class: "digits wallet-code",
  });
  const send = h("button", { type: "submit", class: "button" }, t("Go on"));
  const form = h("form", { class: "stack" }, field("code", t("The 6 digits on the other screen"), input, t("They stand on the page where you began.")), fault, send);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    void busy(send, () => open(wallet, told, input, fault));
  });
  return {
    title: t("{asker} asks", { asker: told.asker ?? "" }),
    nodes: [
      h("p", {}, h("span", { class: "wallet-domain" }, told.domain ?? "")),
      form,
      h("p", { class: "small soft" }, t("Has somebody told you these digits by telephone or message? Then somebody else began this.")),
      button(t("I did not start this"), () => wallet.swap("answered", { turnDown: told.approval }), { kind: "quiet" }),
    ],
  };
}

/**
 * @param {Wallet} wallet
 * @param {import("./router.js").Told} told
 * @param {HTMLInputElement} input
 * @param {HTMLElement} fault
 */
async function open(wallet, told, input, fault) {
  fill(fault);
  try {
    const held = await wallet.phone.openPush(told.approval, input.value.trim());
    await wallet.swap("approve", { id: held.id });
  } catch (error) {
    fill(fault, faultNotice(error));
    input.value = "";
    input.focus();
  }
}
