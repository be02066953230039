// @ts-check
/** What people read for the platform's codes. A code that this version does not know is shown as it is. */

import { find, language, t } from "./texts.js";

/** @typedef {Readonly<Record<string, () => string>>} Words */

/** @type {Words} */
const PHONE_STATES = {
  issuing: () => t("being bound"),
  active: () => t("in use"),
  suspended: () => t("on hold"),
  revoked: () => t("revoked"),
};

/** @type {Words} */
const CERTIFICATE_STATES = {
  valid: () => t("valid"),
  suspended: () => t("on hold"),
  revoked: () => t("revoked"),
  expired: () => t("expired"),
  unknown: () => t("not known"),
};

/** @type {Words} */
const USES = {
  auth: () => t("Certificate for identification"),
  sign: () => t("Certificate for signatures"),
  single: () => t("Certificate for identification and signatures"),
};

/** @type {Words} */
const USE_EFFECTS = {
  auth: () => t("Says who you are and approves. It signs no documents."),
  sign: () => t("Signs documents, and nothing else."),
  single: () => t("Says who you are, approves and signs documents with one key."),
};

/** Where the keys are; it is what the phone says of itself. @type {Words} */
const BACK_ENDS = {
  A: () => t("Kept by this browser, wrapped under your passkey. They open only after you were recognised."),
  B: () => t("Kept in the key device of the service window, which releases them after it has checked your passkey."),
  C: () => t("Kept by a native app or the hardware of the phone, as that app says."),
  plain: () => t("Kept by this browser without wrapping. This is for tests only."),
};

/** @type {Words} */
const OUTCOMES = {
  ok: () => t("You agreed"),
  refused: () => t("You refused"),
  failed: () => t("Did not succeed"),
  blocked: () => t("Blocked"),
};

/** @type {Words} */
const RESULTS = {
  ok: () => t("Agreements"),
  refused: () => t("Refusals"),
  failed: () => t("Failures"),
  blocked: () => t("Stopped uses"),
  reported: () => t("Reported by me"),
};

/** @type {Words} */
const KINDS = {
  identify: () => t("Identification"),
  approve: () => t("Approval"),
  sign: () => t("Signature"),
};

/** @type {Words} */
const DOORS = {
  qr: () => t("Scanned code"),
  push: () => t("Message to the phone"),
  web_link: () => t("Link in the phone's browser"),
  app_link: () => t("Another app on the phone"),
  "redirect/qr": () => t("Inkan's page, scanned code"),
  "redirect/push": () => t("Inkan's page, message to the phone"),
  "redirect/open": () => t("Inkan's page, on the phone itself"),
};

/** From weak to strong, in this order. @type {Words} */
const LEVELS = {
  none: () => t("None: nothing ties your answer to one browser"),
  matched: () => t("Matched: you typed the code of the asking page"),
  paired: () => t("Paired: a browser that was known as yours"),
  returned: () => t("Returned: your answer went back to the browser or app that asked"),
  strong: () => t("Strong: the asking device was at your phone"),
};

/** @type {Words} */
const END_REASONS = {
  no_longer_needed: () => t("I no longer need it"),
  lost: () => t("It is lost"),
  stolen: () => t("It was stolen"),
  damaged: () => t("It is broken"),
  misused: () => t("Somebody else used it"),
  suspected_misuse: () => t("I fear that somebody else used it"),
};

export const TABLES = {
  phoneState: PHONE_STATES,
  certificateState: CERTIFICATE_STATES,
  use: USES,
  useEffect: USE_EFFECTS,
  backEnd: BACK_ENDS,
  outcome: OUTCOMES,
  result: RESULTS,
  kind: KINDS,
  door: DOORS,
  level: LEVELS,
  endReason: END_REASONS,
};

/**
 * @param {keyof typeof TABLES} table
 * @param {string} code
 * @returns {string}
 */
export function word(table, code) {
  return TABLES[table][code]?.() ?? code;
}

/** How strong a level is: 0 for none to 4 for strong. @param {string} level @returns {number} */
export function rank(level) {
  return Math.max(0, Object.keys(LEVELS).indexOf(level));
}

/** Why a use did not end well. @param {string} code @returns {string} */
export function reason(code) {
  return find(`reason.${code}`) ?? code;
}

/**
 * The name of something that is given.
 *
 * @param {import("./settings.js").Settings} settings
 * @param {string} code
 * @returns {string}
 */
export function claim(settings, code) {
  return settings.shown?.claims?.[code]?.[language()] ?? code;
}
