// @ts-check
/**
 * Elements, made in one way: names, attributes and texts. There is no way in for markup, so nothing that the platform,
 * a relying party or a scanned code says can become part of the page's structure (threat 25).
 */

/** @typedef {string | number | Node | null | undefined | false} Child */
/** @typedef {Record<string, string | number | boolean | EventListener | null | undefined>} Attributes */

const SVG = "http://www.w3.org/2000/svg";

/**
 * An element. `onclick` and other names with `on` take a listener; `true` is an attribute without a value; `false`,
 * null and undefined are none.
 *
 * @template {keyof HTMLElementTagNameMap} K
 * @param {K} tag
 * @param {Attributes} [attributes]
 * @param {...(Child | Child[])} children
 * @returns {HTMLElementTagNameMap[K]}
 */
export function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") {
      element.addEventListener(name.slice(2), value);
    } else if (value === true) {
      element.setAttribute(name, "");
    } else if (value !== false && value !== null && value !== undefined) {
      element.setAttribute(name, String(value));
    }
  }
  element.append(...nodes(children.flat()));
  return element;
}

/**
 * A drawing of one or more lines in a square of 24.
 *
 * @param {string} lines path data
 * @param {string} [name] class
 * @returns {SVGSVGElement}
 */
export function sign(lines, name = "sign") {
  const drawing = document.createElementNS(SVG, "svg");
  const path = document.createElementNS(SVG, "path");
  path.setAttribute("d", lines);
  for (const [key, value] of [["viewBox", "0 0 24 24"], ["class", name], ["aria-hidden", "true"], ["focusable", "false"]]) {
    drawing.setAttribute(key ?? "", value ?? "");
  }
  drawing.append(path);
  return drawing;
}

/**
 * Put these and nothing else into an element.
 *
 * @param {Element} element
 * @param {...Child} children
 */
export function fill(element, ...children) {
  element.replaceChildren(...nodes(children));
}

/**
 * @param {Child[]} children
 * @returns {(string | Node)[]}
 */
function nodes(children) {
  /** @type {(string | Node)[]} */
  const kept = [];
  for (const child of children) {
    if (child !== null && child !== undefined && child !== false) {
      kept.push(typeof child === "number" ? String(child) : child);
    }
  }
  return kept;
}
