// @ts-check
/** All phones of the person: see them, end one, stop all of them at once. */

import { attempts, bullets, choices, restart, tag } from "./blocks.js";
import { button, facts, field, notice } from "./components.js";
import { counted } from "./cooldown.js";
import { fill, h } from "./dom.js";
import { forgetPerson } from "./preferences.js";
import { day, hour, t } from "./texts.js";
import { TABLES, word } from "./words.js";

/** @typedef {import("./router.js").Wallet} Wallet */
/** @typedef {import("./router.js").View} View */

/**
 * @param {Wallet} wallet
 * @returns {Promise<View>}
 */
export async function phones(wallet) {
  const mine = await counted(() => wallet.phone.phones());
  return {
    title: t("My phones"),
    nodes: [
      ...mine.map((each) => phone(wallet, each)),
      h("section", { class: "stack wallet-section" }, h("h2", {}, t("In doubt, stop all")), h("p", {}, t("If a phone is lost or somebody else uses it, stop all your phones at once. Think later.")), button(t("Stop all phones"), () => wallet.go("freezing"), { kind: "second" })),
    ],
  };
}

/** @param {Wallet} wallet @param {any} each @returns {HTMLElement} */
function phone(wallet, each) {
  const isYoung = Date.parse(each.young_until) > wallet.phone.now.getTime();
  return h(
    "section",
    { class: "card stack" },
    h("div", { class: "wallet-title-row" }, h("h2", {}, each.name), each.this && tag(t("this phone"))),
    facts([
      [t("State"), word("phoneState", each.state)],
      [t("Bound since"), hour(each.bound_at)],
      ...(isYoung ? [/** @type {[string, string]} */ ([t("Newly bound until"), t("{hour}; it signs no documents before", { hour: hour(each.young_until) })])] : []),
      [t("Certificates valid until"), each.not_after ? day(each.not_after) : t("not issued yet")],
    ]),
    button(t("End this phone"), () => wallet.go("ending", { id: each.id, name: each.name, isThis: each.this }), { kind: "second" }),
  );
}

/**
 * End a phone: the reason first, then the question (JPKI-23).
 *
 * @param {Wallet} wallet
 * @param {import("./router.js").Told} told id, name, isThis
 * @returns {View}
 */
export function ending(wallet, told) {
  const place = h("div", { class: "stack" });
  const select = h("select", { required: true }, ...Object.entries(TABLES.endReason).map(([code, text]) => h("option", { value: code }, text())));
  const form = h("form", { class: "stack" }, field("reason", t("Why?"), select), h("button", { type: "submit", class: "button" }, t("Go on")));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    ask(wallet, told, select.value, place);
  });
  fill(
    place,
    bullets([
      t("Its certificates are revoked at once and for good."),
      t("What was signed with it before stays signed."),
      t("It can be bound anew with your card."),
    ]),
    form,
  );
  return { title: t("End {name}", { name: told.name ?? "" }), nodes: [place] };
}

/** @param {Wallet} wallet @param {import("./router.js").Told} told @param {string} reason @param {HTMLElement} place */
function ask(wallet, told, reason, place) {
  const { place: fault, attempt } = attempts();
  const question = h("p", { class: "lead", tabindex: -1 }, told.isThis ? t("This is the phone in your hand. Its keys and this wallet's data are deleted. End it?") : t("End this phone? It cannot be taken back."));
  const act = attempt(async () => {
    await counted(() => wallet.phone.revoke(told.id, reason));
    if (told.isThis) {
      await leave(wallet, place, t("The phone has ended"));
    } else {
      wallet.say(t("The phone has ended"));
      await wallet.swap("phones");
    }
  });
  fill(place, h("p", { class: "soft" }, word("endReason", reason)), question, fault, choices({ no: t("Keep it"), keep: () => wallet.back(), yes: t("End it"), act }));
  question.focus();
}

/**
 * Delete what this browser holds, and say so.
 *
 * @param {Wallet} wallet
 * @param {HTMLElement} place
 * @param {string} title
 */
export async function leave(wallet, place, title) {
  await wallet.phone.wipe();
  forgetPerson();
  fill(place, notice("done", title, h("p", {}, t("The keys and data of this wallet are deleted on this phone."))), button(t("Begin anew"), restart));
  wallet.say(title);
}

/**
 * Stop every phone at once.
 *
 * @param {Wallet} wallet
 * @returns {View}
 */
export function freezing(wallet) {
  const place = h("div", { class: "stack" });
  const { place: fault, attempt } = attempts();
  const act = attempt(async () => {
    await counted(() => wallet.phone.freeze());
    fill(place, ...frozen(wallet));
    wallet.say(t("All your phones are stopped"));
  });
  fill(
    place,
    bullets([
      t("No phone of yours answers any more, this one included. All certificates are put on hold."),
      t("A phone comes back only by binding it anew with your card. Nobody can do it by telephone."),
      t("What was signed before stays signed."),
      t("All your contacts known to the platform are told."),
    ]),
    h("p", { class: "lead" }, t("Stop all your phones now?")),
    fault,
    choices({ no: t("No"), keep: () => wallet.back(), yes: t("Stop all"), act }),
  );
  return { title: t("Stop all phones"), nodes: [place] };
}

/** @param {Wallet} wallet @returns {HTMLElement[]} */
function frozen(wallet) {
  return [
    notice("done", t("All your phones are stopped"), h("p", {}, t("Nothing can be approved or signed with them."))),
    h("p", {}, t("To use a phone again, delete its wallet and bind it anew with your card, at a computer or a counter.")),
    button(t("Delete this wallet"), () => wallet.swap("deleting"), { kind: "second" }),
  ];
}
