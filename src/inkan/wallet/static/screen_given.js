// @ts-check
/** What others hold of the person: consents, and browsers that services know. Both can be taken back. */

import { asking } from "./blocks.js";
import { card, facts } from "./components.js";
import { counted } from "./cooldown.js";
import { h } from "./dom.js";
import { day, hour, t } from "./texts.js";
import { claim } from "./words.js";

/** @typedef {import("./router.js").Wallet} Wallet */
/** @typedef {import("./router.js").View} View */

/**
 * @param {Wallet} wallet
 * @returns {Promise<View>}
 */
export async function consents(wallet) {
  const given = await counted(() => wallet.phone.consents());
  return {
    title: t("Consents"),
    nodes: [
      h("p", {}, t("Facts about you that you gave by a signed answer, the newest first.")),
      given.length === 0 && h("p", {}, t("You have given no facts about you.")),
      ...given.map((each) => consent(wallet, each)),
      h("p", { class: "small soft" }, t("After you withdraw a consent, the platform gives these facts out no more. Whoever has fetched them may still hold them; ask there to have them deleted.")),
    ],
  };
}

/** @param {Wallet} wallet @param {any} each @returns {HTMLElement} */
function consent(wallet, each) {
  return card(
    each.relying_party || t("erased"),
    facts([
      [t("Domain"), each.domain || t("erased")],
      [t("When"), hour(each.at)],
      [t("What was given"), h("ul", { class: "wallet-plain" }, ...each.claims.map((/** @type {string} */ code) => h("li", {}, claim(wallet.settings, code))))],
      [t("State"), each.withdrawn_at ? `${t("withdrawn")} · ${day(each.withdrawn_at)}` : t("stands")],
    ]),
    !each.withdrawn_at &&
      asking({
        text: t("Withdraw this consent"),
        question: t("Withdraw it? This cannot be undone; you can consent again when the service asks."),
        yes: t("Withdraw"),
        act: async () => {
          await counted(() => wallet.phone.withdrawConsent(each.id));
          wallet.say(t("The consent is withdrawn"));
          await wallet.swap("consents");
        },
      }),
  );
}

/**
 * @param {Wallet} wallet
 * @returns {Promise<View>}
 */
export async function browsers(wallet) {
  const known = await counted(() => wallet.phone.browsers());
  return {
    title: t("Known browsers"),
    nodes: [
      h("p", {}, t("Browsers that a service knows as yours, because your answer came back to them. A message that starts in one of them counts as safer.")),
      known.length === 0 && h("p", {}, t("No service knows a browser as yours.")),
      ...known.map((each) => browser(wallet, each)),
    ],
  };
}

/** @param {Wallet} wallet @param {any} each @returns {HTMLElement} */
function browser(wallet, each) {
  return card(
    each.relying_party,
    facts([
      [t("Domain"), each.domain],
      [t("Known since"), hour(each.paired_at)],
    ]),
    asking({
      text: t("Forget this browser"),
      question: t("Forget it? It becomes known again when an answer of yours comes back to it."),
      yes: t("Forget"),
      act: async () => {
        await counted(() => wallet.phone.forgetBrowser(each.id));
        wallet.say(t("The browser is forgotten"));
        await wallet.swap("browsers");
      },
    }),
  );
}
