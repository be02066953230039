"""Values of the conformance kit: the attacks, what came of each, what a relying party's test endpoint says."""

from enum import StrEnum
from typing import Literal, NamedTuple

import msgspec

from inkan.kernel.errors import Malformed, Unavailable
from inkan.wire.forms import Code, Issuer


class Item(StrEnum):
    """The attacks; the names stand in reports and do not change."""

    REPLAYED_RETURN_CODE = "replayed_return_code"
    SWAPPED_CALLBACK = "swapped_callback"
    SESSION_FIXATION = "session_fixation"
    FIXED_COOKIE = "fixed_cookie"
    STALE_FRAME = "stale_frame"
    WRONG_PERSON = "wrong_person"
    FORGED_RECEIPT = "forged_receipt"
    EXPIRED_SIGNER = "expired_signer"
    WRONG_SIGNER = "wrong_signer"
    REVOKED_CERTIFICATE = "revoked_certificate"
    SWAPPED_RECEIPT = "swapped_receipt"
    CONTRADICTING_VIEW = "contradicting_view"
    ALG_CONFUSION = "alg_confusion"
    LOW_LEVEL = "low_level"
    UNKNOWN_ANSWER = "unknown_answer"
    CANCELLED_SESSION = "cancelled_session"
    WEBHOOK_FORGERY = "webhook_forgery"
    WEBHOOK_REPLAY = "webhook_replay"


class EndpointWrong(Unavailable):
    """The test endpoint cannot be reached, or does not keep the contract."""

    code = "conformance_endpoint_wrong"
    title = "The test endpoint of the relying party does not answer as it must"


class ReportKeyWrong(Malformed):
    """The file holds no private P-256 key, or the folder of the kit none of its own."""

    code = "conformance_key_wrong"
    title = "This is no private key that the conformance kit can use"


class Fell(Exception):
    """An attack succeeded, or was not refused; the words say what was seen."""


class Unproved(Exception):
    """A legal run did not succeed, so that refusals prove nothing; the words say what was missing."""


class Finding(NamedTuple):
    """What came of one attack.

    Attributes:
        passed: the relying party refused the attack, and a legal run succeeded.
        detail: what was seen, in English; None where it passed.
    """

    item: Item
    passed: bool
    detail: str | None = None


class WhoState(StrEnum):
    """Where a browser stands at the relying party."""

    NONE = "none"
    WAITING = "waiting"
    LOGGED_IN = "logged_in"
    REFUSED = "refused"


class About(msgspec.Struct, frozen=True):
    """What ``about`` answers.

    Attributes:
        v: version of the contract.
        system: code of the system under test.
        issuer: the platform that this test instance is configured for.
        webhook: the address that it registered for webhooks.
    """

    v: Literal[1]
    system: Code
    issuer: Issuer
    webhook: str


class Who(msgspec.Struct, frozen=True):
    """What ``who`` answers: how this browser stands, and as whom it is logged in (the person reference)."""

    state: WhoState
    person: str | None = None
