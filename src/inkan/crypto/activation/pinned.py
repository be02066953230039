"""The holder itself: a key provider, a book, and the check of each assertion between them.

Numbered plan of a signature:

1. the key is known and not ended;
2. the content is one of the table, of its strict form, for a key of this use, and names the pinned passkey;
3. the assertion holds (WebAuthn §7.2): pinned credential and COSE key, origin and RP ID of the holder's own
   settings, user verified, and the challenge is the hash over the content;
4. the assertion was not used before, and its counter rose, unless the passkey does not count at all;
5. the use is written into the book and synced;
6. the bytes to be signed are built from the content, and signed.
"""

import asyncio
import hashlib
import threading
from collections.abc import Mapping
from functools import partial
from typing import Final

import msgspec

from inkan.crypto import webauthn
from inkan.crypto.activation.book import Book, Pin
from inkan.crypto.activation.port import (
    ActivatedKeys,
    ActivatedKeyUnknown,
    ActivationRefused,
    ActivationUsed,
    Content,
    ContentFormat,
    KeyOrder,
    MadeKey,
    Release,
)
from inkan.crypto.certificate_requests import build_csr
from inkan.crypto.foreign_keys import signing
from inkan.crypto.key_providers import KeyExists, KeyPairProvider, KeyPurpose
from inkan.crypto.keys import PublicKey, key_spec, spki_der
from inkan.kernel.errors import InkanError

PURPOSES: Final = frozenset({KeyPurpose.PHONE})
USES: Final = frozenset({"auth", "sign", "single"})


class _Passkey(msgspec.Struct, frozen=True):
    """What keys are pinned to."""

    credential_id: bytes
    cose_key: bytes
    backup_eligible: bool
    sign_count: int


class PinnedKeys(ActivatedKeys):
    """Keys of a provider, each pinned to a passkey."""

    def __init__(
        self,
        keys: KeyPairProvider,
        book: Book,
        formats: Mapping[str, ContentFormat],
        *,
        origin: str,
        rp_id: str,
    ) -> None:
        """Hold ``keys``, best behind a guard, for passkeys of ``rp_id`` used on pages of ``origin``."""
        self._keys = keys
        self._book = book
        self._formats = dict(formats)
        self._origin = origin
        self._rp_id = rp_id
        # One assertion must not pass twice between the look into the book and the line in it.
        self._lock = threading.Lock()

    async def make(self, order: KeyOrder) -> tuple[MadeKey, ...]:
        """See :meth:`ActivatedKeys.make`."""
        return await asyncio.to_thread(self._make, order)

    async def release(self, wish: Release) -> bytes:
        """See :meth:`ActivatedKeys.release`."""
        pin = await asyncio.to_thread(self._admit, wish)
        key = await asyncio.to_thread(self._keys.signer, pin.label, KeyPurpose.PHONE)
        sign = self._formats[wish.format].sign
        return await signing(key, partial(sign, key, wish.content, wish.certificate))  # 6

    async def end(self, spki_sha256: bytes) -> None:
        """See :meth:`ActivatedKeys.end`."""
        await asyncio.to_thread(self._end, spki_sha256)

    # --- keys ------------------------------------------------------------------------------------

    def _make(self, order: KeyOrder) -> tuple[MadeKey, ...]:
        if not order.uses or not USES.issuperset(order.uses):
            raise ActivationRefused("no use of a phone's key", check="use")
        with self._lock:
            passkey = self._followed(order) if order.follows else self._registered(order)
            return tuple(self._made(order, use, passkey) for use in order.uses)

    def _registered(self, order: KeyOrder) -> _Passkey:
        try:
            credential = webauthn.verify_registration(
                order.registration,
                challenge=order.challenge,
                origins=(self._origin,),
                rp_id=self._rp_id,
            )
        except InkanError as refused:
            raise _refused(refused, "registration") from None
        return _Passkey(
            credential.id, credential.cose_key, credential.backup_eligible, credential.sign_count
        )

    def _followed(self, order: KeyOrder) -> _Passkey:
        pin = self._book.find(order.follows)
        if pin is None:
            raise ActivatedKeyUnknown("no such key to follow")
        count = self._book.sign_count(pin.credential_id)
        return _Passkey(pin.credential_id, pin.cose_key, pin.backup_eligible, count)

    def _made(self, order: KeyOrder, use: str, passkey: _Passkey) -> MadeKey:
        label = f"{order.owner}.{use}"
        digest = hashlib.sha256(msgspec.msgpack.encode(order)).digest()
        pin = self._book.pin_of(label)
        if pin is None:
            public = self._generated(label, order)
            signer = self._keys.signer(label, KeyPurpose.PHONE)
            pin = self._book.pin(
                label=label,
                use=use,
                spki=spki_der(public),
                csr=build_csr(signer),
                order_sha256=digest,
                credential_id=passkey.credential_id,
                cose_key=passkey.cose_key,
                backup_eligible=passkey.backup_eligible,
                sign_count=passkey.sign_count,
            )
        elif pin.order_sha256 != digest:
            raise KeyExists(label=label)
        return MadeKey(pin.use, pin.spki, pin.csr)

    def _generated(self, label: str, order: KeyOrder) -> PublicKey:
        try:
            return self._keys.generate(label, order.spec, PURPOSES)
        except KeyExists:
            # A crash came between the key and its line: it is nobody's yet, and has signed nothing but its request.
            public = self._keys.public_key(label)
            if self._keys.purposes(label) != PURPOSES or key_spec(public) is not order.spec:
                raise
            return public

    def _end(self, spki_sha256: bytes) -> None:
        with self._lock:
            pin = self._book.find(spki_sha256)
            if pin is not None:
                self._book.end(pin)

    # --- assertions --------------------------------------------------------------------------------

    def _admit(self, wish: Release) -> Pin:
        with self._lock:
            pin = self._book.find(wish.spki_sha256)  # 1
            if pin is None:
                raise ActivatedKeyUnknown("no such key, or it was ended")
            content = self._read(wish, pin)  # 2
            result = self._verify(wish, pin, content)  # 3
            signed = hashlib.sha256(wish.assertion.client_data_json).digest()
            used = hashlib.sha256(wish.assertion.authenticator_data + signed).digest()
            if self._book.is_used(used):  # 4
                raise ActivationUsed()
            last = self._book.sign_count(pin.credential_id)
            if (result.sign_count, last) != (0, 0) and result.sign_count <= last:
                raise ActivationRefused("the passkey's counter did not rise", check="sign_count")
            self._book.use(  # 5
                pin,
                assertion_sha256=used,
                content_sha256=hashlib.sha256(wish.content).digest(),
                sign_count=result.sign_count,
            )
            return pin

    def _read(self, wish: Release, pin: Pin) -> Content:
        wanted = self._formats.get(wish.format)
        if wanted is None:
            raise ActivationRefused(f"no content is called {wish.format}", check="format")
        try:
            content = wanted.read(wish.content)
        except InkanError as refused:
            raise _refused(refused, "content") from None
        if pin.use not in content.uses:
            raise ActivationRefused(f"a key for {pin.use} does not sign this", check="use")
        if not content.fits(pin.credential_id, pin.cose_key):
            raise ActivationRefused("the content names another passkey", check="content")
        return content

    def _verify(self, wish: Release, pin: Pin, content: Content) -> webauthn.AssertionResult:
        known = webauthn.KnownCredential(
            id=pin.credential_id,
            cose_key=pin.cose_key,
            backup_eligible=pin.backup_eligible,
            sign_count=None,
        )
        try:
            return webauthn.verify_assertion(
                wish.assertion,
                known=known,
                challenge=content.challenge,
                origin=self._origin,
                rp_id=self._rp_id,
            )
        except InkanError as refused:
            raise _refused(refused, "assertion") from None


def _refused(refused: InkanError, part: str) -> ActivationRefused:
    """The refusal of a part, with the ceremony's own check where it names one."""
    check = refused.facts.get("check", part)
    return ActivationRefused(f"{part}: {refused.code}: {refused.detail}", check=str(check))
