"""The keys that open a card for its issuer: derived from the instance's secret and the card's number, never stored.

Whoever makes cards for this instance writes the same keys into them (docs/counter.md); whoever opens one card learns
nothing about another.
"""

import base64
from datetime import date
from typing import Final

import msgspec

from inkan.crypto import base64url
from inkan.crypto.aead import hkdf
from inkan.crypto.key_providers import KeyProvider, KeyPurpose
from inkan.kernel.sensitive import Secret
from inkan.wire.card_command import SECRETS, CardSecrets

MASTER: Final = "card-master-1"
_MANAGEMENT_OCTETS: Final = 32  # AES-256 (SP 800-78-4 table 6-2)
_UNLOCK_OCTETS: Final = (
    5  # eight letters of base32: a PUK has eight characters (SP 800-73-4 part 2 §2.4.3)
)


class SecretsOfCards:
    """The secrets of every card that this instance may open."""

    def __init__(self, keys: KeyProvider) -> None:
        self._master = keys.secret(MASTER, KeyPurpose.MAC)

    def of(self, number: str) -> CardSecrets:
        """The secrets of the card of this number (32 hexadecimal digits)."""
        octets = bytes.fromhex(number)
        management = self._derive(b"management", octets, _MANAGEMENT_OCTETS)
        unlock = self._derive(b"unlock", octets, _UNLOCK_OCTETS)
        return CardSecrets(
            card=number,
            management_key=base64url.encode(management.reveal()),
            unlock_key=base64.b32encode(unlock.reveal()).decode(),
        )

    def document(self, number: str, birth_date: date | None = None) -> Secret[bytes]:
        """The secrets as they travel, encrypted, to a terminal; with the holder's birth date where PINs are set."""
        secrets = msgspec.structs.replace(self.of(number), birth_date=birth_date)
        return Secret(SECRETS.encode(secrets))

    def _derive(self, purpose: bytes, number: bytes, length: int) -> Secret[bytes]:
        return hkdf(self._master, b"inkan-card-v1\0" + purpose + b"\0" + number, length=length)
