// @ts-check
/**
 * The forms of the online window: each asks the card agent for something and then sends itself, or tells what came.
 *
 *   <form data-card="read">    the card's certificates go into the fields `certificate` and `issuers`, and the form away
 *   <form data-card="sign">    the platform says what is to be signed, the card signs, the signature goes away
 *   <form data-card="pin">     the agent's own dialog changes the PIN; nothing of it comes here
 *   <form data-card="status">  the readers are listed
 *
 * What is told stands in the page: `[data-card-notice]`, and for each code of a refusal a `[data-card-code]`. A card
 * that is pulled out ends the step with such a refusal; nothing was sent then.
 */

import { connect, pair } from "web/card_agent.js";

/** @typedef {import("web/card_agent.js").Agent} Agent */
/** @typedef {{ code: string, facts?: Record<string, any> }} Refusal */
/** @typedef {(form: HTMLFormElement, agent: Agent, key: string) => Promise<void>} Act */

const MISSING = "card_agent_missing";
const UNPAIRED = "card_agent_unpaired";
const EMPTY = "empty";

/** The platform's own refusal, in the reader's language. */
class Refused extends Error {}

/**
 * Show one notice of the form and hide the others; without a name hide all.
 *
 * @param {HTMLFormElement} form
 * @param {string} name
 * @returns {HTMLElement | null} the notice
 */
function tell(form, name) {
  let shown = null;
  for (const notice of form.querySelectorAll("[data-card-notice]")) {
    if (notice instanceof HTMLElement) {
      notice.hidden = notice.dataset.cardNotice !== name;
      shown = notice.hidden ? shown : notice;
    }
  }
  return shown;
}

/**
 * @param {HTMLFormElement} form
 * @param {string} text
 * @param {number | undefined} tries
 */
function refuse(form, text, tries) {
  const notice = tell(form, "refused");
  const line = notice?.querySelector("[data-card-text]");
  if (line) {
    line.textContent = text;
  }
  tellTries(notice, tries);
}

/**
 * @param {Element | null} notice
 * @param {number | undefined} tries
 */
function tellTries(notice, tries) {
  const line = notice?.querySelector("[data-card-tries]");
  if (line instanceof HTMLElement) {
    line.hidden = tries === undefined;
    line.textContent = (line.dataset.cardTries ?? "").replace("{tries}", String(tries));
  }
}

/**
 * @param {HTMLFormElement} form
 * @param {unknown} error
 */
function explain(form, error) {
  if (error instanceof Refused) {
    refuse(form, error.message, undefined);
    return;
  }
  const { code = "", facts = {} } = /** @type {Refusal} */ (error ?? {});
  if (code === MISSING || code === UNPAIRED || code === EMPTY) {
    tell(form, code);
    return;
  }
  const words = [...document.querySelectorAll("[data-card-code]")];
  const found = words.find((each) => each instanceof HTMLElement && each.dataset.cardCode === code);
  if (found) {
    refuse(form, found.textContent ?? "", facts.tries_left);
  } else {
    tell(form, "failed");
  }
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

/**
 * The certificates of one key, in the fields of the form.
 *
 * @param {HTMLFormElement} form
 * @param {Agent} agent
 * @param {string} key
 */
async function take(form, agent, key) {
  const { certificates, issuers } = await agent.call("certificates", { key });
  if (!certificates.length) {
    throw { code: EMPTY };
  }
  fill(form, "key", key);
  fill(form, "certificate", certificates[0]);
  fill(form, "issuers", issuers.join(" "));
}

/** @type {Act} */
async function read(form, agent, key) {
  await take(form, agent, key);
  form.submit();
}

/** @type {Act} */
async function sign(form, agent) {
  await take(form, agent, "signature");
  const { content, content_type } = await begin(form);
  const { cms } = await agent.call("sign", { content, content_type, key: "signature" });
  fill(form, "cms", cms);
  form.submit();
}

/**
 * Ask the platform what the card has to sign, with the fields of the form.
 *
 * @param {HTMLFormElement} form
 * @returns {Promise<{ content: string, content_type: string }>}
 */
async function begin(form) {
  const fields = new URLSearchParams();
  for (const [name, value] of new FormData(form)) {
    fields.append(name, String(value));
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

/** @type {Act} */
async function pin(form, agent, key) {
  const { tries_left: tries } = await agent.call("tries", { key });
  if (tries === 0) {
    throw { code: "card_pin_locked" };
  }
  tellTries(tell(form, "working"), tries);
  await agent.call("change_pin", { key });
  tell(form, "done");
}

/** @type {Act} */
async function status(form, agent) {
  /** @type {{ readers: { name: string, has_card: boolean }[] }} */
  const { readers } = await agent.call("status");
  if (!readers.length) {
    throw { code: "card_no_reader" };
  }
  const list = tell(form, "done")?.querySelector("[data-card-readers]");
  if (list instanceof HTMLElement) {
    const { withCard = "", withoutCard = "" } = list.dataset;
    list.replaceChildren(
      ...readers.map(({ name, has_card }) => {
        const item = document.createElement("li");
        item.textContent = `${name}: ${has_card ? withCard : withoutCard}`;
        return item;
      }),
    );
  }
}

/** @type {Record<string, Act>} */
const ACTS = { read, sign, pin, status };

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

/**
 * @param {HTMLFormElement} form
 * @param {string} key
 */
async function run(form, key) {
  lock(form, true);
  tellTries(tell(form, "working"), undefined);
  /** @type {Agent | null} */
  let agent = null;
  try {
    const line = await connect({ kind: "use" });
    agent = line;
    await ACTS[form.dataset.card ?? ""](form, line, key);
  } catch (error) {
    explain(form, error);
  } finally {
    agent?.close();
    lock(form, false);
  }
}

/** @param {HTMLFormElement} form */
function prepare(form) {
  let key = "signature";
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const pressed = event.submitter;
    key = pressed instanceof HTMLButtonElement && pressed.value ? pressed.value : key;
    void run(form, key);
  });
  // The secret of the loopback agent: typed once, kept by the tab.
  form.querySelector("[data-card-pair]")?.addEventListener("click", () => {
    const field = form.querySelector("[data-card-secret]");
    if (field instanceof HTMLInputElement && field.value) {
      pair(field.value);
      field.value = "";
      void run(form, key);
    }
  });
  // A page that comes back from the browser's memory was left in the middle.
  window.addEventListener("pageshow", () => lock(form, false));
}

for (const form of document.querySelectorAll("form[data-card]")) {
  prepare(/** @type {HTMLFormElement} */ (form));
}
