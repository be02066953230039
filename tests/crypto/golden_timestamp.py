"""A token with fixed keys, time and serial number: ``PYTHONPATH=src:tests python tests/crypto/golden_timestamp.py`` writes it.

ECDSA signs deterministically (RFC 6979), so it comes out the same on every machine.
"""

import hashlib
import json
from datetime import UTC, datetime
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from inkan.crypto import oids
from inkan.crypto.tsp import ImprintDigest, build_request, parse_request
from inkan.crypto.tsp_response import TokenMaker

FILE = Path(__file__).parents[1] / "vectors" / "crypto" / "timestamp.json"
AT = datetime(2026, 11, 21, 22, 55, 4, 250_000, tzinfo=UTC)
SERIAL = 0x4000000007_0123456789ABCDEF_00000001
USAGES = (
    "content_commitment",
    "key_encipherment",
    "data_encipherment",
    "key_agreement",
    "key_cert_sign",
    "crl_sign",
    "encipher_only",
    "decipher_only",
)


def _key(label: bytes) -> ec.EllipticCurvePrivateKey:
    return ec.derive_private_key(int.from_bytes(hashlib.sha256(label).digest()), ec.SECP256R1())


def _certificate(key: ec.EllipticCurvePrivateKey) -> bytes:
    def name(text: str) -> x509.Name:
        return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])

    usage = x509.KeyUsage(digital_signature=True, **dict.fromkeys(USAGES, False))
    purpose = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.TIME_STAMPING])
    builder = (
        x509.CertificateBuilder()
        .subject_name(name("Golden TSA"))
        .issuer_name(name("Golden CA"))
        .public_key(key.public_key())
        .serial_number(2**64 + 3)
        .not_valid_before(datetime(2026, 1, 1, tzinfo=UTC))
        .not_valid_after(datetime(2031, 1, 1, tzinfo=UTC))
        .add_extension(x509.AuthorityKeyIdentifier(bytes(20), None, None), critical=False)
        .add_extension(usage, critical=True)
        .add_extension(purpose, critical=True)
    )
    signed = builder.sign(_key(b"golden CA"), SHA256(), ecdsa_deterministic=True)
    return signed.public_bytes(Encoding.DER)


def build() -> dict[str, str]:
    """Every input and the token, as texts."""
    key = _key(b"golden TSA")
    certificate = _certificate(key)
    request = build_request(
        hashlib.sha384(b"golden").digest(), digest=ImprintDigest.SHA384, nonce=2**64 - 59
    )
    algorithm = ec.ECDSA(SHA256(), deterministic_signing=True)
    maker = TokenMaker(
        chain=[certificate],
        policy=oids.TIMESTAMP_POLICY,
        accuracy_ms=1250,
        sign=lambda data: key.sign(data, algorithm),
    )
    token = maker.make(parse_request(request), serial=SERIAL, at=AT)
    return {
        "origin": "made by the Inkan project",
        "licence": "Apache-2.0",
        "at": AT.isoformat(),
        "serial": f"{SERIAL:x}",
        "accuracy_ms": "1250",
        "policy": oids.TIMESTAMP_POLICY,
        "certificate": certificate.hex(),
        "request": request.hex(),
        "token": token.hex(),
    }


if __name__ == "__main__":
    FILE.parent.mkdir(exist_ok=True)
    FILE.write_text(json.dumps(build(), indent=1) + "\n", encoding="utf-8")
