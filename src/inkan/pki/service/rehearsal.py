"""Throw-away keys for the rehearsal of a ceremony: made when asked for, in memory, and gone with it."""

from collections.abc import Collection

from inkan.crypto.key_providers import KeyProvider, KeyPurpose, KeyUnknown, verify_purposes
from inkan.crypto.keys import KeySpec, PrivateKey, PublicKey, generate
from inkan.kernel.ids import random_bytes
from inkan.kernel.sensitive import Secret


class ThrowAwayKeys(KeyProvider):
    """A key provider whose keys nobody will ever have: also for labels that were made elsewhere.

    A rehearsal signs with a stand-in for each real key, of the same kind as ceremonies use for it.
    """

    def __init__(self) -> None:
        self._keys: dict[str, PrivateKey] = {}

    def generate(self, label: str, spec: KeySpec, purposes: Collection[KeyPurpose]) -> PublicKey:
        """Make a key pair in memory."""
        verify_purposes(purposes)
        key = self._keys[label] = generate(spec)
        return key.public_key()

    def signer(self, label: str, purpose: KeyPurpose) -> PrivateKey:
        """The key of that label, or a stand-in for it."""
        if label not in self._keys:
            self.generate(label, KeySpec.P384, {purpose})
        return self._keys[label]

    def public_key(self, label: str) -> PublicKey:
        """Return the public half; see :meth:`KeyProvider.public_key`."""
        try:
            return self._keys[label].public_key()
        except KeyError:
            raise KeyUnknown(f"the rehearsal made no {label}") from None

    def secret(self, label: str, purpose: KeyPurpose, *, length: int = 32) -> Secret[bytes]:
        """Random bytes that nothing will be found by."""
        del label, purpose
        return Secret(random_bytes(length))

    def purposes(self, label: str) -> frozenset[KeyPurpose]:
        """Whatever it is asked for."""
        del label
        return frozenset(KeyPurpose)

    def labels(self) -> tuple[str, ...]:
        """Return the labels of the keys that were made so far."""
        return tuple(sorted(self._keys))
