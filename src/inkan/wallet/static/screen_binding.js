// @ts-check
/** Binding, as the person sees it: a name, the code, the keys, the digits, the card (design §5.2). */

import { fill, h } from "./dom.js";
import { faultNotice } from "./faults.js";
import { button, busy, digits, field, notice, steps, waiting } from "./components.js";
import { pushCard } from "./push_card.js";
import { t } from "./texts.js";

/** @typedef {import("./router.js").Wallet} Wallet */
/** @typedef {import("./router.js").View} View */

const WAIT_S = 20;

/** @returns {string[]} */
function names() {
  return [t("Scan"), t("Make keys"), t("Card signs"), t("Done")];
}

/**
 * What the person calls the phone; the card's dialog shows it.
 *
 * @param {Wallet} wallet
 * @returns {View}
 */
export function naming(wallet) {
  const fault = h("div", {});
  const input = h("input", { maxlength: 30, required: true, autocomplete: "off", value: wallet.phone.name || suggestion() });
  const send = h("button", { type: "submit", class: "button" }, t("Scan the code"));
  const form = h("form", { class: "stack" }, field("phone-name", t("Name of this phone"), input, t("You will see it at the card and in your list of phones.")), fault, send);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    void busy(send, async () => {
      try {
        await wallet.phone.setName(input.value.trim());
        await wallet.go("scan", { want: "enrolment" });
      } catch (error) {
        fill(fault, faultNotice(error));
      }
    });
  });
  return { title: t("What do you call this phone?"), nodes: [steps(names(), 0), form] };
}

/** @returns {string} a name to begin with */
export function suggestion() {
  const found = /\((?:Linux; )?(Android|iPhone|iPad|Macintosh|Windows|X11)[^)]*?(?:; ([^;)]+))?\)/.exec(navigator.userAgent);
  return (found?.[1] === "Android" && found[2]?.trim().slice(0, 30)) || t("My phone");
}

/**
 * After the code: keys, digits, card, certificates. It can be left and taken up again.
 *
 * @param {Wallet} wallet
 * @returns {View}
 */
export function binding(wallet) {
  const place = h("div", { class: "stack" });
  let isOver = false;
  const alive = () => !isOver;
  queueMicrotask(() => void run(wallet, place, alive));
  return { title: t("Bind this phone"), nodes: [place], leave: () => (isOver = true) };
}

/** @type {Readonly<Record<string, () => string>>} */
export const STEPS = {
  passkey: () => t("Confirm with fingerprint, face or the PIN of the screen lock…"),
  passkey_again: () => t("Confirm once more: this device gives out its secret only then…"),
  keys: () => t("Your phone makes its keys. This can take some seconds…"),
  sending: () => t("The requests are sent…"),
  checking: () => t("What came back is checked…"),
};

/** @param {Wallet} wallet @param {HTMLElement} place @param {() => boolean} alive */
async function run(wallet, place, alive) {
  try {
    fill(place, steps(names(), 1), waiting(STEPS.passkey?.() ?? ""));
    const typed = await wallet.phone.prepare({
      onStep: (/** @type {string} */ step) => alive() && fill(place, steps(names(), 1), waiting((STEPS[step] ?? STEPS.keys)?.() ?? "")),
    });
    if (alive()) {
      fill(place, ...typing(typed));
    }
    await collect(wallet, alive);
    if (alive()) {
      dispatchEvent(new Event("inkan-bound"));
      fill(place, ...bound(wallet, names()));
      wallet.say(t("This phone is bound"));
    }
  } catch (error) {
    if (alive()) {
      fill(
        place,
        faultNotice(error),
        isOffered(error, wallet.phone.enrolment) && elsewhere(wallet),
        h("div", { class: "actions" }, button(t("Try again"), () => run(wallet, place, alive)), button(t("Scan a new code"), () => wallet.swap("naming"), { kind: "second" })),
      );
    }
  }
}

/**
 * Whether keys outside the phone are offered: only when this browser cannot protect keys, and where the rules of this
 * enrolment allow it.
 *
 * @param {unknown} error
 * @param {import("./phone_types.js").Enrolment | null} enrolment
 * @returns {boolean}
 */
export function isOffered(error, enrolment) {
  const { code } = /** @type {{ code?: string }} */ (error ?? {});
  return code === "phone_prf_unavailable" && enrolment?.key_backends?.includes("B") === true;
}

/** What other place there is for the keys, and the way there: by a new code. @param {Wallet} wallet @returns {HTMLElement} */
function elsewhere(wallet) {
  return notice(
    "info",
    t("The keys can be kept outside this phone"),
    h("p", {}, t("They are then in the key store of the operator or the service window. It releases them for each signature, after it has checked your passkey. This phone keeps no such key, and can answer only while the key store is reached.")),
    h("p", {}, t("Begin again at the enrolment page and scan its new code. What was begun here ends.")),
    button(t("Bind with keys in the key store"), () => wallet.swap("scan", { want: "enrolment", backEnd: "B" }), { kind: "second", id: "keys-elsewhere" }),
  );
}

/** @param {string} typed @returns {HTMLElement[]} */
function typing(typed) {
  return [
    steps(names(), 2),
    h("p", { class: "lead" }, t("Type these 8 digits into the program at the card reader:")),
    digits(typed, t("Digits")),
    notice("caution", t("Only into your own card program"), h("p", {}, t("Never tell them to anybody, and never type them into a web page that somebody sent you."))),
    waiting(t("Waiting for the card…")),
  ];
}

/**
 * @param {Wallet} wallet
 * @param {() => boolean} alive
 * @param {number} [pauseMs] between two looks
 */
export async function collect(wallet, alive, pauseMs = 0) {
  while (alive()) {
    if ((await wallet.phone.collect({ waitS: WAIT_S })) !== null) {
      return;
    }
    await new Promise((resolve) => setTimeout(resolve, pauseMs));
  }
}

/** @param {Wallet} wallet @param {string[]} done the steps that lie behind @returns {HTMLElement[]} */
export function bound(wallet, done) {
  return [
    steps(done, done.length),
    notice("done", t("This phone is bound"), h("p", {}, t("You can identify yourself with it now. For the first day it signs no documents."))),
    button(t("Home"), () => wallet.swap("home")),
    pushCard(wallet),
  ];
}
