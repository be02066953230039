"""How a SignedData is made, and the gate that reads one in the server process."""

import subprocess
from datetime import timedelta, timezone

import pytest
from asn1crypto import cms as asn1
from asn1crypto import core, crl
from asn1crypto import x509 as asn1_x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, pkcs7
from hypothesis import given
from hypothesis import strategies as st

from inkan.crypto import cms, oids
from inkan.crypto.cms import (
    CMSAlgorithm,
    CMSMalformed,
    CMSTooLarge,
    algorithm_of,
    build_signed_data,
    key_signer,
    parse_signed_data,
    signed_attributes,
)
from inkan.kernel.errors import InkanError
from support.keyring import ec_key, rsa_key
from support.pki import AT, Hierarchy
from support.tools import require

WORLD = Hierarchy()
CONTENT = b'{"purpose":"bind"}'
TYPE = oids.CONTENT_BIND


def build(**bent) -> bytes:
    settings = {
        "content_type": TYPE,
        "chain": [WORLD.leaf.der, WORLD.issuing.der],
        "algorithm": CMSAlgorithm.ECDSA,
        "sign": key_signer(WORLD.leaf.key),
        "signing_time": AT,
    }
    return build_signed_data(CONTENT, **settings | bent)


GOOD = build()


def bend(change, der=GOOD) -> bytes:
    info = asn1.ContentInfo.load(der)
    change(info["content"])
    return info.dump(force=True)


def signer_info(change):
    return bend(lambda signed: change(signed["signer_infos"][0]))


# --- made ----------------------------------------------------------------------------------------------------------


def test_what_is_made_is_read():
    parsed = parse_signed_data(GOOD)
    assert (parsed.content, parsed.content_type) == (CONTENT, TYPE)
    assert set(parsed.certificates) == {WORLD.leaf.der, WORLD.issuing.der}
    assert parsed.signer == WORLD.leaf.der
    assert parsed.signing_time == AT
    assert parsed.algorithm is CMSAlgorithm.ECDSA
    WORLD.leaf.key.public_key().verify(
        parsed.signature, parsed.signed_attributes, ec.ECDSA(SHA256())
    )


def test_the_signer_signs_exactly_the_signed_attributes():
    seen = []
    der = build(sign=lambda data: seen.append(data) or b"a signature")
    expected = signed_attributes(
        CONTENT, content_type=TYPE, certificate=WORLD.leaf.der, signing_time=AT
    )
    assert seen == [expected]
    assert parse_signed_data(der).signed_attributes == expected
    names = [row["type"].native for row in asn1.CMSAttributes.load(expected)]
    assert set(names) == {
        "content_type",
        "message_digest",
        "signing_time",
        "signing_certificate_v2",
    }


def test_a_signing_time_is_left_out_when_none_is_given():
    assert parse_signed_data(build(signing_time=None)).signing_time is None


def test_a_signing_time_has_whole_seconds():
    time = AT.replace(microsecond=999_999)
    assert parse_signed_data(build(signing_time=time)).signing_time == AT


def test_a_signing_time_of_any_zone_and_century_is_read():
    taipei = AT.astimezone(timezone(timedelta(hours=8)))
    assert parse_signed_data(build(signing_time=taipei)).signing_time == AT
    for year in (2049, 2050, 2100):
        assert (
            parse_signed_data(build(signing_time=AT.replace(year=year))).signing_time.year == year
        )


def test_a_key_signs_with_its_own_algorithms():
    assert algorithm_of(ec_key()) is CMSAlgorithm.ECDSA
    assert algorithm_of(rsa_key()) is CMSAlgorithm.RSA_PKCS1
    for key, algorithm in ((ec_key(), CMSAlgorithm.RSA_PSS), (rsa_key(), CMSAlgorithm.ECDSA)):
        with pytest.raises(ValueError, match="not an algorithm of this key"):
            key_signer(key, algorithm)


@pytest.mark.pki
@pytest.mark.parametrize("algorithm", CMSAlgorithm)
def test_openssl_verifies_what_is_made(algorithm, tmp_path):
    openssl = require("openssl")
    leaf = WORLD.issuing.issue(key=ec_key() if algorithm is CMSAlgorithm.ECDSA else rsa_key())
    der = build(
        chain=[leaf.der, WORLD.issuing.der],
        algorithm=algorithm,
        sign=key_signer(leaf.key, algorithm),
    )
    (tmp_path / "message.der").write_bytes(der)
    (tmp_path / "root.pem").write_bytes(WORLD.root.certificate.x509.public_bytes(Encoding.PEM))
    result = subprocess.run(
        [
            openssl, "cms", "-verify", "-inform", "DER", "-in", "message.der", "-CAfile", "root.pem",
            "-purpose", "any", "-attime", str(int(AT.timestamp())), "-binary",
        ],
        cwd=tmp_path, check=False, capture_output=True,
    )  # fmt: skip
    assert b"Verification successful" in result.stderr
    assert result.stdout == CONTENT


# --- the gate ------------------------------------------------------------------------------------------------------


def test_the_size_is_looked_at_first():
    with pytest.raises(CMSTooLarge) as caught:
        parse_signed_data(bytes(cms.MAX_SIZE + 1))
    assert caught.value.public_facts == {"limit_bytes": cms.MAX_SIZE}


def set_certificates(*certificates):
    def change(signed):
        signed["certificates"] = [asn1_x509.Certificate.load(row.der) for row in certificates]

    return bend(change)


def another_type(der):
    info = asn1.ContentInfo.load(der)
    return asn1.ContentInfo({"content_type": "data", "content": info.dump()}).dump()


def drop(field):
    def change(holder):
        del holder[field]

    return change


def put(field, value):
    def change(holder):
        holder[field] = value() if callable(value) else value

    return change


def twice(field):
    def change(signed):
        signed[field].append(signed[field][0].copy())

    return change


def v1_with_data(signed):
    signed["version"] = "v1"


ISSUED = [WORLD.issuing.issue() for _ in range(9)]
DEPARTURES = {
    "not DER": b"\x30\x80" + GOOD[4:] + b"\0\0",
    "trailing byte": GOOD + b"\0",
    "truncated": GOOD[:-1],
    "another ContentInfo": another_type(GOOD),
    "version 1": bend(v1_with_data),
    "version 4": bend(put("version", "v4")),
    "no content": bend(lambda signed: drop("content")(signed["encap_content_info"])),
    "CRLs": bend(put("crls", lambda: [crl.CertificateList.load(WORLD.issuing.crl())])),
    "two digest algorithms": bend(
        put("digest_algorithms", [{"algorithm": "sha256"}, {"algorithm": "sha512"}])
    ),
    "another digest algorithm": bend(put("digest_algorithms", [{"algorithm": "sha512"}])),
    "another digest of the signer": signer_info(put("digest_algorithm", {"algorithm": "sha1"})),
    "no certificates": bend(drop("certificates")),
    "nine certificates": set_certificates(*ISSUED),
    "signer not enclosed": set_certificates(WORLD.issuing),
    "no signer": bend(put("signer_infos", [])),
    "two signers": bend(twice("signer_infos")),
    "no signed attributes": signer_info(drop("signed_attrs")),
    "unsigned attributes": signer_info(
        put("unsigned_attrs", [asn1.CMSAttribute({"type": "2.25.7", "values": [core.Null()]})])
    ),
    "SHA-1 signature": signer_info(put("signature_algorithm", {"algorithm": "sha1_ecdsa"})),
    "SHA-512 signature": signer_info(put("signature_algorithm", {"algorithm": "sha512_ecdsa"})),
    "PSS with a short salt": signer_info(
        put(
            "signature_algorithm",
            {
                "algorithm": "rsassa_pss",
                "parameters": {
                    "hash_algorithm": {"algorithm": "sha256"},
                    "mask_gen_algorithm": {"algorithm": "mgf1", "parameters": {"algorithm": "sha256"}},
                    "salt_length": 20,
                },
            },
        )
    ),
    "Ed25519": signer_info(put("signature_algorithm", {"algorithm": "ed25519"})),
}  # fmt: skip


@pytest.mark.parametrize("der", DEPARTURES.values(), ids=DEPARTURES.keys())
def test_a_departure_is_malformed(der):
    with pytest.raises(CMSMalformed):
        parse_signed_data(der)


def test_eight_certificates_are_read():
    der = set_certificates(WORLD.leaf, *ISSUED[:7])
    assert len(parse_signed_data(der).certificates) == 8


def test_two_certificates_of_one_serial_number_are_malformed():
    twin = WORLD.issuing.issue(serial=WORLD.leaf.certificate.serial)
    with pytest.raises(CMSMalformed, match="serial number"):
        parse_signed_data(set_certificates(WORLD.leaf, twin))


def test_attributes_out_of_order_are_malformed():
    """Signed attributes are DER (RFC 5652 §5.4); under their context tag no general check sees that."""
    attributes = signed_attributes(
        CONTENT, content_type=TYPE, certificate=WORLD.leaf.der, signing_time=AT
    )
    rows = [row.dump() for row in asn1.CMSAttributes.load(attributes)]
    body, turned = b"".join(rows), b"".join(reversed(rows))
    assert GOOD.count(body) == 1
    with pytest.raises(CMSMalformed, match="order"):
        parse_signed_data(GOOD.replace(body, turned))


def test_a_signer_named_by_key_identifier_is_found():
    def change(signed):
        info = signed["signer_infos"][0]
        info["version"] = "v3"
        identifier = WORLD.leaf.certificate.subject_key_id
        info["sid"] = asn1.SignerIdentifier("subject_key_identifier", identifier)

    assert parse_signed_data(bend(change)).signer == WORLD.leaf.der


def test_a_message_of_another_maker_is_read_once_it_has_a_type():
    """cryptography writes PKCS #7 with id-data, which carries no type under the signature."""
    der = (
        pkcs7.PKCS7SignatureBuilder()
        .set_data(CONTENT)
        .add_signer(WORLD.leaf.certificate.x509, WORLD.leaf.key, SHA256())
        .sign(Encoding.DER, [pkcs7.PKCS7Options.Binary, pkcs7.PKCS7Options.NoCapabilities])
    )
    with pytest.raises(CMSMalformed):
        parse_signed_data(der)


@given(st.binary(max_size=500))
def test_only_refusals_come_out_of_random_bytes(raw):
    for data in (raw, b"\x30\x82" + len(raw).to_bytes(2, "big") + raw):
        with pytest.raises(InkanError):
            parse_signed_data(data)


@given(st.data())
def test_only_refusals_come_out_of_changed_messages(data):
    changed = bytearray(GOOD)
    for _ in range(data.draw(st.integers(1, 4))):
        position = data.draw(st.integers(0, len(changed) - 1))
        changed[position] = data.draw(st.integers(0, 255))
    try:
        parsed = parse_signed_data(bytes(changed))
    except InkanError:
        return
    assert len(parsed.certificates) == 2


@given(st.integers(0, len(GOOD) - 1), st.integers(1, 40))
def test_only_refusals_come_out_of_cut_messages(start, size):
    with pytest.raises(InkanError):
        parse_signed_data(GOOD[:start] + GOOD[start + size :])


def test_tables_are_total():
    assert set(cms._IDENTIFIERS) == set(CMSAlgorithm)
