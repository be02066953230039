"""Tokens: what the templates make, read by our own gate and by asn1crypto, and what the gate refuses."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from asn1crypto import cms as asn1_cms
from asn1crypto import core
from asn1crypto import tsp as asn1
from hypothesis import given
from hypothesis import strategies as st

from crypto.golden_timestamp import build
from inkan.crypto import der_values as der
from inkan.crypto import oids
from inkan.crypto.certificates import CertificateMalformed
from inkan.crypto.der import verify_der
from inkan.crypto.tsp import ImprintDigest, PKIFailure, parse_request
from inkan.crypto.tsp_response import generalized_time, granted, refused
from inkan.crypto.tsp_token import (
    TimestampMalformed,
    TimestampRefused,
    TimestampTooLarge,
    parse_reply,
    parse_token,
)
from inkan.kernel.errors import InkanError
from support.pki import AT, Hierarchy
from support.repository import ROOT
from support.timestamping import IMPRINT, NONCE, SERIAL, Authority

VECTOR = ROOT / "tests" / "vectors" / "crypto" / "timestamp.json"


@pytest.fixture(scope="module")
def tsa():
    return Authority(Hierarchy())


def test_a_token_states_what_was_stamped(tsa):
    at = AT + timedelta(milliseconds=120, microseconds=999)
    parsed = parse_token(tsa.token(at=at))
    info = parsed.info
    assert (info.policy, info.imprint, info.nonce) == (oids.TIMESTAMP_POLICY, IMPRINT, NONCE)
    assert (info.serial, info.at) == (SERIAL, AT + timedelta(milliseconds=120))
    assert info.accuracy == timedelta(seconds=1)
    assert not info.ordering
    assert {each.der for each in parsed.certificates} == set(tsa.chain)
    assert parsed.certificate_hash == tsa.signer.certificate.sha256
    assert parsed.certificate_digest is ImprintDigest.SHA256
    assert parsed.serial == tsa.signer.certificate.serial
    assert parsed.issuer == tsa.signer.certificate.issuer.public_bytes()
    assert parse_token(tsa.token(cert_req=False)).certificates == ()


def test_asn1crypto_reads_the_same(tsa):
    token = tsa.token()
    verify_der(token)
    content = asn1_cms.ContentInfo.load(token, strict=True)
    signed = content["content"]
    info = signed["encap_content_info"]["content"].parsed
    assert isinstance(info, asn1.TSTInfo)
    assert info["serial_number"].native == SERIAL
    assert info["gen_time"].native == AT
    assert info["accuracy"].native == {"seconds": 1, "millis": None, "micros": None}
    assert info["ordering"].native is False
    assert info["nonce"].native == NONCE
    (signer,) = signed["signer_infos"]
    kinds = [attribute["type"].native for attribute in signer["signed_attrs"]]
    assert kinds == ["content_type", "message_digest", "signing_certificate_v2"]
    assert content.dump(force=True) == token  # nothing in it is spelt in a second way


def test_the_golden_token_comes_out_byte_for_byte():
    kept = json.loads(VECTOR.read_text(encoding="utf-8"))
    assert build() == kept, "run tests/crypto/golden_timestamp.py"
    token = bytes.fromhex(kept["token"])
    info = parse_token(token).info
    assert info.at == datetime.fromisoformat(kept["at"])
    assert info.serial == int(kept["serial"], 16)
    request = parse_request(bytes.fromhex(kept["request"]))
    assert (info.imprint, der.integer(info.nonce)) == (request.imprint, request.nonce_der)


@pytest.mark.parametrize(
    ("microseconds", "text"),
    [
        (0, "20261121120000Z"),
        (999, "20261121120000Z"),
        (1_000, "20261121120000.001Z"),
        (100_000, "20261121120000.1Z"),
        (120_000, "20261121120000.12Z"),
        (999_999, "20261121120000.999Z"),
    ],
)
def test_times_have_no_trailing_zeros(microseconds, text):
    encoded = generalized_time(AT + timedelta(microseconds=microseconds))
    assert encoded == der.tlv(der.GENERALIZED_TIME, text.encode())
    verify_der(encoded, fractions=True)


# --- what the gate refuses ---------------------------------------------------------------------------


def version(signed):
    signed["version"] = "v1"


def two_signers(signed):
    signed["signer_infos"].append(signed["signer_infos"][0].copy())


def no_signer(signed):
    signed["signer_infos"] = asn1_cms.SignerInfos([])


def no_attributes(signed):
    signer = signed["signer_infos"][0]
    signer["signed_attrs"] = None


def drop(kind):
    def change(signed):
        attributes = signed["signer_infos"][0]["signed_attrs"]
        kept = [each for each in attributes if each["type"].native != kind]
        signed["signer_infos"][0]["signed_attrs"] = asn1_cms.CMSAttributes(kept)

    return change


def twice(signed):
    attributes = signed["signer_infos"][0]["signed_attrs"]
    attributes.append(attributes[0].copy())


def unsigned(signed):
    attribute = asn1_cms.CMSAttribute({"type": "1.2.3", "values": [core.Any(core.Null())]})
    signed["signer_infos"][0]["unsigned_attrs"] = asn1_cms.CMSAttributes([attribute])


def another_info(signed):
    info = signed["encap_content_info"]["content"].parsed
    info["serial_number"] = 1
    signed["encap_content_info"]["content"] = core.ParsableOctetString(info.dump(force=True))


def another_type_signed(signed):
    attribute = signed["signer_infos"][0]["signed_attrs"][0]
    assert attribute["type"].native == "content_type"
    attribute["values"] = ["data"]


def another_type(signed):
    signed["encap_content_info"]["content_type"] = "1.2.3"


def sha1(signed):
    signed["digest_algorithms"][0]["algorithm"] = "sha1"


def two_digests(signed):
    signed["signer_infos"][0]["digest_algorithm"]["algorithm"] = "sha512"


def crls(signed):
    signed["crls"] = asn1_cms.RevocationInfoChoices([])


BENT = (
    version,
    two_signers,
    no_signer,
    no_attributes,
    drop("content_type"),
    drop("message_digest"),
    drop("signing_certificate_v2"),
    twice,
    unsigned,
    another_info,
    another_type,
    another_type_signed,
    sha1,
    two_digests,
    crls,
)


@pytest.mark.parametrize("change", BENT, ids=lambda change: change.__qualname__)
def test_a_token_of_another_shape_is_refused(tsa, change):
    with pytest.raises(TimestampMalformed):
        parse_token(tsa.bent(change))


def of_info(tsa, **bent):
    """A token over a TSTInfo with other members, in order; digest and signature fit."""
    imprint = der.sequence(
        der.sequence(der.object_identifier("2.16.840.1.101.3.4.2.1")),
        der.tlv(der.OCTET_STRING, IMPRINT),
    )
    members = {
        "version": der.integer(1),
        "policy": der.object_identifier("1.2.3"),
        "imprint": imprint,
        "serial": der.integer(5),
        "time": generalized_time(AT),
        "accuracy": b"",
        "ordering": b"",
        "nonce": b"",
        "name": b"",
        "extensions": b"",
    } | bent
    return tsa.over(der.sequence(*members.values()))


EXTENSION = der.sequence(der.object_identifier("1.2.3"), der.tlv(der.OCTET_STRING, b"\x05\0"))
CRITICAL = der.sequence(
    der.object_identifier("1.2.3"),
    der.tlv(der.BOOLEAN, b"\xff"),
    der.tlv(der.OCTET_STRING, b"\x05\0"),
)


@pytest.mark.parametrize(
    "bent",
    [
        {"version": der.integer(2)},
        {"serial": der.integer(2**160)},
        {"serial": b""},
        {"time": der.tlv(der.GENERALIZED_TIME, b"20261121120000.10Z")},
        {"time": der.tlv(der.GENERALIZED_TIME, b"20261121120000")},
        {"time": der.tlv(der.GENERALIZED_TIME, b"20261321120000Z")},
        {"time": der.tlv(0x17, b"261121120000Z")},
        {"accuracy": der.sequence(der.integer(1, 0x80), der.integer(1))},
        {"accuracy": der.sequence(der.integer(1000, 0x80))},
        {"accuracy": der.sequence(der.integer(2**31))},
        {"accuracy": der.sequence(der.tlv(der.INTEGER, b"\xff"))},
        {"extensions": der.tlv(0xA1, CRITICAL)},
        {"extensions": der.tlv(0xA1, EXTENSION, der.integer(1))},
        {"imprint": der.sequence(der.sequence(der.object_identifier("1.3.14.3.2.26")))},
        {"nonce": der.integer(1) + der.integer(1)},
        {"name": bytes(5000)},
    ],
)
def test_a_statement_of_another_shape_is_refused(tsa, bent):
    with pytest.raises(TimestampMalformed):
        parse_token(of_info(tsa, **bent))


def test_optional_members_are_read(tsa):
    parts = der.sequence(der.integer(2), der.integer(3, 0x80), der.integer(4, 0x81))
    info = parse_token(
        of_info(
            tsa,
            accuracy=parts,
            ordering=der.tlv(der.BOOLEAN, b"\xff"),
            name=der.tlv(0xA0, der.tlv(0x86, b"http://tsa")),
            extensions=der.tlv(0xA1, EXTENSION),
            time=der.tlv(der.GENERALIZED_TIME, b"20261121120000.123456789Z"),
        )
    ).info
    assert info.accuracy == timedelta(seconds=2, milliseconds=3, microseconds=4)
    assert info.ordering
    assert info.nonce is None
    assert info.at == datetime(2026, 11, 21, 12, 0, 0, 123456, tzinfo=UTC)
    assert parse_token(of_info(tsa)).info.accuracy is None


def test_nine_certificates_or_a_bad_one_are_refused(tsa):
    with pytest.raises(TimestampMalformed):
        parse_token(tsa.token(chain=[tsa.chain[0], *[tsa.chain[1]] * 8]))
    with pytest.raises(CertificateMalformed):
        parse_token(tsa.token(chain=[tsa.chain[0], der.sequence(der.integer(1))]))


def test_what_is_too_large_is_not_parsed():
    for parse in (parse_reply, parse_token):
        with pytest.raises(TimestampTooLarge) as caught:
            parse(bytes(65537))
        assert caught.value.public_facts == {"limit_bytes": 65536}


# --- replies -----------------------------------------------------------------------------------------


def test_replies(tsa):
    token = tsa.token()
    assert parse_reply(granted(token)) == token
    unexplained = der.sequence(der.sequence(der.integer(2)))
    with_mods = der.sequence(der.sequence(der.integer(1)), token)
    for reply, failure in {
        refused(PKIFailure.BAD_ALG): "badAlg",
        unexplained: "unexplained",
        with_mods: "unexplained",
    }.items():
        with pytest.raises(TimestampRefused) as caught:
            parse_reply(reply)
        assert caught.value.public_facts == {"failure": failure}
    for reply in (
        b"",
        der.sequence(der.sequence(der.integer(0))),
        granted(token) + b"\0",
        der.sequence(der.sequence(der.integer(0)), token, token),
    ):
        with pytest.raises(TimestampMalformed):
            parse_reply(reply)


@given(st.binary(max_size=400))
def test_only_refusals_come_out_of_random_bytes(raw):
    for parse in (parse_reply, parse_token):
        with pytest.raises(InkanError):
            parse(raw)


TOKEN = bytes.fromhex(json.loads(Path(VECTOR).read_text())["token"]) if VECTOR.exists() else b""


@given(st.data())
def test_only_refusals_come_out_of_a_bent_token(data):
    bent = bytearray(TOKEN)
    for _ in range(data.draw(st.integers(1, 3))):
        bent[data.draw(st.integers(0, len(bent) - 1))] = data.draw(st.integers(0, 255))
    try:
        parse_token(bytes(bent))
    except InkanError:
        return
