"""Orders of certificates for tests that have no world."""

from datetime import timedelta
from typing import Any

from inkan.crypto.keys import spki_der
from inkan.kernel.clock import Clock
from inkan.kernel.sensitive import Personal
from inkan.pki import CertificateOrder, SubjectName
from support.keyring import rsa_key


def order_of(number: int, clock: Clock, **bent: Any) -> CertificateOrder:
    """An order of a card's signature certificate for 300 days, or of anything else."""
    name = SubjectName(common_name=Personal("陳怡君"), serial_number="1234567890123456")
    return CertificateOrder(
        **{
            "order_key": f"order:{number}",
            "profile": "card-sign",
            "owner": f"owner-{number}",
            "subject": name,
            "spki": spki_der(rsa_key(number).public_key()),
            "not_after": clock.now().replace(microsecond=0) + timedelta(days=300),
        }
        | bent
    )
