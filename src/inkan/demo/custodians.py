"""Custodians of a rehearsed or demonstrated ceremony, with software cards.

A real custodian brings a card of an authority that exists already. These cards are files, and their certificates are
signed by a key that is thrown away at once: a ceremony knows custodians by their certificates alone.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path

import msgspec
from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding

from inkan.client.card import Giving
from inkan.client.software_card import SoftwareCard
from inkan.crypto.keys import KeySpec, generate
from inkan.crypto.names import build_name
from inkan.kernel.clock import rfc3339
from inkan.kernel.ids import random_bytes
from inkan.kernel.sensitive import Secret
from inkan.pki import thumbprint
from inkan.wire.ceremony_approval import (
    CONTENT_TYPE,
    CeremonyApproval,
    approval_bytes,
    file_sha256,
)

_TERM = timedelta(days=30)
_CLOCKS = timedelta(minutes=1)


class CustodianCard(msgspec.Struct, frozen=True):
    """A custodian's card, its PIN and what the ceremony file says of it."""

    card: SoftwareCard
    pin: Secret[str]
    certificate_sha256: str

    def approve(self, file: bytes, *, title: str, at: datetime) -> bytes:
        """The approval of a ceremony file: a CMS (DER) by this card."""
        approval = CeremonyApproval(title=title, file_sha256=file_sha256(file), at=rfc3339(at))
        with self.card as card:
            return card.sign_request(
                approval_bytes(approval), content_type=CONTENT_TYPE, pin=self.pin, confirm=_agree
            )


def make_custodian(path: Path, *, name: str, pin: Secret[str], now: datetime) -> CustodianCard:
    """Make a card file with a P-256 key and a certificate of thirty days.

    Raises:
        CardExists, PINMalformed: see :meth:`SoftwareCard.make`.
    """
    card, request = SoftwareCard.make(path, pin=pin, spec=KeySpec.P256)
    key = x509.load_der_x509_csr(request).public_key()
    subject = build_name((("CN", name),))
    builder = x509.CertificateBuilder(
        issuer_name=subject,
        subject_name=subject,
        public_key=key,
        serial_number=int.from_bytes(random_bytes(16)) >> 1,
        not_valid_before=now - _CLOCKS,
        not_valid_after=now + _TERM,
    )
    usage = dict.fromkeys(
        (
            "key_encipherment",
            "data_encipherment",
            "key_agreement",
            "key_cert_sign",
            "crl_sign",
            "encipher_only",
            "decipher_only",
            "digital_signature",
        ),
        False,
    )
    builder = builder.add_extension(x509.KeyUsage(content_commitment=True, **usage), critical=True)
    thrown_away = generate(KeySpec.P256)
    der = builder.sign(thrown_away, SHA256()).public_bytes(Encoding.DER)
    card.put_certificate(der)
    return CustodianCard(card=card, pin=pin, certificate_sha256=thumbprint(der))


def with_custodians(text: str, cards: Sequence[CustodianCard]) -> str:
    """A ceremony file with the thumbprints of these cards in place of those that it came with."""
    marks = ("AA", "BB", "CC")
    for mark, card in zip(marks, cards, strict=False):
        text = text.replace(":".join([mark] * 32), card.certificate_sha256)
    return text


def _agree(_: Giving) -> str:
    return ""
