// @ts-check
/**
 * A visit at the kiosk: key, card, person, number, done. What a person is shown is put into the page and taken out
 * again: after 60 seconds without a touch, when the card is pulled, and at the end. Nothing is kept here.
 */

import { connect } from "web/card_agent.js";
import { Pairing } from "./kiosk_pairing.js";

/** @typedef {import("web/card_agent.js").Agent} Agent */
/** @typedef {"key" | "card" | "person" | "number" | "done" | "over"} Step */
/** @typedef {"idle" | "removed" | "left" | "ended"} Why */

/** @type {Step[]} */
const STEPS = ["key", "card", "person", "number", "done"];
const LETTERS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const KEY_LENGTH = 26;
const WARN_S = 20;
const LOOK_MS = 1500;
const DONE_MS = 15_000;
const BOUND = new Set(["accepted", "issued"]);
const ENDED = new Set(["refused", "expired"]);
const TOUCHES = ["pointerdown", "keydown", "input"];

/** The platform's or the card agent's refusal, with the text for the reader. */
class Refused extends Error {
  /** @param {string} code @param {string} text */
  constructor(code, text) {
    super(text);
    this.code = code;
  }
}

class Visit {
  /** @type {Agent | null} */
  agent = null;
  /** @type {{ content: string, content_type: string } | null} what the card signs */
  wanted = null;
  /** @type {Step} */
  step = "key";
  isTaken = false;
  /** @type {Promise<void>} until the visit before this one has ended */
  ready = Promise.resolve();
  touchedAt = performance.now();

  /** @param {HTMLElement} place */
  constructor(place) {
    this.place = place;
    this.idleS = Number(place.dataset.idle);
    for (const kind of TOUCHES) {
      addEventListener(kind, () => (this.touchedAt = performance.now()), { capture: true });
    }
    const found = async () => (this.step === "card" ? this.reach() : undefined);
    this.pairing = new Pairing(place, (act) => this.run(null, act), found);
    this.clock = setInterval(() => this.tick(), 500);
  }

  // --- the steps ---------------------------------------------------------------------------------------

  /** @param {string} key */
  async take(key) {
    await this.ready;
    const taken = await this.ask("take", { key });
    this.isTaken = true;
    this.wanted = taken;
    this.tell("title", taken.title);
    this.tell("phone", taken.phone_name);
    this.show("card");
    await this.reach();
  }

  /** Find the card agent and watch the reader from now to the end. */
  async reach() {
    if (this.agent !== null) {
      return;
    }
    const agent = await connect({ kind: "use" });
    this.agent = agent;
    agent.watch(({ event }) => (event === "removed" ? this.removed() : this.inserted(true)));
    const { readers } = await agent.call("status");
    this.inserted(readers.some((/** @type {{ has_card: boolean }} */ { has_card }) => has_card));
  }

  /** @param {boolean} isThere */
  inserted(isThere) {
    const empty = this.place.querySelector("[data-reader-empty]");
    if (empty instanceof HTMLElement) {
      empty.hidden = isThere;
    }
  }

  removed() {
    this.inserted(false);
    if (this.step === "done") {
      this.begin();
    } else if (this.step !== "key" && this.step !== "over") {
      this.end("removed");
    }
  }

  async sign() {
    await this.reach();
    if (this.agent === null || this.wanted === null) {
      return;
    }
    const { content, content_type } = this.wanted;
    const photo = this.place.dataset.photo === undefined ? {} : { photo: true };
    const { cms, photo_sha256 } = await this.agent.call("sign", { content, content_type, key: "signature", ...photo });
    this.touchedAt = performance.now();
    const shown = await this.ask("sign", { cms, ...(photo_sha256 === undefined ? {} : { photo_sha256 }) });
    if (this.step !== "card") {
      return; // the card was pulled meanwhile
    }
    this.tell("name", shown.name);
    this.tell("born", String(shown.birth_year));
    this.show("person");
  }

  async number() {
    const { number } = await this.ask("number", {});
    if (this.step !== "person") {
      return;
    }
    this.tell("number", number);
    this.show("number");
    void this.follow();
  }

  /** Wait until the phone has said the number. */
  async follow() {
    while (this.step === "number") {
      const state = await this.look();
      if (this.step !== "number") {
        return; // cleared meanwhile
      }
      if (BOUND.has(state)) {
        this.forget();
        this.show("done");
        setTimeout(() => this.begin(), DONE_MS);
      } else if (ENDED.has(state)) {
        this.end("ended");
      }
      await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
    }
  }

  /** @returns {Promise<string>} empty while the platform does not answer */
  async look() {
    try {
      const reply = await fetch("/kiosk/state", { headers: { accept: "application/json" }, cache: "no-store" });
      return reply.ok ? (await reply.json()).state : reply.status === 410 ? "expired" : "";
    } catch {
      return "";
    }
  }

  // --- the end -----------------------------------------------------------------------------------------

  tick() {
    const leftS = Math.ceil(this.idleS - (performance.now() - this.touchedAt) / 1000);
    const isClean = this.step === "key" && !this.isTyped();
    const clock = this.place.querySelector("[data-clock]");
    if (clock instanceof HTMLElement) {
      clock.hidden = isClean || leftS > WARN_S || this.step === "over";
      clock.textContent = (clock.dataset.clock ?? "").replace("{seconds}", String(Math.max(0, leftS)));
    }
    if (leftS > 0 || isClean) {
      return;
    }
    if (this.step === "over" || this.step === "done") {
      this.begin();
    } else {
      this.end("idle");
    }
  }

  /** @returns {boolean} whether somebody began to type a key */
  isTyped() {
    const field = this.place.querySelector("#key");
    return field instanceof HTMLInputElement && field.value !== "";
  }

  /** @param {Why} why clear everything that was shown, and tell the platform that nobody stands here any more */
  end(why) {
    this.step = "over"; // before anything else: answers under way find nobody
    this.forget();
    this.agent?.close();
    this.agent = null;
    void this.leave();
    for (const line of this.place.querySelectorAll("[data-why]")) {
      /** @type {HTMLElement} */ (line).hidden = /** @type {HTMLElement} */ (line).dataset.why !== why;
    }
    this.show("over");
  }

  /** Take out of the page whatever a person was shown or typed. */
  forget() {
    this.wanted = null;
    for (const element of this.place.querySelectorAll("[data-told]")) {
      element.replaceChildren();
      element.removeAttribute("aria-label");
    }
    const field = this.place.querySelector("#key");
    if (field instanceof HTMLInputElement) {
      field.value = "";
    }
    this.fault(null);
  }

  async leave() {
    if (this.isTaken) {
      this.isTaken = false;
      await this.send("leave", {}).catch(() => undefined);
    }
  }

  /** A page that was never seen before, for the next person. */
  begin() {
    clearInterval(this.clock);
    this.forget();
    this.agent?.close();
    this.agent = null;
    void this.leave().finally(() => location.replace("/kiosk"));
  }

  // --- the page ----------------------------------------------------------------------------------------

  /** @param {string} name @param {string} text */
  tell(name, text) {
    const element = this.place.querySelector(`[data-told="${name}"]`);
    if (element instanceof HTMLElement) {
      const groups = name === "number" ? (text.match(/.{3}/g) ?? []) : [text];
      element.replaceChildren(...groups.map((group) => Object.assign(document.createElement("span"), { textContent: group })));
      if (element.dataset.label) {
        element.setAttribute("aria-label", `${element.dataset.label}: ${groups.join(" ")}`);
      }
    }
  }

  /** @param {Step} step */
  show(step) {
    this.step = step;
    this.touchedAt = performance.now();
    for (const section of this.place.querySelectorAll("[data-step]")) {
      /** @type {HTMLElement} */ (section).hidden = /** @type {HTMLElement} */ (section).dataset.step !== step;
    }
    const at = step === "over" ? -1 : STEPS.indexOf(step);
    this.place.querySelectorAll("[data-steps] li").forEach((line, index) => {
      line.classList.toggle("is-done", index < at || step === "done");
      line.toggleAttribute("aria-current", index === at && step !== "done");
      if (line.hasAttribute("aria-current")) {
        line.setAttribute("aria-current", "step");
      }
    });
    const isLast = step === "over" || step === "done";
    /** @type {HTMLElement} */ (this.place.querySelector("[data-again]")).hidden = !isLast;
    /** @type {HTMLElement} */ (this.place.querySelector("[data-leave]")).hidden = isLast;
    /** @type {HTMLElement | null} */ (this.place.querySelector(`[data-step="${step}"] h2`))?.focus();
  }

  /** @param {unknown} error null: none */
  fault(error) {
    const box = /** @type {HTMLElement} */ (this.place.querySelector("[data-fault]"));
    const line = /** @type {HTMLElement} */ (box.querySelector("[data-told]"));
    box.hidden = error === null;
    if (error !== null) {
      const { code = "", message = "" } = /** @type {{ code?: string, message?: string }} */ (error);
      const known = error instanceof Refused ? message : code === "card_agent_missing" ? line.dataset.missing : line.dataset.failed;
      line.textContent = known ?? "";
    }
  }

  /**
   * Do what a button stands for; say what went wrong.
   *
   * @param {HTMLButtonElement | null} button
   * @param {() => Promise<void>} act
   */
  async run(button, act) {
    if (button?.disabled) {
      return;
    }
    this.fault(null);
    button?.toggleAttribute("disabled", true);
    try {
      await act();
    } catch (error) {
      await this.failed(error);
    } finally {
      button?.toggleAttribute("disabled", false);
    }
  }

  /** @param {unknown} error */
  async failed(error) {
    const { code = "" } = /** @type {{ code?: string }} */ (error ?? {});
    if (this.step === "over") {
      return;
    }
    if (code === "card_removed") {
      this.end("removed");
      return;
    }
    if (code === "kiosk_visit_over" || code === "enrolment_expired") {
      this.end("ended");
      return;
    }
    if (this.pairing.takes(error)) {
      return;
    }
    if (error instanceof Refused || code === "" || code === "card_agent_missing") {
      this.fault(error);
    } else {
      this.fault(new Refused(code, await wording(code)));
    }
  }

  // --- the platform ------------------------------------------------------------------------------------

  /** @param {string} what @param {Record<string, unknown>} members @returns {Promise<any>} */
  async ask(what, members) {
    const reply = await this.send(what, members);
    const body = await reply.json();
    if (!reply.ok) {
      throw new Refused(body.code, body.text ?? body.title);
    }
    return body;
  }

  /** @param {string} what @param {Record<string, unknown>} members @returns {Promise<Response>} */
  async send(what, members) {
    return fetch(`/kiosk/${what}`, {
      method: "POST",
      body: JSON.stringify(members),
      headers: { accept: "application/json", "content-type": "application/json", "x-csrf-token": this.place.dataset.csrf ?? "" },
      credentials: "same-origin",
      redirect: "error",
      keepalive: what === "leave",
    });
  }
}

/** @param {string} code @returns {Promise<string>} what the error catalogue says of it in the page's language */
async function wording(code) {
  const reply = await fetch(`/v1/errors/${encodeURIComponent(code)}`, {
    headers: { accept: "application/json", "accept-language": document.documentElement.lang },
  });
  const { problem } = reply.ok ? await reply.json() : { problem: null };
  return problem?.text?.[document.documentElement.lang] ?? code;
}

/** The keys of the touch screen. @param {HTMLInputElement} field @param {HTMLElement} pad */
function makePad(field, pad) {
  const key = (/** @type {string} */ text, /** @type {string} */ label, /** @type {() => void} */ press) => {
    const button = document.createElement("button");
    Object.assign(button, { type: "button", className: "button button-second", textContent: text });
    button.setAttribute("aria-label", label);
    button.addEventListener("click", press);
    return button;
  };
  const letters = [...LETTERS].map((letter) => key(letter, letter, () => (field.value += letter)));
  pad.append(...letters, key("⌫", pad.dataset.rub ?? "", () => (field.value = field.value.slice(0, -1))));
}

const place = document.querySelector("[data-kiosk]");
if (place instanceof HTMLElement) {
  const visit = new Visit(place);
  const form = /** @type {HTMLFormElement} */ (place.querySelector("[data-key]"));
  const field = /** @type {HTMLInputElement} */ (place.querySelector("#key"));
  const go = /** @type {HTMLButtonElement} */ (form.querySelector("button[type=submit]"));
  makePad(field, /** @type {HTMLElement} */ (place.querySelector("[data-pad]")));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    void visit.run(go, () => visit.take(field.value));
  });
  field.addEventListener("input", () => {
    if (field.value.replace(/[\s-]/g, "").length === KEY_LENGTH) {
      form.requestSubmit();
    }
  });
  /** @type {Record<string, () => Promise<void>>} */
  const acts = {
    sign: () => visit.sign(),
    number: () => visit.number(),
    "not-me": async () => visit.end("left"),
    leave: async () => (visit.step === "key" ? visit.begin() : visit.end("left")),
  };
  for (const [name, act] of Object.entries(acts)) {
    const button = /** @type {HTMLButtonElement} */ (place.querySelector(`button[name="${name}"]`));
    button.addEventListener("click", () => void visit.run(button, act));
  }
  // Somebody may have gone while the page was reloaded: what they left behind ends now.
  visit.isTaken = true;
  visit.ready = visit.leave();
  void visit.pairing.look();
  field.focus();
}
