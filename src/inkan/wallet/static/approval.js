// @ts-check
/**
 * One approval on the phone (design §5.3): open, decide, refuse, report.
 *
 * One verification of the person yields both proofs: the passkey's assertion over the statement, and its PRF value that
 * brings back the certificate key for the one signature. With keys elsewhere (back end B) the assertion itself releases
 * that signature there, once.
 */

import { parseAddress, parseFrame } from "./addresses.js";
import { withTexts } from "./answers.js";
import { encode, randomBytes } from "./bytes.js";
import { useFor, verifyDraft } from "./draft.js";
import { ApprovalNotOpen, CallRefused, DraftRefused, KeyNotUnwrapped, PlatformUnreachable } from "./errors.js";
import { rfc3339 } from "./forms.js";
import { compactJWS } from "./jws.js";
import { textSHA256 } from "./shown.js";
import { openKey, signerOf } from "./signer.js";
import { NONCE_SIZE, STATEMENT_TYP, statementBytes, statementChallenge } from "./statement.js";

/** @typedef {import("./parts.js").Parts} Parts */
/** @typedef {import("./phone_types.js").Bytes} Bytes */
/** @typedef {import("./phone_types.js").Decision} Decision */
/** @typedef {import("./phone_types.js").OpenApproval} OpenApproval */
/** @typedef {import("./phone_types.js").Waiting} Waiting */

const APPROVALS = "/phone/v1/approvals";
const ASSERTION_USED = "activation_used";

/**
 * Open the approval whose code was scanned, check its draft, and remember it.
 *
 * @param {Parts} parts
 * @param {string} frame
 * @returns {Promise<OpenApproval>}
 * @throws {PhoneNotBound}
 * @throws {QRFrameMalformed} not a code of this wallet
 * @throws {DraftRefused} the draft does not fit this phone
 * @throws {CallRefused} stale, forged, or opened on another phone, among others
 */
export async function openFrame(parts, frame) {
  parseFrame(frame, parts.walletOrigin);
  return open(parts, { frame }, true);
}

/**
 * @param {Parts} parts
 * @param {string} address
 * @returns {Promise<OpenApproval>}
 * @throws {LinkMalformed} not an address of this wallet
 */
export async function openLink(parts, address) {
  parseAddress(address, parts.walletOrigin);
  return open(parts, { link: address }, true);
}

/**
 * A wrong code counts, so a call with a code is never repeated by itself.
 *
 * @param {Parts} parts
 * @param {string} approval
 * @param {string | null} code
 * @returns {Promise<OpenApproval>}
 */
export async function openPush(parts, approval, code) {
  return open(parts, code === null ? { approval } : { approval, code }, code === null);
}

/**
 * @param {Parts} parts
 * @param {{ waitS: number, signal: AbortSignal | undefined }} how
 * @returns {Promise<Waiting[]>}
 */
export async function waiting(parts, how) {
  const answer = await parts.api.get(APPROVALS, how);
  return Array.isArray(answer.waiting) ? answer.waiting : [];
}

/**
 * @param {Parts} parts
 * @param {string} [id] the one opened last when left out
 * @returns {OpenApproval}
 * @throws {ApprovalNotOpen}
 */
export function findOpen(parts, id) {
  const held = parts.memory.approvals.findLast((each) => id === undefined || each.id === id);
  if (held === undefined) {
    throw new ApprovalNotOpen();
  }
  return held;
}

/**
 * Sign the statement of an open approval and send both proofs.
 *
 * The proofs are on the disk before they leave; calling again after a lost answer sends the same bytes, which the
 * platform answers as before.
 *
 * @param {Parts} parts
 * @param {string} [id]
 * @returns {Promise<Decision>}
 * @throws {ApprovalNotOpen}
 * @throws {UserNotVerified} the person was not recognised; nothing was signed
 * @throws {CallRefused} expired, cancelled or decided otherwise meanwhile; `activation_used`: an answer got lost behind
 *   the signature of back end B, and calling again asks the person once more
 */
export async function approve(parts, id) {
  const held = findOpen(parts, id);
  const body = held.body ?? (await decide(parts, held));
  if (held.body === null) {
    await parts.saveApproval({ ...held, body });
  }
  return send(parts, held, "decide", { body, again: true });
}

/** Say no; the channel key suffices. @param {Parts} parts @param {string} [id] @returns {Promise<Decision>} */
export async function refuse(parts, id) {
  return send(parts, findOpen(parts, id), "refuse");
}

/** Say "I did not start this". @param {Parts} parts @param {string} [id] @returns {Promise<Decision>} */
export async function report(parts, id) {
  return send(parts, findOpen(parts, id), "report");
}

/**
 * Let go without deciding; another scan may open it (three times at most). What cannot be given back falls back by
 * itself after a minute.
 *
 * @param {Parts} parts
 * @param {string} id
 */
export async function giveBack(parts, id) {
  try {
    await parts.api.post(`${APPROVALS}/${encodeURIComponent(id)}/release`, {});
  } catch (error) {
    if (!(error instanceof CallRefused || error instanceof PlatformUnreachable)) {
      throw error;
    }
  }
  await parts.dropApprovals([id]);
}

/**
 * @param {Parts} parts
 * @param {Record<string, string>} brought
 * @param {boolean} again
 * @returns {Promise<OpenApproval>}
 */
async function open(parts, brought, again) {
  const { bound, lang, platform, tables } = parts;
  const answer = await parts.api.post(`${APPROVALS}/open`, { ...brought, lang }, { again });
  const opened = withTexts(answer, ["approval", "expires_at"]);
  const { approval, text, expires_at } = opened;
  try {
    const own = { bound, platform, lang, now: parts.api.now(), tables };
    const draft = await verifyDraft(opened.draft, text, own);
    const held = { id: approval, draft, text, expiresAt: expires_at, order: nextOrder(parts), body: null };
    await parts.dropApprovals(expired(parts));
    await parts.saveApproval(held);
    return held;
  } catch (error) {
    if (error instanceof DraftRefused) {
      await giveBack(parts, approval);
    }
    throw error;
  }
}

/**
 * @param {Parts} parts
 * @param {OpenApproval} held
 * @param {"decide" | "refuse" | "report"} verb
 * @param {{ body?: string, again?: boolean }} [how]
 * @returns {Promise<Decision>}
 */
async function send(parts, held, verb, { body = "{}", again = false } = {}) {
  const path = `${APPROVALS}/${encodeURIComponent(held.id)}/${verb}`;
  try {
    const decision = /** @type {Decision} */ (await parts.api.post(path, body, { again }));
    await parts.dropApprovals([held.id]);
    return decision;
  } catch (error) {
    if (error instanceof CallRefused && error.code === ASSERTION_USED) {
      await parts.saveApproval({ ...held, body: null });
    } else if (error instanceof CallRefused && error.isFinal) {
      await parts.dropApprovals([held.id]);
    }
    throw error;
  }
}

/**
 * @param {Parts} parts
 * @param {OpenApproval} held
 * @returns {Promise<string>} the body of a decision: both proofs over the bytes of one statement, or what lets the
 *   platform's signer make one of them
 */
async function decide(parts, { draft, text }) {
  const own = { phoneNonce: randomBytes(NONCE_SIZE), textSHA256: await textSHA256(text) };
  const data = statementBytes(draft, own);
  const { assertion, prf } = await parts.assertUser(await statementChallenge(data));
  if (!signerOf(parts.bound.backEnd).isHere) {
    return JSON.stringify({ statement: encode(data), assertion });
  }
  const jws = await sign(parts, draft, data, prf);
  prf?.fill(0);
  return JSON.stringify({ jws, assertion });
}

/**
 * @param {Parts} parts
 * @param {Record<string, any>} draft
 * @param {Bytes} data
 * @param {Bytes | null} prf
 */
async function sign(parts, draft, data, prf) {
  const key = parts.bound.keys[useFor(parts.bound, draft.kind)];
  if (key === undefined) {
    throw new KeyNotUnwrapped();
  }
  const { sign: signOnce, signature } = await openKey(key, "statement", prf);
  const header = { alg: signature.jose, typ: STATEMENT_TYP, "x5t#S256": draft.cert_sha256 };
  return compactJWS(header, data, signOnce);
}

/** @param {Parts} parts @returns {string[]} what can be answered no more */
function expired(parts) {
  const now = rfc3339(parts.api.now()); // one spelling per moment: text order is time order
  return parts.memory.approvals.filter(({ expiresAt }) => expiresAt <= now).map(({ id }) => id);
}

/** @param {Parts} parts */
function nextOrder(parts) {
  return Math.max(0, ...parts.memory.approvals.map(({ order }) => order)) + 1;
}
