"""The signer's own book: a line for every key made and every use of a CA key, before and after, in a chain.

The platform keeps its audit; this book is kept by the process that signs, so that whoever takes over the platform and
its database cannot hide what was signed. Each line holds the SHA-256 of the line before; a line that is changed, taken
out or put in breaks the chain at the next opening.
"""

import hashlib
import threading
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Final, Literal

import msgspec

from inkan.crypto.append_file import AppendFile
from inkan.crypto.key_providers import KeyStoreDamaged, KeyStoreLocked
from inkan.kernel.clock import rfc3339

Event = Literal["generated", "intended", "signed"]
_START: Final = "0" * 64


class JournalLine(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One line, as JSON.

    Attributes:
        number: from 1.
        sha256: hexadecimal: of the message, or of the public key for ``generated``.
        previous: SHA-256 of the line before without its line end; zeroes for the first.
    """

    number: int
    at: str
    event: Event
    label: str
    sha256: str
    previous: str


class Journal:
    """A journal file that is open for appending."""

    def __init__(self, path: Path, now: Callable[[], datetime]) -> None:
        """Check the chain and open the file, or make it with mode 0600.

        Raises:
            KeyStoreDamaged: the chain is broken.
            KeyStoreLocked: the file cannot be read or written.
        """
        self._now = now
        self._lock = threading.Lock()
        self._number, self._previous = 0, _START
        try:
            self._file = AppendFile(path)
            for line, digest in read_journal(path):
                self._number, self._previous = line.number, digest
        except OSError as error:
            raise KeyStoreLocked(str(error)) from None

    def write(self, event: Event, label: str, digest: bytes, *, synced: bool = True) -> None:
        """Append a line.

        Args:
            event: what happened or is about to.
            label: of the key.
            digest: 32 octets.
            synced: whether it must be on the disk before this returns.

        Raises:
            KeyStoreLocked: it cannot be written; nothing may be signed.
        """
        with self._lock:
            line = JournalLine(
                self._number + 1, rfc3339(self._now()), event, label, digest.hex(), self._previous
            )
            data = msgspec.json.encode(line)
            try:
                self._file.append(data, synced=synced)
            except OSError as error:
                raise KeyStoreLocked(f"the signer's journal cannot be written: {error}") from None
            self._number += 1
            self._previous = hashlib.sha256(data).hexdigest()

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def read_journal(path: Path) -> Iterator[tuple[JournalLine, str]]:
    """The lines of a journal with the digest of each.

    Raises:
        KeyStoreDamaged: at the first line that does not continue the chain.
    """
    previous = _START
    with path.open("rb") as file:
        for number, data in enumerate(file, 1):
            try:
                line = msgspec.json.decode(data, type=JournalLine)
            except (msgspec.DecodeError, UnicodeDecodeError):
                raise KeyStoreDamaged(f"line {number} of the journal is not ours") from None
            if line.number != number or line.previous != previous or not data.endswith(b"\n"):
                raise KeyStoreDamaged(f"the journal breaks at line {number}")
            previous = hashlib.sha256(data[:-1]).hexdigest()
            yield line, previous
