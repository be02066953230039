"""What a card signs besides enrolment requests: a login, the end of its own certificates, a form for an agency.

Canonical JSON inside a CMS whose eContentType names the purpose. Each content names the web origin that asked and a
nonce of whoever will judge it: both stand under the signature, so that a page of another origin gains nothing by
passing it on (threats 5, 6).
"""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta

from inkan.crypto import oids
from inkan.kernel.errors import Malformed
from inkan.wire.documents import Format
from inkan.wire.enrolment_request import RevokeCause
from inkan.wire.forms import Bytes32, Code, Flaw, Issuer, Moment, Name, Origin, Text, is_moment

LIMIT: Final = 2 * 1024
SUBMISSION_LIMIT: Final = 48 * 1024
FIELDS_LIMIT: Final = 64


class CardContentMalformed(Malformed):
    """Not a content of version 1 and of the purpose asked for."""

    code = "card_content_malformed"
    title = "What the card should sign does not have the required form"


class CardPurpose(StrEnum):
    """What the card's signature is for."""

    LOGIN = "card_login"
    REVOKE = "card_revoke"
    SUBMISSION = "submission"


class LoginContent(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What the authentication key signs to log a browser in.

    Attributes:
        v: version of the format.
        purpose: ``card_login``.
        aud: issuer URL of the platform.
        origin: web origin of the page that asks, as the browser states it.
        nonce: 32 bytes of the platform, used once.
        at: when the platform made the content.
    """

    v: Literal[1] = 1
    purpose: Literal["card_login"] = "card_login"
    aud: Issuer
    origin: Origin
    nonce: Bytes32
    at: Moment


class CardRevokeContent(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What the signature key signs to end the certificates of its card (JPKI-26).

    Attributes:
        v, aud, origin, nonce, at: as in :class:`LoginContent`.
        certificate_sha256: of the certificate (DER) whose key signs.
        cause: why.
    """

    v: Literal[1] = 1
    purpose: Literal["card_revoke"] = "card_revoke"
    aud: Issuer
    origin: Origin
    nonce: Bytes32
    certificate_sha256: Bytes32
    cause: RevokeCause
    at: Moment


class FormField(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One item of a form as the person read it.

    Attributes:
        name: of the item, for programs.
        label: as it stood beside the item.
        value: what was entered.
    """

    name: Code
    label: Name
    value: Text


class SubmissionContent(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A form filled in by a person, as it is signed and sent to an agency (JPKI-34).

    Attributes:
        v, origin, nonce, at: as in :class:`LoginContent`; the nonce is the agency's.
        aud: the agency: issuer URL under which it takes forms.
        form: code of the form.
        title: of the form, as the person read it.
        fields: what was entered, in the order of the page, no name twice.
    """

    v: Literal[1] = 1
    purpose: Literal["submission"] = "submission"
    aud: Issuer
    origin: Origin
    nonce: Bytes32
    form: Code
    title: Name
    fields: Annotated[tuple[FormField, ...], Meta(min_length=1, max_length=FIELDS_LIMIT)]
    at: Moment


CardContent = LoginContent | CardRevokeContent | SubmissionContent

# The eContentType of the CMS for each purpose (RFC 5652 §11.1).
CONTENT_TYPES: Final[Mapping[CardPurpose, str]] = MappingProxyType(
    {
        CardPurpose.LOGIN: oids.CONTENT_CARD_LOGIN,
        CardPurpose.REVOKE: oids.CONTENT_CARD_REVOKE,
        CardPurpose.SUBMISSION: oids.CONTENT_SUBMISSION,
    }
)


def _flaw(content: CardContent) -> Flaw | None:
    if not is_moment(content.at):
        return Flaw("/at", "a day that exists")
    if isinstance(content, SubmissionContent):
        names = {field.name for field in content.fields}
        if len(names) != len(content.fields):
            return Flaw("/fields", "no name twice")
    return None


LOGIN: Final = Format(LoginContent, limit=LIMIT, malformed=CardContentMalformed, flaw=_flaw)
REVOKE: Final = Format(CardRevokeContent, limit=LIMIT, malformed=CardContentMalformed, flaw=_flaw)
SUBMISSION: Final = Format(
    SubmissionContent, limit=SUBMISSION_LIMIT, malformed=CardContentMalformed, flaw=_flaw
)


def content_bytes(content: CardContent) -> bytes:
    """Return the canonical bytes of a content: the eContent of the CMS.

    Raises:
        CardContentMalformed: a member has a value that the format does not admit.
    """
    match content:
        case LoginContent():
            return LOGIN.encode(content)
        case CardRevokeContent():
            return REVOKE.encode(content)
        case SubmissionContent():
            return SUBMISSION.encode(content)


def parse_login(data: bytes) -> LoginContent:
    """Return the content whose canonical bytes ``data`` is (at most 2 KiB).

    Raises:
        JSONTooLarge, CardContentMalformed, NotCanonical: see :class:`inkan.wire.documents.Format`.
    """
    return LOGIN.parse(data)


def parse_revoke(data: bytes) -> CardRevokeContent:
    """Return the content whose canonical bytes ``data`` is (at most 2 KiB); refusals as in :func:`parse_login`."""
    return REVOKE.parse(data)


def parse_submission(data: bytes) -> SubmissionContent:
    """Return the content whose canonical bytes ``data`` is (at most 48 KiB); refusals as in :func:`parse_login`."""
    return SUBMISSION.parse(data)
