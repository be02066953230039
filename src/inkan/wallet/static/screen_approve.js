// @ts-check
/**
 * The product: who asks, under which domain, what for, what is given or signed, where it began; two answers of equal
 * weight, and "I did not start this" (design §7, TW-51).
 *
 * Every line of the text that the phone signs stands on the screen, in its order. The buttons take no press in their
 * first half second, nor right after the page comes back to the front: a finger that was about to press something
 * else decides nothing.
 */

import { countFailure, forgetFailures, pauseLeft } from "./cooldown.js";
import { fill, h } from "./dom.js";
import { faultNotice } from "./faults.js";
import { button, facts, notice } from "./components.js";
import { t } from "./texts.js";

/** @typedef {import("./router.js").Wallet} Wallet */
/** @typedef {import("./router.js").View} View */
/** @typedef {{ heading: string, facts: [string, string][], contents: string[], closing: string[] }} Shown */

export const ARM_MS = 500;

/**
 * The parts of a signed text (`inkan.wire.shown`), in order and without loss.
 *
 * @param {string} text
 * @returns {Shown}
 */
export function split(text) {
  const blocks = text.split("\n\n").map((block) => block.split("\n"));
  const [heading = [], lines = []] = blocks;
  const closing = blocks.at(-1) ?? [];
  return {
    heading: heading.join(" "),
    facts: lines.map((line) => pair(line)),
    contents: blocks.slice(2, -1).flat(),
    closing,
  };
}

/** @param {string} line @returns {[string, string]} */
function pair(line) {
  const found = /^(.*?)(?:：|: )(.*)$/.exec(line);
  return found ? [found[1] ?? "", found[2] ?? ""] : ["", line];
}

/**
 * @param {Wallet} wallet
 * @param {import("./router.js").Told} told id
 * @returns {View}
 */
export function approve(wallet, told) {
  const held = wallet.phone.openApprovals.find((each) => each.id === told.id);
  if (held === undefined) {
    return {
      title: t("This request is over"),
      nodes: [
        h("p", {}, t("It was answered, or its time has passed. Nothing more can be decided.")),
        button(t("Home"), () => wallet.swap("home"), { kind: "second" }),
      ],
    };
  }
  const shown = split(held.text);
  const fault = h("div", {});
  const yes = button(t("Approve"), () => decide(wallet, held.id, fault), { id: "approve" });
  const no = button(t("Refuse"), () => refuse(wallet, held.id, "refuse", fault), { id: "refuse" });
  const other = button(t("I did not start this"), () => refuse(wallet, held.id, "report", fault), { kind: "quiet" });
  const arming = arm([yes, no]);
  const ending = setTimeout(() => void wallet.swap("approve", told), Math.max(0, Date.parse(held.expiresAt) - wallet.phone.now.getTime()));
  return {
    title: shown.heading,
    leave: () => {
      arming();
      clearTimeout(ending);
    },
    nodes: [...question(shown), fault, h("div", { class: "choices wallet-choices" }, no, yes), other],
  };
}

/** @param {Shown} shown @returns {import("./dom.js").Child[]} */
function question({ facts: [asker = ["", ""], domain = ["", ""], ...rest], contents, closing }) {
  return [
    h(
      "div",
      { class: "wallet-asker" },
      h("p", { class: "small soft" }, asker[0]),
      h("p", { class: "wallet-asker-name" }, asker[1]),
      h("p", {}, h("span", { class: "small soft" }, `${domain[0]} `), h("span", { class: "wallet-domain" }, domain[1])),
    ),
    facts(rest),
    contents.length > 0 && h("pre", { class: "wallet-contents" }, contents.join("\n")),
    ...closing.map((line) => h("p", {}, line)),
  ];
}

/**
 * Keep buttons from being pressed for half a second after they appear, and after each return of the page.
 *
 * @param {HTMLButtonElement[]} buttons
 * @returns {() => void} stop
 */
function arm(buttons) {
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;
  const wait = () => {
    clearTimeout(timer);
    for (const each of buttons) {
      each.disabled = true;
    }
    timer = setTimeout(() => buttons.forEach((each) => (each.disabled = each.getAttribute("aria-busy") === "true")), ARM_MS);
  };
  const onReturn = () => document.visibilityState === "visible" && wait();
  document.addEventListener("visibilitychange", onReturn);
  wait();
  return () => {
    clearTimeout(timer);
    document.removeEventListener("visibilitychange", onReturn);
  };
}

/**
 * @param {Wallet} wallet
 * @param {string} id
 * @param {HTMLElement} fault
 */
async function decide(wallet, id, fault) {
  fill(fault);
  const pause = pauseLeft();
  if (pause > 0) {
    fill(fault, cooling(pause));
    return;
  }
  try {
    const decision = await wallet.phone.approve(id);
    forgetFailures();
    await wallet.swap("answered", { outcome: decision.outcome ?? "ok", returnUrl: decision.return_url });
  } catch (error) {
    if (/** @type {{ code?: string }} */ (error).code === "authenticator_user_not_verified") {
      countFailure();
    }
    const left = pauseLeft();
    fill(fault, left > 0 ? cooling(left) : faultNotice(error));
  }
}

/** @param {number} seconds @returns {HTMLElement} */
function cooling(seconds) {
  const element = notice(
    "caution",
    t("Too many failed tries"),
    h("p", {}, t("Wait {seconds} seconds before the next one. You can refuse at any time.", { seconds })),
  );
  element.setAttribute("role", "alert");
  return element;
}

/**
 * @param {Wallet} wallet
 * @param {string} id
 * @param {"refuse" | "report"} verb
 * @param {HTMLElement} fault
 */
async function refuse(wallet, id, verb, fault) {
  fill(fault);
  try {
    const decision = await wallet.phone[verb](id);
    await wallet.swap("answered", { outcome: verb === "report" ? "reported" : "refused", returnUrl: decision.return_url });
  } catch (error) {
    fill(fault, faultNotice(error));
  }
}
