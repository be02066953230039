// @ts-check
/** The wallet's first screen: one big thing to do, and what waits for an answer (TW-37). */

import { fill, h, sign } from "./dom.js";
import { faultNotice } from "./faults.js";
import { button, notice } from "./components.js";
import { hour, t } from "./texts.js";

/** @typedef {import("./router.js").Wallet} Wallet */
/** @typedef {import("./router.js").View} View */

const SCAN = "M4 8V5a1 1 0 0 1 1-1h3M16 4h3a1 1 0 0 1 1 1v3M20 16v3a1 1 0 0 1-1 1h-3M8 20H5a1 1 0 0 1-1-1v-3M4 12h16";
const LOOK_AGAIN_MS = 15_000;

/**
 * @param {Wallet} wallet
 * @returns {View}
 */
export function home(wallet) {
  const { phone } = wallet;
  if (phone.bound === null) {
    return unbound(wallet);
  }
  const list = h("div", { class: "stack", "aria-live": "polite" });
  const stop = watch(wallet, list);
  return {
    title: t("My seal"),
    tab: "home",
    isHeadingHidden: true,
    leave: stop,
    nodes: [
      h(
        "button",
        { type: "button", class: "wallet-scan", onclick: () => void wallet.go("scan", { want: "session" }) },
        sign(SCAN),
        h("span", {}, t("Scan the code to identify yourself")),
      ),
      list,
      h("p", { class: "small soft wallet-centre" }, t("This phone: {name}", { name: phone.name })),
    ],
  };
}

/** @param {Wallet} wallet @returns {View} */
function unbound(wallet) {
  return {
    title: t("This phone is not bound yet"),
    tab: "home",
    nodes: [
      h("p", { class: "lead" }, t("Bind it with your card first.")),
      button(t("Bind this phone"), () => wallet.go("welcome")),
    ],
  };
}

/**
 * Keep the list of what waits current.
 *
 * @param {Wallet} wallet
 * @param {HTMLElement} list
 * @returns {() => void} stop
 */
function watch(wallet, list) {
  let isOver = false;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let again;
  const look = async () => {
    try {
      const waiting = await wallet.phone.waiting();
      if (!isOver) {
        fill(list, ...opened(wallet), ...waiting.map((each) => question(wallet, each)));
      }
    } catch (error) {
      if (!isOver) {
        fill(list, faultNotice(error));
      }
    }
    if (!isOver) {
      again = setTimeout(look, LOOK_AGAIN_MS);
    }
  };
  const hear = () => {
    clearTimeout(again);
    void look();
  };
  addEventListener("inkan-waiting", hear); // the live channel or a push says that something came
  void look();
  return () => {
    isOver = true;
    clearTimeout(again);
    removeEventListener("inkan-waiting", hear);
  };
}

/** @param {Wallet} wallet @returns {HTMLElement[]} what was opened and not answered */
function opened(wallet) {
  return wallet.phone.openApprovals.map((held) =>
    notice(
      "info",
      t("A request is open"),
      button(t("Look at it"), () => wallet.go("approve", { id: held.id }), { kind: "second" }),
    ),
  );
}

/** @param {Wallet} wallet @param {any} each @returns {HTMLElement} */
function question(wallet, each) {
  const act = () =>
    each.code_required
      ? wallet.go("code", { approval: each.approval, asker: each.relying_party, domain: each.domain })
      : wallet.go("opening", { approval: each.approval });
  return h(
    "section",
    { class: "card stack wallet-question" },
    h("h2", {}, each.relying_party),
    h("p", {}, h("span", { class: "wallet-domain" }, each.domain)),
    h("p", {}, each.purpose_text),
    h("p", { class: "small soft" }, t("until {hour}", { hour: hour(each.expires_at) })),
    h(
      "div",
      { class: "actions" },
      button(t("Look at it"), act),
      button(t("I did not start this"), () => wallet.go("answered", { turnDown: each.approval }), { kind: "quiet" }),
    ),
  );
}
