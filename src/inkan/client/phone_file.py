"""One file that is a phone: everything it remembers, sealed under a passphrase.

The passphrase goes through scrypt (RFC 7914), the content through AES-256-GCM-SIV; the parameters stand in
the clear beside it and are authenticated with it. Certificate keys inside are wrapped once more under the
passkey's PRF secret (``certificate_keys``), so that the opened file alone does not sign.
"""

from pathlib import Path
from typing import Final, Literal, Self, TypeVar

import msgspec

from inkan.client import durable_file
from inkan.client.durable_file import FileExists, FileLock, FileMissing
from inkan.client.passphrase import Scrypted, ScryptUnbearable
from inkan.crypto import aead, jcs
from inkan.kernel.errors import Forbidden, Malformed
from inkan.kernel.sensitive import Secret

T = TypeVar("T")
DEFAULT_COST: Final = 2**15


class PhoneFileLocked(Forbidden):
    """The passphrase does not open the phone, or the file was changed."""

    code = "phone_file_locked"
    title = "The passphrase does not open this phone"


class PhoneFileMalformed(Malformed):
    """Not a phone file, or one of another version."""

    code = "phone_file_malformed"
    title = "This is not a phone file"


class _Envelope(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    format: Literal["inkan-phone"]
    v: Literal[1]
    scrypt: Scrypted
    sealed: bytes


class PhoneFile:
    """An opened phone file, held by this process alone until :meth:`close`."""

    def __init__(self, path: Path, lock: FileLock, scrypt: Scrypted, key: Secret[bytes]) -> None:
        self.path = path
        self._lock = lock
        self._scrypt = scrypt
        self._key = key

    @classmethod
    def create(
        cls, path: Path, passphrase: Secret[str], state: object, *, n: int = DEFAULT_COST
    ) -> Self:
        """Write a new phone and return it opened.

        Args:
            path: where; nothing may be there.
            passphrase: what opens it later.
            state: the first content, a msgspec struct.
            n: cost of scrypt, a power of two up to 2^18 (2^15 uses 32 MiB).

        Raises:
            FileExists: the path is taken.
            FileBusy: another process is making it right now.
        """
        scrypt = Scrypted.fresh(n=n)
        lock = FileLock(path)
        lock.acquire()
        try:
            _verify_free(path)
            opened = cls(path, lock, scrypt, scrypt.key(passphrase))
            opened.save(state)
        except BaseException:
            lock.release()
            raise
        return opened

    @classmethod
    def open(cls, path: Path, passphrase: Secret[str]) -> Self:
        """Open an existing phone.

        Raises:
            FileMissing: there is none.
            FileBusy: another process holds it.
            PhoneFileMalformed: not a phone file.
            PhoneFileLocked: another passphrase, or changed bytes.
        """
        if not path.exists():
            raise FileMissing(str(path))
        lock = FileLock(path)
        lock.acquire()
        try:
            envelope = _parse(durable_file.read_file(path))
            opened = cls(path, lock, envelope.scrypt, envelope.scrypt.key(passphrase))
            opened._unseal(envelope)
        except BaseException:
            lock.release()
            raise
        return opened

    def load(self, kind: type[T]) -> T:
        """Return the content as ``kind``.

        Raises:
            PhoneFileMalformed: it has another form.
            PhoneFileLocked: the bytes changed since the file was opened.
        """
        content = self._unseal(_parse(durable_file.read_file(self.path)))
        try:
            return msgspec.json.decode(content, type=kind)
        except msgspec.DecodeError as error:
            raise PhoneFileMalformed(str(error)) from None

    def save(self, state: object) -> None:
        """Replace the content durably; when this returns, ``state`` survives a crash."""
        sealed = aead.seal(self._key, msgspec.json.encode(state), aad=_place(self._scrypt))
        envelope = _Envelope("inkan-phone", 1, self._scrypt, sealed)
        durable_file.replace_file(self.path, msgspec.json.encode(envelope))

    def close(self) -> None:
        """Give the file back; a second call does nothing."""
        self._lock.release()

    def _unseal(self, envelope: _Envelope) -> bytes:
        try:
            return aead.unseal(self._key, envelope.sealed, aad=_place(envelope.scrypt))
        except aead.SealBroken:
            raise PhoneFileLocked(str(self.path)) from None


def _verify_free(path: Path) -> None:
    if path.exists():
        raise FileExists(str(path))


def _parse(data: bytes) -> _Envelope:
    try:
        envelope = msgspec.json.decode(data, type=_Envelope)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise PhoneFileMalformed(str(error)) from None
    try:
        envelope.scrypt.verify_bearable()
    except ScryptUnbearable as error:
        raise PhoneFileMalformed(error.detail) from None
    return envelope


def _place(scrypt: Scrypted) -> bytes:
    """The associated data: which format, and by which parameters the key was made."""
    return jcs.canonical({"format": "inkan-phone", "v": 1, "scrypt": scrypt.described()})
