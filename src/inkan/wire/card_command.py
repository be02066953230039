"""Commands of the platform to the card program of a counter, and that program's answers: both are signed.

A page only carries them. A command is a compact JWS of the platform for one terminal, one clerk's login, one case, one
step and one card; the program at the counter does nothing else with a card's management or unlock key. Its answer is a
compact JWS of the terminal's key, so that no page can claim what no card did (threat 6).
"""

from datetime import date
from enum import StrEnum
from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta

from inkan.kernel.errors import Malformed
from inkan.wire.documents import Format
from inkan.wire.forms import (
    Blob,
    Bytes32,
    Code,
    Flaw,
    Identifier,
    Issuer,
    Moment,
    Origin,
    is_moment,
)

COMMAND_TYPE: Final = "inkan-card-command+jws"
ANSWER_TYPE: Final = "inkan-card-answer+jws"
SECRETS_TYPE: Final = "inkan-card-secrets+jwe"
LIMIT: Final = 64 * 1024
CERTIFICATES_LIMIT: Final = 4
PHOTO_LIMIT: Final = 12_288
"""Octets of a photo: what every PIV card has room for (NIST SP 800-73-4 part 1, appendix A)."""
KEYS_LIMIT: Final = 2

CardNumber = Annotated[str, Meta(pattern=r"^[0-9a-f]{32}\Z")]
"""The number of a card: the GUID of its CHUID (NIST SP 800-73-4 part 1 §3.4.1), 16 bytes in hexadecimal."""


class CardCommandMalformed(Malformed):
    """Not a command, or not an answer, of version 1."""

    code = "card_command_malformed"
    title = "A command for the card does not have the required form"


class CardAct(StrEnum):
    """What the program at the counter may do to a card."""

    LOOK = "look"
    MAKE_KEYS = "make_keys"
    WRITE = "write"
    UNLOCK = "unlock"
    CLEAR = "clear"


class CardSecrets(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What opens one card for its issuer; it travels encrypted to the terminal (``CardCommand.secrets``).

    Attributes:
        v: version of the format.
        card: the card's number.
        management_key: AES-256.
        unlock_key: the PUK.
        birth_date: of the holder, where the act sets PINs: none is made of it; None otherwise.
    """

    v: Literal[1] = 1
    card: CardNumber
    management_key: Bytes32
    unlock_key: Annotated[str, Meta(pattern=r"^[A-Z2-7]{8}\Z")]
    birth_date: date | None = None


class CardCommand(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One command.

    Attributes:
        v: version of the format.
        iss: issuer URL of the platform.
        origin: the one origin whose page may hand it over.
        terminal: id of the counter's terminal; its key answers.
        login: base64url SHA-256 of the clerk's login id.
        case: the counter's case; its step must still be the one it was made for when the answer comes.
        act: what to do.
        card: the card's number; None for ``look``, which tells it.
        keys: whose PIN is set anew, for ``unlock``.
        nonce: 32 bytes, used once; the answer names it.
        key_spec: of new keys.
        certificates: base64url DER by key (``signature``, ``authentication``), for ``write``.
        issuers: base64url DER, the self-signed one first, for ``write``.
        photo: base64url JPEG of the holder's face, for ``write``; None leaves the card's as it is.
        secrets: a compact JWE to the terminal's key (ECDH-ES, A256GCM) of :class:`CardSecrets`; None for ``look``.
        expires_at: a minute or two after it was made.
    """

    v: Literal[1] = 1
    iss: Issuer
    origin: Origin
    terminal: Identifier
    login: Bytes32
    case: Identifier
    act: CardAct
    card: CardNumber | None = None
    keys: Annotated[tuple[Code, ...], Meta(max_length=KEYS_LIMIT)] = ()
    nonce: Bytes32
    key_spec: Literal["RSA-2048", "P-256"] = "RSA-2048"
    certificates: dict[Code, Blob] = {}
    issuers: Annotated[tuple[Blob, ...], Meta(max_length=CERTIFICATES_LIMIT)] = ()
    photo: Blob | None = None
    secrets: Annotated[str, Meta(max_length=4096)] | None = None
    expires_at: Moment


class CardAnswer(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What came of a command.

    Attributes:
        v: version of the format.
        terminal, case, act, nonce: of the command.
        card: number of the card that was in the reader.
        requests: base64url PKCS #10 (DER, no names) by key, after ``make_keys``.
        certificates: base64url SHA-256 of each certificate in the card by key, after ``look`` and ``write``.
        at: by the terminal's clock; told, not trusted.
    """

    v: Literal[1] = 1
    terminal: Identifier
    case: Identifier
    act: CardAct
    nonce: Bytes32
    card: CardNumber
    requests: dict[Code, Blob] = {}
    certificates: dict[Code, Bytes32] = {}
    at: Moment


def _flaw(command: CardCommand) -> Flaw | None:
    """Which members an act needs, so that no program has to ask again."""
    if not is_moment(command.expires_at):
        return Flaw("/expires_at", "a day that exists")
    is_look = command.act is CardAct.LOOK
    if (command.secrets is None) != is_look:
        return Flaw("/secrets", "for every act but look")
    if (command.card is None) and not is_look:
        return Flaw("/card", "for every act but look")
    if bool(command.keys) != (command.act is CardAct.UNLOCK):
        return Flaw("/keys", "for unlock, and for nothing else")
    if bool(command.certificates) != (command.act is CardAct.WRITE):
        return Flaw("/certificates", "for write, and for nothing else")
    if command.photo is not None and command.act is not CardAct.WRITE:
        return Flaw("/photo", "for write, and for nothing else")
    if len(command.photo or "") > PHOTO_LIMIT * 4 // 3:
        return Flaw("/photo", "12 KiB at most")
    return None


def _answer_flaw(answer: CardAnswer) -> Flaw | None:
    return None if is_moment(answer.at) else Flaw("/at", "a day that exists")


COMMAND: Final = Format(CardCommand, limit=LIMIT, malformed=CardCommandMalformed, flaw=_flaw)
ANSWER: Final = Format(CardAnswer, limit=LIMIT, malformed=CardCommandMalformed, flaw=_answer_flaw)
SECRETS: Final = Format(CardSecrets, limit=1024, malformed=CardCommandMalformed)


def parse_command(data: bytes) -> CardCommand:
    """Return the command whose canonical bytes ``data`` is, the payload of a verified JWS.

    Raises:
        JSONTooLarge, CardCommandMalformed, NotCanonical: see :class:`inkan.wire.documents.Format`.
    """
    return COMMAND.parse(data)


def parse_answer(data: bytes) -> CardAnswer:
    """Return the answer whose canonical bytes ``data`` is; refusals as in :func:`parse_command`."""
    return ANSWER.parse(data)
