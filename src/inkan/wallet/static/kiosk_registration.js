// @ts-check
/**
 * Binding at a kiosk, the phone's side (WAT-09): begin, show the registration key, say the number that the kiosk shows.
 * The twin of `inkan.client.phone_kiosk` and `inkan.wire.registration_key`.
 */

import { concat, decode, sha256, utf8 } from "./bytes.js";
import { begun, ownHashes, preparedOf, requireUnbound, underWay } from "./enrolment.js";
import { madeValues } from "./enrolment_content.js";
import { Malformed } from "./errors.js";
import { visibleLine } from "./forms.js";

/** @typedef {import("./parts.js").Parts} Parts */
/** @typedef {import("./phone_types.js").Bytes} Bytes */
/** @typedef {import("./phone_types.js").Enrolment} Enrolment */

const KEY_LABEL = utf8("inkan-kiosk-v1\0");
const NUMBER_LABEL = utf8("inkan-device-number-v1\0");
const KEY_BYTES = 16;
const ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const NUMBER = /^[0-9]{6}$/;

/** The part of the phone that binds at a kiosk. */
export class AtKiosk {
  /** @type {Parts} */
  #parts;

  /** @param {Parts} parts */
  constructor(parts) {
    this.#parts = parts;
  }

  /** @returns {Promise<Record<string, any>[]>} of each rule set: name, title, terms_version and terms */
  async schemes() {
    return (await this.#parts.api.get("/phone/v1/kiosk-schemes")).schemes;
  }

  /**
   * Begin a binding that a kiosk finishes; `Phone.prepare` follows, then `key`.
   *
   * @param {{ scheme: string, terms_version: string }} accepted what the person read and accepted
   * @returns {Promise<Enrolment>}
   * @throws {PhoneBound} the phone has a binding
   * @throws {EnrolmentSubstituted} another platform or another RP ID answers
   */
  async begin(accepted) {
    return this.#parts.exclusively("join", () => begin(this.#parts, accepted));
  }

  /**
   * The registration key: the first 16 bytes of SHA-256("inkan-kiosk-v1" ‖ 0x00 ‖ what this phone made), in Crockford's
   * base32. Whoever reads it can tell whether the card is about to sign for this phone.
   *
   * @returns {Promise<string>} 26 characters
   * @throws {NothingToBind} nothing was prepared
   */
  async key() {
    await this.#parts.refresh();
    const digest = await sha256(concat(KEY_LABEL, madeValues(await ownHashes(this.#parts))));
    return spellKey(digest.subarray(0, KEY_BYTES));
  }

  /**
   * Say the six digits that the kiosk shows; `Phone.collect` follows. Call it from a tap: the person confirms.
   *
   * @param {string} number
   * @throws {NothingToBind} nothing was prepared
   * @throws {UserNotVerified} no try is lost
   * @throws {CallRefused} `device_number_wrong` with `tries_left`, among others
   */
  async sayNumber(number) {
    return this.#parts.exclusively("prepare", () => sayNumber(this.#parts, number));
  }

  /** @returns {Promise<string>} where the binding under way stands, as the platform says */
  async state() {
    await this.#parts.refresh();
    return (await this.#parts.api.get(`/phone/v1/enrolments/${encodeURIComponent(underWay(this.#parts).id)}`)).state;
  }
}

/** @param {Parts} parts @param {{ scheme: string, terms_version: string }} accepted @returns {Promise<Enrolment>} */
async function begin(parts, { scheme, terms_version }) {
  const backEnd = "A";
  requireUnbound(parts, backEnd);
  const name = visibleLine(parts.memory.name, { tables: parts.tables, form: "phone_name", where: "/name" });
  const body = { scheme, terms_version, name, back_end: backEnd };
  return begun(parts, await parts.api.post("/phone/v1/registrations", body, { again: true }), { backEnd, name, atKiosk: true });
}

/** @param {Parts} parts @param {string} number */
async function sayNumber(parts, number) {
  preparedOf(parts);
  const { id, nonce } = underWay(parts);
  const { assertion } = await parts.assertUser(await numberChallenge(nonce, number), { wantsPRF: false });
  // Not repeated by itself: a wrong number counts.
  await parts.api.post(`/phone/v1/enrolments/${encodeURIComponent(id)}/number`, { number, assertion });
}

/** @param {Uint8Array} key 16 bytes @returns {string} 26 characters */
export function spellKey(key) {
  let bits = key.reduce((sum, byte) => (sum << 8n) | BigInt(byte), 0n);
  const letters = [];
  for (let left = 26; left > 0; left -= 1) {
    letters.unshift(ALPHABET[Number(bits & 31n)]);
    bits >>= 5n;
  }
  return letters.join("");
}

/**
 * @param {string} nonce of the request
 * @param {string} number as it was typed
 * @returns {Promise<Bytes>} the WebAuthn challenge under which it is handed in
 * @throws {Malformed} not six digits
 */
export async function numberChallenge(nonce, number) {
  if (!NUMBER.test(number)) {
    throw new Malformed("a device number has six digits");
  }
  return sha256(concat(NUMBER_LABEL, decode(nonce, 32), utf8(number)));
}
