"""Values and refusals of the online window (JPKI-26, JPKI-27)."""

from datetime import datetime

import msgspec

from inkan.kernel.errors import Forbidden, Malformed
from inkan.kernel.sensitive import Secret
from inkan.wire.enrolment_request import RevokeCause


class RevokeChallenge(msgspec.Struct, frozen=True, kw_only=True):
    """What a card is asked to sign to end its certificates.

    Attributes:
        content: what the signature key signs, canonical JSON.
        content_type: OID of the CMS.
        browser: for a cookie of the browser that asked; 43 letters of base64url.
    """

    content: bytes
    content_type: str
    browser: Secret[str]


class EndedCertificate(msgspec.Struct, frozen=True, kw_only=True):
    """One certificate that a card ended.

    Attributes:
        authority: name of its issuer in this instance.
        serial: lower-case hexadecimal.
    """

    authority: str
    serial: str


class Acceptance(msgspec.Struct, frozen=True, kw_only=True):
    """What the online window says when it has accepted a revocation.

    Attributes:
        number: of the acceptance; id of its event in the audit log.
        certificates: what was ended now, the one that signed first.
    """

    number: str
    at: datetime
    cause: RevokeCause
    certificates: tuple[EndedCertificate, ...]


class CauseNotOnline(Malformed):
    """A card that is lost, stolen or broken cannot sign: its end is reported at a counter (JPKI-24)."""

    code = "online_cause_refused"
    title = "This cause is reported at a counter"


class CardNotOurs(Forbidden):
    """Another authority issued the certificate in the card; only that one can end it."""

    code = "card_not_ours"
    title = "The certificate in this card was not issued here"


class CardContentDiffers(Forbidden):
    """The card signed something else than it was given, or signed with another certificate than was shown."""

    code = "card_content_differs"
    title = "The card signed something else than this page asked for"
