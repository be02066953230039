"""The structural gate: what a certificate says, and one negative test for each step of the plan."""

import hashlib
import subprocess
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from asn1crypto import algos as asn1_algos
from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256, SHA384
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import AuthorityInformationAccessOID as Access
from cryptography.x509.oid import ExtendedKeyUsageOID
from hypothesis import given
from hypothesis import strategies as st

from inkan.crypto import certificates, keys, names, oids
from inkan.crypto.certificates import CertificateMalformed, CertificateTooLarge
from inkan.crypto.keys import KeySpec
from inkan.crypto.phone_binding import (
    PhoneBinding,
    PhoneBindingMalformed,
    encode_phone_binding,
    parse_phone_binding,
)
from inkan.kernel.errors import InkanError

CA_KEY = keys.generate(KeySpec.P256)
KEY = keys.generate(KeySpec.P256)
ISSUER = names.build_name([("C", "TW"), ("O", "Inkan"), ("CN", "Phone CA")])
SUBJECT = names.build_name([("C", "TW"), ("CN", "陳筱玲"), ("serialNumber", "ps7a2b")])
START = datetime(2026, 1, 1, tzinfo=UTC)
SHA256_WITH_RSA = bytes.fromhex("2a864886f70d01010b")
SHA1_WITH_RSA = bytes.fromhex("2a864886f70d010105")
END = datetime(2026, 12, 31, 23, 59, 59, tzinfo=UTC)
BINDING = PhoneBinding(hashlib.sha256(b"credential").digest(), "bnd_abc")

Rows = dict[type[x509.ExtensionType] | str, tuple[x509.ExtensionType, bool]]


def usage(*bits: str) -> x509.KeyUsage:
    fields = ("digital_signature", "content_commitment", "key_encipherment", "data_encipherment")
    fields += ("key_agreement", "key_cert_sign", "crl_sign", "encipher_only", "decipher_only")
    return x509.KeyUsage(**{name: name in bits for name in fields})


def holder_rows() -> Rows:
    uri = x509.UniformResourceIdentifier
    point = x509.DistributionPoint([uri("http://ca/7.crl")], None, None, None)
    access = [
        x509.AccessDescription(Access.OCSP, uri("http://ca/ocsp")),
        x509.AccessDescription(Access.CA_ISSUERS, uri("http://ca/phone.cer")),
    ]
    policy = x509.PolicyInformation(x509.ObjectIdentifier(oids.POLICY_PHONE_AUTH), None)
    values: list[tuple[x509.ExtensionType, bool]] = [
        (usage("digital_signature"), True),
        (x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]), False),
        (x509.CertificatePolicies([policy]), False),
        (x509.SubjectKeyIdentifier.from_public_key(KEY.public_key()), False),
        (x509.AuthorityKeyIdentifier.from_issuer_public_key(CA_KEY.public_key()), False),
        (x509.CRLDistributionPoints([point]), False),
        (x509.AuthorityInformationAccess(access), False),
    ]
    rows: Rows = {type(value): (value, critical) for value, critical in values}
    binding = x509.ObjectIdentifier(oids.PHONE_BINDING)
    rows["binding"] = (x509.UnrecognizedExtension(binding, encode_phone_binding(BINDING)), False)
    return rows


def ca_rows() -> Rows:
    rows = holder_rows()
    for kind in (x509.ExtendedKeyUsage, "binding"):
        del rows[kind]
    rows[x509.KeyUsage] = (usage("key_cert_sign", "crl_sign"), True)
    rows[x509.BasicConstraints] = (x509.BasicConstraints(ca=True, path_length=0), True)
    return rows


def issue(
    rows: Rows | None = None,
    *,
    subject: x509.Name = SUBJECT,
    issuer: x509.Name = ISSUER,
    public: Any = None,
    serial: int = 0x1234,
    term: tuple[datetime, datetime] = (START, END),
    signer: Any = CA_KEY,
    **options: Any,
) -> bytes:
    """DER of a certificate with these extensions; the signer's digest and padding may be chosen."""
    builder = x509.CertificateBuilder(issuer, subject, public or KEY.public_key(), serial, *term)
    for extension, critical in (holder_rows() if rows is None else rows).values():
        builder = builder.add_extension(extension, critical=critical)
    algorithm = options.pop("algorithm", SHA256())
    return builder.sign(signer, algorithm, **options).public_bytes(Encoding.DER)


GOOD = issue()


def with_rows(make: Callable[[], Rows] = holder_rows, **changes: Any) -> bytes:
    """The good certificate with extensions replaced (a pair) or left out (None), by class name."""
    rows = {kind if isinstance(kind, str) else kind.__name__: row for kind, row in make().items()}
    rows.update(changes)
    return issue({name: row for name, row in rows.items() if row is not None})


def with_inner(change: Callable[[asn1_x509.TbsCertificate], None]) -> bytes:
    """The good certificate with its signed part edited; the gate looks at no signature."""
    certificate = asn1_x509.Certificate.load(GOOD)
    change(certificate["tbs_certificate"])
    return certificate.dump(force=True)


def set_serial(value: int) -> bytes:
    return with_inner(lambda tbs: tbs.__setitem__("serial_number", value))


def with_algorithm(algorithm: asn1_algos.SignedDigestAlgorithm) -> bytes:
    """The good certificate that names another signature algorithm, inside and outside alike."""
    certificate = asn1_x509.Certificate.load(GOOD)
    certificate["tbs_certificate"]["signature"] = algorithm
    certificate["signature_algorithm"] = algorithm
    return certificate.dump(force=True)


def pss_with_sha1() -> bytes:
    parameters = asn1_algos.RSASSAPSSParams({"hash_algorithm": {"algorithm": "sha1"}})
    algorithm = {"algorithm": "rsassa_pss", "parameters": parameters}
    return with_algorithm(asn1_algos.SignedDigestAlgorithm(algorithm))


def dsa_with_sha256() -> bytes:
    return with_algorithm(asn1_algos.SignedDigestAlgorithm({"algorithm": "sha256_dsa"}))


# --- what a good one says -----------------------------------------------------------------------------


def test_a_holders_certificate_says_what_it_holds() -> None:
    certificate = certificates.parse_certificate(GOOD)
    assert certificate.der == GOOD
    assert certificate.sha256 == certificates.thumbprint(GOOD) == hashlib.sha256(GOOD).digest()
    assert certificate.serial == 0x1234
    assert (certificate.subject, certificate.issuer) == (SUBJECT, ISSUER)
    assert (certificate.common_name, certificate.subject_serial) == ("陳筱玲", "ps7a2b")
    assert (certificate.not_before, certificate.not_after) == (START, END)
    assert certificate.public_key == KEY.public_key()
    assert certificate.spki_sha256 == keys.spki_sha256(KEY.public_key())
    assert not certificate.is_ca
    assert certificate.key_usage == {"digitalSignature"}
    assert certificate.extended_key_usage == {"1.3.6.1.5.5.7.3.2"}
    assert certificate.policies == {oids.POLICY_PHONE_AUTH}
    assert certificate.ocsp_urls == ("http://ca/ocsp",)
    assert certificate.issuer_urls == ("http://ca/phone.cer",)
    assert certificate.crl_urls == ("http://ca/7.crl",)
    assert certificate.phone_binding == BINDING
    assert len(certificate.subject_key_id or b"") == len(certificate.authority_key_id or b"") == 20


def test_what_is_missing_is_empty() -> None:
    aki = holder_rows()[x509.AuthorityKeyIdentifier]
    bare = certificates.parse_certificate(
        issue({"aki": aki}, subject=names.build_name([("C", "TW")]))
    )
    assert (bare.common_name, bare.subject_serial, bare.subject_key_id) == (None, None, None)
    assert bare.key_usage == bare.extended_key_usage == bare.policies == frozenset()
    assert bare.ocsp_urls == bare.issuer_urls == bare.crl_urls == ()
    assert bare.phone_binding is bare.find_extension(oids.PHONE_BINDING) is None


@pytest.mark.parametrize("spec", KeySpec)
def test_an_authority_of_any_kind_of_key_passes(spec: KeySpec) -> None:
    key = keys.generate(spec)
    options = {"subject": ISSUER, "public": key.public_key(), "signer": key}
    root = certificates.parse_certificate(issue(ca_rows(), **options))
    assert root.is_ca
    assert root.key_usage == {"keyCertSign", "cRLSign"}
    rows = ca_rows()
    del rows[x509.AuthorityKeyIdentifier]  # a self-issued one needs none
    assert certificates.parse_certificate(issue(rows, **options)).authority_key_id is None


@pytest.mark.parametrize(
    "options",
    [
        {"algorithm": SHA384()},
        {"signer": keys.generate(KeySpec.RSA2048)},
        {
            "signer": keys.generate(KeySpec.RSA2048),
            "rsa_padding": padding.PSS(padding.MGF1(SHA256()), 32),
        },
    ],
    ids=["ECDSA with SHA-384", "RSA PKCS #1", "RSA PSS"],
)
def test_other_admitted_signature_algorithms_pass(options: dict[str, Any]) -> None:
    assert certificates.parse_certificate(issue(**options)).serial == 0x1234


@pytest.mark.pki
def test_openssl_reads_the_same_certificate(tmp_path: Path) -> None:
    path = tmp_path / "phone.cer"
    path.write_bytes(GOOD)
    command = [
        "openssl",
        "x509",
        "-inform",
        "DER",
        "-in",
        str(path),
        "-noout",
        "-text",
        "-nameopt",
        "utf8",
    ]
    text = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    for expected in ("CN=陳筱玲", "Digital Signature", oids.POLICY_PHONE_AUTH, oids.PHONE_BINDING):
        assert expected in text.replace("CN = ", "CN=")


# --- one refusal for each step ------------------------------------------------------------------------

SKI = x509.SubjectKeyIdentifier.from_public_key(KEY.public_key())
UNKNOWN = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4"), b"\x05\x00")
NO_CA = x509.BasicConstraints(ca=False, path_length=None)
CA = x509.BasicConstraints(ca=True, path_length=0)
OTHER_CURVE = ec.generate_private_key(ec.SECP256K1()).public_key()
SMALL = rsa.generate_private_key(65537, 1024).public_key()

REFUSED: dict[str, Callable[[], bytes]] = {
    "1 nothing": lambda: b"",
    "1 truncated": lambda: GOOD[:-1],
    "1 bytes after it": lambda: GOOD + b"\0",
    "1 PEM": lambda: b"-----BEGIN CERTIFICATE-----\n",
    "1 indefinite length": lambda: b"\x30\x80" + GOOD[4:] + b"\0\0",
    "1 long length": lambda: b"\x30\x83\x00" + GOOD[2:],
    "1 version 1": lambda: with_inner(lambda tbs: tbs.__setitem__("version", "v1")),
    "1 version 2": lambda: GOOD.replace(bytes.fromhex("a003020102"), bytes.fromhex("a003020101"), 1),
    "1 an extension twice": lambda: GOOD.replace(bytes.fromhex("551d23"), bytes.fromhex("551d0e")),
    "1 an extension that cannot be read": lambda: with_rows(
        KeyUsage=(x509.UnrecognizedExtension(x509.ObjectIdentifier("2.5.29.15"), b"\x05\x00"), True)
    ),
    "1 a name that is no UTF-8": lambda: GOOD.replace("陳".encode(), b"\xff\xff\xff"),
    "1 a country in control characters": lambda: GOOD.replace(b"\x13\x02TW", b"\x13\x02\x01\x02"),
    "2 serial 0": lambda: set_serial(0),
    "2 negative serial": lambda: set_serial(-5),
    "2 serial of 21 octets": lambda: set_serial(2**159),
    "3 SHA-1": lambda: issue(signer=keys.generate(KeySpec.RSA2048)).replace(
        SHA256_WITH_RSA, SHA1_WITH_RSA
    ),
    "3 PSS with SHA-1": pss_with_sha1,
    "3 DSA with SHA-256": dsa_with_sha256,
    "3 Ed25519": lambda: issue(signer=ed25519.Ed25519PrivateKey.generate(), algorithm=None),
    "3 another algorithm inside": lambda: GOOD.replace(
        bytes.fromhex("2a8648ce3d040302"), bytes.fromhex("2a8648ce3d040303"), 1
    ),
    "3 an unknown algorithm": lambda: GOOD.replace(
        bytes.fromhex("2a8648ce3d040302"), bytes.fromhex("2a8648ce3d04037f")
    ),
    "4 no issuer": lambda: issue(issuer=x509.Name([])),
    "4 a term that ends before it begins": lambda: with_inner(
        lambda tbs: tbs["validity"].__setitem__(
            "not_before", asn1_x509.Time({"utc_time": END + timedelta(seconds=1)})
        )
    ),
    "5 RSA with 1024 bits": lambda: issue(public=SMALL),
    "5 another curve": lambda: issue(public=OTHER_CURVE),
    "5 Ed25519 key": lambda: issue(public=ed25519.Ed25519PrivateKey.generate().public_key()),
    "5 a point off the curve": lambda: with_inner(
        lambda tbs: tbs["subject_public_key_info"].__setitem__("public_key", b"\x04" + bytes(63) + b"\x01")
    ),
    "6 an unknown critical extension": lambda: with_rows(extra=(UNKNOWN, True)),
    "6 the binding marked critical": lambda: with_rows(
        binding=(holder_rows()["binding"][0], True)
    ),
    "7 a CA without keyCertSign": lambda: with_rows(ca_rows, KeyUsage=(usage("crl_sign"), True)),
    "7 a CA without key usage": lambda: with_rows(ca_rows, KeyUsage=None),
    "7 a holder with keyCertSign": lambda: with_rows(KeyUsage=(usage("key_cert_sign"), True)),
    "7 no CA with keyCertSign": lambda: with_rows(ca_rows, BasicConstraints=(NO_CA, True)),
    "7 constraints that are not critical": lambda: with_rows(ca_rows, BasicConstraints=(CA, False)),
    "7 a CA without SubjectKeyIdentifier": lambda: with_rows(ca_rows, SubjectKeyIdentifier=None),
    "7 a CA without a name": lambda: issue(ca_rows(), subject=x509.Name([])),
    "8 no AuthorityKeyIdentifier": lambda: with_rows(AuthorityKeyIdentifier=None),
    "8 one without a key identifier": lambda: with_rows(
        AuthorityKeyIdentifier=(
            x509.AuthorityKeyIdentifier(None, [x509.DirectoryName(ISSUER)], 7),
            False,
        )
    ),
}  # fmt: skip


@pytest.mark.parametrize("departure", REFUSED)
def test_each_step_of_the_plan_refuses(departure: str) -> None:
    der = REFUSED[departure]()
    assert der != GOOD
    with pytest.raises(CertificateMalformed):
        certificates.parse_certificate(der)


def test_version_1_is_refused_as_such() -> None:
    with pytest.raises(CertificateMalformed, match="version 3"):
        certificates.parse_certificate(REFUSED["1 version 1"]())


@pytest.mark.filterwarnings("ignore:Parsed a serial number")
@pytest.mark.parametrize("serial", [0, -5])
def test_serials_below_one_are_refused_where_the_library_only_warns(serial: int) -> None:
    with pytest.raises(CertificateMalformed, match="serial number is not positive"):
        certificates.parse_certificate(set_serial(serial))


def test_an_unknown_extension_that_is_not_critical_passes() -> None:
    der = with_rows(extra=(UNKNOWN, False))
    assert certificates.parse_certificate(der).find_extension("1.2.3.4") == b"\x05\x00"


def test_an_oversized_certificate_is_not_parsed() -> None:
    with pytest.raises(CertificateTooLarge):
        certificates.parse_certificate(b"\xff" * (certificates.CERTIFICATE_LIMIT + 1))


FIELDS = [
    name for name, value in vars(certificates.Certificate).items() if hasattr(value, "attrname")
]


@given(
    st.binary(max_size=60)
    | st.integers(0, len(GOOD) - 1).flatmap(
        lambda at: st.binary(min_size=1, max_size=3).map(
            lambda b: GOOD[:at] + b + GOOD[at + len(b) :]
        )
    )
)
def test_any_bytes_are_a_readable_certificate_or_a_refusal(der: bytes) -> None:
    """Nothing but a refusal comes out, neither from the gate nor from a field of what passed it."""
    try:
        certificate = certificates.parse_certificate(der)
    except InkanError:
        return
    for field in FIELDS:
        try:
            getattr(certificate, field)
        except PhoneBindingMalformed:
            assert field == "phone_binding"


def test_the_fields_of_the_property_above_are_all_of_them() -> None:
    assert {"subject", "policies", "crl_urls", "phone_binding", "spki_sha256"} <= set(FIELDS)


# --- the binding extension ----------------------------------------------------------------------------


def test_the_binding_has_one_encoding() -> None:
    value = encode_phone_binding(BINDING)
    assert value.hex() == (
        "302b0420" + hashlib.sha256(b"credential").hexdigest() + "0c07" + b"bnd_abc".hex()
    )
    assert parse_phone_binding(value) == BINDING


@pytest.mark.parametrize(
    "binding",
    [
        PhoneBinding(bytes(31), "b"),
        PhoneBinding(bytes(33), "b"),
        PhoneBinding(bytes(32), ""),
        PhoneBinding(bytes(32), "b" * 65),
        PhoneBinding(bytes(32), "é"),
    ],
)
def test_bindings_outside_the_format_are_not_written(binding: PhoneBinding) -> None:
    with pytest.raises(PhoneBindingMalformed):
        encode_phone_binding(binding)


@given(
    st.binary(max_size=60)
    | st.integers(0, 44).flatmap(
        lambda at: st.binary(max_size=2).map(
            lambda b: (
                encode_phone_binding(BINDING)[:at] + b + encode_phone_binding(BINDING)[at + 1 :]
            )
        )
    )
)
def test_any_bytes_are_a_binding_in_its_one_encoding_or_a_refusal(value: bytes) -> None:
    try:
        binding = parse_phone_binding(value)
    except PhoneBindingMalformed:
        return
    assert encode_phone_binding(binding) == value


def test_a_certificate_with_a_foreign_binding_says_so() -> None:
    foreign = x509.UnrecognizedExtension(x509.ObjectIdentifier(oids.PHONE_BINDING), b"\x05\x00")
    certificate = certificates.parse_certificate(with_rows(binding=(foreign, False)))
    with pytest.raises(PhoneBindingMalformed):
        _ = certificate.phone_binding


# --- the table of object identifiers ------------------------------------------------------------------


def test_every_identifier_of_the_arc_has_its_own_number_and_meaning() -> None:
    given_away = [
        v for n, v in vars(oids).items() if n.isupper() and isinstance(v, str) and n != "ARC"
    ]
    own = [oid for oid in given_away if oid != oids.ANY_POLICY]
    assert len(own) == len(set(own))
    assert set(own) == set(oids.MEANINGS)
    assert all(oid.startswith(f"{oids.ARC}.") for oid in own)
    assert set(oids.POLICIES.values()) <= {*oids.MEANINGS, oids.ANY_POLICY}
