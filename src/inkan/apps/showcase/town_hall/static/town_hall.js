// @ts-check
/**
 * Signing a form with the card in the reader: the card program signs the bytes that the page was given, the signature
 * goes into the form's hidden field, and only then can the form be sent. Nothing here sees a PIN.
 */

import { connect, pair } from "web/card_agent.js";

/** @typedef {"asking" | "refused" | "signed"} Outcome */

const sign = /** @type {HTMLButtonElement} */ (document.querySelector("[data-sign]"));
const form = /** @type {HTMLFormElement} */ (document.querySelector("form[data-send]"));
const pairing = /** @type {HTMLFormElement | null} */ (document.querySelector("form[data-pair]"));
const send = /** @type {HTMLButtonElement} */ (form.querySelector("button[type=submit]"));
const cms = /** @type {HTMLInputElement} */ (form.elements.namedItem("cms"));

/**
 * Show one of the notices, or none.
 *
 * @param {Outcome | ""} outcome
 */
function show(outcome) {
  for (const notice of document.querySelectorAll("[data-outcome]")) {
    if (notice instanceof HTMLElement) {
      notice.hidden = notice.dataset.outcome !== outcome;
    }
  }
}

/**
 * Say what the card program or the card refused, in the reader's language.
 *
 * @param {any} refusal
 */
function refuse(refusal) {
  const code = typeof refusal?.code === "string" ? refusal.code : "";
  const texts = [...document.querySelectorAll("template[data-code]")];
  const said = texts.find((each) => each.getAttribute("data-code") === code) ?? texts.at(-1);
  const place = document.querySelector("[data-outcome-text]");
  const tries = document.querySelector("[data-tries]");
  if (place && said instanceof HTMLTemplateElement) {
    place.textContent = said.content.textContent;
  }
  if (tries instanceof HTMLElement) {
    const left = refusal?.facts?.tries_left;
    tries.hidden = typeof left !== "number";
    const number = tries.querySelector("span");
    if (number) {
      number.textContent = String(left ?? "");
    }
  }
  if (pairing) {
    pairing.hidden = code !== "card_agent_unpaired";
  }
  show("refused");
}

async function signed() {
  const agent = await connect({ kind: "use" });
  try {
    const answer = await agent.call("sign", {
      content: sign.dataset.content,
      content_type: sign.dataset.contentType,
      key: "signature",
    });
    return answer.cms;
  } finally {
    agent.close();
  }
}

// Until here the page says that it needs this script.
show("");

sign.addEventListener("click", async () => {
  sign.disabled = true;
  show("asking");
  try {
    cms.value = await signed();
    send.disabled = false;
    show("signed");
    send.focus();
  } catch (refusal) {
    refuse(refusal);
    sign.disabled = false;
  }
});

pairing?.addEventListener("submit", (event) => {
  event.preventDefault();
  const field = pairing.elements.namedItem("code");
  if (field instanceof HTMLInputElement) {
    pair(field.value);
    pairing.hidden = true;
    sign.click();
  }
});
