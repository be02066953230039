// @ts-check
/** Notices to this phone and announcements to all (TW-39). Which of these were read is remembered here alone. */

import { section, tag } from "./blocks.js";
import { button, card } from "./components.js";
import { h } from "./dom.js";
import { readNews, rememberNews } from "./preferences.js";
import { day, hour, t } from "./texts.js";

/** @typedef {import("./router.js").Wallet} Wallet */
/** @typedef {import("./router.js").View} View */

/** @param {Record<string, any>[]} news @returns {Record<string, any>[]} those that were not opened here */
export function unread(news) {
  const known = readNews();
  return news.filter(({ id }) => !known.includes(id));
}

/**
 * @param {Wallet} wallet
 * @returns {Promise<View>}
 */
export async function news(wallet) {
  const [announced, told] = await Promise.all([wallet.phone.news(), wallet.phone.notices()]);
  const fresh = new Set(unread(announced).map(({ id }) => id));
  return {
    title: t("Notices"),
    nodes: [
      section(t("Announcements to all"), announced.length === 0 ? h("p", {}, t("There are no announcements.")) : list(wallet, announced, fresh)),
      section(
        t("To you"),
        told.length === 0 && h("p", {}, t("There are no notices.")),
        ...told.map((each) => card(each.title, h("p", { class: "wallet-lines" }, each.text), h("p", { class: "small soft" }, hour(each.created_at)))),
      ),
    ],
  };
}

/** @param {Wallet} wallet @param {any[]} announced @param {Set<string>} fresh @returns {HTMLElement} */
function list(wallet, announced, fresh) {
  return h(
    "ul",
    { class: "wallet-places" },
    ...announced.map((each) =>
      h(
        "li",
        {},
        h(
          "button",
          { type: "button", class: "wallet-place", onclick: () => void wallet.go("announcement", { id: each.id }) },
          h("span", {}, h("strong", {}, each.title), h("span", { class: "small soft" }, day(each.published_at))),
          fresh.has(each.id) && tag(t("new")),
        ),
      ),
    ),
  );
}

/**
 * @param {Wallet} wallet
 * @param {import("./router.js").Told} told id
 * @returns {Promise<View>}
 */
export async function announcement(wallet, told) {
  const found = (await wallet.phone.news()).find((each) => each.id === told.id);
  if (found === undefined) {
    return { title: t("Notices"), nodes: [h("p", {}, t("This announcement was taken back."))] };
  }
  rememberNews(found.id);
  return {
    title: found.title,
    nodes: [h("p", { class: "small soft" }, day(found.published_at)), h("p", { class: "wallet-lines" }, found.text), button(t("All notices"), () => wallet.back(), { kind: "second" })],
  };
}
