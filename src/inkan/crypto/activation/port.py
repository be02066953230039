"""What a holder of such keys does, as values, refusals and a protocol (docs/decisions/0017-activated-keys.md).

The holder checks the assertion itself, beside the keys: whoever asks it, the platform's web process included, gets no
signature without a fresh one over the very content. What it signs are the contents of a table that it was given, each
built by the holder from the content; there is no way to have other bytes signed.
"""

from collections.abc import Callable
from typing import NamedTuple, Protocol

import msgspec

from inkan.crypto.keys import KeySpec, PrivateKey
from inkan.crypto.webauthn import Assertion
from inkan.kernel.errors import Conflict, Forbidden, Unavailable


class ActivationRefused(Forbidden):
    """The assertion does not release this key for this content; ``check`` says what does not hold."""

    code = "activation_refused"
    title = "The key of this phone was not released for this signature"
    public = ("check",)


class ActivationUsed(Conflict):
    """The assertion released its one signature already."""

    code = "activation_used"
    title = "This confirmation has been used; confirm again that it is you"


class ActivatedKeyUnknown(Unavailable):
    """The holder has no such key, or the key was ended."""

    code = "activated_key_unknown"
    title = "The key of this phone is not there, or not any more"


class KeyOrder(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """An order for the keys of one phone.

    Attributes:
        owner: names the keys for ever, with their uses; the same order again gets the same keys.
        spec: of each key.
        uses: one key for each.
        registration: JSON of the passkey's registration (WebAuthn §5.1), which the keys are pinned to; empty with
            ``follows``.
        challenge: that the registration answers.
        follows: SHA-256 of the SPKI of a key whose passkey the new keys are pinned to; empty with ``registration``.
    """

    owner: str
    spec: KeySpec
    uses: tuple[str, ...]
    registration: bytes = b""
    challenge: bytes = b""
    follows: bytes = b""


class MadeKey(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A key that was made: its use, its SPKI (DER) and its certificate request (DER), which it has signed itself."""

    use: str
    spki: bytes
    csr: bytes


class Release(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A wish for one signature.

    Attributes:
        spki_sha256: names the key.
        format: names the kind of content in the holder's table.
        content: what the person saw, as bytes.
        certificate: DER, for formats whose signed bytes name it; else empty.
        assertion: over the content's challenge.
    """

    spki_sha256: bytes
    format: str
    content: bytes
    assertion: Assertion
    certificate: bytes = b""


class Content(NamedTuple):
    """What a holder has read in a content.

    Attributes:
        challenge: 32 bytes that the assertion must answer; a hash over the content.
        uses: of the keys that may sign it.
        fits: whether it names the passkey (credential id, COSE key) that the key is pinned to.
    """

    challenge: bytes
    uses: frozenset[str]
    fits: Callable[[bytes, bytes], bool]


class ContentFormat(NamedTuple):
    """A kind of content.

    Attributes:
        read: parses strictly; raises an InkanError.
        sign: builds the bytes to be signed from content and certificate, and signs them; returns what the
            platform receives.
    """

    read: Callable[[bytes], Content]
    sign: Callable[[PrivateKey, bytes, bytes], bytes]


class ActivatedKeys(Protocol):
    """A holder of keys that assertions release.

    Every call may raise KeyStoreLocked or KeyDeviceBusy: the holder cannot be asked, and nothing was signed.
    """

    async def make(self, order: KeyOrder) -> tuple[MadeKey, ...]:
        """Make keys and pin them to a passkey for ever.

        Raises:
            ActivationRefused: the registration does not hold, or a use is none.
            ActivatedKeyUnknown: there is no key that is to be followed.
            KeyExists: another order of this owner was carried out.
        """
        ...

    async def release(self, wish: Release) -> bytes:
        """Have one content signed.

        Raises:
            ActivatedKeyUnknown: no such key, or it was ended.
            ActivationRefused: with the check that does not hold.
            ActivationUsed: the assertion has released its signature.
        """
        ...

    async def end(self, spki_sha256: bytes) -> None:
        """Let a key sign nothing ever again; an unknown one is ended as it is."""
        ...
