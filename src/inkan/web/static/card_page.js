// @ts-check
/**
 * Forms that need a card: the page asks the platform what to do, the card agent does it, the form takes the answer.
 * The page only carries what others have signed. No PIN passes it.
 *
 *   <form method="post" action="…" data-card="sign" data-card-key="authentication" data-card-begin="/…/begin">
 *     <input type="hidden" name="challenge"> <input type="hidden" name="cms">
 *   <form method="post" action="…" data-card="run" data-card-begin="/…/command">
 *     <input type="hidden" name="answer">
 *
 * An input with data-card-file="photo" and no name goes along with the question, base64url, and with no form.
 *
 * data-card-notice="missing|unpaired|refused|failed|working|wiped" shows itself when it is so; in `refused` stands one
 * data-card-code for each code that people can act on, and one without a value for all others.
 * data-card-watch="manage": when the card is taken out, whatever has data-card-wipe is taken off the page.
 */

import { CardAgentRefused, connect, pair } from "./card_agent.js";

/** @typedef {import("./card_agent.js").Agent} Agent */
/** @typedef {import("./card_agent.js").Kind} Kind */
/** @typedef {"missing" | "unpaired" | "refused" | "failed" | "working" | "wiped"} Outcome */

/** @type {Record<string, Outcome>} */
const OUTCOMES = { card_agent_missing: "missing", card_agent_unpaired: "unpaired" };
const TAKEN_OUT = new Set(["card_removed", "card_reset"]);

/** The platform's refusal, in the reader's language. */
class Refused extends Error {}

let isWiped = false;

/**
 * Show the notices of one outcome and hide all others.
 *
 * @param {Outcome | null} outcome
 * @param {{ code?: string, text?: string, tries?: number }} [why]
 */
function tell(outcome, why = {}) {
  for (const notice of elements("[data-card-notice]")) {
    notice.hidden = notice.dataset.cardNotice !== outcome;
  }
  const lines = elements("[data-card-code]");
  const known = lines.some((line) => line.dataset.cardCode === why.code);
  for (const line of lines) {
    line.hidden = why.text !== undefined || line.dataset.cardCode !== (known ? why.code : "");
  }
  for (const line of elements("[data-card-text]")) {
    line.textContent = why.text ?? "";
  }
  for (const line of elements("[data-card-tries]")) {
    line.hidden = why.tries === undefined;
    const number = line.querySelector("strong");
    if (number) {
      number.textContent = String(why.tries ?? "");
    }
  }
}

/**
 * @param {string} selector
 * @returns {HTMLElement[]}
 */
function elements(selector) {
  return [...document.querySelectorAll(selector)].filter((each) => each instanceof HTMLElement);
}

/** @param {unknown} error */
function tellError(error) {
  if (error instanceof Refused) {
    tell("refused", { text: error.message });
  } else if (!(error instanceof CardAgentRefused)) {
    tell("failed");
  } else if (TAKEN_OUT.has(error.code) && wipe()) {
    tell("wiped");
  } else {
    tell(OUTCOMES[error.code] ?? "refused", { code: error.code, tries: error.facts.tries_left });
  }
}

/**
 * Take off the page what belongs to the person whose card was in the reader.
 *
 * @returns {boolean} whether there was something
 */
function wipe() {
  const parts = elements("[data-card-wipe]");
  for (const part of parts) {
    part.replaceChildren();
    part.hidden = true;
  }
  isWiped ||= parts.length > 0;
  return isWiped;
}

/**
 * Ask the platform what the card should do, with the fields of the form (its CSRF token among them).
 *
 * @param {HTMLFormElement} form
 * @param {Record<string, string>} more
 * @returns {Promise<any>}
 */
async function begin(form, more = {}) {
  const fields = new URLSearchParams();
  for (const [name, value] of new FormData(form)) {
    if (value) {
      fields.append(name, String(value));
    }
  }
  for (const [name, value] of Object.entries({ ...more, ...(await files(form)) })) {
    fields.append(name, value);
  }
  const reply = await fetch(form.dataset.cardBegin ?? "", {
    method: "POST",
    body: fields,
    headers: { accept: "application/json" },
    credentials: "same-origin",
    redirect: "error",
  });
  const body = await reply.json();
  if (!reply.ok) {
    throw new Refused(body.text);
  }
  return body;
}

/**
 * The files that were chosen, by name.
 *
 * @param {HTMLFormElement} form
 * @returns {Promise<Record<string, string>>}
 */
async function files(form) {
  /** @type {Record<string, string>} */
  const found = {};
  for (const field of form.querySelectorAll("input[data-card-file]")) {
    const file = field instanceof HTMLInputElement ? field.files?.[0] : undefined;
    if (field instanceof HTMLInputElement && file) {
      let octets = "";
      for (const octet of new Uint8Array(await file.arrayBuffer())) {
        octets += String.fromCharCode(octet);
      }
      found[field.dataset.cardFile ?? ""] = btoa(octets).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
    }
  }
  return found;
}

/**
 * @param {HTMLFormElement} form
 * @param {string} name
 * @param {string} value
 */
function fill(form, name, value) {
  const field = form.elements.namedItem(name);
  if (field instanceof HTMLInputElement) {
    field.value = value;
  }
}

/** @type {Record<string, { kind: Kind, run: (form: HTMLFormElement, agent: Agent) => Promise<void> }>} */
const WAYS = {
  sign: {
    kind: "use",
    run: async (form, agent) => {
      const { id, content, content_type } = await begin(form);
      const key = form.dataset.cardKey ?? "signature";
      const { cms } = await agent.call("sign", { content, content_type, key });
      fill(form, "challenge", id);
      fill(form, "cms", cms);
    },
  },
  run: {
    kind: "manage",
    run: async (form, agent) => {
      const { card, terminal } = await agent.call("look");
      const { command } = await begin(form, { card, terminal });
      const { answer } = await agent.call("run", { jws: command });
      fill(form, "answer", answer);
    },
  },
};

/**
 * @param {HTMLFormElement} form
 * @param {boolean} isBusy
 */
function lock(form, isBusy) {
  form.setAttribute("aria-busy", String(isBusy));
  for (const button of form.querySelectorAll("button")) {
    button.disabled = isBusy;
  }
}

/** @param {HTMLFormElement} form */
async function carryOut(form) {
  const way = WAYS[form.dataset.card ?? ""];
  lock(form, true);
  watcher.pause();
  tell("working");
  try {
    const agent = await connect({ kind: way.kind });
    try {
      await way.run(form, agent);
    } finally {
      agent.close();
    }
    form.submit();
  } catch (error) {
    lock(form, false);
    tellError(error);
    watcher.resume();
  }
}

/** Watches the reader while nothing else is asked of the agent. */
const watcher = {
  /** @type {Agent | null} */
  agent: null,

  pause() {
    this.agent?.close();
    this.agent = null;
  },

  async resume() {
    const kind = document.querySelector("[data-card-watch]")?.getAttribute("data-card-watch");
    if (!kind || isWiped) {
      return;
    }
    try {
      const agent = await connect({ kind: /** @type {Kind} */ (kind) });
      this.agent = agent;
      agent.watch(({ event }) => {
        if (event === "removed" && this.agent === agent && wipe()) {
          this.pause();
          tell("wiped");
        }
      });
    } catch (error) {
      if (error instanceof CardAgentRefused && error.code in OUTCOMES) {
        tellError(error);
      }
    }
  },
};

/** @param {HTMLFormElement} form */
function prepare(form) {
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    void carryOut(form);
  });
  // A page that comes back from the browser's memory was left in the middle.
  window.addEventListener("pageshow", () => lock(form, false));
}

/** @param {HTMLFormElement} form the secret that the loopback agent showed when it was started */
function preparePairing(form) {
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    pair(String(new FormData(form).get("secret") ?? ""));
    form.reset();
    tell(null);
    void watcher.resume();
  });
}

for (const form of document.querySelectorAll("form[data-card]")) {
  prepare(/** @type {HTMLFormElement} */ (form));
}
for (const form of document.querySelectorAll("form[data-card-pair]")) {
  preparePairing(/** @type {HTMLFormElement} */ (form));
}
void watcher.resume();
