"""The structural gate: one negative test for each step of the plan."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from asn1crypto import algos as asn1_algos
from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from hypothesis import given
from hypothesis import strategies as st

from crypto.specimens import END, GOOD, ISSUER, KEY, ca_rows, holder_rows, issue, usage, with_rows
from inkan.crypto import certificates, keys
from inkan.crypto.certificates import CertificateMalformed, CertificateTooLarge
from inkan.crypto.keys import KeySpec
from inkan.crypto.phone_binding import PhoneBindingMalformed
from inkan.kernel.errors import InkanError

SHA256_WITH_RSA = bytes.fromhex("2a864886f70d01010b")
SHA1_WITH_RSA = bytes.fromhex("2a864886f70d010105")


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


@given(st.integers(1, 255))
def test_a_signature_that_is_not_whole_octets_is_refused(unused: int) -> None:
    """The first octet of its BIT STRING is the only one that no signature protects (X.690 §8.6)."""
    parsed = x509.load_der_x509_certificate(GOOD)
    changed = bytearray(GOOD)
    changed[-len(parsed.signature) - 1] = unused
    with pytest.raises(CertificateMalformed):
        certificates.parse_certificate(bytes(changed))


def test_one_signature_has_one_certificate() -> None:
    """Where the last bit is 0 by chance, the library reads the same signature from other bytes."""
    der = next(each for each in (issue() for _ in range(200)) if each[-1] & 1 == 0)
    parsed = x509.load_der_x509_certificate(der)
    unused = len(der) - len(parsed.signature) - 1
    changed = der[:unused] + b"\x01" + der[unused + 1 :]
    assert x509.load_der_x509_certificate(changed).signature == parsed.signature
    assert certificates.parse_certificate(der)
    with pytest.raises(CertificateMalformed, match="whole octets"):
        certificates.parse_certificate(changed)


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
