// @ts-check
/**
 * A thumbprint that a person types from the printed handbook, compared group by group with the one of the card.
 *
 *   <div data-compare="64 hexadecimal digits"> <textarea data-compare-typed> <ol><li data-compare-group>ABCD…
 *     <div data-compare-outcome="same|different|partial" hidden>… <span data-compare-number></span></div>
 *
 * Nothing that is typed leaves the page.
 */

const GROUP = 4;

/**
 * What was typed, in groups; blanks, dashes and colons do not count, and wide digits are digits.
 *
 * @param {string} text
 * @returns {string[]}
 */
function groupsOf(text) {
  const letters = text.normalize("NFKC").replace(/[\s:.\-]/g, "").toUpperCase();
  return letters.match(/.{1,4}/gu) ?? [];
}

/**
 * @param {HTMLElement} part
 * @param {string} name
 * @param {number} number
 */
function tell(part, name, number) {
  for (const outcome of part.querySelectorAll("[data-compare-outcome]")) {
    if (outcome instanceof HTMLElement) {
      outcome.hidden = outcome.dataset.compareOutcome !== name;
      const place = outcome.querySelector("[data-compare-number]");
      if (place) {
        place.textContent = String(number);
      }
    }
  }
}

/**
 * @param {HTMLElement} part
 * @param {string} text
 */
function compare(part, text) {
  const wanted = groupsOf(part.dataset.compare ?? "");
  const typed = groupsOf(text);
  const marks = [...part.querySelectorAll("[data-compare-group]")];
  let agreeing = 0;
  let differing = -1;
  for (const [place, group] of typed.entries()) {
    const isWhole = group.length === GROUP || place < typed.length - 1;
    const agrees = isWhole ? group === wanted[place] : (wanted[place] ?? "").startsWith(group);
    if (!agrees) {
      differing = place;
      break;
    }
    agreeing += isWhole ? 1 : 0;
  }
  for (const [place, mark] of marks.entries()) {
    mark.classList.toggle("is-same", place < agreeing);
    mark.classList.toggle("is-different", place === differing);
  }
  if (differing >= 0) {
    tell(part, "different", differing + 1);
  } else if (agreeing === wanted.length) {
    tell(part, "same", agreeing);
  } else {
    tell(part, typed.length ? "partial" : "", agreeing);
  }
}

for (const part of document.querySelectorAll("[data-compare]")) {
  const typed = part.querySelector("[data-compare-typed]");
  if (part instanceof HTMLElement && typed instanceof HTMLTextAreaElement) {
    typed.addEventListener("input", () => compare(part, typed.value));
  }
}
