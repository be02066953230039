"""Why a session did not end well: stable codes with owner, retry rule, disclosure and texts.

The codes are data of the RP API and of receipts, not errors of HTTP. Helpful reasons and enumeration pull
apart: a stranger must not learn from an answer whether a person exists, has a phone or refused. So each
code says when it may be told, and :func:`told` is the one place where that rule is applied (threat 15).
"""

import tomllib
from collections.abc import Mapping
from enum import StrEnum
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Final, NamedTuple

from inkan.wire.shown import Language


class Group(StrEnum):
    """What the reason is about."""

    USER = "user"
    DEVICE = "device"
    CERTIFICATE = "certificate"
    BINDING = "binding"
    CONTENT = "content"
    RP = "rp"
    RISK = "risk"
    SERVICE = "service"


class Owner(StrEnum):
    """Who can do something about it."""

    PERSON = "person"
    RELYING_PARTY = "relying_party"
    OPERATOR = "operator"
    PLATFORM = "platform"


class Retry(StrEnum):
    """What helps."""

    NO = "no"
    NEW_SESSION = "new_session"
    OTHER_DOOR = "other_door"
    RE_ENROL = "re_enrol"
    LATER = "later"
    FIX = "fix"


class Disclosure(StrEnum):
    """When a relying party may be told."""

    ALWAYS = "always"
    OPENED = (
        "opened"  # once a phone opened the session by scan or link, or to who names a phone_ref
    )


class Reason(StrEnum):
    """The stable codes."""

    USER_REFUSED = "user_refused"
    USER_REPORTED_FRAUD = "user_reported_fraud"
    USER_WRONG_CODE = "user_wrong_code"
    USER_NO_RESPONSE = "user_no_response"
    USER_DECLINED_CALL = "user_declined_call"
    USER_LOCKED = "user_locked"
    ATTRIBUTE_MISSING = "attribute_missing"
    DEVICE_NOT_BOUND = "device_not_bound"
    DEVICE_UNREACHABLE = "device_unreachable"
    DEVICE_APP_OUTDATED = "device_app_outdated"
    DEVICE_ATTESTATION_FAILED = "device_attestation_failed"
    DEVICE_LOST = "device_lost"
    INTERACTION_UNSUPPORTED = "interaction_unsupported"
    CERT_EXPIRED = "cert_expired"
    CERT_REVOKED = "cert_revoked"
    CERT_SUSPENDED = "cert_suspended"
    CARD_EXPIRED = "card_expired"
    STATUS_UNAVAILABLE = "status_unavailable"
    LEVEL_TOO_LOW = "level_too_low"
    KEY_USAGE_MISMATCH = "key_usage_mismatch"
    QR_STALE = "qr_stale"
    QR_REPLAYED = "qr_replayed"
    LINK_REUSED = "link_reused"
    RETURN_MISSING = "return_missing"
    RETURN_OTHER_BROWSER = "return_other_browser"
    PROXIMITY_FAILED = "proximity_failed"
    SUBJECT_MISMATCH = "subject_mismatch"
    DIGEST_MISMATCH = "digest_mismatch"
    DOCUMENT_CHANGED = "document_changed"
    FORMAT_UNSUPPORTED = "format_unsupported"
    BATCH_PARTIAL = "batch_partial"
    RP_SUSPENDED = "rp_suspended"
    PURPOSE_NOT_REGISTERED = "purpose_not_registered"
    ORIGIN_NOT_REGISTERED = "origin_not_registered"
    QUOTA_EXCEEDED = "quota_exceeded"
    SIGNATURE_INVALID = "signature_invalid"
    IDEMPOTENCY_CONFLICT = "idempotency_conflict"
    RISK_BLOCKED = "risk_blocked"
    VELOCITY_LIMIT = "velocity_limit"
    USER_RULE_BLOCKED = "user_rule_blocked"
    COOLING_OFF = "cooling_off"
    MAINTENANCE = "maintenance"
    DEPENDENCY_PUSH = "dependency_push"
    DEPENDENCY_STATUS = "dependency_status"
    OVERLOADED = "overloaded"
    INTERNAL = "internal"


class Row(NamedTuple):
    """What is known of one reason besides its texts."""

    group: Group
    owner: Owner
    retry: Retry
    disclosure: Disclosure
    source: str


def _user(owner: Owner, retry: Retry, source: str) -> Row:
    return Row(Group.USER, owner, retry, Disclosure.OPENED, source)


def _device(owner: Owner, retry: Retry, source: str) -> Row:
    return Row(Group.DEVICE, owner, retry, Disclosure.OPENED, source)


def _certificate(owner: Owner, retry: Retry, source: str) -> Row:
    return Row(Group.CERTIFICATE, owner, retry, Disclosure.OPENED, source)


def _risk(owner: Owner, retry: Retry, source: str) -> Row:
    return Row(Group.RISK, owner, retry, Disclosure.OPENED, source)


def _binding(owner: Owner, retry: Retry, source: str) -> Row:
    return Row(Group.BINDING, owner, retry, Disclosure.ALWAYS, source)


def _content(retry: Retry, source: str) -> Row:
    return Row(Group.CONTENT, Owner.RELYING_PARTY, retry, Disclosure.ALWAYS, source)


def _rp(retry: Retry, source: str) -> Row:
    return Row(Group.RP, Owner.RELYING_PARTY, retry, Disclosure.ALWAYS, source)


def _service(owner: Owner, retry: Retry, source: str) -> Row:
    return Row(Group.SERVICE, owner, retry, Disclosure.ALWAYS, source)


ROWS: Final[Mapping[Reason, Row]] = MappingProxyType(
    {
        Reason.USER_REFUSED: _user(Owner.PERSON, Retry.NO, "TW-42, TW-51"),
        Reason.USER_REPORTED_FRAUD: _user(Owner.PERSON, Retry.NO, "threats 1, 2"),
        Reason.USER_WRONG_CODE: _user(
            Owner.PERSON, Retry.NEW_SESSION, "NIST SP 800-63B-4 §3.1.3; HCA-62"
        ),
        # The neutral end: whoever may know nothing reads this one, so it is told always.
        Reason.USER_NO_RESPONSE: Row(
            Group.USER, Owner.PERSON, Retry.NEW_SESSION, Disclosure.ALWAYS, "TW-45; threat 15"
        ),
        Reason.USER_DECLINED_CALL: _user(
            Owner.PERSON, Retry.NO, "threat 1: the person is on a call with somebody"
        ),
        Reason.USER_LOCKED: _user(Owner.PERSON, Retry.NO, "TW-27, HCA-58"),
        Reason.ATTRIBUTE_MISSING: _user(Owner.PERSON, Retry.NO, "TW-68, WAT-43"),
        Reason.DEVICE_NOT_BOUND: _device(Owner.PERSON, Retry.OTHER_DOOR, "TW-58, DOC-36"),
        Reason.DEVICE_UNREACHABLE: _device(Owner.PERSON, Retry.OTHER_DOOR, "TW-49"),
        Reason.DEVICE_APP_OUTDATED: _device(Owner.PERSON, Retry.OTHER_DOOR, "HCA-51; threat 32"),
        Reason.DEVICE_ATTESTATION_FAILED: _device(
            Owner.PERSON, Retry.OTHER_DOOR, "TW-24; threat 32"
        ),
        Reason.DEVICE_LOST: _device(Owner.PERSON, Retry.OTHER_DOOR, "HCA-24"),
        Reason.INTERACTION_UNSUPPORTED: _device(Owner.PERSON, Retry.OTHER_DOOR, "DOC-31"),
        Reason.CERT_EXPIRED: _certificate(Owner.PERSON, Retry.RE_ENROL, "TW-31, HCA-40"),
        Reason.CERT_REVOKED: _certificate(Owner.PERSON, Retry.RE_ENROL, "HCA-40; threat 12"),
        Reason.CERT_SUSPENDED: _certificate(Owner.PERSON, Retry.LATER, "RFC 5280 §5.3.1"),
        Reason.CARD_EXPIRED: _certificate(Owner.PERSON, Retry.RE_ENROL, "TW-33, WAT-56"),
        Reason.STATUS_UNAVAILABLE: _certificate(Owner.OPERATOR, Retry.LATER, "threat 8"),
        Reason.LEVEL_TOO_LOW: _certificate(Owner.PERSON, Retry.OTHER_DOOR, "TW-15, WAT-43"),
        Reason.KEY_USAGE_MISMATCH: _certificate(
            Owner.PERSON, Retry.RE_ENROL, "TW-23; RFC 5280 §4.2.1.3"
        ),
        Reason.QR_STALE: _binding(Owner.PERSON, Retry.NEW_SESSION, "TW-45; threat 1"),
        Reason.QR_REPLAYED: _binding(Owner.PERSON, Retry.NEW_SESSION, "threat 1"),
        Reason.LINK_REUSED: _binding(Owner.PERSON, Retry.NEW_SESSION, "threat 3"),
        Reason.RETURN_MISSING: _binding(Owner.PERSON, Retry.NEW_SESSION, "TW-59; threat 3"),
        Reason.RETURN_OTHER_BROWSER: _binding(
            Owner.PERSON, Retry.NEW_SESSION, "threat 3; RFC 7636 §4.6"
        ),
        Reason.PROXIMITY_FAILED: _binding(
            Owner.PERSON, Retry.NEW_SESSION, "IETF Cross-Device Flows BCP"
        ),
        Reason.SUBJECT_MISMATCH: _binding(Owner.PERSON, Retry.NEW_SESSION, "TW-43"),
        Reason.DIGEST_MISMATCH: _content(Retry.FIX, "JPKI-01"),
        Reason.DOCUMENT_CHANGED: _content(Retry.FIX, "JPKI-01; threat 19"),
        Reason.FORMAT_UNSUPPORTED: _content(Retry.FIX, "threat 21"),
        Reason.BATCH_PARTIAL: _content(Retry.FIX, "DOC-27"),
        Reason.RP_SUSPENDED: _rp(Retry.NO, "HCA-15, TW-67"),
        Reason.PURPOSE_NOT_REGISTERED: _rp(Retry.FIX, "TW-62, HCA-20"),
        Reason.ORIGIN_NOT_REGISTERED: _rp(Retry.FIX, "threat 17"),
        Reason.QUOTA_EXCEEDED: _rp(Retry.LATER, "TW-67; threat 2"),
        Reason.SIGNATURE_INVALID: _rp(Retry.FIX, "TW-66; threat 4"),
        Reason.IDEMPOTENCY_CONFLICT: _rp(Retry.FIX, "threat 10"),
        Reason.RISK_BLOCKED: _risk(Owner.OPERATOR, Retry.LATER, "threats 1, 2"),
        Reason.VELOCITY_LIMIT: _risk(Owner.OPERATOR, Retry.LATER, "threat 2"),
        Reason.USER_RULE_BLOCKED: _risk(Owner.PERSON, Retry.LATER, "threat 2"),
        Reason.COOLING_OFF: _risk(Owner.PLATFORM, Retry.LATER, "threat 9"),
        Reason.MAINTENANCE: _service(Owner.OPERATOR, Retry.LATER, "RFC 9110 §15.6.4"),
        Reason.DEPENDENCY_PUSH: _service(Owner.OPERATOR, Retry.OTHER_DOOR, "TW-49"),
        Reason.DEPENDENCY_STATUS: _service(Owner.OPERATOR, Retry.LATER, "threat 8"),
        Reason.OVERLOADED: _service(Owner.OPERATOR, Retry.LATER, "RFC 9110 §15.6.4"),
        Reason.INTERNAL: _service(Owner.PLATFORM, Retry.LATER, "RFC 9110 §15.6.1"),
    }
)


def told(reason: Reason, *, may_know: bool) -> Reason:
    """Return the reason that a relying party reads.

    Args:
        reason: what really happened.
        may_know: whether a phone opened the session by scan or link, or the relying party named it by a
            valid ``phone_ref``. Of a push by person hint neither holds.
    """
    if may_know or ROWS[reason].disclosure == Disclosure.ALWAYS:
        return reason
    return Reason.USER_NO_RESPONSE


def text(reason: Reason, lang: Language) -> str:
    """Return what a person reads: what happened and what to do."""
    return texts()[reason][lang]


@cache
def texts() -> Mapping[Reason, Mapping[Language, str]]:
    """Every text by reason and language; read from the package once."""
    table = tomllib.loads(files("inkan.wire").joinpath("texts", "reasons.toml").read_text("utf-8"))
    return MappingProxyType(
        {
            Reason(code): MappingProxyType({Language(lang): entry[lang] for lang in entry})
            for code, entry in table.items()
        }
    )
