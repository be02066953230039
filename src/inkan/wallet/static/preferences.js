// @ts-check
/** What the wallet remembers beside keys and certificates: nothing here is secret, and nothing here decides. */

import { LANGUAGES, negotiate } from "./texts.js";

/** @typedef {import("./texts.js").Language} Language */

const LANGUAGE = "inkan.language";
const STARTED = "inkan.started";
const PRACTICE = "inkan.practice";
const NEWS = "inkan.news";
const NEWS_KEPT = 100;

/** @param {string} name @returns {string | null} */
export function read(name) {
  try {
    return localStorage.getItem(name);
  } catch {
    return null; // storage is denied: the wallet still speaks, and says later that nothing can be kept
  }
}

/** @param {string} name @param {string} value */
export function write(name, value) {
  try {
    localStorage.setItem(name, value);
  } catch {
    // as above
  }
}

/** @returns {Language} chosen before, else what the browser asks for */
export function readLanguage() {
  const kept = read(LANGUAGE);
  return LANGUAGES.find((language) => language === kept) ?? negotiate(navigator.languages);
}

/** @param {Language} language */
export function keepLanguage(language) {
  write(LANGUAGE, language);
}

/** @returns {boolean} whether the practice lock of a test country stands in for a screen lock */
export function isPractising() {
  return read(PRACTICE) === "yes";
}

export function choosePractice() {
  write(PRACTICE, "yes");
}

/** @returns {boolean} whether the wallet never was started here */
export function isFirstStart() {
  return read(STARTED) === null;
}

export function rememberStart() {
  write(STARTED, new Date().toISOString());
}

/** @returns {string[]} the announcements that were read here, the last one last */
export function readNews() {
  try {
    const kept = JSON.parse(read(NEWS) ?? "[]");
    return Array.isArray(kept) ? kept.map(String) : [];
  } catch {
    return [];
  }
}

/** @param {string} id an announcement that was read */
export function rememberNews(id) {
  const others = readNews().filter((each) => each !== id);
  write(NEWS, JSON.stringify([...others, id].slice(-NEWS_KEPT)));
}

/** Forget what belongs to the person; the language stays, and the start was made. */
export function forgetPerson() {
  write(NEWS, "[]");
}
