// @ts-check
/** Help in pictures and few words, and how card, FIDO and this wallet compare (TW-70). */

import { bullets, pictured, section } from "./blocks.js";
import { button } from "./components.js";
import { h, sign } from "./dom.js";
import { t } from "./texts.js";

/** @typedef {import("./router.js").Wallet} Wallet */
/** @typedef {import("./router.js").View} View */

const FINGER = "M6 11a6 6 0 0 1 12 0v2M9 19c-1.6-2-2-4-2-6.5M12 21c-1.8-2.4-2.5-5-2.5-9.5a2.5 2.5 0 0 1 5 0c0 3 .4 5 1.3 7M12 11.5c0 3.6.6 6 2 8.3M18 15.5c-.1-.6-.1-1-.1-1.8";
const LOST = "M8 3h8v18H8ZM11 18h2M3.5 6.5l3 3M6.5 6.5l-3 3M18 9.5c0-2 3.5-2 3.5.2 0 1.4-1.7 1.5-1.7 2.9M19.8 15.5v.01";
const NEW = "M5 3h8v18H5ZM8 18h2M18.5 8.5v7M15 12h7";
const DIGITS = "M3 6h18v12H3ZM6.5 10v4M10 10h1.5v4M10 14h3M15.5 10h2.5l-1.5 1.8a1.2 1.2 0 1 1-1 2.2";
const NEVER = "M5.5 5a15 15 0 0 0 13.5 13.5l1-3.5-4-2-1.8 1.8a11 11 0 0 1-5-5L11 8 9 4ZM14 4l6 6M20 4l-6 6";

/** Yes or no by feature, for card, FIDO and wallet, in this order. @type {readonly { text: () => string, has: readonly [boolean, boolean, boolean] }[]} */
const FEATURES = [
  { text: () => t("Signatures have legal effect"), has: [true, false, true] },
  { text: () => t("Meant as a token of the third assurance level"), has: [true, true, true] },
  { text: () => t("Practice statement approved by the authority"), has: [true, false, true] },
  { text: () => t("Follows international standards"), has: [true, true, true] },
  { text: () => t("No password to remember"), has: [false, true, true] },
  { text: () => t("A failed recognition leaves another way"), has: [false, true, true] },
  { text: () => t("X.509 certificate (RFC 5280)"), has: [true, false, true] },
  { text: () => t("A chain of trust is checked"), has: [true, false, true] },
  { text: () => t("Each key has one use"), has: [true, false, true] },
];

/**
 * @param {Wallet} wallet
 * @returns {View}
 */
export function help(wallet) {
  return {
    title: t("Help"),
    nodes: [
      pictured(FINGER, t("Fingerprint or face fails"), h("p", {}, t("Try again, or choose the PIN of the screen lock in the same window. After three failures the wallet waits, each time longer. The wait cannot be skipped."))),
      pictured(
        LOST,
        t("A phone is lost"),
        h("p", {}, t("End it here on another phone, in your home on the platform, or at a counter. In doubt stop all phones.")),
        button(t("My phones"), () => wallet.go("phones"), { kind: "second" }),
      ),
      pictured(NEW, t("A new phone"), h("p", {}, t("Open the enrolment page on a computer and bind the new phone with your card. End the old one before you give it away. Keys do not move from phone to phone."))),
      pictured(DIGITS, t("What the digits are for"), bullets([t("8 digits: this phone shows them, you type them into the card program. So the card gives its signature to this phone and to no other."), t("6 digits: the page where you began shows them, you type them here. So you answer your own page.")])),
      pictured(NEVER, t("What nobody will ever ask"), bullets([t("to tell digits or a PIN by telephone or message"), t("to scan a code that was sent to you"), t("to approve something so that it can be cancelled")])),
      comparison(),
      section(t("Still stuck?"), h("a", { class: "button button-second", href: wallet.settings.officialSite, target: "_blank", rel: "noopener noreferrer" }, t("Open the official site"))),
    ],
  };
}

/** @returns {HTMLElement} */
function comparison() {
  const heads = [t("Card"), t("FIDO"), t("Wallet")];
  return section(
    t("Card, FIDO and this wallet"),
    h(
      "table",
      { class: "wallet-compare" },
      h("caption", { class: "unseen" }, t("Card, FIDO and this wallet")),
      h("thead", {}, h("tr", {}, h("th", { scope: "col" }, t("Feature")), ...heads.map((head) => h("th", { scope: "col" }, head)))),
      h("tbody", {}, ...FEATURES.map(({ text, has }) => h("tr", {}, h("th", { scope: "row" }, text()), ...has.map((each) => h("td", {}, mark(each)))))),
    ),
    h("p", { class: "small soft" }, t("As Taiwan's scheme compares the three kinds. Whether an instance reaches an assurance level is decided by an assessment, not by this app.")),
  );
}

/** @param {boolean} has @returns {HTMLElement} */
function mark(has) {
  return h("span", {}, sign(has ? "M5 12.5l4.5 4.5L19 7.5" : "M8 12h8"), h("span", { class: "unseen" }, has ? t("yes") : t("no")));
}
