"""What is about to be signed: each format is read as itself and never as another."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from asn1crypto import cms as asn1_cms
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256, SHA384
from cryptography.x509 import ocsp
from hypothesis import given
from hypothesis import strategies as st

from inkan.crypto import jose
from inkan.crypto.cms import signed_attributes
from inkan.crypto.jose import Algorithm
from inkan.crypto.to_be_signed import SignedFormat, ToBeSignedMalformed, read_to_be_signed
from support.keyring import ec_key, rsa_key

NOW = datetime(2026, 11, 22, tzinfo=UTC)
LATER = NOW + timedelta(days=1)
NAME = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "CA")])
TST_INFO = "1.2.840.113549.1.9.16.1.4"
KEY = ec_key(0)
P384 = ec_key(0, curve=ec.SECP384R1)


def certificate(key=KEY, digest=None) -> x509.Certificate:
    builder = x509.CertificateBuilder(NAME, NAME, key.public_key(), 7, NOW, LATER)
    return builder.sign(key, digest or SHA256())


def answer() -> bytes:
    issued = certificate()
    return (
        ocsp.OCSPResponseBuilder()
        .add_response(issued, issued, SHA256(), ocsp.OCSPCertStatus.GOOD, NOW, LATER, None, None)
        .responder_id(ocsp.OCSPResponderEncoding.HASH, issued)
        .sign(KEY, SHA256())
        .tbs_response_bytes
    )


def crl(key=KEY, digest=None) -> bytes:
    builder = x509.CertificateRevocationListBuilder(NAME, NOW, LATER)
    return builder.sign(key, digest or SHA256()).tbs_certlist_bytes


def attributes(kind: str) -> bytes:
    return signed_attributes(b"content", content_type=kind, certificate=b"any", signing_time=NOW)


def token() -> bytes:
    jws = jose.sign_compact(b"{}", KEY, alg=Algorithm.ES256, typ="at+jwt")
    return jws.rpartition(".")[0].encode()


SAMPLES = {
    SignedFormat.CERTIFICATE: certificate().tbs_certificate_bytes,
    SignedFormat.CERTIFICATE_REQUEST: x509.CertificateSigningRequestBuilder(NAME)
    .sign(KEY, SHA256())
    .tbs_certrequest_bytes,
    SignedFormat.CRL: crl(),
    SignedFormat.OCSP_RESPONSE: answer(),
    SignedFormat.TIMESTAMP: attributes(TST_INFO),
    SignedFormat.CMS: attributes("1.2.3.4"),
    SignedFormat.JWS: token(),
    SignedFormat.HTTP_MESSAGE: b'"@method": POST\n"@signature-params": ("@method");created=1;tag="inkan-webhook"',
}


def is_read(data: bytes, form: SignedFormat) -> bool:
    try:
        return read_to_be_signed(data, {form}).format is form
    except ToBeSignedMalformed:
        return False


def test_every_format_has_a_sample() -> None:
    assert set(SAMPLES) == set(SignedFormat)


@pytest.mark.parametrize("form", SignedFormat)
def test_bytes_are_of_one_format_only(form: SignedFormat) -> None:
    assert [other for other in SignedFormat if is_read(SAMPLES[form], other)] == [form]


@pytest.mark.parametrize("form", SignedFormat)
def test_nothing_may_stand_before_or_behind(form: SignedFormat) -> None:
    data = SAMPLES[form]
    for bent in (data + b"\0", b"\0" + data, data[:-1], data[1:], b"", data + data, data[:2]):
        if form is SignedFormat.JWS and bent == data[:-1]:
            continue  # a shorter payload is a payload
        assert not is_read(bent, form), bent


@pytest.mark.parametrize("form", SignedFormat)
def test_a_finished_artefact_is_not_signed_again(form: SignedFormat) -> None:
    """A caller must not get a signature over a whole certificate, which is a SEQUENCE too."""
    from cryptography.hazmat.primitives.serialization import Encoding

    assert not is_read(certificate().public_bytes(Encoding.DER), form)


def test_what_the_kinds_are() -> None:
    kinds = {form: read_to_be_signed(data, {form}).kind for form, data in SAMPLES.items()}
    assert kinds[SignedFormat.JWS] == "at+jwt"
    assert kinds[SignedFormat.HTTP_MESSAGE] == "inkan-webhook"
    assert kinds[SignedFormat.TIMESTAMP] == TST_INFO
    assert kinds[SignedFormat.CMS] == "1.2.3.4"


@pytest.mark.parametrize(
    "data",
    [
        certificate(P384, SHA384()).tbs_certificate_bytes,
        certificate(rsa_key(0)).tbs_certificate_bytes,
        crl(P384, SHA384()),
        crl(rsa_key(0)),
    ],
    ids=["P-384 certificate", "RSA certificate", "P-384 list", "RSA list"],
)
def test_any_kind_of_key_signs_them(data: bytes) -> None:
    assert is_read(data, SignedFormat.CERTIFICATE) or is_read(data, SignedFormat.CRL)


def unsorted_attributes() -> bytes:
    members = asn1_cms.CMSAttributes.load(SAMPLES[SignedFormat.CMS])
    parts = [each.dump() for each in members][::-1]
    body = b"".join(parts)
    return b"\x31" + (bytes([0x81, len(body)]) if len(body) > 127 else bytes([len(body)])) + body


ATTRIBUTES: dict[str, Callable[[], bytes]] = {
    "not in order": unsorted_attributes,
    "no digest": lambda: asn1_cms.CMSAttributes(
        [asn1_cms.CMSAttribute({"type": "content_type", "values": ["1.2.3.4"]})]
    ).dump(),
    "no type": lambda: asn1_cms.CMSAttributes(
        [asn1_cms.CMSAttribute({"type": "message_digest", "values": [bytes(32)]})]
    ).dump(),
    "two types": lambda: asn1_cms.CMSAttributes(
        [
            asn1_cms.CMSAttribute({"type": "content_type", "values": [TST_INFO]}),
            asn1_cms.CMSAttribute({"type": "content_type", "values": ["1.2.3.4"]}),
            asn1_cms.CMSAttribute({"type": "message_digest", "values": [bytes(32)]}),
        ]
    ).dump(),
    "a type with two values": lambda: asn1_cms.CMSAttributes(
        [
            asn1_cms.CMSAttribute({"type": "content_type", "values": ["1.2.3.4", TST_INFO]}),
            asn1_cms.CMSAttribute({"type": "message_digest", "values": [bytes(32)]}),
        ]
    ).dump(),
    "too many octets": lambda: b"\x31\x82\x10\x01" + bytes(4097),
    "an empty set": lambda: b"\x31\x00",
    "a member that is no attribute": lambda: b"\x31\x03\x02\x01\x00",
}


@pytest.mark.parametrize("case", ATTRIBUTES)
def test_attributes_are_strict(case: str) -> None:
    data = ATTRIBUTES[case]()
    assert not is_read(data, SignedFormat.CMS)
    assert not is_read(data, SignedFormat.TIMESTAMP)


@pytest.mark.parametrize(
    "data",
    [b"e30.e30", b"eyJ0eXAiOjF9.e30", b"eyJ0eXAiOiJ0In0", b"eyJ0eXAiOiJ0In0.e30.e30", b"!!.e30"],
)
def test_tokens_need_a_type(data: bytes) -> None:
    assert not is_read(data, SignedFormat.JWS)


@pytest.mark.parametrize("form", SignedFormat)
@given(data=st.binary(max_size=300), at=st.integers(0, 400), octet=st.integers(0, 255))
def test_whatever_comes_is_read_or_refused(
    form: SignedFormat, data: bytes, at: int, octet: int
) -> None:
    bent = bytearray(SAMPLES[form])
    bent[at % len(bent)] = octet
    for each in (data, bytes(bent), SAMPLES[form][: at % len(bent)]):
        is_read(each, form)
