// @ts-check
/**
 * The phone: everything that a wallet does, as the screens see it. The twin of Python's `inkan.client.phone.Phone`.
 *
 *   const phone = await Phone.open({ platform, walletOrigin, lang, tables: settings.shown });
 *   await phone.setName("My phone");
 *   await phone.join(frame);                       // the scanned address of the enrolment page
 *   const digits = await phone.prepare({ onStep }); // passkey, keys, requests; 8 digits for the card's dialog
 *   const bound = await phone.collect();           // null until the card has signed; ask again
 *   const asked = await phone.openFrame(frame);    // show asked.text, whole
 *   const { return_url } = await phone.approve(asked.id);
 *
 * Every method may throw (all are `PhoneError` of `errors.js`, with a stable `code`): `CallRefused`,
 * `PlatformUnreachable`; those that need the person `UserNotVerified`; and what stands at the method.
 */

import * as approval from "./approval.js";
import * as enrolment from "./enrolment.js";
import { visibleLine } from "./forms.js";
import { AtKiosk } from "./kiosk_registration.js";
import { openParts } from "./parts.js";
import * as presence from "./presence.js";
import * as push from "./push_keys.js";
import * as records from "./records.js";
import * as renewal from "./renewal.js";

/** @typedef {import("./phone_types.js").Bound} Bound */
/** @typedef {import("./phone_types.js").BackEnd} BackEnd */
/** @typedef {import("./phone_types.js").Decision} Decision */
/** @typedef {import("./phone_types.js").Enrolment} Enrolment */
/** @typedef {import("./phone_types.js").Lang} Lang */
/** @typedef {import("./parts.js").Parts} Parts */
/** @typedef {import("./phone_types.js").OpenApproval} OpenApproval */
/** @typedef {import("./phone_types.js").PhoneOptions} PhoneOptions */
/** @typedef {import("./phone_types.js").Step} Step */
/** @typedef {import("./phone_types.js").Waiting} Waiting */
/** @typedef {Record<string, any>} Answer an object of the platform's JSON, its members unchanged */

export class Phone {
  /** @type {Parts} */
  #parts;

  /** @param {Parts} parts use `Phone.open` */
  constructor(parts) {
    this.#parts = parts;
    this.atKiosk = new AtKiosk(parts); // `prepare` and `collect` are those of every binding
  }

  /**
   * Open this browser's phone; the first start makes its channel key.
   *
   * @param {PhoneOptions} options
   * @returns {Promise<Phone>}
   * @throws {OtherPlatform} the memory belongs to a phone of another platform
   * @throws {StorageUnavailable} the browser keeps no database
   */
  static async open(options) {
    return new Phone(await openParts(options));
  }

  // --- what it holds ---------------------------------------------------------------------------------

  /** What the person calls it; empty before `setName`. @returns {string} */
  get name() {
    return this.#parts.memory.name;
  }

  /** The finished binding, or null. @returns {Bound | null} */
  get bound() {
    return this.#parts.memory.bound;
  }

  /** The binding under way, or null. @returns {Enrolment | null} */
  get enrolment() {
    return this.#parts.memory.enrolment;
  }

  /** Whether keys and passkey of the binding under way are made, so that `digits` answers. @returns {boolean} */
  get isPrepared() {
    return enrolment.isPrepared(this.#parts);
  }

  /** Whether a renewal was begun and not finished: `renew` takes it up. @returns {boolean} */
  get isRenewing() {
    return this.#parts.memory.renewal !== null;
  }

  /** What was opened and not decided, the last one last. @returns {OpenApproval[]} */
  get openApprovals() {
    return [...this.#parts.memory.approvals];
  }

  /** The platform's time as far as its answers have told it. @returns {Date} */
  get now() {
    return this.#parts.api.now();
  }

  /** Read the memory again: another tab of the wallet may have changed it. Every method below does so by itself. */
  async refresh() {
    await this.#parts.refresh();
  }

  /**
   * @param {string} name one visible line of at most 64 characters
   * @throws {UnsafeText}
   */
  async setName(name) {
    const line = visibleLine(name, { tables: this.#parts.tables, form: "phone_name", where: "/name" });
    await this.#parts.save({ name: line });
  }

  /** @param {Lang} lang from now on, for texts and refusals */
  setLang(lang) {
    this.#parts.lang = lang;
  }

  // --- binding -----------------------------------------------------------------------------------------

  /**
   * Join the enrolment whose code was scanned; a name must be set before.
   *
   * @param {string} frame the scanned address, `{wallet origin}/e#1.…`
   * @param {{ backEnd?: BackEnd }} [how] `A` when left out; `B`: keys elsewhere; `plain` only where `allowPlain`
   * @returns {Promise<Enrolment>}
   * @throws {PhoneBound} it has a binding
   * @throws {EnrolmentSubstituted} another platform or RP ID answers
   * @throws {QRFrameMalformed} not a code of this wallet's enrolment
   */
  async join(frame, { backEnd = "A" } = {}) {
    return this.#parts.exclusively("join", () => enrolment.join(this.#parts, frame, backEnd));
  }

  /**
   * Make passkey, keys and requests, send them, return the 8 digits for the card's dialog. Calling it again sends the
   * same bytes. Call it from a tap: browsers ask the person only then.
   *
   * @param {{ onStep?: (step: Step) => void }} [how]
   * @returns {Promise<string>} 8 digits
   * @throws {NothingToBind} join first
   * @throws {PRFUnavailable} the passkey cannot protect keys
   * @throws {EnrolmentSubstituted} the content names something else than this phone made; `member`
   */
  async prepare({ onStep = ignore } = {}) {
    return this.#parts.exclusively("prepare", () => enrolment.prepare(this.#parts, onStep));
  }

  /** The 8 digits again. @returns {Promise<string>} @throws {NothingToBind} nothing was prepared */
  async digits() {
    await this.#parts.refresh();
    return enrolment.digits(this.#parts);
  }

  /**
   * Fetch and check the certificates.
   *
   * @param {{ waitS?: number, signal?: AbortSignal }} [how] how long the platform may hold the answer back
   * @returns {Promise<Bound | null>} null while the card has not signed
   * @throws {EnrolmentEnded} refused or expired: `refusal`; the made keys are forgotten
   * @throws {CertificateNotOurs} a certificate does not fit this phone: `use`, `member`
   */
  async collect({ waitS = 25, signal } = {}) {
    await this.#parts.refresh();
    return enrolment.collect(this.#parts, { waitS, signal });
  }

  /** Let go of the binding under way; its passkey is given up where the browser can. */
  async leaveEnrolment() {
    await this.#parts.exclusively("join", () => enrolment.leave(this.#parts));
  }

  /**
   * Replace keys and certificates without the card; broken off, calling again takes it up with the same bytes.
   *
   * @param {{ onStep?: (step: Step) => void }} [how]
   * @returns {Promise<Bound>}
   * @throws {RenewalSubstituted} the platform begins another one's renewal: `member`
   * @throws {CertificateNotOurs} the old certificates stay in use
   */
  async renew({ onStep = ignore } = {}) {
    return this.#parts.exclusively("renew", () => renewal.renew(this.#parts, onStep));
  }

  // --- approvals ---------------------------------------------------------------------------------------

  /**
   * Open the approval whose code was scanned, `{wallet origin}/q#1.…`.
   *
   * @param {string} frame
   * @returns {Promise<OpenApproval>} what the person is to read
   * @throws {QRFrameMalformed} not a code of this wallet
   * @throws {DraftRefused} the draft does not fit this phone: `member`; it was given back
   */
  async openFrame(frame) {
    await this.#parts.refresh();
    return approval.openFrame(this.#parts, frame);
  }

  /**
   * Open the approval behind an address of the wallet, `{wallet origin}/l#1.…`.
   *
   * @param {string} address
   * @returns {Promise<OpenApproval>}
   * @throws {LinkMalformed} not an address of this wallet
   * @throws {DraftRefused}
   */
  async openLink(address) {
    await this.#parts.refresh();
    return approval.openLink(this.#parts, address);
  }

  /**
   * Open what was pushed to this phone. A wrong code counts, so the call is not repeated by itself.
   *
   * @param {string} id `Waiting.approval`
   * @param {string | null} [code] the six digits that the asking page shows
   * @returns {Promise<OpenApproval>}
   * @throws {DraftRefused}
   */
  async openPush(id, code = null) {
    await this.#parts.refresh();
    return approval.openPush(this.#parts, id, code);
  }

  /**
   * What was pushed to this phone and waits, newest first.
   *
   * @param {{ waitS?: number, signal?: AbortSignal }} [how]
   * @returns {Promise<Waiting[]>}
   */
  async waiting({ waitS = 0, signal } = {}) {
    return approval.waiting(this.#parts, { waitS, signal });
  }

  /**
   * Approve: one verification of the person, both proofs. Call it from a tap. After a lost answer call it again: the
   * same bytes go out, and the platform answers as before.
   *
   * @param {string} [id] the one opened last when left out
   * @returns {Promise<Decision>}
   * @throws {ApprovalNotOpen}
   */
  async approve(id) {
    return this.#parts.exclusively("approve", () => approval.approve(this.#parts, id));
  }

  /** Say no. @param {string} [id] @returns {Promise<Decision>} @throws {ApprovalNotOpen} */
  async refuse(id) {
    await this.#parts.refresh();
    return approval.refuse(this.#parts, id);
  }

  /** Say "I did not start this". @param {string} [id] @returns {Promise<Decision>} @throws {ApprovalNotOpen} */
  async report(id) {
    await this.#parts.refresh();
    return approval.report(this.#parts, id);
  }

  /**
   * Refuse what waits here without opening it.
   *
   * @param {string} id `Waiting.approval`
   * @param {{ report?: boolean }} [how] with `report`: "I did not start this"
   * @returns {Promise<Decision>}
   */
  async turnDown(id, { report = false } = {}) {
    return records.turnDown(this.#parts, id, report);
  }

  /** Let go of an open approval without deciding; its code may be scanned again. @param {string} [id] */
  async giveBack(id) {
    await this.#parts.refresh();
    await approval.giveBack(this.#parts, approval.findOpen(this.#parts, id).id);
  }

  // --- being woken -------------------------------------------------------------------------------------

  /** The platform's push key: 65 bytes, the `applicationServerKey`. */
  async pushKey() {
    return push.fetchKey(this.#parts);
  }

  /** Be woken at this subscription and nowhere else. @param {PushSubscriptionJSON} subscription */
  async subscribe(subscription) {
    await push.subscribe(this.#parts, subscription);
  }

  /** Be woken no more. */
  async unsubscribe() {
    await push.unsubscribe(this.#parts);
  }

  // --- settings and records; the person is verified where the platform asks for it -----------------------

  /** Verify the person and tell the platform, which remembers it for ten minutes. */
  async showPresence() {
    await presence.showPresence(this.#parts);
  }

  /** All phones of this person. @returns {Promise<Answer[]>} */
  async phones() {
    return records.list(this.#parts, "phones");
  }

  /**
   * Records of use, newest first, at most 50 a page.
   *
   * @param {Partial<Record<"before" | "below" | "system" | "result", string | null>>} [filter] `before`: a time; `below`:
   *   the last record of the page before; `result`: ok, refused, failed, blocked or reported
   * @returns {Promise<Answer[]>}
   */
  async records(filter = {}) {
    return records.list(this.#parts, "records", filter);
  }

  /** One use and its place in the audit log. @param {string} id @returns {Promise<Answer>} */
  async use(id) {
    return records.use(this.#parts, id);
  }

  /** The proof of a use, to be checked offline. @param {string} id @returns {Promise<Answer>} */
  async useProof(id) {
    return records.useProof(this.#parts, id);
  }

  /** Say "I did not start this" of a use. @param {string} id @returns {Promise<Answer>} */
  async reportUse(id) {
    return records.reportUse(this.#parts, id);
  }

  /** What the person gave to whom, newest first. @returns {Promise<Answer[]>} */
  async consents() {
    return records.list(this.#parts, "consents");
  }

  /** Take a consent back. @param {string} id */
  async withdrawConsent(id) {
    await records.withdrawConsent(this.#parts, id);
  }

  /** The announcements, newest first. @returns {Promise<Answer[]>} */
  async news() {
    return records.list(this.#parts, "news");
  }

  /** What this phone was told, newest first. @returns {Promise<Answer[]>} */
  async notices() {
    return records.list(this.#parts, "notices");
  }

  /** Browsers that relying parties know as this person's. @returns {Promise<Answer[]>} */
  async browsers() {
    return records.list(this.#parts, "browsers");
  }

  /** Forget one of them. @param {string} id */
  async forgetBrowser(id) {
    await records.forgetBrowser(this.#parts, id);
  }

  /**
   * End a phone of this person, perhaps this one (then `wipe` follows).
   *
   * @param {string} phoneId
   * @param {string | null} [reason] no_longer_needed, lost, stolen, damaged, misused or suspected_misuse
   */
  async revoke(phoneId, reason = null) {
    await records.revoke(this.#parts, phoneId, reason);
  }

  /** Stop every phone of this person at once. @returns {Promise<Answer>} */
  async freeze() {
    return records.freeze(this.#parts);
  }

  /** A certificate of this person's phones with the fields that a viewer shows. @param {string} id */
  async certificate(id) {
    return records.certificate(this.#parts, id);
  }

  /**
   * The live channel: a request with the phone's proof, for `live.js`, which reads the stream itself.
   *
   * @param {string} path under `/phone/v1`
   * @param {{ headers?: Record<string, string>, signal?: AbortSignal }} [how]
   * @returns {Promise<Response>} of status 2xx
   */
  async stream(path, how = {}) {
    return this.#parts.api.stream(path, how);
  }

  // --- the end -----------------------------------------------------------------------------------------

  /** Forget everything on this device. The binding on the platform stays: `revoke` ends that. */
  async wipe() {
    await this.#parts.wipe();
  }
}

/** @param {unknown} _ */
function ignore(_) {}
