"""Any certificate taken apart: the seven facts, every extension by name, and nothing but a refusal for the rest."""

from datetime import UTC, date, datetime

import pytest
from asn1crypto import core
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID
from hypothesis import given, settings
from hypothesis import strategies as st

from inkan.crypto import oid_names, oids
from inkan.crypto.certificate_file import pem
from inkan.crypto.certificate_view import CertificateView, Holder, Sex
from inkan.crypto.certificates import CertificateMalformed
from inkan.crypto.phone_binding import PhoneBinding, encode_phone_binding
from inkan.crypto.workers.certificate_reader import read_certificate
from inkan.crypto.workers.pool import WorkerPool
from inkan.kernel.errors import InkanError
from support import pki
from support.pki import Hierarchy

HIERARCHY = Hierarchy()
DER = HIERARCHY.leaf.der


def other(oid: str, text: str) -> x509.OtherName:
    return x509.OtherName(x509.ObjectIdentifier(oid), core.UTF8String(text).dump())


def japanese(**bent: str) -> tuple[x509.ExtensionType, bool]:
    """The names of a Japanese signature certificate, as in the picture of the source (004:73-79)."""
    facts = {"1": "公的 一郎", "3": "1", "4": "319771107", "5": "東京都港区虎ノ門5丁目"} | bent
    names = [other(f"1.2.392.200149.8.5.5.{last}", text) for last, text in facts.items()]
    return x509.SubjectAlternativeName(names), False


def unrecognised(oid: str, der: bytes) -> tuple[x509.ExtensionType, bool]:
    return x509.UnrecognizedExtension(x509.ObjectIdentifier(oid), der), False


def loose(*extensions: tuple[x509.ExtensionType, bool]) -> bytes:
    """A certificate that no gate has seen."""
    name, key = pki.name("Loose"), HIERARCHY.leaf.key
    builder = x509.CertificateBuilder(name, name, key.public_key(), 5, pki.AT, pki.AT + pki.DAY)
    for extension_, critical in extensions:
        builder = builder.add_extension(extension_, critical=critical)
    return builder.sign(key, pki.SHA256()).public_bytes(Encoding.DER)


def attribute(oid: str, value: bytes) -> bytes:
    inner = core.ObjectIdentifier(oid).dump() + b"\x31" + bytes([len(value)]) + value
    return b"\x30" + bytes([len(inner)]) + inner


def holder(*extra: tuple[x509.ExtensionType, bool]) -> Holder:
    return read_certificate(HIERARCHY.issuing.issue(extra=extra).der).holder


def extension(view: CertificateView, name: str) -> list[str]:
    found = next(each for each in view.extensions if each.name == name)
    return [f"{line.term}={line.value}{list(line.words) or ''}" for line in found.lines]


@pytest.mark.req("JPKI-09", "JPKI-14")
def test_the_facts_of_a_japanese_certificate() -> None:
    assert holder(japanese()) == Holder(
        name="公的 一郎",
        birth_date=date(1977, 11, 7),
        sex=Sex.MALE,
        address="東京都港区虎ノ門5丁目",
    )


@pytest.mark.parametrize("birth", ["419990230", "400000000", "x19771107", "77-11-07", "", "9" * 30])
def test_a_birth_date_that_is_none_is_left_out(birth: str) -> None:
    assert holder(japanese(**{"4": birth})).birth_date is None


def test_the_facts_of_a_certificate_with_directory_attributes() -> None:
    born = core.GeneralizedTime(datetime(1988, 3, 14, 12, tzinfo=UTC)).dump()
    body = attribute(oid_names.DATE_OF_BIRTH, born)
    body += attribute(oid_names.GENDER, core.PrintableString("F").dump())
    found = holder(unrecognised("2.5.29.9", b"\x30" + bytes([len(body)]) + body))
    assert (found.birth_date, found.sex) == (date(1988, 3, 14), Sex.FEMALE)


def test_what_a_certificate_does_not_hold_is_none() -> None:
    assert holder() == Holder(name="Holder")


@pytest.mark.req("JPKI-15")
def test_every_extension_has_its_name_and_contents() -> None:
    binding = encode_phone_binding(PhoneBinding(bytes(range(32)), "phn_1"))
    mapping = bytes.fromhex("300a3008") + b"".join(
        core.ObjectIdentifier(each).dump() for each in ("1.2.3", "1.2.4")
    )
    leaf = HIERARCHY.issuing.issue(
        crl_url="http://pki.localhost/a.crl",
        ocsp_url=pki.OCSP_URL,
        policies=[oids.POLICY_CARD_SIGN],
        eku=[x509.ExtendedKeyUsageOID.CLIENT_AUTH],
        extra=[unrecognised(oids.PHONE_BINDING, binding), unrecognised("2.5.29.33", mapping)],
    )
    view = read_certificate(leaf.der)
    assert view.extensions_readable
    assert extension(view, "Basic constraints") == ["Kind=['No authority']"]
    assert extension(view, "Key usage") == ["Purpose=digitalSignature['Proving who one is']"]
    assert extension(view, "Extended key usage") == [
        "Purpose=clientAuth (1.3.6.1.5.5.7.3.2)['Logging in to a server']"
    ]
    assert extension(view, "Certificate policies") == [
        f"Policy={oids.POLICY_CARD_SIGN}['Signature with an IC card from a counter']"
    ]
    assert extension(view, "Where the revocation list is") == ["Address=http://pki.localhost/a.crl"]
    assert extension(view, "Where the issuer answers") == [f"OCSP={pki.OCSP_URL}"]
    assert extension(view, "Binding to a phone")[0] == "Binding=phn_1"
    assert extension(view, "Policy mappings") == ["Mapping=1.2.3 → 1.2.4"]
    assert [each.oid for each in view.extensions if each.critical] == ["2.5.29.19", "2.5.29.15"]


def test_an_unknown_extension_is_shown_as_bytes() -> None:
    view = read_certificate(HIERARCHY.issuing.issue(extra=[unrecognised("1.2.3", b"\x05\x00")]).der)
    (unknown,) = (each for each in view.extensions if each.oid == "1.2.3")
    assert (unknown.name, unknown.lines[0].value) == ("", "05:00")


def test_one_damaged_extension_does_not_hide_the_certificate() -> None:
    view = read_certificate(loose(unrecognised("2.5.29.31", b"\x04\x00")))
    assert not view.extensions_readable
    assert view.holder.name == "Loose"
    assert all(line.term == "Value" for each in view.extensions for line in each.lines)


def test_a_stranger_that_the_strict_gate_refuses_is_shown() -> None:
    key = Ed25519PrivateKey.from_private_bytes(bytes(32))
    name = x509.Name([x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Somebody")])
    built = x509.CertificateBuilder(
        name,
        name,
        key.public_key(),
        7,
        datetime(1950, 1, 1),
        datetime(9999, 12, 31, 23, 59, 59),
    )
    view = read_certificate(built.sign(key, None).public_bytes(Encoding.DER))
    assert view.signature_algorithm.startswith("Ed25519")
    assert (view.holder.name, view.issuer_name, view.serial) == ("Somebody", "Somebody", "7")
    assert view.extensions == ()


def test_what_cannot_be_seen_is_written_out() -> None:
    text = "Ch\u202en\u200b\u0000"
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])
    leaf = pki._certificate(name, name, HIERARCHY.leaf.key, HIERARCHY.leaf.key)
    assert read_certificate(leaf.der).holder.name == "Ch[U+202E]n[U+200B][U+0000]"


@pytest.mark.parametrize("cut", [1, 2, 3, 40, 200, -1])
def test_a_truncated_certificate_is_refused(cut: int) -> None:
    with pytest.raises(InkanError):
        read_certificate(DER[:cut])


@settings(max_examples=300)
@given(st.integers(4, len(DER) - 1), st.integers(0, 255))
def test_a_mutated_certificate_is_shown_or_refused(place: int, octet: int) -> None:
    _read(DER[:place] + bytes([octet]) + DER[place + 1 :])


@settings(max_examples=200)
@given(
    st.sampled_from([*oid_names.EXTENSIONS, "1.2.3"]),
    st.binary(max_size=80),
)
def test_any_contents_of_any_extension_are_shown_or_refused(oid: str, value: bytes) -> None:
    view = _read(loose(unrecognised(oid, value)))
    assert view is not None
    assert [each.oid for each in view.extensions] == [oid]


@given(st.binary(max_size=400))
def test_any_bytes_are_refused_or_shown(data: bytes) -> None:
    _read(b"\x30\x82" + data)


def _read(data: bytes) -> CertificateView | None:
    try:
        return read_certificate(data)
    except InkanError:
        return None


async def test_a_worker_reads_it_and_gives_back_the_same() -> None:
    async with WorkerPool() as pool:
        assert await pool.read_certificate(pem(DER).encode()) == read_certificate(DER)
        with pytest.raises(CertificateMalformed):
            await pool.read_certificate(b"\x30\x82" + bytes(200))
