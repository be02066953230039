"""The holder's own book: which passkey each key is pinned to, and which assertions have been used.

One file of JSON lines that only grows, each with the SHA-256 of the line before, so that a line that is changed,
taken out or put in breaks the chain at the next opening. A use is on the disk before the key signs: a crash between
the two costs the person one more confirmation, and never gives two signatures for one.
"""

import hashlib
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Final, TypeAlias, TypeVar

import msgspec

from inkan.crypto.append_file import AppendFile
from inkan.crypto.key_providers import KeyStoreDamaged, KeyStoreLocked
from inkan.kernel.clock import rfc3339

_START: Final = "0" * 64


class _Line(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, tag_field="is"):
    """What every line says: its number from 1, the hash of the line before, and when it was written."""

    number: int
    previous: str
    at: str


class Pin(_Line, tag="pinned", frozen=True, kw_only=True):
    """A key and its passkey.

    Attributes:
        label: of the key, in its provider.
        spki, csr: DER.
        order_sha256: of the order, so that the same one again is known.
        sign_count: the passkey's at its registration, or when the key that is followed was used last.
    """

    label: str
    use: str
    spki: bytes
    csr: bytes
    order_sha256: bytes
    credential_id: bytes
    cose_key: bytes
    backup_eligible: bool
    sign_count: int

    @property
    def spki_sha256(self) -> bytes:
        """The name of the key."""
        return hashlib.sha256(self.spki).digest()


class _Used(_Line, tag="used", frozen=True, kw_only=True):
    """An assertion that released its signature: hashes only, no content."""

    label: str
    credential_id: bytes
    assertion_sha256: bytes
    content_sha256: bytes
    sign_count: int


class _Ended(_Line, tag="ended", frozen=True, kw_only=True):
    """A key that signs no more."""

    label: str


_AnyLine: TypeAlias = Pin | _Used | _Ended
L = TypeVar("L", Pin, _Used, _Ended)
_decode = msgspec.json.Decoder(_AnyLine).decode


class Book:
    """The book, in memory and on the disk. Its owner sees to it that one thread at a time works in it."""

    def __init__(self, path: Path, now: Callable[[], datetime]) -> None:
        """Check the chain and open the file, or make it with mode 0600.

        Raises:
            KeyStoreDamaged: the chain is broken.
            KeyStoreLocked: the file cannot be read or written.
        """
        self._now = now
        self._number, self._previous = 0, _START
        self._pins: dict[str, Pin] = {}
        self._labels: dict[bytes, str] = {}
        self._ended: set[str] = set()
        self._used: set[bytes] = set()
        self._counts: dict[bytes, int] = {}
        try:
            self._file = AppendFile(path)
            for line, digest in read_book(path):
                self._take(line, digest)
        except OSError as error:
            raise KeyStoreLocked(str(error)) from None

    def pin_of(self, label: str) -> Pin | None:
        """The pin of a key by its label."""
        return self._pins.get(label)

    def find(self, spki_sha256: bytes) -> Pin | None:
        """The pin of a key that may sign, by the hash of its SPKI; None if there is none, or it was ended."""
        label = self._labels.get(spki_sha256)
        return None if label is None or label in self._ended else self._pins[label]

    def sign_count(self, credential_id: bytes) -> int:
        """The passkey's counter as it was last seen here."""
        return self._counts[credential_id]

    def is_used(self, assertion_sha256: bytes) -> bool:
        """Whether an assertion has released a signature."""
        return assertion_sha256 in self._used

    def pin(
        self,
        *,
        label: str,
        use: str,
        spki: bytes,
        csr: bytes,
        order_sha256: bytes,
        credential_id: bytes,
        cose_key: bytes,
        backup_eligible: bool,
        sign_count: int,
    ) -> Pin:
        """Write down a key and its passkey, for ever."""
        return self._write(
            Pin(
                number=self._number + 1,
                previous=self._previous,
                at=rfc3339(self._now()),
                label=label,
                use=use,
                spki=spki,
                csr=csr,
                order_sha256=order_sha256,
                credential_id=credential_id,
                cose_key=cose_key,
                backup_eligible=backup_eligible,
                sign_count=sign_count,
            )
        )

    def use(
        self, pin: Pin, *, assertion_sha256: bytes, content_sha256: bytes, sign_count: int
    ) -> None:
        """Write down that an assertion is used up; on the disk when this returns."""
        self._write(
            _Used(
                number=self._number + 1,
                previous=self._previous,
                at=rfc3339(self._now()),
                label=pin.label,
                credential_id=pin.credential_id,
                assertion_sha256=assertion_sha256,
                content_sha256=content_sha256,
                sign_count=sign_count,
            )
        )

    def end(self, pin: Pin) -> None:
        """Write down that a key signs no more."""
        self._write(
            _Ended(
                number=self._number + 1,
                previous=self._previous,
                at=rfc3339(self._now()),
                label=pin.label,
            )
        )

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _write(self, line: L) -> L:
        data = msgspec.json.encode(line)
        try:
            self._file.append(data, synced=True)
        except OSError as error:
            raise KeyStoreLocked(f"the book of pinned keys cannot be written: {error}") from None
        self._take(line, hashlib.sha256(data).hexdigest())
        return line

    def _take(self, line: _AnyLine, digest: str) -> None:
        self._number, self._previous = line.number, digest
        match line:
            case Pin():
                self._pins[line.label] = line
                self._labels[line.spki_sha256] = line.label
                self._raise(line.credential_id, line.sign_count)
            case _Used():
                self._used.add(line.assertion_sha256)
                self._raise(line.credential_id, line.sign_count)
            case _Ended():
                self._ended.add(line.label)

    def _raise(self, credential_id: bytes, sign_count: int) -> None:
        self._counts[credential_id] = max(self._counts.get(credential_id, 0), sign_count)


def read_book(path: Path) -> Iterator[tuple[_AnyLine, str]]:
    """The lines of a book with the digest of each.

    Raises:
        KeyStoreDamaged: at the first line that does not continue the chain.
    """
    previous = _START
    with path.open("rb") as file:
        for number, data in enumerate(file, 1):
            try:
                line = _decode(data)
            except (msgspec.DecodeError, UnicodeDecodeError):
                raise KeyStoreDamaged(f"line {number} of the book is not ours") from None
            if line.number != number or line.previous != previous or not data.endswith(b"\n"):
                raise KeyStoreDamaged(f"the book breaks at line {number}")
            previous = hashlib.sha256(data[:-1]).hexdigest()
            yield line, previous
