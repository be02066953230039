// @ts-check
/**
 * What can go wrong on a phone, each with the stable code that the Python client has for it. What a person is told
 * comes by the code: from the platform's catalogue, or from `text` of its own refusal.
 */

export class PhoneError extends Error {
  /**
   * @param {string} code stable slug
   * @param {string} [detail] for developers
   */
  constructor(code, detail) {
    super(detail ? `${code}: ${detail}` : code);
    this.name = new.target.name;
    this.code = code;
  }
}

/** A value is not in the one spelling that its format admits. */
export class Malformed extends PhoneError {
  /** @param {string} [detail] */
  constructor(detail, code = "malformed") {
    super(code, detail);
  }
}

/** Not the canonical base64url of any bytes. */
export class Base64URLMalformed extends Malformed {
  /** @param {string} [detail] */
  constructor(detail) {
    super(detail, "base64url_malformed");
  }
}

/** Outside the domain of canonical JSON, or not the canonical form of its value. */
export class NotCanonical extends Malformed {
  /** @param {string} [detail] */
  constructor(detail) {
    super(detail, "json_not_canonical");
  }
}

/** A value that the DER writer cannot encode. */
export class DERUnwritable extends Malformed {
  /** @param {string} [detail] */
  constructor(detail) {
    super(detail, "der_unwritable");
  }
}

/** Not a code of this wallet. */
export class QRFrameMalformed extends Malformed {
  constructor() {
    super(undefined, "qr_frame_malformed");
  }
}

/** Not an address of this wallet. */
export class LinkMalformed extends Malformed {
  constructor() {
    super(undefined, "link_malformed");
  }
}

/** A text for people is empty, too long, or holds characters that nobody can see. */
export class UnsafeText extends Malformed {
  /** @param {string} where JSON pointer */
  constructor(where) {
    super(where, "unsafe_text");
    this.where = where;
  }
}

/** The template cannot tell the truth about these arguments. */
export class ShownImpossible extends Malformed {
  /** @param {string} where JSON pointer */
  constructor(where) {
    super(where, "shown_impossible");
    this.where = where;
  }
}

/** A document is not of the form that was asked for. */
export class DocumentMalformed extends Malformed {
  /** @param {string} where JSON pointer */
  constructor(where) {
    super(where, "document_malformed");
    this.where = where;
  }
}

/** The authenticator's answer cannot be read. */
export class AuthenticatorMalformed extends Malformed {
  /** @param {string} [detail] */
  constructor(detail) {
    super(detail, "authenticator_malformed");
  }
}

/** The person was not recognised, or did not want to. */
export class UserNotVerified extends PhoneError {
  constructor() {
    super("authenticator_user_not_verified");
  }
}

/** This device has a passkey for this already. */
export class CredentialExcluded extends PhoneError {
  constructor() {
    super("authenticator_credential_excluded");
  }
}

/** This browser has no passkeys, or none for this address. */
export class PasskeysUnavailable extends PhoneError {
  /** @param {string} [detail] */
  constructor(detail) {
    super("phone_passkeys_unavailable", detail);
  }
}

/** The passkey gives no PRF value, so certificate keys cannot be wrapped under it. */
export class PRFUnavailable extends PhoneError {
  constructor() {
    super("phone_prf_unavailable");
  }
}

/** The passkey does not open the key: another passkey, or changed bytes. */
export class KeyNotUnwrapped extends PhoneError {
  constructor() {
    super("phone_key_not_unwrapped");
  }
}

/** A place for certificate keys that this wallet does not have, or may not use here. */
export class BackEndUnavailable extends PhoneError {
  /** @param {string} backEnd */
  constructor(backEnd) {
    super("phone_back_end_unavailable", backEnd);
    this.backEnd = backEnd;
  }
}

/** The phone has no binding, or its binding is not finished. */
export class PhoneNotBound extends PhoneError {
  constructor() {
    super("phone_not_bound");
  }
}

/** The phone is bound already. */
export class PhoneBound extends PhoneError {
  constructor() {
    super("phone_bound");
  }
}

/** The phone has joined no enrolment, or prepared nothing. */
export class NothingToBind extends PhoneError {
  constructor() {
    super("phone_nothing_to_bind");
  }
}

/** The memory of this browser belongs to a phone of another platform. */
export class OtherPlatform extends PhoneError {
  constructor() {
    super("phone_other_platform");
  }
}

/** The browser keeps no database for this address. */
export class StorageUnavailable extends PhoneError {
  /** @param {string} [detail] */
  constructor(detail) {
    super("phone_storage_unavailable", detail);
  }
}

/** The request to bind a phone was refused or ran out; `refusal` is the platform's code. */
export class EnrolmentEnded extends PhoneError {
  /** @param {string} refusal */
  constructor(refusal) {
    super("client_enrolment_ended", refusal);
    this.refusal = refusal;
  }
}

/** Something of the platform does not belong to this phone; `member` says where. */
class Substituted extends PhoneError {
  /**
   * @param {string} code
   * @param {string} member
   * @param {string} [detail]
   */
  constructor(code, member, detail) {
    super(code, detail ?? member);
    this.member = member;
  }
}

/** The content that the card is to sign names something else than this phone made. */
export class EnrolmentSubstituted extends Substituted {
  /**
   * @param {string} member
   * @param {string} [detail]
   */
  constructor(member, detail) {
    super("phone_enrolment_substituted", member, detail);
  }
}

/** The platform begins a renewal of something else than this phone's binding. */
export class RenewalSubstituted extends Substituted {
  /** @param {string} member */
  constructor(member) {
    super("phone_renewal_substituted", member);
  }
}

/** The platform's draft does not fit this phone. Nothing was shown or signed. */
export class DraftRefused extends Substituted {
  /**
   * @param {string} member
   * @param {string} [detail]
   */
  constructor(member, detail) {
    super("phone_draft_refused", member, detail);
  }
}

/** A certificate that the platform gave does not belong to this phone. */
export class CertificateNotOurs extends Substituted {
  /**
   * @param {string} use
   * @param {string} member
   */
  constructor(use, member) {
    super("phone_certificate_not_ours", member, `${use} ${member}`);
    this.use = use;
  }
}

/** This phone has no such approval open. */
export class ApprovalNotOpen extends PhoneError {
  constructor() {
    super("phone_approval_not_open");
  }
}

/** The platform answered in a form that this version does not understand. */
export class AnswerMalformed extends PhoneError {
  /** @param {string} [detail] */
  constructor(detail) {
    super("answer_malformed", detail);
  }
}

/** No connection, or it broke before the answer was complete; the request may or may not have worked. */
export class PlatformUnreachable extends PhoneError {
  /**
   * @param {string} [detail]
   * @param {string} [code]
   */
  constructor(detail, code = "platform_unreachable") {
    super(code, detail);
  }
}

/** No answer in time; the request may or may not have worked. */
export class PlatformTimeout extends PlatformUnreachable {
  constructor() {
    super(undefined, "platform_timeout");
  }
}

/**
 * What the platform says about a refusal (RFC 9457).
 *
 * @typedef {object} Problem
 * @property {number} status
 * @property {string} code `unexplained` when the answer has none
 * @property {string} title one English sentence
 * @property {string | null} detail
 * @property {string | null} text what a person can be told, in the language that was asked for
 * @property {number | null} retryAfterS
 */

/** The platform said no; `code` is its own. */
export class CallRefused extends PhoneError {
  /** @param {Problem} problem */
  constructor(problem) {
    super(problem.code, `${problem.detail ?? problem.title} (${problem.status})`);
    this.status = problem.status;
    this.title = problem.title;
    this.detail = problem.detail;
    this.text = problem.text;
    this.retryAfterS = problem.retryAfterS;
  }

  /** Whether the same request will meet the same refusal, however often it is sent. */
  get isFinal() {
    return FINAL.has(this.status);
  }
}

const FINAL = new Set([400, 403, 404, 409, 410, 413, 415, 422]);
