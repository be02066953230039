// @ts-check
/** Language, messages, the screen lock, the name, the version, and the end of this wallet. */

import { attempts, bullets, choices, section } from "./blocks.js";
import { button, notice } from "./components.js";
import { counted, forgetFailures } from "./cooldown.js";
import { fill, h } from "./dom.js";
import { keepLanguage } from "./preferences.js";
import { pushCard } from "./push_card.js";
import { leave } from "./screen_phones.js";
import { LANGUAGES, OWN_NAMES, language, speak, t } from "./texts.js";

/** @typedef {import("./router.js").Wallet} Wallet */
/** @typedef {import("./router.js").View} View */
/** @typedef {import("./texts.js").Language} Language */

/**
 * @param {Wallet} wallet
 * @returns {View}
 */
export function settings(wallet) {
  const isBound = wallet.phone.bound !== null;
  return {
    title: t("Settings"),
    nodes: [
      languages(wallet),
      isBound && pushCard(wallet),
      isBound && lock(wallet),
      section(t("Name of this phone"), h("p", { class: "wallet-name" }, wallet.phone.name || t("not named yet")), h("p", { class: "small soft" }, t("You gave it when you bound the phone. A new name comes with a new binding."))),
      version(wallet),
      section(t("Delete this wallet"), h("p", {}, t("Takes keys, certificates and data off this phone.")), button(t("Delete this wallet"), () => wallet.go("deleting"), { kind: "second" })),
    ],
  };
}

/** @param {Wallet} wallet @returns {HTMLElement} */
function languages(wallet) {
  const { place, attempt } = attempts();
  const row = h("div", { class: "wallet-languages", role: "group", "aria-label": t("Language") });
  for (const each of LANGUAGES) {
    const element = button(OWN_NAMES[each], attempt(() => change(wallet, each)), { kind: "second" });
    element.lang = each;
    element.setAttribute("aria-pressed", String(each === language()));
    row.append(element);
  }
  return section(t("Language"), row, place);
}

/** @param {Wallet} wallet @param {Language} chosen */
async function change(wallet, chosen) {
  await speak(chosen, wallet.settings.texts);
  wallet.phone.setLang(chosen);
  keepLanguage(chosen);
  await wallet.refresh();
}

/** @param {Wallet} wallet @returns {HTMLElement} */
function lock(wallet) {
  const { place, attempt } = attempts();
  const result = h("div", {});
  const test = attempt(async () => {
    fill(result);
    await counted(() => wallet.phone.showPresence());
    forgetFailures();
    const done = notice("done", t("You were recognised"));
    done.setAttribute("role", "status");
    fill(result, done);
  });
  return section(
    t("Fingerprint, face or PIN"),
    h("p", {}, t("The screen lock of this phone decides. Whatever opens the phone also approves: fingerprint, face, or the PIN. If one fails, the phone offers the other.")),
    h("p", {}, t("The wallet never sees a fingerprint or a PIN. To change them, use the settings of the phone.")),
    result,
    place,
    button(t("Try it"), test, { kind: "second" }),
  );
}

/** @param {Wallet} wallet @returns {HTMLElement} */
function version(wallet) {
  const { place, attempt } = attempts();
  const result = h("p", { role: "status" });
  const look = attempt(async () => {
    const registration = await navigator.serviceWorker?.getRegistration();
    await registration?.update();
    const isNewer = Boolean(registration?.installing ?? registration?.waiting);
    fill(result, isNewer ? t("A new version of the wallet is here") : t("This is the newest version."));
  });
  return section(t("Version"), h("p", { class: "digits" }, wallet.settings.version), result, place, button(t("Look for a newer one"), look, { kind: "second" }));
}

/**
 * Delete the wallet; before that, the binding should be ended.
 *
 * @param {Wallet} wallet
 * @returns {View}
 */
export function deleting(wallet) {
  const place = h("div", { class: "stack" });
  const { bound, name } = wallet.phone;
  fill(
    place,
    notice(
      "caution",
      t("Deleting does not end the binding"),
      h("p", {}, bound === null ? t("This phone is not bound. Only its channel key and its name are deleted.") : t("The platform still knows this phone, and its place is not free, until the binding is ended as well.")),
    ),
    bullets([t("Keys and certificates on this phone are gone for good."), t("The passkey stays in the device; remove it in the settings of the device.")]),
    h(
      "div",
      { class: "actions" },
      bound !== null && button(t("End the binding and delete"), () => wallet.go("ending", { id: bound.phone, name, isThis: true })),
      button(t("Delete only"), () => ask(wallet, place), { kind: "second" }),
    ),
  );
  return { title: t("Delete this wallet"), nodes: [place] };
}

/** @param {Wallet} wallet @param {HTMLElement} place */
function ask(wallet, place) {
  const { place: fault, attempt } = attempts();
  const question = h("p", { class: "lead", tabindex: -1 }, t("Delete keys, certificates and data of this wallet now?"));
  const act = attempt(() => leave(wallet, place, t("The wallet is deleted")));
  fill(place, question, fault, choices({ no: t("Keep it"), keep: () => wallet.back(), yes: t("Delete"), act }));
  question.focus();
}
