"""Path validation: four certificates over a bridge, with a list for each authority, the leaf's a shard of ordinary size.

The shard has 1,465 entries (2 % of 75 million certificates in 1,024 shards). "Fresh" reads and verifies everything
anew; "cached" is the SDK's verifier (`inkan.client.PathVerifier`) that has seen authorities and lists before, with
the same holder and with another one each time. The hostile figure is the worst of several meshes and piles of
namesakes. CPU time of one call, median. Peers: pyhanko-certvalidator with the same certificates and lists, and what
the signatures alone cost.
"""

import asyncio
import statistics
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

from asn1crypto import crl as asn1_crl
from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID
from pyhanko_certvalidator import CertificateValidator, ValidationContext

from inkan.client import PathVerifier
from inkan.crypto.validation.settings import Evidence, Material, Require, Settings
from inkan.crypto.validation.validator import validate
from inkan.crypto.validation.verdict import Reason

Row = tuple[str, str, float, float | str | None, str]

AT = datetime(2026, 11, 21, 12, tzinfo=UTC)
DAY = timedelta(days=1)
ENTRIES = 1465
ROUNDS = 60
OTHERS = 200


class Authority:
    """A name and a key that sign certificates and lists."""

    def __init__(self, text: str) -> None:
        self.name = _name(text)
        self.key = ec.generate_private_key(ec.SECP256R1())
        self._serial = 2**70

    def certify(self, name: x509.Name, key: ec.EllipticCurvePrivateKey, *, ca: bool) -> bytes:
        """The DER certificate of a name and a key."""
        self._serial += 1
        fields = ("digital_signature", "content_commitment", "key_encipherment")
        fields += ("data_encipherment", "key_agreement", "encipher_only", "decipher_only")
        usage = dict.fromkeys(fields, False) | {"key_cert_sign": ca, "crl_sign": ca}
        usage["digital_signature"] = not ca
        identify = x509.SubjectKeyIdentifier.from_public_key
        issuer = x509.AuthorityKeyIdentifier.from_issuer_public_key(self.key.public_key())
        builder = (
            x509.CertificateBuilder(
                self.name, name, key.public_key(), self._serial, AT - DAY, AT + DAY
            )
            .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
            .add_extension(x509.KeyUsage(**usage), critical=True)
            .add_extension(identify(key.public_key()), critical=False)
            .add_extension(issuer, critical=False)
        )
        return builder.sign(self.key, SHA256()).public_bytes(Encoding.DER)

    def crl(self, entries: int) -> bytes:
        """A DER list."""
        builder = x509.CertificateRevocationListBuilder(self.name, AT - DAY, AT + DAY)
        issuer = x509.AuthorityKeyIdentifier.from_issuer_public_key(self.key.public_key())
        builder = builder.add_extension(issuer, critical=False)
        builder = builder.add_extension(x509.CRLNumber(1), critical=False)
        for serial in range(2**120, 2**120 + entries):
            entry = x509.RevokedCertificateBuilder(serial, AT - DAY)
            builder = builder.add_revoked_certificate(entry.build())
        return builder.sign(self.key, SHA256()).public_bytes(Encoding.DER)


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def figures() -> Iterator[Row]:
    """Fresh, cached and hostile."""
    a, hub, b = Authority("A"), Authority("Bridge"), Authority("B")
    root = a.certify(a.name, a.key, ca=True)
    known = [a.certify(hub.name, hub.key, ca=True), hub.certify(b.name, b.key, ca=True)]
    key = ec.generate_private_key(ec.SECP256R1())
    holders = [b.certify(_name(f"Holder {row}"), key, ca=False) for row in range(OTHERS)]
    crls = [a.crl(3), hub.crl(3), b.crl(ENTRIES)]
    material = Material(known=known, crls=crls)
    settings = Settings(anchors=(root,), at=AT, require=Require(evidence=Evidence.CRL))
    assert validate(holders[0], material, settings).reason is Reason.OK

    theirs = _ms(lambda: _certvalidator(root, known, holders[0], crls), rounds=15)
    fresh = _ms(lambda: validate(holders[0], material, settings))
    signatures = validate(holders[0], material, settings).signatures
    raw = signatures * _verification_ms()
    yield (
        "four certificates, shard of 1,465 entries, fresh",
        "ms",
        fresh,
        "<= 20",
        f"{signatures} signatures cost {raw:.2f} ms; pyhanko-certvalidator {theirs:.1f} ms",
    )
    verifier = PathVerifier([root], known=known, require=Require(evidence=Evidence.CRL))

    def cached(holder: bytes) -> None:
        assert verifier.verify(holder, at=AT, crls=crls).reason is Reason.OK

    cached(holders[0])
    yield ("the same, cached", "ms", _ms(lambda: cached(holders[0])), "<= 1", "SDK's verifier")
    rest = iter(holders[1:])
    yield (
        "another holder, authorities and lists cached",
        "ms",
        _ms(lambda: cached(next(rest)), rounds=OTHERS - 1),
        "<= 1",
        "reads one certificate, verifies one signature",
    )
    yield ("hostile chains, the worst", "ms", _hostile_ms(a, root), "<= 1000", "bounded by counts")


def _certvalidator(root: bytes, known: list[bytes], holder: bytes, crls: list[bytes]) -> None:
    load = asn1_x509.Certificate.load
    context = ValidationContext(
        trust_roots=[load(root)],
        other_certs=[load(der) for der in known],
        moment=AT,
        crls=[asn1_crl.CertificateList.load(der) for der in crls],
        revocation_mode="require",
        allow_fetching=False,
    )
    validator = CertificateValidator(load(holder), validation_context=context)
    asyncio.run(validator.async_validate_path())


def _hostile_ms(anchor: Authority, root: bytes) -> float:
    nodes = [Authority(f"Node {row}") for row in range(8)]
    mesh = [
        issuer.certify(subject.name, subject.key, ca=True)
        for issuer in nodes
        for subject in nodes
        if issuer is not subject
    ]
    stranger = Authority("A")
    namesakes = [anchor.certify(stranger.name, Authority("A").key, ca=True) for _ in range(64)]
    curve = ec.generate_private_key(ec.SECP521R1())
    slow = [
        anchor.certify(_name("Slow"), ec.generate_private_key(ec.SECP521R1()), ca=True)
        for _ in range(64)
    ]
    dear = Authority("Slow")
    settings = Settings(anchors=(root,), at=AT, require=Require(evidence=Evidence.NONE))
    cases = [
        (nodes[0].certify(_name("x"), nodes[0].key, ca=False), mesh),
        (stranger.certify(_name("x"), nodes[0].key, ca=False), namesakes),
        (dear.certify(_name("x"), curve, ca=False), slow),
    ]
    return max(
        _ms(lambda: validate(leaf, Material(known=pile), settings), rounds=3)  # noqa: B023
        for leaf, pile in cases
    )


def _verification_ms() -> float:
    key = ec.generate_private_key(ec.SECP256R1())
    public, signature = key.public_key(), key.sign(b"x", ec.ECDSA(SHA256()))
    return _ms(lambda: public.verify(signature, b"x", ec.ECDSA(SHA256())), rounds=200)


def _ms(call: Callable[[], object], *, rounds: int = ROUNDS) -> float:
    times = []
    for _ in range(rounds):
        start = time.process_time_ns()
        call()
        times.append(time.process_time_ns() - start)
    return statistics.median(times) / 1e6
