"""The encrypted file provider: one folder, one passphrase, one sealed file for each key.

The passphrase is stretched once by scrypt (RFC 7914); each file is sealed by AES-256-GCM-SIV under that key with
its own description as associated data, so that a file cannot be renamed, given other purposes or moved into another
folder. Files appear whole or not at all and are never overwritten, also when two processes make the same key.
"""

import hashlib
import os
import stat
from collections.abc import Collection
from contextlib import suppress
from pathlib import Path
from typing import Final, NamedTuple, TypeVar

import msgspec

from inkan.crypto import aead
from inkan.crypto.aead import SealBroken
from inkan.crypto.key_providers import (
    SECRET_PURPOSES,
    KeyExists,
    KeyProvider,
    KeyPurpose,
    KeyPurposeRefused,
    KeyStoreDamaged,
    KeyStoreExposed,
    KeyStoreLocked,
    KeyUnknown,
    verify_label,
    verify_purposes,
)
from inkan.crypto.keys import (
    KeyMalformed,
    KeySpec,
    PrivateKey,
    PublicKey,
    generate,
    load_private,
    private_der,
)
from inkan.kernel.ids import new_id, random_bytes
from inkan.kernel.sensitive import Secret

STORE_FILE: Final = "store.json"
SUFFIX: Final = ".key"
# 32 MiB and some 0.1 s at each start. The passphrase is a machine's, drawn at random, so this is a second wall.
SCRYPT_COST: Final = 2**15
SCRYPT_COSTS: Final = range(2**10, 2**20 + 1)
_SCRYPT_BLOCK: Final = 8
_CHECK: Final = b"inkan-key-store-v1"

T = TypeVar("T", bound=msgspec.Struct)


class _Store(msgspec.Struct, forbid_unknown_fields=True):
    """``store.json``: how the passphrase becomes a key, and a sealed constant that tells a wrong one."""

    v: int
    salt: bytes
    cost: int
    check: bytes


class _About(msgspec.Struct, forbid_unknown_fields=True):
    """What a key file says in clear, under the seal's protection."""

    v: int
    label: str
    purposes: list[KeyPurpose]
    spec: KeySpec | None


class _File(msgspec.Struct, forbid_unknown_fields=True):
    """One key file; ``about`` is kept as it was written, because its bytes are the associated data."""

    about: msgspec.Raw
    sealed: bytes


class _Entry(NamedTuple):
    purposes: frozenset[KeyPurpose]
    value: PrivateKey | Secret[bytes]


class EncryptedFileKeyProvider(KeyProvider):
    """A key provider over a folder of encrypted files.

    Opened keys stay in memory. Every call may read or write small files and blocks while it does.
    """

    def __init__(self, folder: Path, passphrase: Secret[str], *, cost: int = SCRYPT_COST) -> None:
        """Open the folder, or make it.

        Args:
            folder: made with mode 0700 if it is not there.
            passphrase: must be the one the folder was made with.
            cost: of scrypt, a power of two; used only when the folder is made.

        Raises:
            KeyStoreLocked: another passphrase, or the folder cannot be read or written.
            KeyStoreDamaged: the folder's own file is not ours.
            KeyStoreExposed: others may write the folder or read its files.
        """
        self._folder = folder
        self._entries: dict[str, _Entry] = {}
        self._make_folder()
        if not (folder / STORE_FILE).exists():
            self._make_store(passphrase, cost)
        self._key = self._open_store(passphrase)

    def generate(self, label: str, spec: KeySpec, purposes: Collection[KeyPurpose]) -> PublicKey:
        """Make a key pair; see :meth:`KeyProvider.generate`."""
        about = _About(1, verify_label(label), sorted(verify_purposes(purposes)), spec)
        if self._path(label).exists():
            raise KeyExists(label=label)
        key = generate(spec)
        self._write(about, private_der(key))
        return key.public_key()

    def signer(self, label: str, purpose: KeyPurpose) -> PrivateKey:
        """Return the private key itself; see :meth:`KeyProvider.signer`."""
        entry = self._entry(label)
        if purpose not in entry.purposes or isinstance(entry.value, Secret):
            raise KeyPurposeRefused(f"{label} was not made for {purpose}")
        return entry.value

    def public_key(self, label: str) -> PublicKey:
        """Return the public half; see :meth:`KeyProvider.public_key`."""
        value = self._entry(label).value
        if isinstance(value, Secret):
            raise KeyUnknown(f"{label} is a secret and has no public half")
        return value.public_key()

    def secret(self, label: str, purpose: KeyPurpose, *, length: int = 32) -> Secret[bytes]:
        """Return the secret of this label, made at the first call; see :meth:`KeyProvider.secret`."""
        if purpose not in SECRET_PURPOSES:
            raise KeyPurposeRefused(f"{purpose} is no purpose of a secret")
        if not self._path(verify_label(label)).exists():
            about = _About(1, label, [purpose], None)
            with suppress(KeyExists):  # another process was faster; its secret counts
                self._write(about, Secret(random_bytes(length)))
        entry = self._entry(label)
        if purpose not in entry.purposes or not isinstance(entry.value, Secret):
            raise KeyPurposeRefused(f"{label} was not made for {purpose}")
        if len(entry.value.reveal()) != length:
            raise KeyPurposeRefused(f"{label} was made with another length")
        return entry.value

    def purposes(self, label: str) -> frozenset[KeyPurpose]:
        """Return what the key was made for; see :meth:`KeyProvider.purposes`."""
        return self._entry(label).purposes

    def labels(self) -> tuple[str, ...]:
        """Return all labels, sorted."""
        return tuple(sorted(path.name[: -len(SUFFIX)] for path in self._folder.glob(f"*{SUFFIX}")))

    # --- the folder ----------------------------------------------------------------------------------

    def _make_folder(self) -> None:
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            mode = self._folder.stat().st_mode
        except OSError as error:
            raise KeyStoreLocked(str(error)) from None
        if mode & (stat.S_IWGRP | stat.S_IWOTH):
            raise KeyStoreExposed(f"others may write {self._folder}: chmod 700")

    def _make_store(self, passphrase: Secret[str], cost: int) -> None:
        salt = random_bytes(16)
        check = aead.seal(_stretch(passphrase, salt, cost), _CHECK, aad=salt)
        with suppress(KeyExists):  # another process was faster; its salt counts
            self._create(STORE_FILE, msgspec.json.encode(_Store(1, salt, cost, check)))

    def _open_store(self, passphrase: Secret[str]) -> Secret[bytes]:
        store = _decode(_Store, self._read(STORE_FILE))
        if store.v != 1 or store.cost not in SCRYPT_COSTS or store.cost & (store.cost - 1):
            raise KeyStoreDamaged(f"{STORE_FILE} has another version or an absurd cost")
        key = _stretch(passphrase, store.salt, store.cost)
        try:
            aead.unseal(key, store.check, aad=store.salt)
        except SealBroken:
            raise KeyStoreLocked("the passphrase is not the one of this folder") from None
        return key

    # --- one key -------------------------------------------------------------------------------------

    def _entry(self, label: str) -> _Entry:
        entry = self._entries.get(label)
        if entry is None:
            entry = self._entries[label] = self._load(label)
        return entry

    def _load(self, label: str) -> _Entry:
        file = _decode(_File, self._read(verify_label(label) + SUFFIX))
        try:
            body = Secret(aead.unseal(self._key, file.sealed, aad=bytes(file.about)))
            about = _decode(_About, bytes(file.about))
            value = body if about.spec is None else load_private(body)
        except (SealBroken, KeyMalformed):
            raise KeyStoreDamaged(f"{label}{SUFFIX} does not open") from None
        if about.v != 1 or about.label != label:
            raise KeyStoreDamaged(f"{label}{SUFFIX} holds another key")
        return _Entry(frozenset(about.purposes), value)

    def _write(self, about: _About, body: Secret[bytes]) -> None:
        clear = msgspec.json.encode(about)
        sealed = aead.seal(self._key, body.reveal(), aad=clear)
        self._create(about.label + SUFFIX, msgspec.json.encode(_File(msgspec.Raw(clear), sealed)))

    # --- files ---------------------------------------------------------------------------------------

    def _path(self, label: str) -> Path:
        return self._folder / f"{label}{SUFFIX}"

    def _read(self, name: str) -> bytes:
        path = self._folder / name
        try:
            mode = path.stat().st_mode
            data = path.read_bytes()
        except FileNotFoundError:
            raise KeyUnknown(f"there is no {name}") from None
        except OSError as error:
            raise KeyStoreLocked(str(error)) from None
        if mode & (stat.S_IRWXG | stat.S_IRWXO):
            raise KeyStoreExposed(f"others may read {path}: chmod 600")
        return data

    def _create(self, name: str, data: bytes) -> None:
        """Let a file appear whole, durable and only if there is none: write aside, sync, link, sync the folder."""
        aside = self._folder / f".{new_id('tmp')}"
        try:
            _write_synced(aside, data)
            os.link(aside, self._folder / name)
            _sync_folder(self._folder)
        except FileExistsError:
            raise KeyExists(label=name.removesuffix(SUFFIX)) from None
        except OSError as error:
            raise KeyStoreLocked(str(error)) from None
        finally:
            aside.unlink(missing_ok=True)


def _stretch(passphrase: Secret[str], salt: bytes, cost: int) -> Secret[bytes]:
    memory = 128 * cost * _SCRYPT_BLOCK
    key = hashlib.scrypt(
        passphrase.reveal().encode(),
        salt=salt,
        n=cost,
        r=_SCRYPT_BLOCK,
        p=1,
        maxmem=memory + 2**20,
        dklen=aead.KEY_SIZE,
    )
    return Secret(key)


def _decode(kind: type[T], data: bytes) -> T:
    try:
        return msgspec.json.decode(data, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise KeyStoreDamaged("a file of the key store is not ours") from None


def _write_synced(path: Path, data: bytes) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
