// @ts-check
/** What screens are made of: the same components as the platform's pages, by the same classes. */

import { h, sign } from "./dom.js";
import { t } from "./texts.js";

/** @typedef {import("./dom.js").Child} Child */
/** @typedef {"info" | "done" | "caution" | "problem"} NoticeKind */

/** @type {Readonly<Record<NoticeKind, string>>} */
const NOTICE_SIGNS = {
  info: "M12 11v6M12 7.5v.01M12 21a9 9 0 1 1 0-18 9 9 0 0 1 0 18Z",
  done: "M8 12.5l2.8 2.8L16.5 9M12 21a9 9 0 1 1 0-18 9 9 0 0 1 0 18Z",
  caution: "M12 9.5v4M12 16.8v.01M10.4 4.2 2.9 17.3A1.9 1.9 0 0 0 4.5 20h15a1.9 1.9 0 0 0 1.6-2.7L13.6 4.2a1.9 1.9 0 0 0-3.2 0Z",
  problem: "M9 9l6 6M15 9l-6 6M8 3h8l5 5v8l-5 5H8l-5-5V8Z",
};

/**
 * @param {NoticeKind} kind
 * @param {string} title
 * @param {...Child} children
 * @returns {HTMLElement}
 */
export function notice(kind, title, ...children) {
  return h(
    "div",
    { class: `notice notice-${kind}` },
    sign(NOTICE_SIGNS[kind], "notice-sign"),
    h("div", {}, h("p", { class: "notice-title" }, title), ...children),
  );
}

/**
 * A button. While what it does runs, it is busy and cannot be pressed again.
 *
 * @param {string} text
 * @param {() => unknown} act
 * @param {{ kind?: "" | "second" | "quiet", id?: string, describedby?: string }} [how]
 * @returns {HTMLButtonElement}
 */
export function button(text, act, { kind = "", id, describedby } = {}) {
  const element = h(
    "button",
    { class: `button${kind ? ` button-${kind}` : ""}`, type: "button", id, "aria-describedby": describedby },
    text,
  );
  element.addEventListener("click", () => void busy(element, act));
  return element;
}

/**
 * Run something while an element says that it is busy.
 *
 * @param {HTMLButtonElement} element
 * @param {() => unknown} act
 */
export async function busy(element, act) {
  if (element.getAttribute("aria-busy") === "true") {
    return;
  }
  element.setAttribute("aria-busy", "true");
  element.disabled = true;
  try {
    await act();
  } finally {
    element.removeAttribute("aria-busy");
    element.disabled = false;
  }
}

/**
 * @param {[string, Child | Child[]][]} pairs
 * @returns {HTMLElement}
 */
export function facts(pairs) {
  return h("dl", { class: "facts" }, ...pairs.flatMap(([term, value]) => [h("dt", {}, term), h("dd", {}, ...[value].flat())]));
}

/**
 * @param {string} title
 * @param {...Child} children
 * @returns {HTMLElement}
 */
export function card(title, ...children) {
  return h("section", { class: "card stack" }, title && h("h2", {}, title), ...children);
}

/**
 * The steps of a long way: which are done, which one is under way.
 *
 * @param {string[]} names
 * @param {number} current index; `names.length` when all are done
 * @returns {HTMLElement}
 */
export function steps(names, current) {
  return h(
    "ol",
    { class: "steps" },
    ...names.map((name, index) =>
      h(
        "li",
        { class: index < current && "is-done", "aria-current": index === current && "step" },
        name,
        index < current && h("span", { class: "unseen" }, ` (${t("done")})`),
      ),
    ),
  );
}

/**
 * Digits that are typed over: in groups, so that nobody loses the place.
 *
 * @param {string} digits
 * @param {string} label
 * @returns {HTMLElement}
 */
export function digits(digits, label) {
  const groups = digits.match(/.{1,4}/g) ?? [];
  return h(
    "p",
    { class: "code", role: "img", "aria-label": `${label}: ${groups.join(" ")}` },
    ...groups.map((group) => h("span", { "aria-hidden": "true" }, group)),
  );
}

/**
 * One question of a form.
 *
 * @param {string} id
 * @param {string} label
 * @param {HTMLInputElement | HTMLSelectElement} input
 * @param {string} [hint]
 * @returns {HTMLElement}
 */
export function field(id, label, input, hint) {
  input.id = id;
  if (hint) {
    input.setAttribute("aria-describedby", `${id}-hint`);
  }
  return h(
    "div",
    { class: "field" },
    h("label", { for: id }, label),
    hint && h("p", { class: "field-hint", id: `${id}-hint` }, hint),
    input,
  );
}

/**
 * Something under way whose end is not known, said in words.
 *
 * @param {string} text
 * @returns {HTMLElement}
 */
export function waiting(text) {
  return h("p", { class: "wallet-waiting", role: "status" }, h("span", { class: "wallet-pulse", "aria-hidden": "true" }), text);
}

/**
 * A list of places to go to.
 *
 * @param {{ text: string, note?: string, lines: string, act: () => unknown }[]} entries
 * @returns {HTMLElement}
 */
export function places(entries) {
  return h(
    "ul",
    { class: "wallet-places" },
    ...entries.map(({ text, note, lines, act }) =>
      h(
        "li",
        {},
        h(
          "button",
          { type: "button", class: "wallet-place", onclick: () => void act() },
          sign(lines),
          h("span", {}, h("strong", {}, text), note && h("span", { class: "small soft" }, note)),
        ),
      ),
    ),
  );
}
