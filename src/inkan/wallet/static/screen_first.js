// @ts-check
/** The first start, a phone that is not bound yet, and a browser that holds no keys. */

import { h } from "./dom.js";
import { button, card, notice, steps } from "./components.js";
import { rememberStart } from "./preferences.js";
import { t } from "./texts.js";

/** @typedef {import("./router.js").Wallet} Wallet */
/** @typedef {import("./router.js").View} View */

/**
 * The risk notice and the advice of the first start (HCA-52, HCA-53).
 *
 * @param {Wallet} wallet
 * @returns {View}
 */
export function first(wallet) {
  return {
    title: t("Your seal, in your phone"),
    tab: "",
    nodes: [
      h("p", { class: "lead" }, t("With this wallet you show who you are and sign, on the phone in your hand.")),
      notice(
        "caution",
        t("Before you begin"),
        h(
          "ul",
          {},
          h("li", {}, t("Approve only what you began yourself. Nobody from an agency or bank asks for your code by telephone.")),
          h("li", {}, t("Look at the name and the domain of who asks, each time.")),
          h("li", {}, t("Keep the screen lock on. Whoever opens your phone with your fingerprint, face or PIN can sign as you.")),
          h("li", {}, t("Install updates of the phone, and a virus scanner where one is offered for it.")),
          h("li", {}, t("If the phone is lost, end its binding in your home on the platform, or at a counter.")),
        ),
      ),
      button(t("I understand"), () => {
        rememberStart();
        return wallet.swap(wallet.phone.bound === null ? "welcome" : "home");
      }),
    ],
  };
}

/**
 * What it takes to bind the phone.
 *
 * @param {Wallet} wallet
 * @returns {View}
 */
export function welcome(wallet) {
  return {
    title: t("Bind this phone"),
    tab: "",
    nodes: [
      h("p", { class: "lead" }, t("You do this once, with your IC card and a computer or counter that can read it.")),
      steps(
        [
          t("Open the enrolment page on the computer"),
          t("Scan its code with this phone"),
          t("The phone makes its keys"),
          t("Type the 8 digits into the card program, and your card signs"),
        ],
        0,
      ),
      card("", h("p", { class: "small soft" }, t("Enrolment page")), h("p", { class: "wallet-address" }, `${wallet.settings.platform}/enrol`)),
      button(t("The page is open: go on"), () => wallet.go("naming")),
      h("p", { class: "small soft" }, t("Whoever sends you such a code by message wants to bind your card to a phone of theirs. Scan only from your own screen.")),
    ],
  };
}

/**
 * An address of the wallet was opened in a browser that holds no keys; nothing is consumed (design §5.4).
 *
 * @param {Wallet} wallet
 * @returns {View}
 */
export function stranger(wallet) {
  return {
    title: t("This browser holds no wallet"),
    tab: "",
    nodes: [
      h("p", { class: "lead" }, t("The address that was opened belongs to the wallet on your phone. Nothing was used up: go back and choose another way.")),
      h(
        "ul",
        {},
        h("li", {}, t("You were about to identify yourself: choose the code, and scan it with the wallet.")),
        h("li", {}, t("Or have a message sent to the phone, and type the code into the wallet.")),
      ),
      notice("caution", t("Somebody sent you this address?"), h("p", {}, t("Do not use it. Nobody who means well sends such an address; it belongs to the browser that began."))),
      button(t("Bind this phone"), () => wallet.go("welcome"), { kind: "second" }),
    ],
  };
}
