"""The statement: the bytes that a phone signs to approve one request.

The platform fixes a *draft* of every member but ``phone_nonce``; the phone adds 32 random bytes, puts in the
hash of the text that it really showed and signs the canonical bytes twice: as a compact JWS by its
certificate key and as a WebAuthn assertion over their challenge. A signature made for one statement fits no
other: type, version and every circumstance are under it (threats 1, 6, 10).
"""

import hashlib
from operator import attrgetter
from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta

from inkan.crypto import base64url
from inkan.kernel.errors import Malformed
from inkan.wire.binding import StatementDoor
from inkan.wire.contents import Content, contents_flaw
from inkan.wire.documents import Format
from inkan.wire.forms import (
    CLAIMS_LIMIT,
    CONTENTS_LIMIT,
    Bytes32,
    Challenge,
    Code,
    Domain,
    Flaw,
    Identifier,
    Issuer,
    Moment,
    Name,
    Origin,
    is_moment,
)
from inkan.wire.session import Kind
from inkan.wire.shown import TEMPLATE_KIND, Language, Template

STATEMENT_TYP: Final = "inkan-statement+jws"
# The largest statement that the member limits admit (100 contents with the longest names) fits.
STATEMENT_LIMIT: Final = 128 * 1024
NONCE_SIZE: Final = 32
_CHALLENGE_LABEL: Final = b"inkan-statement-v1\x00"


class StatementMalformed(Malformed):
    """Not a statement or draft of version 1: a member is missing, unknown or has a wrong value."""

    code = "statement_malformed"
    title = "The signed statement does not have the required form"


class RelyingPartyView(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The organisation that asks, as the person sees it."""

    id: Identifier
    name: Name
    domain: Domain


class Shown(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Which text was shown, and its hash (:func:`inkan.wire.shown.text_sha256`)."""

    template: Template
    lang: Language
    text_sha256: Bytes32


class Draft(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Every member of a statement that the platform fixes. Absent is null; no member is left out.

    Attributes:
        v: version of the format.
        iss: issuer URL of the platform.
        kind: decides which certificate key signs.
        decision: only approval is signed; refusing needs the channel key alone.
        session: id of the session.
        system: id of the relying party's application.
        relying_party: who asks.
        purpose: registered code of the purpose.
        shown: the text on the screen.
        claims: codes of the attributes that are given, without repetition.
        challenge: the relying party's own bytes.
        contents: what is approved or signed.
        door: where the request was started and how it reached the phone.
        return_origin: where the browser or app goes back to, if it does.
        cert_sha256: SHA-256 of the phone certificate (DER).
        cred_sha256: :func:`credential_sha256` of the FIDO2 credential.
        server_nonce: 32 random bytes of the platform.
        at: when the draft was given out.
    """

    v: Literal[1]
    iss: Issuer
    kind: Kind
    decision: Literal["approve"]
    session: Identifier
    system: Identifier
    relying_party: RelyingPartyView
    purpose: Code
    shown: Shown
    claims: Annotated[tuple[Code, ...], Meta(max_length=CLAIMS_LIMIT)]
    challenge: Challenge
    contents: Annotated[tuple[Content, ...], Meta(max_length=CONTENTS_LIMIT)]
    door: StatementDoor
    return_origin: Origin | None
    cert_sha256: Bytes32
    cred_sha256: Bytes32
    server_nonce: Bytes32
    at: Moment


class Statement(Draft, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A draft and the 32 bytes by which the phone made it its own."""

    phone_nonce: Bytes32


def _flaw(draft: Draft) -> Flaw | None:
    if not is_moment(draft.at):
        return Flaw("/at", "a day that exists")
    if TEMPLATE_KIND[draft.shown.template] != draft.kind:
        return Flaw("/shown/template", "a template of this kind")
    if len(set(draft.claims)) != len(draft.claims):
        return Flaw("/claims", "no claim twice")
    return contents_flaw(draft.kind, draft.contents)


DRAFT: Final = Format(Draft, limit=STATEMENT_LIMIT, malformed=StatementMalformed, flaw=_flaw)
STATEMENT: Final = Format(
    Statement, limit=STATEMENT_LIMIT, malformed=StatementMalformed, flaw=_flaw
)

_FIXED: Final = Draft.__struct_fields__
_fixed_of = attrgetter(*_FIXED)


def draft_bytes(draft: Draft) -> bytes:
    """Return the canonical bytes of a draft, for storing it and handing it to the phone.

    Raises:
        StatementMalformed: a member has a value that no statement admits.
    """
    return DRAFT.encode(draft)


def parse_draft(data: bytes) -> Draft:
    """Return the draft whose canonical bytes ``data`` is; refusals as in :func:`parse_statement`."""
    return DRAFT.parse(data)


def statement_bytes(draft: Draft, *, phone_nonce: bytes, text_sha256: str) -> bytes:
    """Return the bytes that the phone signs.

    Args:
        draft: as the platform gave it out.
        phone_nonce: 32 random bytes of the phone.
        text_sha256: hash of the text that the phone really showed.

    Raises:
        StatementMalformed: the draft or an argument has a value that no statement admits.
    """
    members = {name: getattr(draft, name) for name in _FIXED}
    members["shown"] = msgspec.structs.replace(draft.shown, text_sha256=text_sha256)
    return STATEMENT.encode(Statement(**members, phone_nonce=base64url.encode(phone_nonce)))


def parse_statement(data: bytes) -> Statement:
    """Return the statement whose canonical bytes ``data`` is (UTF-8, at most 128 KiB).

    The form alone is checked here; that it is the statement that was asked for is :func:`difference`.

    Raises:
        JSONTooLarge: more bytes; nothing was parsed.
        StatementMalformed: not JSON, or a member is missing, unknown or has a wrong value.
        NotCanonical: duplicate names, other order, white space or escapes.
    """
    return STATEMENT.parse(data)


def difference(draft: Draft, statement: Statement) -> str | None:
    """Return the first member that the statement has otherwise than the draft, or None if it has none.

    ``phone_nonce`` is the phone's own and not compared.
    """
    fixed, signed = _fixed_of(draft), _fixed_of(statement)
    if fixed == signed:
        return None
    return next(name for name, a, b in zip(_FIXED, fixed, signed, strict=True) if a != b)


def statement_challenge(data: bytes) -> bytes:
    """Return the 32-byte WebAuthn challenge of the received statement bytes.

    SHA-256("inkan-statement-v1" ‖ 0x00 ‖ bytes): the label keeps it apart from every other challenge.
    """
    return hashlib.sha256(_CHALLENGE_LABEL + data).digest()


def certificate_sha256(der: bytes) -> str:
    """Return ``cert_sha256``: SHA-256 of one certificate (DER), the same as ``x5t#S256`` (RFC 7515 §4.1.8)."""
    return base64url.encode(hashlib.sha256(der).digest())


def credential_sha256(credential_id: bytes, cose_key: bytes) -> str:
    """Return ``cred_sha256``: SHA-256(credential id ‖ COSE key), the hash that the certificate carries too."""
    return base64url.encode(hashlib.sha256(credential_id + cose_key).digest())
