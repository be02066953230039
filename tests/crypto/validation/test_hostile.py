"""Hostile bytes: the structural gate, and mutated certificates, lists and answers against bounds of operations."""

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given, settings
from hypothesis import strategies as st

from inkan.crypto.certificates import CertificateMalformed, CertificateTooLarge
from inkan.crypto.validation.answers import read_answer
from inkan.crypto.validation.certificate import read_certificate
from inkan.crypto.validation.lists import read_list
from inkan.crypto.validation.settings import Bounds
from inkan.crypto.validation.verdict import STATUS, Reason, Status
from inkan.kernel.errors import InkanError
from support.keyring import ec_key
from support.paths import (
    AT,
    DAY,
    P1,
    P2,
    Entity,
    dn,
    make_ocsp,
    mapping,
    point,
    resign,
    responder,
    sequence,
    signed,
    uri,
    verdict,
)

ROOT = Entity("Root", key=ec_key(1))
CA = ROOT.ca(
    "CA",
    key=ec_key(2),
    permitted=[x509.DNSName("example.com"), x509.DirectoryName(dn("Holder"))],
    limits=(3, 2),
    inhibit_any=4,
    extra=[(mapping((P1, P2)), True)],
)
HOLDER = CA.holder(
    key=ec_key(3),
    policies=[P2],
    names=[x509.DNSName("a.example.com")],
    points=[point(uri("http://pki.localhost/7.crl"))],
)
LISTS = [ROOT.crl(), CA.crl(7, 8, full=[uri("http://pki.localhost/7.crl")], reason="superseded")]
ANSWER = make_ocsp(HOLDER, CA, responder=responder(CA), nonce=b"n" * 16)


def bent(old: bytes, new: bytes) -> bytes:
    return resign(HOLDER.der, old, new, CA.key)


# --- the gate -----------------------------------------------------------------------------------------


def test_the_specimens_are_good() -> None:
    answer = verdict(HOLDER, ROOT, known=[CA], crls=LISTS, ocsps=[ANSWER])
    assert answer.reason is Reason.OK
    assert read_certificate(HOLDER.der).mappings == ()
    assert read_certificate(CA.der).mappings == ((P1, P2),)


def versions() -> dict[str, bytes]:
    certificate = x509.load_der_x509_certificate(HOLDER.der)
    tbs = certificate.tbs_certificate_bytes
    body = tbs[4:] if tbs[1] == 0x82 else tbs[3:]
    bare = sequence(body[5:])
    algorithm = bytes.fromhex("300a06082a8648ce3d040302")
    signature = b"\x03" + bytes([len(certificate.signature) + 1]) + b"\x00" + certificate.signature
    return {
        "version 1": sequence(bare + algorithm + signature),
        "version 2": bent(b"\xa0\x03\x02\x01\x02", b"\xa0\x03\x02\x01\x01"),
        "version 4": bent(b"\xa0\x03\x02\x01\x02", b"\xa0\x03\x02\x01\x03"),
    }


def serials() -> dict[str, bytes]:
    long = CA.holder(serial=2**158).der
    head = b"\x02\x14" + (2**158).to_bytes(20, "big")
    small = CA.holder(serial=1).der
    return {
        "negative": resign(long, head, b"\x02\x14\xff" + head[3:], CA.key),
        "zero": resign(small, b"\x02\x01\x02\x02\x01\x01", b"\x02\x01\x02\x02\x01\x00", CA.key),
    }


def algorithms() -> dict[str, bytes]:
    inside, outside = (bytes.fromhex(f"300a06082a8648ce3d04030{last}") for last in "23")
    der = HOLDER.der
    last = der.rindex(inside)
    return {"another outside": der[:last] + outside + der[last + len(inside) :]}


def points() -> dict[str, bytes]:
    key = HOLDER.key.public_key()
    whole = key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    short = key.public_bytes(Encoding.X962, PublicFormat.CompressedPoint)
    spki = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    algorithm = spki[2:-68]
    compressed = sequence(algorithm + b"\x03\x22\x00" + short)
    tbs = x509.load_der_x509_certificate(HOLDER.der).tbs_certificate_bytes
    body = tbs[4:].replace(spki, compressed)
    return {
        "compressed": signed(sequence(body), CA.key),
        "off the curve": bent(whole, b"\x04" + bytes(64)),
    }


def shapes() -> dict[str, bytes]:
    der = HOLDER.der
    # keyUsage becomes a second basicConstraints-less copy of the key identifier's type.
    twice = bent(b"\x06\x03\x55\x1d\x0f", b"\x06\x03\x55\x1d\x0e")
    deep = b"\x05\x00"
    for _ in range(200):
        deep = sequence(deep)
    return {
        "empty": b"",
        "truncated": der[:-1],
        "trailing": der + b"\x00",
        "indefinite": b"\x30\x80" + der[4:] + b"\x00\x00",
        "long length": b"\x30\x83\x00" + der[2:],
        "deep": deep,
        "duplicate extension": twice,
        "another artefact": LISTS[0],
    }


CASES = versions() | serials() | algorithms() | points() | shapes()


@pytest.mark.parametrize("case", CASES)
def test_the_gate_refuses(case) -> None:
    with pytest.raises(CertificateMalformed):
        read_certificate(CASES[case])
    answer = verdict(CASES[case], ROOT, known=[CA])
    assert (answer.status, answer.reason) == (Status.INVALID, Reason.CERTIFICATE_MALFORMED)


def test_a_serial_number_of_21_octets() -> None:
    wide = CA.holder(serial=2**158)
    tbs = wide.certificate.tbs_certificate_bytes
    old = b"\x02\x14" + (2**158).to_bytes(20, "big")
    new = b"\x02\x15" + (2**160).to_bytes(21, "big")
    body = tbs[4:].replace(old, new)
    with pytest.raises(CertificateMalformed, match="20 octets"):
        read_certificate(signed(sequence(body), CA.key))


class Half:
    """A key pair of which only the public half exists."""

    def __init__(self, public) -> None:
        self.public_key = lambda: public


def test_sizes() -> None:
    huge = x509.UnrecognizedExtension(
        x509.ObjectIdentifier("2.25.9"), b"\x04\x82\x40\x00" + bytes(16384)
    )
    large = ROOT.holder(extra=[(huge, False)])
    with pytest.raises(CertificateTooLarge):
        read_certificate(large.der)
    assert verdict(large, ROOT).reason is Reason.CERTIFICATE_TOO_LARGE
    for numbers in (
        rsa.RSAPublicNumbers(65537, 2**8199 + 1),
        rsa.RSAPublicNumbers(2**256 + 1, 2**2047 + 1),
    ):
        wide = ROOT.holder(key=Half(numbers.public_key()))
        assert verdict(wide, ROOT).reason is Reason.CERTIFICATE_MALFORMED


def test_every_reason_has_one_status() -> None:
    assert set(STATUS) == set(Reason)
    assert [reason for reason in Reason if STATUS[reason] is Status.VALID] == [Reason.OK]


# --- the strict profile -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "fields",
    [
        {"authority": {"aki": False}},
        {"authority": {"ski": False}},
        {"authority": {"basic_critical": False}},
        {"holder": {"aki": False}},
        {"holder": {"bits": ("key_cert_sign",)}},
        {"holder": {"permitted": [x509.DNSName("example.com")]}},
        {"holder": {"name": x509.Name([])}},
        {"holder": {"name": x509.Name([]), "names": [x509.DNSName("a.example")]}},
    ],
)
def test_what_only_the_strict_demand(fields) -> None:
    ca = ROOT.ca("Profile", **fields.get("authority", {}))
    holder = ca.holder(**fields.get("holder", {}))
    assert verdict(holder, ROOT, known=[ca]).reason is Reason.OK
    assert verdict(holder, ROOT, known=[ca], strict=True).reason is Reason.PROFILE
    good = ca.holder() if "holder" in fields else ROOT.ca("Plain").holder()
    known = [ca] if "holder" in fields else [ROOT.ca("Plain", key=ca.key)]
    if "holder" in fields:
        assert verdict(good, ROOT, known=known, strict=True).reason is Reason.OK


# --- any change of bytes ------------------------------------------------------------------------------

ARTEFACTS = [HOLDER.der, CA.der, *LISTS, ANSWER, ROOT.der]
CHANGES = st.lists(
    st.tuples(st.integers(0, 2**16), st.integers(0, 3), st.binary(min_size=1, max_size=3)),
    min_size=1,
    max_size=4,
)


def changed(der: bytes, changes) -> bytes:
    for where, kind, octets in changes:
        place = where % (len(der) + 1)
        cut = {0: len(octets), 1: 0, 2: 1, 3: len(octets) + 4}[kind]
        der = der[:place] + (octets if kind < 3 else b"") + der[place + cut :]
    return der


@settings(max_examples=200)
@given(st.integers(0, 5), CHANGES)
def test_no_change_raises_or_costs_more_than_the_bounds(which, changes) -> None:
    holder, ca, first, second, answer, root = (
        changed(der, changes) if index == which else der for index, der in enumerate(ARTEFACTS)
    )
    told = verdict(holder, root, known=[ca], crls=[first, second], ocsps=[answer])
    assert told.signatures <= 12
    assert told.candidates <= 4
    is_same = [holder, ca, first, second, answer, root] == ARTEFACTS
    # Evidence that was not needed is no reason to refuse, and an anchor is trusted whoever signed it.
    assert told.reason is not Reason.OK or is_same or which >= 2


@settings(max_examples=120)
@given(st.sampled_from(ARTEFACTS), CHANGES)
@pytest.mark.parametrize("read", [read_certificate, read_list, read_answer])
def test_parsers_raise_only_refusals(read, der, changes) -> None:
    try:
        found = read(changed(der, changes))
    except InkanError:
        return
    for name in dir(found):
        if not name.startswith("_"):
            getattr(found, name)


@settings(max_examples=200)
@given(st.binary(max_size=300))
@pytest.mark.parametrize("read", [read_certificate, read_list, read_answer])
def test_parsers_refuse_random_bytes(read, raw) -> None:
    with pytest.raises(InkanError):
        read(raw)


@settings(max_examples=60)
@given(CHANGES)
def test_a_resigned_list_never_raises(changes) -> None:
    """Bytes inside the signature: what a hostile authority could send."""
    parsed = x509.load_der_x509_crl(LISTS[1])
    tbs = changed(parsed.tbs_certlist_bytes, changes)
    told = verdict(HOLDER, ROOT, known=[CA], crls=[LISTS[0], signed(tbs, CA.key)])
    assert told.reason in {
        Reason.OK,
        Reason.REVOKED,
        Reason.REVOCATION_UNKNOWN,
        Reason.EVIDENCE_MALFORMED,
    }


@settings(max_examples=150)
@given(CHANGES)
def test_a_resigned_certificate_never_raises(changes) -> None:
    tbs = changed(HOLDER.certificate.tbs_certificate_bytes, changes)
    told = verdict(signed(tbs, CA.key), ROOT, known=[CA], crls=LISTS)
    assert told.status in Status
    tbs = changed(CA.certificate.tbs_certificate_bytes, changes)
    told = verdict(HOLDER, ROOT, known=[signed(tbs, ROOT.key)], crls=LISTS)
    assert told.status in Status


# --- many names ---------------------------------------------------------------------------------------


def test_names_times_constraints_cost_a_bounded_number_of_comparisons() -> None:
    many = [x509.DNSName(f"h{number}.b.example") for number in range(500)]
    bases = [x509.DNSName(f"c{number}.example") for number in range(500)]
    ca = ROOT.ca("Many", excluded=bases)
    holder = ca.holder(names=many)
    answer = verdict(holder, ROOT, known=[ca])
    assert answer.reason is Reason.TOO_COMPLEX
    wide = Bounds(comparisons=1_000_000, deadline_s=60)
    assert verdict(holder, ROOT, known=[ca], bounds=wide).reason is Reason.OK


def test_a_term_is_read_to_its_end() -> None:
    holder = CA.holder(policies=[P2], start=AT - DAY, end=AT)
    assert read_certificate(holder.der).not_after == AT


def test_lists_whose_entries_are_dear_to_open_cost_a_bounded_number_of_comparisons() -> None:
    unknown = x509.UnrecognizedExtension(x509.ObjectIdentifier("2.25.9.9"), b"\x05\x00")
    dear = ROOT.crl(
        *range(1, 301),
        entry_extra=[(unknown, False), (x509.CRLReason(x509.ReasonFlags.superseded), True)],
    )
    holder = ROOT.holder(serial=2**90)
    few = Bounds(comparisons=1000)
    assert verdict(holder, ROOT, crls=[dear], bounds=few).reason is Reason.TOO_COMPLEX
    assert verdict(holder, ROOT, crls=[dear]).reason is Reason.OK
    assert verdict(holder, ROOT, crls=[dear], strict=True).reason is Reason.OK
