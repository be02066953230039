"""What the platform and its signer say to each other: one request, one answer, in frames.

A frame is four octets of length (big-endian), one octet of version, and a MessagePack body. Bodies are decoded
strictly: an unknown member, tag or type ends the connection. Lengths are checked before anything is read.
"""

from collections.abc import Mapping
from typing import Any, Final, TypeAlias

import msgspec

from inkan.crypto.activation.port import (
    ActivatedKeyUnknown,
    ActivationRefused,
    ActivationUsed,
    KeyOrder,
    MadeKey,
    Release,
)
from inkan.crypto.foreign_keys import SignatureScheme, SignatureSchemeRefused
from inkan.crypto.key_guard import KeyBudgetSpent, SigningRefused
from inkan.crypto.key_providers import (
    KeyDeviceBusy,
    KeyExists,
    KeyExportable,
    KeyLabelMalformed,
    KeyPurpose,
    KeyPurposeRefused,
    KeyStoreDamaged,
    KeyStoreExposed,
    KeyStoreLocked,
    KeyUnknown,
)
from inkan.crypto.keys import KeySpec
from inkan.kernel.errors import InkanError, Malformed

VERSION: Final = 1
HEAD_SIZE: Final = 5
# A full list of 1.5 million entries, which is signed like any other message; everything else is a few kilobytes.
FRAME_LIMIT: Final = 96 * 1024 * 1024


class SignerMessageMalformed(Malformed):
    """A frame that is too long, of another version, or not one message of the protocol."""

    code = "signer_message_malformed"
    title = "The signer was sent something else than a request"


class _Message(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="is"):
    """One body."""


class Generate(_Message, tag="generate", frozen=True):
    """Make a key pair; answered by :class:`Key`."""

    label: str
    spec: KeySpec
    purposes: frozenset[KeyPurpose]


class Find(_Message, tag="find", frozen=True):
    """Tell of a key pair; answered by :class:`Key`."""

    label: str


class List(_Message, tag="list", frozen=True):
    """Tell the labels; answered by :class:`Labels`."""


class Sign(_Message, tag="sign", frozen=True):
    """Sign a whole message; answered by :class:`Signature`."""

    label: str
    purpose: KeyPurpose
    scheme: SignatureScheme
    message: bytes


class MakeKeys(_Message, tag="make_keys", frozen=True):
    """Make the keys of a phone, pinned to its passkey; answered by :class:`MadeKeys`."""

    order: KeyOrder


class ReleaseKey(_Message, tag="release_key", frozen=True):
    """Sign one content by such a key, for an assertion; answered by :class:`Signature`."""

    wish: Release


class EndKey(_Message, tag="end_key", frozen=True):
    """Let such a key sign no more; answered by :class:`Done`."""

    spki_sha256: bytes


class Key(_Message, tag="key", frozen=True):
    """The public half (DER SubjectPublicKeyInfo) and what the key was made for."""

    spki: bytes
    purposes: frozenset[KeyPurpose]


class Labels(_Message, tag="labels", frozen=True):
    """All labels, sorted."""

    labels: tuple[str, ...]


class Signature(_Message, tag="signature", frozen=True):
    """ECDSA in DER, RSA as octets; of a phone's content what its format makes."""

    signature: bytes


class MadeKeys(_Message, tag="made_keys", frozen=True):
    """The keys of a phone, in the order of their uses."""

    keys: tuple[MadeKey, ...]


class Done(_Message, tag="done", frozen=True):
    """It is so."""


class Refusal(_Message, tag="refusal", frozen=True):
    """The code of an error of :data:`REFUSALS`, its words and its facts."""

    code: str
    detail: str
    facts: dict[str, str | int]


Request: TypeAlias = Generate | Find | List | Sign | MakeKeys | ReleaseKey | EndKey
Answer: TypeAlias = Key | Labels | Signature | MadeKeys | Done | Refusal

# What a signer refuses with, by code; the other side raises the same.
REFUSALS: Final[Mapping[str, type[InkanError]]] = {
    each.code: each
    for each in (
        ActivatedKeyUnknown,
        ActivationRefused,
        ActivationUsed,
        KeyBudgetSpent,
        KeyDeviceBusy,
        KeyExists,
        KeyExportable,
        KeyLabelMalformed,
        KeyPurposeRefused,
        KeyStoreDamaged,
        KeyStoreExposed,
        KeyStoreLocked,
        KeyUnknown,
        SignatureSchemeRefused,
        SignerMessageMalformed,
        SigningRefused,
    )
}

_requests: Final = msgspec.msgpack.Decoder(Request)
_answers: Final = msgspec.msgpack.Decoder(Answer)


def frame(message: Request | Answer) -> bytes:
    """Return a message with its head."""
    body = msgspec.msgpack.encode(message)
    return len(body).to_bytes(4, "big") + bytes((VERSION,)) + body


def body_size(head: bytes) -> int:
    """Return how many octets follow a head.

    Raises:
        SignerMessageMalformed: too many, or another version.
    """
    size = int.from_bytes(head[:4], "big")
    if head[4] != VERSION or size > FRAME_LIMIT:
        raise SignerMessageMalformed("another version, or longer than any request")
    return size


def parse_request(body: bytes) -> Request:
    """Return the request.

    Raises:
        SignerMessageMalformed: it is none.
    """
    return _decoded(_requests, body)  # type: ignore[no-any-return]


def parse_answer(body: bytes) -> Answer:
    """Return the answer.

    Raises:
        SignerMessageMalformed: it is none.
    """
    return _decoded(_answers, body)  # type: ignore[no-any-return]


def refusal_of(error: InkanError) -> Refusal:
    """Return what the other side is told of a refusal."""
    known = error if error.code in REFUSALS else KeyStoreLocked(f"{error.code}: {error.detail}")
    facts = {name: fact for name, fact in known.facts.items() if isinstance(fact, (str, int))}
    return Refusal(known.code, known.detail, facts)


def error_of(refusal: Refusal) -> InkanError:
    """Return the error that the other side was refused with."""
    kind = REFUSALS.get(refusal.code)
    if kind is None:
        return KeyStoreLocked(f"the signer answers {refusal.code}")
    return kind(refusal.detail, **refusal.facts)


def _decoded(decoder: Any, body: bytes) -> Any:
    try:
        return decoder.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError) as wrong:
        raise SignerMessageMalformed(str(wrong)) from None
