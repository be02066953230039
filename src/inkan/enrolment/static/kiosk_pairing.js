// @ts-check
/**
 * The secret of a loopback agent at a kiosk: staff type it once, before anybody stands there. A page that
 * names no such agent has no such part; where the browser's extension answers, nothing is asked.
 *
 *   <section data-pairing hidden> <form> <input name="secret"> …
 */

import { CardAgentRefused, connect, pair } from "web/card_agent.js";

/** @typedef {import("web/card_agent.js").Agent} Agent */

const UNPAIRED = "card_agent_unpaired";

export class Pairing {
  /**
   * @param {HTMLElement} place
   * @param {(act: () => Promise<void>) => Promise<void>} run does it, and says what went wrong
   * @param {() => Promise<void>} found goes on once the agent is there
   */
  constructor(place, run, found) {
    this.part = place.querySelector("[data-pairing]");
    this.run = run;
    this.found = found;
    /** Whether a secret was typed, which may be wrong. */
    this.isTyped = false;
    const form = this.part?.querySelector("form");
    form?.addEventListener("submit", (event) => {
      event.preventDefault();
      const secret = String(new FormData(form).get("secret") ?? "").trim();
      form.reset();
      void this.tell(secret);
    });
  }

  /** Find out whether an agent of this machine answers this tab. */
  async look() {
    if (this.part !== null) {
      await this.run(() => this.reach(connect({ kind: "use" })));
    }
  }

  /** @param {string} secret somebody typed it: it is kept when the agent knows it */
  async tell(secret) {
    this.isTyped = true;
    const meta = document.querySelector('meta[name="inkan-card-agent"]');
    const address = meta?.getAttribute("content") ?? "";
    await this.run(async () => {
      await this.reach(connect({ kind: "use", loopback: { address, secret } }));
      pair(secret);
      await this.found();
    });
  }

  /** @param {Promise<Agent>} connecting */
  async reach(connecting) {
    const agent = await connecting;
    agent.close();
    this.ask(false);
  }

  /**
   * @param {unknown} error
   * @returns {boolean} whether it is shown here, and is to be said nowhere else
   */
  takes(error) {
    if (!(error instanceof CardAgentRefused) || error.code !== UNPAIRED) {
      return false;
    }
    this.ask(true);
    return !this.isTyped;
  }

  /** @param {boolean} isWanted */
  ask(isWanted) {
    this.part?.toggleAttribute("hidden", !isWanted);
  }
}
