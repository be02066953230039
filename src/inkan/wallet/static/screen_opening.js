// @ts-check
/** Between a code or link and its request; and what became of an answer. */

import { h } from "./dom.js";
import { faultNotice } from "./faults.js";
import { button, notice } from "./components.js";
import { t } from "./texts.js";

/** @typedef {import("./router.js").Wallet} Wallet */
/** @typedef {import("./router.js").View} View */
/** @typedef {import("./router.js").Told} Told */

/**
 * Open what was scanned, followed or pushed, and show it.
 *
 * @param {Wallet} wallet
 * @param {Told} told one of frame, link, approval
 * @returns {Promise<View>}
 */
export async function opening(wallet, told) {
  const { phone } = wallet;
  try {
    const held = told.frame
      ? await phone.openFrame(told.frame)
      : told.link
        ? await phone.openLink(told.link)
        : await phone.openPush(told.approval);
    queueMicrotask(() => void wallet.swap("approve", { id: held.id }));
    return { title: t("One moment…"), nodes: [] };
  } catch (error) {
    return {
      title: t("The request cannot be opened"),
      nodes: [faultNotice(error), button(t("Home"), () => wallet.swap("home"), { kind: "second" })],
    };
  }
}

/** @type {Readonly<Record<string, () => [import("./components.js").NoticeKind, string, string]>>} */
const OUTCOMES = {
  ok: () => ["done", t("You approved"), t("It stands in your usage records.")],
  refused: () => ["info", t("You refused"), t("Nothing was given and nothing was signed.")],
  reported: () => ["info", t("Thank you for telling"), t("Nothing was given. The operator sees that you did not start this.")],
  failed: () => ["problem", t("It did not succeed"), t("Nothing was given. Begin again at the service.")],
  blocked: () => ["problem", t("This phone may not approve this"), t("Nothing was given. The service says what to do.")],
};

/**
 * What became of it; where the request came from this phone's browser, the way back to it.
 *
 * @param {Wallet} wallet
 * @param {Told} told outcome, returnUrl; or turnDown: something that waits and was not begun by the person
 * @returns {Promise<View>}
 */
export async function answered(wallet, told) {
  let outcome = String(told.outcome ?? "");
  if (told.turnDown) {
    await wallet.phone.turnDown(told.turnDown, { report: true });
    outcome = "reported";
  }
  const [kind, title, text] = (OUTCOMES[outcome] ?? OUTCOMES.failed)?.() ?? ["problem", "", ""];
  const back = told.returnUrl;
  return {
    title,
    isHeadingHidden: true,
    nodes: [
      kind === "done" && h("img", { class: "wallet-seal wallet-imprint", src: wallet.settings.seal, alt: "", width: 144, height: 144 }),
      notice(kind, title, h("p", {}, text)),
      back && h("p", {}, t("The service goes on in your browser: go back within a minute.")),
      back && h("a", { class: "button", href: back, rel: "noreferrer" }, t("Back to {host}", { host: new URL(back).host })),
      button(t("Home"), () => wallet.swap("home"), { kind: back ? "quiet" : "second" }),
    ],
  };
}
