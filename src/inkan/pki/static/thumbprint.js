// @ts-check
/**
 * Compares a certificate file with the thumbprints on this page. The file is hashed here and does not leave the browser.
 *
 * The page itself carries what is compared: every element with `data-thumbprint` (SHA-256, hexadecimal) and `data-title`.
 */
import "./drop.js";

const FILE_LIMIT = 64 * 1024;
const SEQUENCE = 0x30;
const LONG_LENGTH = 0x80;
const BLOCK = /-----BEGIN (?:X509 )?CERTIFICATE-----([A-Za-z0-9+/=\s]*)-----END (?:X509 )?CERTIFICATE-----/;
const BASE64 = /^\s*(MI[A-Za-z0-9+/\s]+={0,2})\s*$/;

/**
 * The DER of the first certificate in a file, by the same rules as on the server: DER goes first.
 *
 * @param {Uint8Array<ArrayBuffer>} file
 * @returns {Uint8Array<ArrayBuffer> | null}
 */
function certificateIn(file) {
  if (file[0] === SEQUENCE && file.length > 1 && file[1] >= LONG_LENGTH) {
    return file;
  }
  const text = new TextDecoder("latin1").decode(file);
  const found = BLOCK.exec(text) ?? BASE64.exec(text);
  if (found === null) {
    return null;
  }
  try {
    const binary = atob(found[1].replace(/\s/g, ""));
    const der = Uint8Array.from(binary, (letter) => letter.charCodeAt(0));
    return der[0] === SEQUENCE ? der : null;
  } catch {
    return null;
  }
}

/**
 * @param {Uint8Array<ArrayBuffer>} der
 * @returns {Promise<string>} lower-case hexadecimal
 */
async function thumbprint(der) {
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", der));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/**
 * @param {HTMLFormElement} form
 * @param {"ours" | "stranger" | "unreadable"} outcome
 * @param {string} print
 * @param {string} title
 */
function tell(form, outcome, print = "", title = "") {
  for (const notice of form.querySelectorAll("[data-outcome]")) {
    if (notice instanceof HTMLElement) {
      notice.hidden = notice.dataset.outcome !== outcome;
    }
  }
  const shown = form.querySelector(`[data-outcome="${outcome}"]`);
  const digits = shown?.querySelector("[data-outcome-thumbprint]");
  if (digits) {
    digits.textContent = (print.toUpperCase().match(/.{4}/g) ?? []).join(" ");
  }
  const name = shown?.querySelector("[data-outcome-title]");
  if (name) {
    name.textContent = title;
  }
}

/**
 * @param {HTMLFormElement} form
 * @param {File | undefined} file
 */
async function compare(form, file) {
  for (const told of form.querySelectorAll(":scope > .notice")) {
    told.remove();
  }
  const der =
    file === undefined || file.size > FILE_LIMIT
      ? null
      : certificateIn(new Uint8Array(await file.arrayBuffer()));
  if (der === null) {
    tell(form, "unreadable");
    return;
  }
  const print = await thumbprint(der);
  const ours = [...document.querySelectorAll("[data-thumbprint]")].find(
    (each) => each instanceof HTMLElement && each.dataset.thumbprint === print,
  );
  const title = ours instanceof HTMLElement ? (ours.dataset.title ?? "") : "";
  tell(form, ours ? "ours" : "stranger", print, title);
}

for (const form of document.querySelectorAll('form[data-drop="hash"]')) {
  const field = form.querySelector("input[type=file]");
  if (form instanceof HTMLFormElement && field instanceof HTMLInputElement) {
    const begin = () => void compare(form, field.files?.[0]);
    field.addEventListener("change", begin);
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      begin();
    });
  }
}
