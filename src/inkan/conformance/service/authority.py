"""The certificates of the kit's platform: one root that the test instance trusts, and signers good and bad below it."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import Final, Self

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from inkan.client.durable_file import FileExists, read_file, replace_file
from inkan.conformance.model import ReportKeyWrong
from inkan.crypto import oids
from inkan.crypto.keys import KeySpec, generate, load_private, private_der
from inkan.kernel.clock import Clock
from inkan.kernel.errors import InkanError
from inkan.kernel.ids import random_bytes
from inkan.kernel.sensitive import Secret

ROOT_LIFE: Final = timedelta(days=365)
DAY: Final = timedelta(days=1)
_KEY_FILE: Final = "root.key"
_WEBHOOK_FILE: Final = "webhook.key"
_CERTIFICATE_FILE: Final = "root.cer"
_ROOT_NAME: Final = "Inkan conformance kit: for tests only"


@dataclass(frozen=True)
class Signer:
    """A key and its certificate (DER)."""

    key: EllipticCurvePrivateKey
    der: bytes


class KitRoot:
    """The root of one kit; the relying party's test instance is configured with its certificate, and nothing else is."""

    def __init__(
        self,
        key: EllipticCurvePrivateKey,
        der: bytes,
        *,
        webhook: EllipticCurvePrivateKey,
        clock: Clock,
    ) -> None:
        """Hold the root's key and certificate (DER), and the key of webhooks: relying parties remember it."""
        self.key = key
        self.der = der
        self.webhook = webhook
        self._clock = clock

    @classmethod
    def made(cls, clock: Clock) -> Self:
        """A new root, for a year."""
        key, now = new_key(), clock.wire_now()
        name = _name(_ROOT_NAME)
        builder = _builder(name, name, key, now - DAY, now + ROOT_LIFE)
        builder = builder.add_extension(
            x509.BasicConstraints(ca=True, path_length=0), critical=True
        )
        builder = builder.add_extension(_usage(is_ca=True), critical=True)
        return cls(key, _signed(builder, key), webhook=new_key(), clock=clock)

    @classmethod
    def prepared(cls, folder: Path, clock: Clock) -> Self:
        """A new root, kept in ``folder`` (made where it is missing) as ``root.cer`` and two keys.

        Raises:
            FileExists: the folder holds one.
        """
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if (folder / _KEY_FILE).exists():
            raise FileExists(str(folder / _KEY_FILE))
        root = cls.made(clock)
        replace_file(folder / _CERTIFICATE_FILE, root.der)
        replace_file(folder / _WEBHOOK_FILE, private_der(root.webhook).reveal())
        replace_file(folder / _KEY_FILE, private_der(root.key).reveal())
        return root

    @classmethod
    def kept(cls, folder: Path, clock: Clock) -> Self:
        """The root that ``folder`` keeps.

        Raises:
            FileMissing: it keeps none.
            ReportKeyWrong: the key is none.
        """
        key = p256(read_file(folder / _KEY_FILE))
        webhook = p256(read_file(folder / _WEBHOOK_FILE))
        return cls(key, read_file(folder / _CERTIFICATE_FILE), webhook=webhook, clock=clock)

    @cached_property
    def receipts(self) -> Signer:
        """The good one."""
        return self.issue("Receipts", policy=oids.POLICY_RECEIPT)

    @cached_property
    def expired(self) -> Signer:
        """A signer of receipts whose term ended an hour ago."""
        ended = self._clock.wire_now() - timedelta(hours=1)
        return self.issue("Former receipts", policy=oids.POLICY_RECEIPT, not_after=ended)

    @cached_property
    def phone(self) -> Signer:
        """A certificate of a phone: genuine, and for something else."""
        return self.issue("A phone", policy=oids.POLICY_PHONE_AUTH)

    def issue(self, name: str, *, policy: str, not_after: datetime | None = None) -> Signer:
        """A certificate for signatures under this root; it begins a day ago."""
        key, now = new_key(), self._clock.wire_now()
        builder = _builder(
            _name(name), _name(_ROOT_NAME), key, now - DAY, not_after or now + 30 * DAY
        )
        builder = builder.add_extension(
            x509.BasicConstraints(ca=False, path_length=None), critical=True
        )
        builder = builder.add_extension(_usage(is_ca=False), critical=True)
        issuer_key = x509.AuthorityKeyIdentifier.from_issuer_public_key(self.key.public_key())
        builder = builder.add_extension(issuer_key, critical=False)
        row = x509.PolicyInformation(x509.ObjectIdentifier(policy), None)
        builder = builder.add_extension(x509.CertificatePolicies([row]), critical=False)
        return Signer(key, _signed(builder, self.key))


def new_key() -> EllipticCurvePrivateKey:
    """A P-256 key."""
    key = generate(KeySpec.P256)
    assert isinstance(key, EllipticCurvePrivateKey)
    return key


def p256(pkcs8: bytes) -> EllipticCurvePrivateKey:
    """The P-256 key of an unencrypted PKCS #8 structure (DER).

    Raises:
        ReportKeyWrong: none, or another kind.
    """
    try:
        key = load_private(Secret(pkcs8))
    except InkanError as wrong:
        raise ReportKeyWrong(str(wrong)) from None
    if not isinstance(key, EllipticCurvePrivateKey) or key.curve.name != "secp256r1":
        raise ReportKeyWrong("a P-256 key is expected")
    return key


def _name(common: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common)])


def _builder(
    subject: x509.Name,
    issuer: x509.Name,
    key: EllipticCurvePrivateKey,
    begins: datetime,
    ends: datetime,
) -> x509.CertificateBuilder:
    serial = int.from_bytes(random_bytes(16)) | 1
    builder = x509.CertificateBuilder(issuer, subject, key.public_key(), serial)
    builder = builder.not_valid_before(begins).not_valid_after(ends)
    return builder.add_extension(
        x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False
    )


def _usage(*, is_ca: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not is_ca,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=is_ca,
        crl_sign=is_ca,
        encipher_only=False,
        decipher_only=False,
    )


def _signed(builder: x509.CertificateBuilder, key: EllipticCurvePrivateKey) -> bytes:
    return builder.sign(key, SHA256()).public_bytes(Encoding.DER)
