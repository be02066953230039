// @ts-check
/**
 * The card in this computer's reader signs the request of the page: the content comes from the platform, the card
 * agent shows it and asks for digits and PIN, and what it signed goes back as a field of the form.
 *
 *   <form data-card-sign="where the content is" hidden> <input type="hidden" name="cms">
 *     <div data-card-state="inserted|removed|busy|refused" hidden> … <p data-card-text="code" hidden>
 *     <div data-card-pair hidden> <input> for the secret of a loopback agent, when there is one and it is not known
 *
 * Without this script, or without an agent, the links to card programs on the page do the same.
 */

import { CardAgentRefused, connect, pair } from "web/card_agent.js";

/** @typedef {import("web/card_agent.js").Agent} Agent */
/** @typedef {"inserted" | "removed" | "busy" | "refused"} State */

/**
 * Show one state and hide the others.
 *
 * @param {HTMLFormElement} form
 * @param {State} state
 */
function show(form, state) {
  for (const element of form.querySelectorAll("[data-card-state]")) {
    if (element instanceof HTMLElement) {
      element.hidden = element.dataset.cardState !== state;
    }
  }
  for (const button of form.querySelectorAll("button")) {
    button.disabled = state === "busy";
  }
  form.setAttribute("aria-busy", String(state === "busy"));
}

/**
 * Say what was wrong, in the words of the catalogue that the page brought.
 *
 * @param {HTMLFormElement} form
 * @param {unknown} error
 */
function tell(form, error) {
  const refused = error instanceof CardAgentRefused ? error : new CardAgentRefused("card_agent_missing");
  for (const text of form.querySelectorAll("[data-card-text]")) {
    if (text instanceof HTMLElement) {
      text.hidden = text.dataset.cardText !== refused.code;
    }
  }
  const tries = form.querySelector("[data-card-tries]");
  const number = tries?.querySelector("span");
  if (tries instanceof HTMLElement && number) {
    tries.hidden = !("tries_left" in refused.facts);
    number.textContent = String(refused.facts.tries_left ?? "");
  }
  show(form, "refused");
}

/**
 * Hand over the secret of a loopback agent when one was typed, and forget it in the page.
 *
 * @param {HTMLFormElement} form
 */
function takeSecret(form) {
  const field = form.querySelector("[data-card-pair] input");
  if (field instanceof HTMLInputElement && field.value) {
    pair(field.value);
    field.value = "";
  }
}

/**
 * @param {HTMLFormElement} form
 * @param {boolean} isWanted whether the secret of a loopback agent is asked for
 */
function askSecret(form, isWanted) {
  const place = form.querySelector("[data-card-pair]");
  if (place instanceof HTMLElement) {
    place.hidden = !isWanted;
  }
}

/**
 * @param {HTMLFormElement} form
 * @returns {Promise<{ content: string, content_type: string }>}
 */
async function wanted(form) {
  const reply = await fetch(form.dataset.cardSign ?? "", {
    headers: { accept: "application/json" },
    credentials: "same-origin",
    redirect: "error",
  });
  if (!reply.ok) {
    throw new CardAgentRefused("card_request_refused");
  }
  return reply.json();
}

/** What already says that there is no card: the reader's own word for it, which may come later, adds nothing. */
const WITHOUT_CARD = new Set(["card_removed", "card_missing"]);

/** One page: an agent when there is one, and what is under way. */
class Signing {
  /** @param {HTMLFormElement} form */
  constructor(form) {
    this.form = form;
    this.isBusy = false;
    /** The refusal that is shown. */
    this.told = "";
    /** @type {Agent | null} */
    this.agent = null;
  }

  /**
   * @param {boolean} isAsked whether somebody wants the agent now
   * @returns {Promise<Agent>}
   */
  async connected(isAsked) {
    if (!this.agent) {
      this.agent = await connect({ kind: "use", isAsked });
      this.agent.watch(({ event }) => this.hear(event));
    }
    return this.agent;
  }

  /** @param {"inserted" | "removed"} event */
  hear(event) {
    const isSaid = event === "removed" && WITHOUT_CARD.has(this.told);
    if (!this.isBusy && !isSaid) {
      this.told = "";
      show(this.form, event);
    }
  }

  /** What is in the reader now; a computer without an agent is told nothing until it is asked for. */
  async look() {
    try {
      const agent = await this.connected(false);
      const { readers } = await agent.call("status");
      this.hear(readers.some((/** @type {{ has_card: boolean }} */ reader) => reader.has_card) ? "inserted" : "removed");
    } catch {
      this.agent = null;
    }
  }

  async sign() {
    this.isBusy = true;
    takeSecret(this.form);
    show(this.form, "busy");
    try {
      const agent = await this.connected(true);
      askSecret(this.form, false);
      const { cms } = await agent.call("sign", { ...(await wanted(this.form)), key: "signature" });
      this.send(cms);
    } catch (error) {
      this.forget(error);
      this.told = error instanceof CardAgentRefused ? error.code : "";
      tell(this.form, error);
    } finally {
      this.isBusy = false;
    }
  }

  /** @param {string} cms */
  send(cms) {
    const field = this.form.elements.namedItem("cms");
    if (field instanceof HTMLInputElement) {
      field.value = cms;
      this.form.requestSubmit();
    }
  }

  /** @param {unknown} error an agent that is gone is looked for anew */
  forget(error) {
    const code = error instanceof CardAgentRefused ? error.code : "card_agent_missing";
    askSecret(this.form, code === "card_agent_unpaired");
    if (code === "card_agent_missing" || code === "card_agent_unpaired") {
      this.agent = null;
    }
  }
}

const form = document.querySelector("form[data-card-sign]");
if (form instanceof HTMLFormElement) {
  const signing = new Signing(form);
  form.hidden = false;
  form.addEventListener("submit", (event) => {
    const field = form.elements.namedItem("cms");
    if (field instanceof HTMLInputElement && !field.value) {
      event.preventDefault();
      // Other listeners hear of a submission when there is one.
      event.stopImmediatePropagation();
      void signing.sign();
    }
  });
  void signing.look();
}
