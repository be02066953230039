"""A fixed certificate as source 004 pictures it (004:69-80), with the other names of a Japanese signature certificate.

``python tests/pki/golden_certificate.py`` prints a new one; it differs in key and signature. Nobody in it exists, and
its keys were thrown away.
"""

import base64
from datetime import UTC, datetime

from asn1crypto import core
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

FACTS = {
    "1.2.392.200149.8.5.5.1": "公的 一郎",
    "1.2.392.200149.8.5.5.3": "1",
    "1.2.392.200149.8.5.5.4": "319771107",
    "1.2.392.200149.8.5.5.5": "東京都港区虎ノ門5丁目",
}
DER = base64.b64decode(
    """
MIIB2jCCAYCgAwIBAgIEB1vNFTAKBggqhkjOPQQDAjAnMQswCQYDVQQGEwJKUDEYMBYGA1UEAwwP
5p2x5Lqs6YO955+l5LqLMB4XDTA0MDQwMTAxMDAwMFoXDTA3MDMzMTE0NTk1OVowMjELMAkGA1UE
BhMCSlAxIzAhBgNVBAMMGjIwMDQwNDAxMDkwMDAwMDAwMDAwMDAwMDAxMFkwEwYHKoZIzj0CAQYI
KoZIzj0DAQcDQgAEa+c836WfCNOIy2ExCglgdDYNTne+xBTirzjzivI3uXyxOX7upT6gx73stav5
oSUjvIZsLCrN/V9UiJf4CjJV5aOBjjCBizCBiAYDVR0RBIGAMH6gHQYKKoMIjJtVCAUFAaAPDA3l
haznmoQg5LiA6YOOoBEGCiqDCIybVQgFBQOgAwwBMaAZBgoqgwiMm1UIBQUEoAsMCTMxOTc3MTEw
N6AvBgoqgwiMm1UIBQUFoCEMH+adseS6rOmDvea4r+WMuuiZjuODjumWgDXkuIHnm64wCgYIKoZI
zj0EAwIDSAAwRQIhAMnZcz2PlhvV+CIYkB2JXIaqCDfhJcigjauuJGd/aewDAiAKrctNWkzON8Cp
9YA0pIAh0HXAGgYNR8xz0KOsGJpwxw==
"""
)


def build() -> bytes:
    """The certificate with new keys."""
    names = [
        x509.OtherName(x509.ObjectIdentifier(oid), core.UTF8String(text).dump())
        for oid, text in FACTS.items()
    ]
    return (
        x509.CertificateBuilder(
            issuer_name=_name("東京都知事"),
            subject_name=_name("20040401090000000000000001"),
            public_key=ec.generate_private_key(ec.SECP256R1()).public_key(),
            serial_number=0x075BCD15,
            not_valid_before=datetime(2004, 4, 1, 1, 0, 0, tzinfo=UTC),
            not_valid_after=datetime(2007, 3, 31, 14, 59, 59, tzinfo=UTC),
        )
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .sign(ec.generate_private_key(ec.SECP256R1()), SHA256())
        .public_bytes(Encoding.DER)
    )


def _name(common: str) -> x509.Name:
    return x509.Name(
        [
            x509.NameAttribute(NameOID.COUNTRY_NAME, "JP"),
            x509.NameAttribute(NameOID.COMMON_NAME, common),
        ]
    )


if __name__ == "__main__":
    print(base64.encodebytes(build()).decode())
