// @ts-check
/** Binding at a kiosk, as the person sees it: terms and name, the registration key, the number of the kiosk (WAT-09). */

import { fill, h } from "./dom.js";
import { faultNotice } from "./faults.js";
import { button, busy, card, digits, field, notice, steps, waiting } from "./components.js";
import { drawPath } from "./registration_code.js";
import { bound, collect, STEPS, suggestion } from "./screen_binding.js";
import { t } from "./texts.js";

/** @typedef {import("./router.js").Wallet} Wallet */
/** @typedef {import("./router.js").View} View */

const LOOK_MS = 2000;
const NUMBER_LENGTH = 6;
const SVG = "http://www.w3.org/2000/svg";
/** Until the card has signed; whatever follows is not this screen's wait any more. */
const BEFORE_SIGNED = new Set(["joined", "prepared"]);

/** @returns {string[]} */
function names() {
  return [t("Accept the terms"), t("Registration key to the kiosk"), t("Card and PIN at the kiosk"), t("Type its number here"), t("Done")];
}

/**
 * What is bound, under which terms, and the phone's name.
 *
 * @param {Wallet} wallet
 * @returns {Promise<View>}
 */
export async function kiosk(wallet) {
  const offered = await wallet.phone.atKiosk.schemes();
  return {
    title: t("Bind at a kiosk"),
    nodes: [
      h("p", { class: "lead" }, t("The phone makes its keys first. Take it and your card to a kiosk; it reads this phone’s registration key, and your card signs there.")),
      steps(names(), 0),
      wallet.phone.enrolment?.atKiosk === true && button(t("Go on with the registration that was begun"), () => wallet.go("kioskKey")),
      ...offered.map((scheme, index) => offer(wallet, scheme, index)),
      offered.length === 0 && notice("info", t("No phone is bound at kiosks here")),
    ],
  };
}

/** @param {Wallet} wallet @param {Record<string, any>} scheme @param {number} index @returns {HTMLElement} */
function offer(wallet, scheme, index) {
  const name = h("input", { maxlength: 30, required: true, autocomplete: "off", value: wallet.phone.name || suggestion() });
  const tick = h("input", { type: "checkbox", id: `kiosk-terms-${index}`, required: true });
  const fault = h("div", {});
  const send = h("button", { type: "submit", class: "button" }, t("Make the registration key"));
  const clauses = String(scheme.terms).split("\n").filter((line) => line.trim());
  const form = h(
    "form",
    { class: "stack" },
    h("div", { class: "wallet-terms stack", tabindex: 0, role: "region", "aria-label": t("Terms") }, ...clauses.map((line) => h("p", {}, line))),
    h("p", { class: "small soft" }, t("Terms {version}", { version: scheme.terms_version })),
    field(`kiosk-name-${index}`, t("Name of this phone"), name, t("You will see it at the kiosk and in your list of phones.")),
    h("div", { class: "wallet-tick" }, tick, h("label", { for: tick.id }, t("I have read the terms and accept them. I begin this myself."))),
    fault,
    send,
  );
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    void busy(send, async () => {
      try {
        await wallet.phone.setName(name.value.trim());
        await wallet.phone.atKiosk.begin({ scheme: scheme.name, terms_version: scheme.terms_version });
        await wallet.swap("kioskKey");
      } catch (error) {
        fill(fault, faultNotice(error));
      }
    });
  });
  return card(scheme.title, form);
}

/**
 * From the keys to the end; it can be left and taken up again.
 *
 * @param {Wallet} wallet
 * @returns {View}
 */
export function kioskKey(wallet) {
  const place = h("div", { class: "stack" });
  let isOver = false;
  const alive = () => !isOver;
  queueMicrotask(() => void run(wallet, place, alive));
  return { title: t("Bind at a kiosk"), nodes: [place], leave: () => (isOver = true) };
}

/** @param {Wallet} wallet @param {HTMLElement} place @param {() => boolean} alive */
async function run(wallet, place, alive) {
  try {
    fill(place, steps(names(), 1), waiting(STEPS.passkey?.() ?? ""));
    const typed = await wallet.phone.prepare({
      onStep: (/** @type {string} */ step) => alive() && fill(place, steps(names(), 1), waiting((STEPS[step] ?? STEPS.keys)?.() ?? "")),
    });
    const key = await wallet.phone.atKiosk.key();
    if (alive()) {
      fill(place, ...shown(wallet, key, typed));
    }
    await untilSigned(wallet, alive);
    if (alive()) {
      fill(place, ...asking(wallet, () => fill(place, steps(names(), 3), waiting(t("The certificates are fetched…")))));
      wallet.say(t("Type the number of the kiosk"));
    }
    await collect(wallet, alive, LOOK_MS);
    if (alive()) {
      dispatchEvent(new Event("inkan-bound"));
      fill(place, ...bound(wallet, names()));
      wallet.say(t("This phone is bound"));
    }
  } catch (error) {
    if (alive()) {
      const again = [button(t("Try again"), () => run(wallet, place, alive)), button(t("Begin again"), () => wallet.swap("kiosk"), { kind: "second" })];
      fill(place, faultNotice(error), h("div", { class: "actions" }, ...again));
    }
  }
}

/** @param {Wallet} wallet @param {string} key @param {string} typed @returns {HTMLElement[]} */
function shown(wallet, key, typed) {
  const groups = key.match(/.{1,4}/g) ?? [];
  return [
    steps(names(), 1),
    h("p", { class: "lead" }, t("Hold this to the scanner of the kiosk, or type it there:")),
    h("div", { class: "wallet-key" }, picture(key)),
    h("p", { class: "wallet-key-text digits", id: "registration-key", "aria-label": t("Registration key") }, ...groups.map((group) => h("span", {}, group))),
    notice("caution", t("Show it to the kiosk only"), h("p", {}, t("Send it to nobody, and let nobody photograph it. A kiosk takes it once."))),
    h("h2", {}, t("Digits for the card")),
    h("p", {}, t("When the kiosk’s card program asks, type these 8 digits and the PIN of your card:")),
    digits(typed, t("Digits")),
    waiting(t("Waiting for the card at the kiosk…")),
    button(t("Give up"), () => wallet.phone.leaveEnrolment().then(() => wallet.swap("home")), { kind: "quiet" }),
  ];
}

/** @param {string} key @returns {SVGSVGElement} */
function picture(key) {
  const { path, size } = drawPath(key);
  const drawing = document.createElementNS(SVG, "svg");
  const dark = document.createElementNS(SVG, "path");
  dark.setAttribute("d", path);
  for (const [name, value] of [["viewBox", `0 0 ${size} ${size}`], ["role", "img"], ["aria-label", t("Registration key as a code for the kiosk’s scanner")], ["class", "wallet-key-code"]]) {
    drawing.setAttribute(name ?? "", value ?? "");
  }
  drawing.append(dark);
  return drawing;
}

/** @param {Wallet} wallet @param {() => boolean} alive */
async function untilSigned(wallet, alive) {
  while (alive() && BEFORE_SIGNED.has(await wallet.phone.atKiosk.state())) {
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  }
}

/** @param {Wallet} wallet @param {() => void} onRight @returns {HTMLElement[]} */
function asking(wallet, onRight) {
  const fault = h("div", {});
  const input = h("input", {
    inputmode: "numeric",
    autocomplete: "off",
    pattern: "[0-9]{6}",
    maxlength: NUMBER_LENGTH,
    required: true,
    class: "digits wallet-code",
  });
  const send = h("button", { type: "submit", class: "button" }, t("Confirm the number"));
  const form = h("form", { class: "stack" }, field("device-number", t("The 6 digits on the kiosk"), input, t("The kiosk shows them once you said there that it is you.")), fault, send);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    void busy(send, async () => {
      fill(fault);
      try {
        await wallet.phone.atKiosk.sayNumber(input.value.trim());
        onRight();
      } catch (error) {
        fill(fault, faultNotice(error));
        input.value = "";
        input.focus();
      }
    });
  });
  return [
    steps(names(), 3),
    form,
    notice("caution", t("Only the number of the kiosk where you stand"), h("p", {}, t("Has somebody told you the digits, or asked you for them? Then somebody else began this: give up."))),
    button(t("Give up"), () => wallet.phone.leaveEnrolment().then(() => wallet.swap("home")), { kind: "quiet" }),
  ];
}
