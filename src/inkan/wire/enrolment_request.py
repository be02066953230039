"""The contents that a card or an expiring phone key signs to bind, renew or revoke phones.

Each content is canonical JSON inside a CMS whose eContentType names the purpose, so that a signature made for
one purpose fits no other. It names every key by its hash: what the platform certifies is what the card signed
(threats 5, 6).
"""

import hashlib
from collections.abc import Mapping, Sequence
from enum import StrEnum
from types import MappingProxyType
from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta

from inkan.crypto import base64url, oids
from inkan.kernel.errors import Malformed
from inkan.wire.binding import BackEnd
from inkan.wire.documents import Format
from inkan.wire.forms import (
    Bytes32,
    Code,
    Domain,
    Flaw,
    Identifier,
    Issuer,
    Moment,
    PhoneName,
    is_moment,
)

CONTENT_LIMIT: Final = 8 * 1024
PAIRING_DIGITS: Final = 8
_SCOPE_LIMIT: Final = 32
_BINDINGS_LIMIT: Final = 16
_BIND_LABEL: Final = b"inkan-bind-v1\x00"
_RENEW_LABEL: Final = b"inkan-renew-v1\x00"
_NO_ATTESTATION: Final = base64url.encode(bytes(32))


class EnrolmentContentMalformed(Malformed):
    """Not the content of an enrolment request of version 1 and of the purpose asked for."""

    code = "enrolment_content_malformed"
    title = "The enrolment request does not have the required form"


class Purpose(StrEnum):
    """What an enrolment request asks for."""

    BIND = "bind"
    RENEW = "renew"
    REVOKE = "revoke"


class KeyUse(StrEnum):
    """What a certificate key of a phone is for."""

    AUTH = "auth"
    SIGN = "sign"
    SINGLE = "single"  # both, where the scheme declares a single key


# The sets of keys that one slot may hold, in this order.
KEY_SETS: Final = ((KeyUse.AUTH, KeyUse.SIGN), (KeyUse.SINGLE,))


class RevokeCause(StrEnum):
    """Why a person revokes (JPKI-23, JPKI-24)."""

    NO_LONGER_NEEDED = "no_longer_needed"
    LOST = "lost"
    STOLEN = "stolen"
    DAMAGED = "damaged"
    MISUSED = "misused"
    SUSPECTED_MISUSE = "suspected_misuse"


class RequestedKey(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One key to be certified: SHA-256 of its SubjectPublicKeyInfo (DER)."""

    use: KeyUse
    spki_sha256: Bytes32


Keys = Annotated[tuple[RequestedKey, ...], Meta(min_length=1, max_length=2)]


class BindContent(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What the card signs to bind a phone.

    Attributes:
        v: version of the format.
        purpose: ``bind``.
        aud: issuer URL of the platform.
        scheme: code of the rule set.
        nonce: 32 bytes of the platform, used once, 10 minutes.
        keys: the certificate keys.
        credential_id_sha256: SHA-256 of the FIDO2 credential id.
        cose_key_sha256: SHA-256 of its public key as COSE_Key bytes.
        channel_jkt: RFC 7638 SHA-256 thumbprint of the channel key.
        rp_id: WebAuthn RP ID, the wallet's host.
        back_end: declared place of the certificate keys.
        attestation_sha256: SHA-256 of the attestation object, or null for none.
        scope: codes of the uses that the person allows (HCA-20); empty where the scheme has none.
        terms_version: the terms that the person accepted (JPKI-07).
        phone_name: what the person calls the phone.
        at: when the platform made the content.
    """

    v: Literal[1]
    purpose: Literal["bind"]
    aud: Issuer
    scheme: Code
    nonce: Bytes32
    keys: Keys
    credential_id_sha256: Bytes32
    cose_key_sha256: Bytes32
    channel_jkt: Bytes32
    rp_id: Domain
    back_end: BackEnd
    attestation_sha256: Bytes32 | None
    scope: Annotated[tuple[Code, ...], Meta(max_length=_SCOPE_LIMIT)]
    terms_version: Identifier
    phone_name: PhoneName
    at: Moment


class RenewContent(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What the old `auth` key signs to renew a phone without the card (TW-32).

    Attributes:
        v, purpose, aud, scheme, nonce, keys, back_end, at: as in :class:`BindContent`.
        binding_id: the binding whose slot is kept.
        old_certificate_sha256: SHA-256 of the certificate (DER) whose key signs.
        credential_id_sha256: SHA-256 of the credential id that stays.
    """

    v: Literal[1]
    purpose: Literal["renew"]
    aud: Issuer
    scheme: Code
    nonce: Bytes32
    binding_id: Identifier
    old_certificate_sha256: Bytes32
    keys: Keys
    credential_id_sha256: Bytes32
    back_end: BackEnd
    at: Moment


class RevokeContent(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What the card signs to revoke phones (JPKI-26, HCA-22).

    Attributes:
        v, purpose, aud, scheme, nonce, at: as in :class:`BindContent`.
        bindings: the bindings to end, without repetition.
        cause: why.
    """

    v: Literal[1]
    purpose: Literal["revoke"]
    aud: Issuer
    scheme: Code
    nonce: Bytes32
    bindings: Annotated[tuple[Identifier, ...], Meta(min_length=1, max_length=_BINDINGS_LIMIT)]
    cause: RevokeCause
    at: Moment


EnrolmentContent = BindContent | RenewContent | RevokeContent


def _flaw(content: EnrolmentContent) -> Flaw | None:
    if not is_moment(content.at):
        return Flaw("/at", "a day that exists")
    if isinstance(content, RevokeContent):
        if len(set(content.bindings)) != len(content.bindings):
            return Flaw("/bindings", "no binding twice")
        return None
    if tuple(key.use for key in content.keys) not in KEY_SETS:
        return Flaw("/keys", "auth and sign in this order, or single")
    if len({key.spki_sha256 for key in content.keys}) != len(content.keys):
        return Flaw("/keys", "distinct keys")
    if isinstance(content, BindContent) and len(set(content.scope)) != len(content.scope):
        return Flaw("/scope", "no code twice")
    return None


BIND: Final = Format(
    BindContent, limit=CONTENT_LIMIT, malformed=EnrolmentContentMalformed, flaw=_flaw
)
RENEW: Final = Format(
    RenewContent, limit=CONTENT_LIMIT, malformed=EnrolmentContentMalformed, flaw=_flaw
)
REVOKE: Final = Format(
    RevokeContent, limit=CONTENT_LIMIT, malformed=EnrolmentContentMalformed, flaw=_flaw
)

# The eContentType of the CMS for each purpose: the type stands under the signature (RFC 5652 §11.1).
CONTENT_TYPES: Final[Mapping[Purpose, str]] = MappingProxyType(
    {
        Purpose.BIND: oids.CONTENT_BIND,
        Purpose.RENEW: oids.CONTENT_RENEW,
        Purpose.REVOKE: oids.CONTENT_REVOKE,
    }
)


def content_bytes(content: EnrolmentContent) -> bytes:
    """Return the canonical bytes of a content: the eContent of the CMS.

    Raises:
        EnrolmentContentMalformed: a member has a value that the format does not admit.
    """
    match content:
        case BindContent():
            return BIND.encode(content)
        case RenewContent():
            return RENEW.encode(content)
        case RevokeContent():
            return REVOKE.encode(content)


def parse_bind(data: bytes) -> BindContent:
    """Return the content whose canonical bytes ``data`` is (at most 8 KiB).

    Raises:
        JSONTooLarge: more bytes; nothing was parsed.
        EnrolmentContentMalformed: not JSON, another purpose, or a wrong member.
        NotCanonical: another spelling.
    """
    return BIND.parse(data)


def parse_renew(data: bytes) -> RenewContent:
    """Return the content whose canonical bytes ``data`` is; refusals as in :func:`parse_bind`."""
    return RENEW.parse(data)


def parse_revoke(data: bytes) -> RevokeContent:
    """Return the content whose canonical bytes ``data`` is; refusals as in :func:`parse_bind`."""
    return REVOKE.parse(data)


def pairing_digits(content: BindContent) -> str:
    """Return the 8 digits that tie the phone to the very content that the card is about to sign.

    The card client computes them from the content, the phone from what it made; the person carries them from
    the one to the other (threat 6).
    """
    return digits_of(
        nonce=content.nonce,
        keys=[key.spki_sha256 for key in content.keys],
        credential_id_sha256=content.credential_id_sha256,
        cose_key_sha256=content.cose_key_sha256,
        channel_jkt=content.channel_jkt,
        attestation_sha256=content.attestation_sha256,
    )


def digits_of(
    *,
    nonce: str,
    keys: Sequence[str],
    credential_id_sha256: str,
    cose_key_sha256: str,
    channel_jkt: str,
    attestation_sha256: str | None,
) -> str:
    """Return the pairing digits of a phone that has no content yet; every argument is base64url of 32 bytes.

    The first 8 bytes of SHA-256("inkan-bind-v1" ‖ 0x00 ‖ nonce ‖ keys ‖ credential id ‖ COSE key ‖ channel
    key ‖ attestation) as a big-endian number modulo 10^8; 32 zero bytes stand for no attestation, so that
    the number of keys alone decides the length.

    Raises:
        Base64URLMalformed: an argument is not 32 bytes.
    """
    digest = hashlib.sha256(
        _BIND_LABEL
        + made_values(
            nonce=nonce,
            keys=keys,
            credential_id_sha256=credential_id_sha256,
            cose_key_sha256=cose_key_sha256,
            channel_jkt=channel_jkt,
            attestation_sha256=attestation_sha256,
        )
    )
    number = int.from_bytes(digest.digest()[:8], "big") % 10**PAIRING_DIGITS
    return str(number).zfill(PAIRING_DIGITS)


def made_values(
    *,
    nonce: str,
    keys: Sequence[str],
    credential_id_sha256: str,
    cose_key_sha256: str,
    channel_jkt: str,
    attestation_sha256: str | None,
) -> bytes:
    """Return what a phone made for one request, 32 bytes each: nonce ‖ keys ‖ credential id ‖ COSE key ‖ channel key ‖
    attestation; every argument is base64url of 32 bytes, and 32 zero bytes stand for no attestation.

    Raises:
        Base64URLMalformed: an argument is not 32 bytes.
    """
    attestation = _NO_ATTESTATION if attestation_sha256 is None else attestation_sha256
    values = [nonce, *keys, credential_id_sha256, cose_key_sha256, channel_jkt, attestation]
    return b"".join(base64url.decode(value, size=32) for value in values)


def renew_challenge(data: bytes) -> bytes:
    """Return the 32-byte WebAuthn challenge of a renewal: SHA-256("inkan-renew-v1" ‖ 0x00 ‖ content)."""
    return hashlib.sha256(_RENEW_LABEL + data).digest()
