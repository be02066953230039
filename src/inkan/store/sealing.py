"""Sealed columns, and the keyed hashes by which their rows are found.

What identifies a person is stored only sealed (AES-256-GCM-SIV) and found only by a keyed hash of its
canonical form; both keys live outside the database, so that a stolen copy of it names nobody. The associated
data binds a value to its table, column, row and key version: moved to another row, it does not open.
"""

import struct
from collections.abc import Mapping
from functools import cache
from typing import Final, NamedTuple, Self

from inkan.crypto.aead import SealBroken, hkdf, mac, seal, unseal
from inkan.crypto.key_providers import KeyProvider, KeyPurpose
from inkan.kernel.errors import Unavailable
from inkan.kernel.sensitive import Personal, Secret

_VERSION: Final = struct.Struct(">H")


class SealKeyMissing(Unavailable):
    """The value was sealed under a key version that this instance does not hold."""

    code = "seal_key_missing"
    title = "A sealed value cannot be opened"


class SealedColumn(NamedTuple):
    """The place of sealed values: ``NAME = SealedColumn("people_person", "name")``."""

    table: str
    column: str


class Sealer:
    """Seals under the newest key, opens under every key it holds.

    Args:
        sealing: 32-byte keys by version, 1 to 65535; never one of the lookup keys.
        lookup: the same for keyed hashes.
    """

    def __init__(
        self, *, sealing: Mapping[int, Secret[bytes]], lookup: Mapping[int, Secret[bytes]]
    ) -> None:
        self._sealing = dict(sealing)
        self._lookup = dict(lookup)
        self._newest = max(sealing)
        self._newest_lookup = max(lookup)
        # A key of its own for every column and purpose: none of them opens or finds another's values
        self._sealing_key = cache(self._derive_sealing_key)
        self._lookup_key = cache(self._derive_lookup_key)

    @classmethod
    def of(cls, provider: KeyProvider, *, versions: int = 1) -> Self:
        """Return a sealer on the provider's secrets ``seal-1``… and ``lookup-1``…, made at their first use."""
        numbers = range(1, versions + 1)
        return cls(
            sealing={n: provider.secret(f"seal-{n}", KeyPurpose.SEAL) for n in numbers},
            lookup={n: provider.secret(f"lookup-{n}", KeyPurpose.LOOKUP) for n in numbers},
        )

    def seal(
        self, place: SealedColumn, row: str, value: Personal[str] | Personal[bytes] | bytes
    ) -> bytes:
        """Return the bytes to store in ``place`` of the row whose primary key is ``row`` (30 more than the value)."""
        version = self._newest
        key = self._sealing_key(place, version)
        return _VERSION.pack(version) + seal(key, _plain(value), aad=_aad(place, row, version))

    def open(self, place: SealedColumn, row: str, sealed: bytes) -> Personal[bytes]:
        """Return what was sealed in this very place.

        Raises:
            SealBroken: sealed in another place, under another key, or changed.
            SealKeyMissing: its key version is not here.
        """
        version = version_of(sealed)
        key = self._sealing_key(place, version)
        return Personal(unseal(key, sealed[_VERSION.size :], aad=_aad(place, row, version)))

    def open_text(self, place: SealedColumn, row: str, sealed: bytes) -> Personal[str]:
        """Like :meth:`open` for a value that was sealed as text."""
        return Personal(self.open(place, row, sealed).reveal().decode())

    def is_aged(self, sealed: bytes) -> bool:
        """Whether the value should be sealed anew when its row is next written: there is a newer key."""
        return version_of(sealed) != self._newest

    def lookup(self, purpose: str, canonical: Personal[str] | str) -> bytes:
        """Return the keyed hash (34 bytes, key version first) by which a row of this value is found.

        Args:
            purpose: names the index; the same value has unrelated hashes under two purposes.
            canonical: the one canonical form of the value.
        """
        return self._hash(purpose, canonical, self._newest_lookup)

    def lookups(self, purpose: str, canonical: Personal[str] | str) -> list[bytes]:
        """The hashes under all keys, the newest first: while keys change, a row may stand under any."""
        return [self._hash(purpose, canonical, n) for n in sorted(self._lookup, reverse=True)]

    def _hash(self, purpose: str, canonical: Personal[str] | str, version: int) -> bytes:
        text = canonical if isinstance(canonical, str) else canonical.reveal()
        return _VERSION.pack(version) + mac(self._lookup_key(purpose, version), text.encode())

    def _derive_sealing_key(self, place: SealedColumn, version: int) -> Secret[bytes]:
        if version not in self._sealing:
            raise SealKeyMissing(f"version {version} of {place.table}.{place.column}")
        return hkdf(self._sealing[version], b"inkan-seal-v1\0" + _parts(*place))

    def _derive_lookup_key(self, purpose: str, version: int) -> Secret[bytes]:
        return hkdf(self._lookup[version], b"inkan-lookup-v1\0" + _parts(purpose))


def version_of(sealed: bytes) -> int:
    """The key version of a sealed value.

    Raises:
        SealBroken: too short to have one.
    """
    if len(sealed) < _VERSION.size:
        raise SealBroken("shorter than its key version")
    version: int = _VERSION.unpack_from(sealed)[0]
    return version


def _plain(value: Personal[str] | Personal[bytes] | bytes) -> bytes:
    plain = value if isinstance(value, bytes) else value.reveal()
    return plain.encode() if isinstance(plain, str) else plain


def _aad(place: SealedColumn, row: str, version: int) -> bytes:
    return _parts(*place, row) + _VERSION.pack(version)


def _parts(*texts: str) -> bytes:
    """Each text after its length, so that no two different lists are the same bytes."""
    return b"".join(struct.pack(">I", len(text.encode())) + text.encode() for text in texts)
