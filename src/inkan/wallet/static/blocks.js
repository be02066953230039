// @ts-check
/** Larger parts that several screens share: an attempt that may fail, a question with two answers, a file, a picture. */

import { button } from "./components.js";
import { fill, h, sign } from "./dom.js";
import { faultNotice } from "./faults.js";
import { t } from "./texts.js";

/** @typedef {import("./dom.js").Child} Child */

/**
 * A place for what goes wrong, and a way to try things there. A new try takes the old fault away.
 *
 * @returns {{ place: HTMLElement, attempt: (act: () => unknown) => () => Promise<void> }}
 */
export function attempts() {
  const place = h("div", {});
  const attempt = (/** @type {() => unknown} */ act) => async () => {
    fill(place);
    try {
      await act();
    } catch (error) {
      fill(place, faultNotice(error));
    }
  };
  return { place, attempt };
}

/**
 * Two answers of equal weight, the one that changes nothing first.
 *
 * @param {{ no: string, keep: () => unknown, yes: string, act: () => unknown }} answers
 * @returns {HTMLElement}
 */
export function choices({ no, keep, yes, act }) {
  return h("div", { class: "choices wallet-choices" }, button(no, keep), button(yes, act));
}

/**
 * A button that asks once more before it acts, at its own place.
 *
 * @param {{ text: string, question: string, yes: string, act: () => unknown }} what
 * @returns {HTMLElement}
 */
export function asking({ text, question, yes, act }) {
  const element = h("div", { class: "stack" });
  const first = button(text, () => ask(), { kind: "second" });
  const { place, attempt } = attempts();
  const ask = () => {
    const sentence = h("p", { tabindex: -1, class: "wallet-question-line" }, question);
    fill(element, sentence, place, choices({ no: t("No"), keep, yes, act: attempt(act) }));
    sentence.focus();
  };
  const keep = () => {
    fill(place);
    fill(element, first);
    first.focus();
  };
  fill(element, first);
  return element;
}

/**
 * Hexadecimal digits in pairs that break between any two, for comparing by eye.
 *
 * @param {string} digits with or without separators
 * @returns {HTMLElement}
 */
export function grouped(digits) {
  const pairs = digits.replace(/[^0-9A-Fa-f]/g, "").toUpperCase().match(/.{1,2}/g) ?? [];
  return h("span", { class: "digits wallet-pairs" }, pairs.join(" "));
}

/**
 * Hand a file to the person.
 *
 * @param {string} name
 * @param {string | Uint8Array<ArrayBuffer>} body
 * @param {string} type media type
 */
export function save(name, body, type) {
  const url = URL.createObjectURL(new Blob([body], { type }));
  const anchor = h("a", { href: url, download: name, hidden: true });
  document.body.append(anchor);
  anchor.click();
  anchor.remove();
  setTimeout(() => URL.revokeObjectURL(url), 60_000); // the browser has begun to read it long before
}

/**
 * A word in a frame: a state, a mark.
 *
 * @param {string} text
 * @returns {HTMLElement}
 */
export function tag(text) {
  return h("span", { class: "wallet-tag" }, text);
}

/**
 * A heading of its own and what belongs to it.
 *
 * @param {string} title
 * @param {...Child} children
 * @returns {HTMLElement}
 */
export function section(title, ...children) {
  return h("section", { class: "stack wallet-section" }, h("h2", {}, title), ...children);
}

/**
 * A picture above few words: for those who look first.
 *
 * @param {string} lines
 * @param {string} title
 * @param {...Child} children
 * @returns {HTMLElement}
 */
export function pictured(lines, title, ...children) {
  return h("section", { class: "card wallet-pictured" }, sign(lines, "wallet-picture"), h("div", { class: "stack" }, h("h2", {}, title), ...children));
}

/**
 * @param {string[]} texts
 * @returns {HTMLElement}
 */
export function bullets(texts) {
  return h("ul", {}, ...texts.map((text) => h("li", {}, text)));
}

/** Start the wallet anew, as if it had just been opened. */
export function restart() {
  history.replaceState(null, "", "/");
  location.reload();
}
