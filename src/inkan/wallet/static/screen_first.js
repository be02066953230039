// @ts-check
/** The first start, a phone that is not bound yet, and a browser that holds no keys. */

import { h, sign } from "./dom.js";
import { button, card, notice, steps } from "./components.js";
import { practiceOffer } from "./practice_lock.js";
import { isPractising, rememberStart } from "./preferences.js";
import { t } from "./texts.js";

/** @typedef {import("./router.js").Wallet} Wallet */
/** @typedef {import("./router.js").View} View */

const HAND = "M7 12V6.5a1.5 1.5 0 0 1 3 0V11V4.5a1.5 1.5 0 0 1 3 0V11V5.5a1.5 1.5 0 0 1 3 0V12V8.5a1.5 1.5 0 0 1 3 0V15a6 6 0 0 1-6 6h-1a6 6 0 0 1-5-2.7L4 14a1.6 1.6 0 0 1 2.6-1.8Z";
const EYE = "M2.5 12S6 5.5 12 5.5 21.5 12 21.5 12 18 18.5 12 18.5 2.5 12 2.5 12ZM12 15a3 3 0 1 0 0-6 3 3 0 0 0 0 6Z";
const LOCK = "M6 11h12v9H6ZM8.5 11V8a3.5 3.5 0 0 1 7 0v3M12 14.5v2.5";
const SHIELD = "M12 3l7 2.5v6c0 4.5-3 7.7-7 9.5-4-1.8-7-5-7-9.5v-6ZM9 12l2.2 2.2L15.2 10";
const PHONE = "M8 3h8a1.5 1.5 0 0 1 1.5 1.5v15A1.5 1.5 0 0 1 16 21H8a1.5 1.5 0 0 1-1.5-1.5v-15A1.5 1.5 0 0 1 8 3ZM11 18h2M9.5 8l5 5M14.5 8l-5 5";

/** @returns {[string, string][]} a drawing and what it stands for */
function advice() {
  return [
    [HAND, t("Approve only what you began yourself. Nobody from an agency or bank asks for your code by telephone.")],
    [EYE, t("Look at the name and the domain of who asks, each time.")],
    [LOCK, t("Keep the screen lock on. Whoever opens your phone with your fingerprint, face or PIN can sign as you.")],
    [SHIELD, t("Install updates of the phone, and a virus scanner where one is offered for it.")],
    [PHONE, t("If the phone is lost, end its binding in your home on the platform, or at a counter.")],
  ];
}

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
      h("img", { class: "wallet-seal", src: wallet.settings.seal, alt: "", width: 96, height: 96 }),
      h("p", { class: "lead" }, t("With this wallet you show who you are and sign, on the phone in your hand.")),
      h("h2", {}, t("Before you begin")),
      h(
        "ul",
        { class: "wallet-signs" },
        ...advice().map(([lines, text]) => h("li", {}, sign(lines), h("span", {}, text))),
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
      isPractising() ? h("p", { class: "small soft" }, t("The practice lock is on: you choose digits when the keys are made.")) : practiceOffer(wallet),
      button(t("The page is open: go on"), () => wallet.go("naming")),
      button(t("Bind at a kiosk"), () => wallet.go("kiosk"), { kind: "second" }),
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
