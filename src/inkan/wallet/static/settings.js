// @ts-check
/** What the page was told of its instance. */

/**
 * @typedef {object} Settings
 * @property {string} platform origin of the platform
 * @property {string} wallet origin of the wallet
 * @property {boolean} isTest whether this is no production instance
 * @property {string} officialSite
 * @property {string} version
 * @property {string[]} screens origins besides the platform whose codes may be read as text
 * @property {Record<import("./texts.js").Language, string>} texts where the texts are
 * @property {string} seal where the picture of the seal is
 * @property {import("./phone_types.js").Tables} shown the tables of the texts that are signed
 * @property {{ script: string, wasm: string } | null} reader the reader of codes, when it is built
 */

/** @returns {Settings} */
export function readSettings() {
  return JSON.parse(document.querySelector("meta[name=settings]")?.getAttribute("content") ?? "null");
}
