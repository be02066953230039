// @ts-check
/**
 * Words, days and hours in the person's language. The English sentence is the name of a text; what is not translated
 * shows as English, never as a key.
 */

/** @typedef {"zh-Hant" | "ja" | "en"} Language */

/** @type {readonly Language[]} */
export const LANGUAGES = ["zh-Hant", "ja", "en"];

/** @type {Readonly<Record<Language, string>>} */
export const OWN_NAMES = { "zh-Hant": "繁體中文", ja: "日本語", en: "English" };

/** Calendars of the sources: 民國, 令和, and the common one. @type {Readonly<Record<Language, string>>} */
const ERAS = { "zh-Hant": "zh-TW-u-ca-roc", ja: "ja-JP-u-ca-japanese", en: "en-GB" };

/** @type {Readonly<Record<Language, string>>} */
const LOCALES = { "zh-Hant": "zh-TW", ja: "ja-JP", en: "en-GB" };

/** @type {{ language: Language, texts: Record<string, string> }} */
const now = { language: "en", texts: {} };

/**
 * The language that a browser asks for; any Chinese is answered in traditional characters.
 *
 * @param {readonly string[]} wanted BCP 47 tags, best first
 * @returns {Language}
 */
export function negotiate(wanted) {
  for (const tag of wanted) {
    const primary = tag.toLowerCase().split("-")[0];
    const found = LANGUAGES.find((language) => language.toLowerCase().split("-")[0] === primary);
    if (found) {
      return found;
    }
  }
  return "en";
}

/**
 * Speak a language from now on.
 *
 * @param {Language} language
 * @param {Record<Language, string>} addresses where the texts are
 */
export async function speak(language, addresses) {
  const answer = await fetch(addresses[language]);
  now.texts = await answer.json();
  now.language = language;
  document.documentElement.lang = language;
}

/** @returns {Language} */
export function language() {
  return now.language;
}

/**
 * The text of an English sentence; `{name}` stands for a fact.
 *
 * @param {string} sentence
 * @param {Record<string, string | number>} [facts]
 * @returns {string}
 */
export function t(sentence, facts = {}) {
  const text = now.texts[sentence] ?? sentence;
  return text.replace(/\{(\w+)\}/g, (whole, name) => String(facts[name] ?? whole));
}

/** A text by a name that is no sentence, such as `reason.expired`. @param {string} name @returns {string | null} */
export function find(name) {
  return now.texts[name] ?? null;
}

/**
 * A day in the reader's own era.
 *
 * @param {string} moment RFC 3339
 * @returns {string}
 */
export function day(moment) {
  const options = /** @type {const} */ ({ year: "numeric", month: "long", day: "numeric" });
  return new Intl.DateTimeFormat(ERAS[now.language], options).format(new Date(moment));
}

/**
 * Day and hour.
 *
 * @param {string} moment RFC 3339
 * @returns {string}
 */
export function hour(moment) {
  return `${day(moment)} ${clock(moment)}`;
}

/**
 * The hour alone.
 *
 * @param {string} moment RFC 3339
 * @returns {string}
 */
export function clock(moment) {
  const options = /** @type {const} */ ({ hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
  return new Intl.DateTimeFormat(LOCALES[now.language], options).format(new Date(moment));
}
