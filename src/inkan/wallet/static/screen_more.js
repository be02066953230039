// @ts-check
/** The wallet's other places, and how much of the news is unread. */

import { tag } from "./blocks.js";
import { places } from "./components.js";
import { unread } from "./screen_news.js";
import { t } from "./texts.js";

/** @typedef {import("./router.js").Wallet} Wallet */
/** @typedef {import("./router.js").View} View */

/** @returns {{ name: string, text: string, note: string, lines: string }[]} */
function rows() {
  return [
    { name: "phones", text: t("My phones"), note: t("See them, end one, stop all"), lines: "M8 3h8v18H8ZM11 18h2" },
    { name: "news", text: t("Notices"), note: t("What you were told, and announcements"), lines: "M4 9v6h3l8 4.5v-15L7 9ZM18.5 9.5a4 4 0 0 1 0 5" },
    { name: "consents", text: t("Consents"), note: t("What you gave, and to whom"), lines: "M5 4h14v16H5ZM8.5 9h7M8.5 12.5h4M13 16.5l1.5 1.5 3-3" },
    { name: "browsers", text: t("Known browsers"), note: t("Browsers that services know as yours"), lines: "M3 5h18v14H3ZM3 9h18M6 7h.01M8.5 7h.01" },
    { name: "settings", text: t("Settings"), note: t("Language, messages, fingerprint or PIN"), lines: "M4 7h9M17 7h3M15 5v4M4 12h3M11 12h9M9 10v4M4 17h9M17 17h3M15 15v4" },
    { name: "privacy", text: t("Privacy and official site"), note: t("What is kept, and who learns what"), lines: "M12 3 5 6v5.5c0 4.2 2.9 7.6 7 9.5 4.1-1.9 7-5.3 7-9.5V6ZM9 12l2.2 2.2L15.2 10" },
    { name: "help", text: t("Help"), note: t("Phone lost, new phone, fingerprint fails"), lines: "M9.2 9.2a2.9 2.9 0 1 1 4 2.7c-.8.4-1.2.9-1.2 1.8M12 17v.01M12 21a9 9 0 1 1 0-18 9 9 0 0 1 0 18Z" },
  ];
}

/**
 * @param {Wallet} wallet
 * @returns {View}
 */
export function more(wallet) {
  const entries = rows();
  const list = places(entries.map(({ name, ...row }) => ({ ...row, act: () => wallet.go(name) })));
  const newsRow = list.querySelectorAll("button")[entries.findIndex(({ name }) => name === "news")];
  void wallet.phone.news().then(
    (news) => {
      const count = unread(news).length;
      count > 0 && newsRow?.append(tag(t("{count} new", { count })));
    },
    () => {}, // a mark is no reason to speak of the network
  );
  return { title: t("More"), tab: "more", nodes: [list] };
}
