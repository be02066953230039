"""From what a person knows to a key: scrypt (RFC 7914) with its parameters beside the sealed thing."""

from typing import Any, Final, Self

import msgspec
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from inkan.crypto import aead
from inkan.kernel.errors import Malformed
from inkan.kernel.ids import random_bytes
from inkan.kernel.sensitive import Secret

_SALT_SIZE: Final = 16
_BLOCK_SIZE: Final = 8
# What an opened file may ask of this machine: 256 MiB and a few seconds.
_COST_LIMIT: Final = 2**18
_PARALLEL_LIMIT: Final = 4


class ScryptUnbearable(Malformed):
    """The parameters in a file would exhaust this machine, or are none of scrypt."""

    code = "scrypt_unbearable"
    title = "The file asks for more computing than it may"
    public = ()


class Scrypted(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How a key was made from a passphrase or PIN; memory is 128 · n · r bytes (RFC 7914 §2)."""

    salt: bytes
    n: int
    r: int = _BLOCK_SIZE
    p: int = 3

    @classmethod
    def fresh(cls, *, n: int, p: int = 3) -> Self:
        """Return parameters with a new salt; n = 2^15 and p = 3 take 32 MiB and about a fifth of a second.

        Raises:
            ScryptUnbearable: as :meth:`verify_bearable`.
        """
        parameters = cls(random_bytes(_SALT_SIZE), n=n, p=p)
        parameters.verify_bearable()
        return parameters

    def verify_bearable(self) -> None:
        """Refuse parameters that would exhaust this machine, or that scrypt does not have.

        Raises:
            ScryptUnbearable: n is no power of two up to 2^18, r is not 8, or p is not 1 to 4.
        """
        is_power_of_two = self.n > 1 and self.n & (self.n - 1) == 0
        if not is_power_of_two or self.n > _COST_LIMIT:
            raise ScryptUnbearable("n is no power of two up to 2^18")
        if self.r != _BLOCK_SIZE or not 1 <= self.p <= _PARALLEL_LIMIT:
            raise ScryptUnbearable("r is not 8 or p is not 1 to 4")

    def key(self, known: Secret[str]) -> Secret[bytes]:
        """Return the 32-byte key of a passphrase or PIN."""
        kdf = Scrypt(salt=self.salt, length=aead.KEY_SIZE, n=self.n, r=self.r, p=self.p)
        return Secret(kdf.derive(known.reveal().encode()))

    def described(self) -> dict[str, Any]:
        """Return the parameters as JSON, for the associated data of what is sealed."""
        return {"salt": self.salt.hex(), "n": self.n, "r": self.r, "p": self.p}
