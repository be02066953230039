// @ts-check
/** The practice lock, as people see it: its question, and the offer to use it where a test country has no screen lock. */

import { fill, h } from "./dom.js";
import { field, notice, button } from "./components.js";
import { choosePractice } from "./preferences.js";
import { t } from "./texts.js";

/** @typedef {import("./router.js").Wallet} Wallet */

/**
 * Ask for the digits of the practice lock.
 *
 * @param {{ isNew: boolean }} how
 * @returns {Promise<string | null>} null when the person went away
 */
export function askPracticePIN({ isNew }) {
  return new Promise((resolve) => {
    const input = h("input", {
      type: "password",
      inputmode: "numeric",
      autocomplete: "off",
      pattern: "[0-9]{4,12}",
      required: true,
      class: "digits wallet-code",
    });
    const label = isNew ? t("Choose 4 to 12 digits") : t("Your practice digits");
    const hint = isNew
      ? t("They stand in for fingerprint, face or PIN of a phone. In this test country they protect nothing real.")
      : t("They stand in for fingerprint, face or PIN of a phone.");
    const dialog = h("dialog", { class: "wallet-dialog", "aria-labelledby": "practice-title" });
    const form = h(
      "form",
      { class: "stack" },
      h("h2", { id: "practice-title" }, t("Practice lock")),
      field("practice-pin", label, input, hint),
      h(
        "div",
        { class: "actions" },
        h("button", { type: "submit", class: "button" }, t("Go on")),
        button(t("Cancel"), () => dialog.close(), { kind: "quiet" }),
      ),
    );
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      dialog.close(input.value);
    });
    dialog.addEventListener("close", () => {
      dialog.remove();
      resolve(dialog.returnValue || null);
    });
    dialog.append(form);
    document.body.append(dialog);
    dialog.showModal();
  });
}

/**
 * Where a test country runs in a browser without a screen lock: the offer of the practice lock.
 *
 * @param {Wallet} wallet
 * @returns {HTMLElement}
 */
export function practiceOffer({ settings }) {
  const place = h("div", {});
  if (settings.isTest) {
    void hasScreenLock().then((has) => {
      if (!has) {
        fill(place, offer());
      }
    });
  }
  return place;
}

/** @returns {HTMLElement} */
function offer() {
  return notice(
    "caution",
    t("This browser has no screen lock to ask"),
    h("p", {}, t("On a phone the wallet asks for fingerprint, face or PIN. In this test country you can practise with digits instead.")),
    button(t("Use the practice lock"), () => {
      choosePractice();
      location.reload();
    }, { kind: "second" }),
  );
}

/** @returns {Promise<boolean>} */
async function hasScreenLock() {
  try {
    return await PublicKeyCredential.isUserVerifyingPlatformAuthenticatorAvailable();
  } catch {
    return false;
  }
}
