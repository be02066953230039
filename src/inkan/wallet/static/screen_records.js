// @ts-check
/** Every use of the person's phones, newest first (TW-38). */

import { attempts, tag } from "./blocks.js";
import { button, field } from "./components.js";
import { counted } from "./cooldown.js";
import { h, sign } from "./dom.js";
import { clock, day, language, t } from "./texts.js";
import { TABLES, word } from "./words.js";

/** @typedef {import("./router.js").Wallet} Wallet */
/** @typedef {import("./router.js").View} View */

const PAGE = 50; // of the Phone API

/** What became of it, as a picture that differs in form and not in colour. @type {Readonly<Record<string, string>>} */
const SIGNS = {
  ok: "M5 12.5l4.5 4.5L19 7.5",
  refused: "M6 6l12 12M18 6 6 18",
  failed: "M12 5v9M12 18.5v.01",
  blocked: "M12 21a9 9 0 1 1 0-18 9 9 0 0 1 0 18ZM5.8 5.8l12.4 12.4",
};

/**
 * @param {Wallet} wallet
 * @param {import("./router.js").Told} told result
 * @returns {Promise<View>}
 */
export async function records(wallet, told) {
  const result = told.result || undefined;
  const found = await counted(() => wallet.phone.records(result ? { result } : {}));
  const list = h("div", { class: "stack" }, ...days(wallet, found));
  return {
    title: t("Usage records"),
    tab: "records",
    nodes: [picker(wallet, result ?? ""), found.length === 0 && h("p", {}, t("There are no records here.")), list, older(wallet, list, result, found)],
  };
}

/** @param {Wallet} wallet @param {string} picked @returns {HTMLElement} */
function picker(wallet, picked) {
  const options = [["", t("Every result")], ...Object.entries(TABLES.result).map(([code, text]) => [code, text()])];
  const select = h("select", {}, ...options.map(([value, text]) => h("option", { value, selected: value === picked }, text)));
  const form = h("form", { class: "form form-line" }, field("result", t("Result"), select), h("button", { type: "submit", class: "button button-second" }, t("Show these")));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    void wallet.swap("records", { result: select.value });
  });
  return form;
}

/**
 * The records under their days.
 *
 * @param {Wallet} wallet
 * @param {any[]} found
 * @returns {HTMLElement[]}
 */
function days(wallet, found) {
  /** @type {Map<string, any[]>} */
  const byDay = new Map();
  for (const each of found) {
    const name = day(each.at);
    byDay.set(name, [...(byDay.get(name) ?? []), each]);
  }
  return [...byDay].map(([name, uses]) => h("section", {}, h("h2", { class: "wallet-day" }, name), h("ul", { class: "wallet-places" }, ...uses.map((each) => h("li", {}, row(wallet, each))))));
}

/** @param {Wallet} wallet @param {any} each @returns {HTMLElement} */
function row(wallet, each) {
  const detail = each.detail ?? {};
  return h(
    "button",
    { type: "button", class: "wallet-place", onclick: () => void wallet.go("record", { id: each.id }) },
    sign(SIGNS[each.outcome] ?? SIGNS.failed ?? "", "sign wallet-outcome"),
    h(
      "span",
      {},
      h("strong", {}, detail.relying_party || t("erased")),
      h("span", { class: "small" }, detail.purpose?.[language()] ?? ""),
      h("span", { class: "small soft" }, `${clock(each.at)} · ${word("outcome", each.outcome)}`),
    ),
    each.reported_at ? tag(t("reported")) : detail.is_delivered === false && tag(t("not delivered")),
  );
}

/**
 * The button for what is older; it goes when there is nothing more.
 *
 * @param {Wallet} wallet
 * @param {HTMLElement} list
 * @param {string | undefined} result
 * @param {any[]} found the page above
 * @returns {HTMLElement | false}
 */
function older(wallet, list, result, found) {
  if (found.length < PAGE) {
    return false;
  }
  let below = found.at(-1)?.id;
  const { place, attempt } = attempts();
  const element = h("div", { class: "stack" }, place);
  const go = button(
    t("Older ones"),
    attempt(async () => {
      const next = await counted(() => wallet.phone.records({ below, ...(result ? { result } : {}) }));
      below = next.at(-1)?.id;
      list.append(...days(wallet, next));
      wallet.say(t("{count} more records", { count: next.length }));
      next.length < PAGE && element.remove();
    }),
    { kind: "second" },
  );
  element.append(go);
  return element;
}
