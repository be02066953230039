// @ts-check
/**
 * Which screen is shown, and the way back. A screen is a function from what it is told to what is seen; it knows
 * others by name alone. Codes and links never stand in the address or the history.
 */

import { fill, h, sign } from "./dom.js";
import { faultNotice } from "./faults.js";
import { button, notice, waiting } from "./components.js";
import { t } from "./texts.js";

/**
 * @typedef {import("./phone.js").Phone} Phone
 * @typedef {import("./settings.js").Settings} Settings
 * @typedef {Record<string, any>} Told what a screen is told; it is kept in the history and must be plain data
 *
 * @typedef {object} Wallet what every screen is given
 * @property {Phone} phone
 * @property {Settings} settings
 * @property {(name: string, told?: Told) => Promise<void>} go show a screen
 * @property {(name: string, told?: Told) => Promise<void>} swap show a screen in the place of the present one
 * @property {() => void} back
 * @property {() => Promise<void>} refresh show the present screen anew
 * @property {(text: string) => void} say for those who hear the page
 *
 * @typedef {object} View what a screen gives
 * @property {string} title
 * @property {import("./dom.js").Child[]} nodes
 * @property {(() => unknown) | undefined} [leave] called when another screen follows
 * @property {string} [tab] the entry of the bar that it belongs to; such a screen has no way back
 * @property {boolean} [isHeadingHidden] the title is heard and not seen
 *
 * @typedef {(wallet: Wallet, told: Told) => View | Promise<View>} Screen
 */

const TABS = [
  { name: "home", text: () => t("Home"), lines: "M4 11.5 12 4.5l8 7M6.5 10v9.5h11V10" },
  { name: "certificates", text: () => t("Certificates"), lines: "M6 3.5h12v17l-6-3.5-6 3.5ZM9 8h6M9 11.5h6" },
  { name: "records", text: () => t("Records"), lines: "M5 5h14M5 10h14M5 15h9M5 20h6" },
  { name: "more", text: () => t("More"), lines: "M5 12h.01M12 12h.01M19 12h.01" },
];
const BACK = "M15 5l-7 7 7 7";

export class Router {
  /** @type {(() => unknown) | undefined} */
  #leave;
  /** @type {Wallet} */
  #wallet;
  /** @type {string | null} the screen that is being made or shown */
  #token = null;
  #depth = 0;
  /** @type {{ make: () => HTMLElement, element: HTMLElement }[]} */
  #pinned = [];

  /**
   * @param {HTMLElement} root
   * @param {Record<string, Screen>} screens
   * @param {{ phone: Phone, settings: Settings }} given
   */
  constructor(root, screens, given) {
    this.screens = screens;
    this.head = h("header", { class: "wallet-head" });
    this.strip = h("div", { class: "wallet-strip" });
    this.main = h("main", { id: "main", class: "page wallet-main stack", tabindex: -1 });
    this.bar = h("nav", { class: "wallet-bar" });
    this.heard = h("p", { class: "unseen", role: "status" });
    fill(root, this.head, this.strip, this.main, this.bar, this.heard);
    this.#wallet = {
      ...given,
      go: (name, told = {}) => this.#go(name, told, false),
      swap: (name, told = {}) => this.#go(name, told, true),
      back: () => this.#back(),
      refresh: () => this.refresh(),
      say: (text) => fill(this.heard, text),
    };
    addEventListener("popstate", (event) => {
      this.#depth = Math.max(0, this.#depth - 1);
      const { name = "home", told = {} } = event.state ?? {};
      void this.#show(name, told);
    });
  }

  /** @returns {Wallet} */
  get wallet() {
    return this.#wallet;
  }

  /** Something that stands above every screen until it is dismissed. @param {() => HTMLElement} make */
  pin(make) {
    const element = make();
    this.strip.append(element);
    this.#pinned.push({ make, element });
  }

  /** Show the present screen and what stands above it anew, in another language perhaps. */
  async refresh() {
    this.#pinned = this.#pinned.filter(({ element }) => element.isConnected);
    for (const each of this.#pinned) {
      const element = each.make();
      each.element.replaceWith(element);
      each.element = element;
    }
    const { name = "home", told = {} } = history.state ?? {};
    await this.#show(name, told);
  }

  /** @param {string} name @param {Told} told @param {boolean} isSwapped */
  async #go(name, told, isSwapped) {
    const address = `/#${name}`;
    if (isSwapped || history.state === null) {
      history.replaceState({ name, told }, "", address);
    } else {
      history.pushState({ name, told }, "", address);
      this.#depth += 1;
    }
    await this.#show(name, told);
  }

  #back() {
    if (this.#depth > 0) {
      history.back();
    } else {
      void this.#go("home", {}, true);
    }
  }

  /** @param {string} name @param {Told} told */
  async #show(name, told) {
    this.#leave?.();
    this.#leave = undefined;
    const token = (this.#token = crypto.randomUUID());
    const busy = setTimeout(() => token === this.#token && fill(this.main, waiting(t("One moment…"))), 250);
    const view = await this.#made(name, told);
    clearTimeout(busy);
    if (token !== this.#token) {
      view.leave?.(); // the person went on meanwhile
      return;
    }
    this.#leave = view.leave;
    this.#draw(name, view);
  }

  /** @param {string} name @param {Told} told @returns {Promise<View>} */
  async #made(name, told) {
    try {
      const screen = this.screens[name] ?? this.screens.home;
      if (screen === undefined) {
        throw new Error(`no screen ${name}`);
      }
      return await screen(this.#wallet, told);
    } catch (error) {
      return {
        title: t("This did not work"),
        nodes: [faultNotice(error), button(t("Try again"), () => this.#show(name, told), { kind: "second" })],
      };
    }
  }

  /** @param {string} name @param {View} view */
  #draw(name, view) {
    document.title = `${view.title} · Inkan`;
    const heading = h("h1", { class: view.isHeadingHidden && "unseen", tabindex: -1 }, view.title);
    fill(this.main, heading, ...view.nodes);
    this.main.dataset.screen = name;
    this.#drawHead(view);
    this.#drawBar(view);
    performance.mark(`inkan-shown-${name}`); // what the suite measures by
    scrollTo(0, 0);
    heading.focus({ preventScroll: true });
  }

  /** @param {View} view */
  #drawHead(view) {
    const back = h(
      "button",
      { type: "button", class: "wallet-back", "aria-label": t("Back"), onclick: () => this.#back() },
      sign(BACK),
    );
    fill(
      this.head,
      view.tab === undefined && back,
      h(
        "span",
        { class: "wallet-mark" },
        h("img", { src: this.#wallet.settings.seal, alt: "", width: 32, height: 32 }),
        "Inkan",
      ),
      this.#wallet.settings.isTest && h("span", { class: "wallet-test" }, t("Test country")),
    );
  }

  /** @param {View} view */
  #drawBar(view) {
    this.bar.setAttribute("aria-label", t("Menu"));
    this.bar.hidden = this.#wallet.phone.bound === null || view.tab === undefined;
    const entries = TABS.filter(({ name }) => name in this.screens).map(({ name, text, lines }) =>
      h(
        "li",
        {},
        h(
          "button",
          { type: "button", "aria-current": name === view.tab && "page", onclick: () => void this.#wallet.go(name) },
          sign(lines),
          text(),
        ),
      ),
    );
    fill(this.bar, h("ul", {}, ...entries));
  }
}

/**
 * The notice of every start (HCA-52).
 *
 * @returns {HTMLElement}
 */
export function riskNotice() {
  const element = notice(
    "caution",
    t("Approve only what you began yourself"),
    h("p", {}, t("Nobody from an agency or bank asks for your code by telephone. Look at the name and the domain each time.")),
    button(t("I understand"), () => element.remove(), { kind: "quiet" }),
  );
  element.setAttribute("role", "region");
  element.setAttribute("aria-label", t("Risk notice"));
  return element;
}
