// @ts-check
/** One use: who asked, what for, what was given, where it stands in the log; and "I did not start this". */

import { asking, attempts, save, section } from "./blocks.js";
import { button, facts, notice } from "./components.js";
import { counted } from "./cooldown.js";
import { h } from "./dom.js";
import { hour, language, t } from "./texts.js";
import { TABLES, claim, rank, reason, word } from "./words.js";

/** @typedef {import("./router.js").Wallet} Wallet */
/** @typedef {import("./router.js").View} View */
/** @typedef {import("./dom.js").Child} Child */

/**
 * @param {Wallet} wallet
 * @param {import("./router.js").Told} told id
 * @returns {Promise<View>}
 */
export async function record(wallet, told) {
  const use = await counted(() => wallet.phone.use(told.id));
  const detail = use.detail;
  return {
    title: t("Usage record"),
    nodes: [
      asker(detail),
      use.reported_at && notice("caution", t("You reported this use"), h("p", {}, `${t("You said that you did not start it.")} ${hour(use.reported_at)}`)),
      section(t("What happened"), facts(happened(use, detail))),
      detail && section(t("What was given"), ...given(wallet, use, detail)),
      section(t("Proof"), ...proof(wallet, use)),
      !use.reported_at && report(wallet, use),
    ],
  };
}

/** @param {any} detail null once it was erased @returns {HTMLElement} */
function asker(detail) {
  return h(
    "div",
    { class: "wallet-asker" },
    h("p", { class: "small soft" }, t("Who asked")),
    h("p", { class: "wallet-asker-name" }, detail?.relying_party || t("erased")),
    detail?.domain && h("p", {}, h("span", { class: "wallet-domain" }, detail.domain)),
  );
}

/** @param {any} use @param {any} detail @returns {[string, Child | Child[]][]} */
function happened(use, detail) {
  const isLate = detail?.is_delivered === false;
  /** @type {([string, Child | Child[]] | false)[]} */
  const rows = [
    [t("What for"), detail?.purpose?.[language()] || t("erased")],
    [t("Result"), [word("outcome", use.outcome), isLate && h("p", {}, t("The answer was not delivered: nobody fetched it in time."))]],
    detail?.reason ? [t("Why"), reason(detail.reason)] : false,
    [t("When"), hour(use.at)],
    [t("Phone"), use.phone_name || t("no longer known")],
    detail ? [t("Kind"), detail.kind ? word("kind", detail.kind) : t("not known")] : false,
    detail ? [t("Way"), detail.door ? word("door", detail.door) : t("not opened")] : false,
    detail?.binding ? [t("Binding level"), level(detail.binding.level)] : false,
  ];
  return /** @type {[string, Child | Child[]][]} */ (rows.filter((row) => row !== false));
}

/** @param {string} code @returns {Child[]} a ladder of four steps, and the words */
function level(code) {
  const reached = rank(code);
  const rungs = Object.keys(TABLES.level).slice(1);
  return [
    h("span", { class: "wallet-ladder", "aria-hidden": "true" }, ...rungs.map((_, index) => h("span", { class: index < reached && "is-reached" }))),
    h("span", {}, word("level", code)),
  ];
}

/** @param {Wallet} wallet @param {any} use @param {any} detail @returns {Child[]} */
function given(wallet, use, detail) {
  const isGiven = use.outcome === "ok" && detail.is_delivered !== false;
  const contents = detail.contents ?? [];
  return [
    isGiven
      ? h(
          "ul",
          {},
          h("li", {}, t("A reference to you that no other sector can compare")),
          detail.full_evidence && h("li", {}, t("Your name and certificate, with the signed statement")),
          ...(detail.claims ?? []).map((/** @type {string} */ code) => h("li", {}, claim(wallet.settings, code))),
        )
      : h("p", {}, t("Nothing.")),
    contents.length > 0 && h("h3", {}, t("What was put before you")),
    contents.length > 0 && h("ul", { class: "wallet-anywhere" }, ...contents.map((/** @type {string} */ each) => h("li", {}, each))),
  ];
}

/** @param {Wallet} wallet @param {any} use @returns {Child[]} */
function proof(wallet, use) {
  const { log } = use;
  if (log.index === null) {
    return [h("p", {}, t("The proof is being made. Come back in a minute."))];
  }
  const { place, attempt } = attempts();
  const fetched = attempt(async () => save(`inkan-use-${use.id}.json`, JSON.stringify(await counted(() => wallet.phone.useProof(use.id))), "application/json"));
  return [
    h("p", {}, t("This use stands in the audit log, which the platform cannot rewrite unseen.")),
    facts([
      [t("Entry"), log.index + 1],
      ...(log.head_at ? [/** @type {[string, Child]} */ ([t("Head signed"), hour(log.head_at)])] : []),
    ]),
    log.provable ? h("p", {}, t("The proof can be checked without the platform.")) : h("p", {}, t("The head is not certified yet, so the proof is of no use elsewhere.")),
    place,
    log.provable && button(t("Download the proof"), fetched, { kind: "second" }),
  ];
}

/** @param {Wallet} wallet @param {any} use @returns {HTMLElement} */
function report(wallet, use) {
  return section(
    t("Was this not you?"),
    h("p", {}, t("If you did not start this, say so. For a day this service's messages stay silent on your phones, and when several people report it, on everybody's. What was given stays given; a report cannot be taken back.")),
    asking({
      text: t("I did not start this"),
      question: t("Report this use? A report cannot be taken back."),
      yes: t("Report"),
      act: async () => {
        await wallet.phone.reportUse(use.id);
        wallet.say(t("You reported this use"));
        await wallet.swap("record", { id: use.id });
      },
    }),
    h("p", {}, t("If somebody else may hold your phone, revoke it, and tell the office that asked.")),
    button(t("My phones"), () => wallet.go("phones"), { kind: "quiet" }),
  );
}
