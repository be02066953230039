// @ts-check
/** This phone's certificates: what they are for, how long they last, every field of them (TW-36, JPKI-14). */

import { attempts, bullets, grouped, save, section } from "./blocks.js";
import { button, card, facts, notice } from "./components.js";
import { counted } from "./cooldown.js";
import { h } from "./dom.js";
import { faultNotice } from "./faults.js";
import { renewable } from "./screen_renewal.js";
import { day, hour, t } from "./texts.js";
import { word } from "./words.js";

/** @typedef {import("./router.js").Wallet} Wallet */
/** @typedef {import("./router.js").View} View */
/** @typedef {import("./dom.js").Child} Child */
/** @typedef {import("./phone_types.js").HeldCertificate} Held */
/** @typedef {{ term: string, value: string, words: string[] }} Line */

const CERTIFICATE = "application/pkix-cert"; // RFC 2585 §4.1

/** @param {Wallet} wallet @returns {[string, Held][]} by use */
function held(wallet) {
  return /** @type {[string, Held][]} */ (Object.entries(wallet.phone.bound?.certificates ?? {}));
}

/**
 * @param {Wallet} wallet
 * @returns {View}
 */
export function certificates(wallet) {
  const mine = held(wallet);
  const last = mine.map(([, each]) => each.notAfter).sort()[0];
  return {
    title: t("Certificates of this phone"),
    tab: "certificates",
    nodes: [
      last === undefined ? h("p", {}, t("This phone is not bound yet")) : renewal(wallet, last),
      ...mine.map(([use, each]) =>
        card(
          word("use", use),
          h("p", {}, word("useEffect", use)),
          facts([
            [t("Valid from"), day(each.notBefore)],
            [t("Valid until"), day(each.notAfter)],
          ]),
          button(t("All fields"), () => wallet.go("certificate", { use }), { kind: "second" }),
        ),
      ),
    ],
  };
}

/** @param {Wallet} wallet @param {string} notAfter @returns {Child} */
function renewal(wallet, notAfter) {
  const go = (/** @type {string} */ text) => button(text, () => wallet.go("renewal"));
  if (wallet.phone.isRenewing) {
    return notice("caution", t("A renewal was begun and not finished"), h("p", {}, t("The old certificates are in use until it is done.")), go(t("Go on with it")));
  }
  const { from, isOpen, isOver } = renewable(notAfter, wallet.phone.now);
  if (isOver) {
    return notice("problem", t("The certificates have expired"), h("p", {}, t("Bind the phone anew with your card.")));
  }
  return isOpen
    ? notice("caution", t("It is time to renew"), h("p", {}, t("The certificates end on {day}. You need no card for new ones.", { day: day(notAfter) })), go(t("Renew")))
    : h("p", { class: "small soft" }, t("From {day} on you can renew them here, without the card.", { day: day(from) }));
}

/**
 * Every field of one certificate; without the platform, what the phone knows itself.
 *
 * @param {Wallet} wallet
 * @param {import("./router.js").Told} told use
 * @returns {Promise<View>}
 */
export async function certificate(wallet, told) {
  const [use, mine] = held(wallet).find(([each]) => each === told.use) ?? [];
  if (use === undefined || mine === undefined) {
    return { title: t("Certificate"), nodes: [h("p", {}, t("This phone has no such certificate."))] };
  }
  const digest = await thumbprint(mine.der);
  const { place, attempt } = attempts();
  return {
    title: word("use", use),
    nodes: [
      ...(await seen(wallet, mine)),
      section(t("Thumbprint (SHA-256)"), grouped(digest), h("p", { class: "small soft" }, t("This phone has computed it. Whoever wants to compare the certificate compares this."))),
      place,
      button(t("Save the certificate (.cer)"), attempt(() => save(`inkan-${use}.cer`, mine.der, CERTIFICATE)), { kind: "second" }),
    ],
  };
}

/** @param {Uint8Array<ArrayBuffer>} der @returns {Promise<string>} hexadecimal */
async function thumbprint(der) {
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", der));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** @param {Wallet} wallet @param {Held} mine @returns {Promise<Child[]>} */
async function seen(wallet, mine) {
  /** @type {[string, Child | Child[]][]} */
  const own = [
    [t("Valid from"), day(mine.notBefore)],
    [t("Valid until"), day(mine.notAfter)],
  ];
  const keeping = word("backEnd", wallet.phone.bound?.backEnd ?? "");
  /** @type {[string, Child | Child[]][]} */
  const keys = [[t("Where the key is"), [keeping, h("br"), h("span", { class: "small soft" }, t("The phone says so of itself; nobody has attested it."))]]];
  try {
    const shown = (await counted(() => wallet.phone.certificate(mine.id))).shown;
    return shown ? described(shown, own, keys) : [facts([...own, ...keys]), notice("info", t("The platform cannot read certificates just now"), h("p", {}, t("Try again in a minute.")))];
  } catch (error) {
    return [facts([...own, ...keys]), faultNotice(error), button(t("Try again"), () => wallet.refresh(), { kind: "second" })];
  }
}

/** @param {any} shown `ShownCertificate` of the Phone API @param {[string, Child | Child[]][]} own @param {[string, Child | Child[]][]} keys @returns {Child[]} */
function described(shown, own, keys) {
  return [
    standing(shown.status),
    section(t("Holder"), lines(shown.subject)),
    section(t("Issuer"), lines(shown.issuer)),
    section(t("Term and number"), facts([...own, [t("Serial number"), grouped(shown.serial)]])),
    section(t("The key"), facts([...pairs(shown.key.slice(0, 1)), [t("Key usage"), bullets(shown.key_usage)], ...keys])),
    section(t("Certificate policy"), lines(shown.policies)),
    h(
      "details",
      { class: "wallet-details" },
      h("summary", {}, t("The key and all extensions")),
      h("div", { class: "stack" }, h("h3", {}, t("The key")), lines(shown.key)),
      ...shown.extensions.map((/** @type {any} */ each) => h("div", { class: "stack" }, h("h3", {}, each.name || each.oid, each.critical && ` (${t("critical")})`), each.lines.length > 0 && lines(each.lines))),
    ),
  ];
}

/** @param {{ state: string, since: string | null, at: string }} status @returns {HTMLElement} */
function standing({ state, since, at }) {
  const title = t("State: {state}", { state: word("certificateState", state) });
  return notice(state === "valid" ? "done" : "problem", title, h("p", { class: "small soft" }, since ? t("since {hour}; asked {at}", { hour: hour(since), at: hour(at) }) : t("asked {at}", { at: hour(at) })));
}

/** @param {Line[]} shown @returns {[string, Child | Child[]][]} */
function pairs(shown) {
  return shown.map(({ term, value, words }) => [term, [words.length > 0 ? bullets(words) : value, words.length > 0 && value && h("span", { class: "small soft" }, value)]]);
}

/** @param {Line[]} shown @returns {HTMLElement} */
function lines(shown) {
  return facts(pairs(shown));
}
