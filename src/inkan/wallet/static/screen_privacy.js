// @ts-check
/** Who knows what, what the wallet may do on the phone, and where it comes from (TW-35, HCA-50, 51, 54). */

import { bullets, section } from "./blocks.js";
import { facts, notice } from "./components.js";
import { h } from "./dom.js";
import { t } from "./texts.js";

/** @typedef {import("./router.js").Wallet} Wallet */
/** @typedef {import("./router.js").View} View */

/**
 * @param {Wallet} wallet
 * @returns {View}
 */
export function privacy(wallet) {
  return {
    title: t("Privacy and official site"),
    nodes: [official(wallet), ...knowledge(wallet), permissions(), trust(wallet)],
  };
}

/** @param {Wallet} wallet @returns {HTMLElement} */
function official({ settings }) {
  return section(
    t("Official site"),
    facts([
      [t("App"), "Inkan 印鑑"],
      [t("Version"), settings.version],
      [t("Where it comes from"), h("span", { class: "wallet-address wallet-anywhere" }, settings.wallet)],
      [t("Platform"), h("span", { class: "wallet-address wallet-anywhere" }, settings.platform)],
    ]),
    h("a", { class: "button button-second", href: settings.officialSite, target: "_blank", rel: "noopener noreferrer" }, t("Open the official site")),
    h("p", { class: "small soft" }, t("Install the wallet only from this address. It is in no app store.")),
  );
}

/** @param {Wallet} wallet @returns {HTMLElement[]} */
function knowledge({ phone }) {
  return [
    section(
      t("What this phone keeps"),
      bullets([
        phone.bound?.backEnd === "B"
          ? t("its certificates; its keys are in the key store of the operator or the service window")
          : t("its keys, wrapped under your passkey, and its certificates"),
        t("a key that only shows the platform which phone is speaking"),
        t("the name you gave it, your language, and which announcements you have read"),
        t("requests that you opened, until they are answered"),
      ]),
      h("p", {}, t("No fingerprint, no face, no PIN, and no list of your uses: these are asked for each time.")),
    ),
    section(
      t("What the platform knows"),
      bullets([
        t("your identity from the card, sealed, so that staff see it masked"),
        t("your phones and their certificates"),
        t("each use: who asked, what for, what you answered. You read the same under Records."),
        t("consents, and browsers that services know as yours"),
      ]),
    ),
    section(
      t("What a service gets"),
      bullets([
        t("a reference to you that services of another sector cannot compare with theirs"),
        t("what the screen lists before you approve, and nothing else"),
        t("with a signature: your name and certificate"),
      ]),
    ),
  ];
}

/** @returns {HTMLElement} */
function permissions() {
  return section(
    t("What the wallet may do on this phone"),
    facts([
      [t("Camera"), t("only while you scan a code; no picture is kept or sent")],
      [t("Messages"), t("only if you switch them on; they carry no content")],
      [t("Passkey"), t("to recognise you, for this address alone")],
      [t("Everything else"), t("not asked for: no contacts, no files, no location, no microphone")],
    ]),
  );
}

/** @param {Wallet} wallet @returns {HTMLElement} */
function trust({ phone, settings }) {
  return section(
    t("What the wallet trusts"),
    bullets([
      t("Whether it speaks with the right server is checked by the browser: the whole chain of the server's certificate and its term, with the browser's own list of authorities. The wallet has no list of its own for this."),
      t("It speaks with one platform only. Its rules let the browser send nothing anywhere else."),
      t("Of its own certificates it takes only those that hold its keys and belong to its passkey. Who issued them is checked by those who rely on them."),
    ]),
    h("p", {}, phone.bound?.backEnd === "B"
      ? t("The keys are kept in the key store of the operator or the service window, which signs only what your passkey confirmed. Whoever controls this phone's system can show you something else than what is signed.")
      : t("The keys are kept by a browser and not in hardware of their own. Whoever controls this phone's system can attack them while they are in use.")),
    settings.isTest && notice("info", t("Test country"), h("p", {}, t("This is no production service. Nothing approved here has an effect."))),
  );
}
