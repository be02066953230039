"""RFC 5280 §6.1.3 (a): signature, term, issuer's name; and critical extensions (PKITS 4.1 to 4.3, 4.16)."""

from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import dsa, ed448, ed25519, padding
from cryptography.hazmat.primitives.hashes import SHA1, SHA256, SHA384
from cryptography.x509.oid import NameOID

from inkan.crypto.validation.algorithms import Signatures
from inkan.crypto.validation.anchors import read_anchor
from inkan.crypto.validation.budget import Budget
from inkan.crypto.validation.certificate import read_certificate
from inkan.crypto.validation.processing import process_path
from inkan.crypto.validation.settings import AlgorithmCeiling, Bounds, KeyAnchor
from inkan.crypto.validation.verdict import Reason, Refused, Status
from support.keyring import ec_key, rsa_key
from support.paths import (
    AT,
    DAY,
    PRINTABLE,
    UTF8,
    Entity,
    dn,
    resign,
    sequence,
    settings,
    verdict,
)

SECOND = timedelta(seconds=1)


@pytest.fixture(scope="module")
def root():
    return Entity("Root")


@pytest.fixture(scope="module")
def ca(root):
    return root.ca("CA")


def tampered(der: bytes) -> bytes:
    return der[:-1] + bytes([der[-1] ^ 1])


def sha1_signed(der: bytes, key) -> bytes:
    """The certificate signed anew by RSA over SHA-1, which the builder refuses."""
    modern, old = (bytes.fromhex(f"300d06092a864886f70d0101{arc}0500") for arc in ("0b", "05"))
    tbs = x509.load_der_x509_certificate(der).tbs_certificate_bytes.replace(modern, old)
    signature = key.sign(tbs, padding.PKCS1v15(), SHA1())
    return sequence(tbs + old + b"\x03\x82\x01\x01\x00" + signature)


# --- 4.1 signatures -----------------------------------------------------------------------------------


@pytest.mark.req("TW-22")
def test_every_signature_holds(root, ca):
    answer = verdict(ca.holder(), root, known=[ca])
    assert (answer.status, answer.reason, len(answer.path)) == (Status.VALID, Reason.OK, 3)


def test_a_wrong_signature_of_an_authority(root, ca):
    answer = verdict(ca.holder(), root, known=[tampered(ca.der)])
    assert (answer.status, answer.reason) == (Status.INVALID, Reason.SIGNATURE_INVALID)


def test_a_wrong_signature_of_the_holder(root, ca):
    assert verdict(tampered(ca.holder().der), root, known=[ca]).reason is Reason.SIGNATURE_INVALID


@pytest.mark.parametrize("key", [ed25519.Ed25519PrivateKey, ed448.Ed448PrivateKey])
def test_edwards_curves(key):
    from cryptography.hazmat.primitives.serialization import Encoding

    root = Entity("Root", key=ec_key(1))
    signer = key.generate()
    name = dn("Edwards")
    builder = x509.CertificateBuilder(
        name, name, signer.public_key(), 7, AT - DAY, AT + DAY
    ).add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
    anchor = builder.sign(signer, None).public_bytes(Encoding.DER)
    leaf = (
        x509.CertificateBuilder(name, dn("Holder"), root.key.public_key(), 8, AT - DAY, AT + DAY)
        .sign(signer, None)
        .public_bytes(Encoding.DER)
    )
    assert verdict(leaf, anchor).reason is Reason.OK
    assert verdict(tampered(leaf), anchor).reason is Reason.SIGNATURE_INVALID


def test_rsa_with_both_paddings():
    from cryptography.hazmat.primitives.serialization import Encoding

    root = Entity("Root", key=rsa_key(1))
    assert verdict(root.holder(digest=SHA384()), root).reason is Reason.OK
    pss = padding.PSS(padding.MGF1(SHA256()), 32)
    leaf = (
        x509.CertificateBuilder(
            root.name, dn("Holder"), ec_key(1).public_key(), 8, AT - DAY, AT + DAY
        )
        .sign(root.key, SHA256(), rsa_padding=pss)
        .public_bytes(Encoding.DER)
    )
    assert verdict(leaf, root).reason is Reason.OK


def test_what_is_old_is_accepted_under_the_legacy_ceiling_only():
    root = Entity("Root", key=rsa_key(1))
    old = sha1_signed(root.holder().der, root.key)
    assert verdict(old, root).reason is Reason.ALGORITHM_REFUSED
    assert verdict(old, root, ceiling=AlgorithmCeiling.LEGACY).reason is Reason.OK
    short = root.holder(key=rsa_key(9, bits=1024))
    assert verdict(short, root).reason is Reason.ALGORITHM_REFUSED
    assert verdict(short, root, ceiling=AlgorithmCeiling.LEGACY).reason is Reason.OK


def test_dsa_is_legacy():
    key = dsa.generate_private_key(2048)
    root = Entity("Root", key=key)
    leaf = root.holder()
    assert verdict(leaf, root).reason is Reason.ALGORITHM_REFUSED
    legacy = AlgorithmCeiling.LEGACY
    assert verdict(leaf, root, ceiling=legacy).reason is Reason.OK
    assert verdict(tampered(leaf.der), root, ceiling=legacy).reason is Reason.SIGNATURE_INVALID


def test_an_anchor_may_be_a_name_and_a_key(root, ca):
    from inkan.crypto.keys import spki_der

    anchor = KeyAnchor(name=root.name.public_bytes(), spki=spki_der(root.key.public_key()))
    answer = verdict(ca.holder(), anchor, known=[ca])
    assert answer.reason is Reason.OK
    assert answer.path[-1].sha256 is None
    broken = KeyAnchor(name=b"\x30\x80", spki=anchor.spki)
    assert verdict(ca.holder(), broken, known=[ca]).reason is Reason.ANCHOR_MALFORMED


# --- 4.2 terms ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("start", "end", "reason"),
    [
        (AT, AT, Reason.OK),
        (AT + SECOND, AT + DAY, Reason.NOT_YET_VALID),
        (AT - DAY, AT - SECOND, Reason.EXPIRED),
        # Two-digit years from 50 are of the last century, and from 2050 the long form is written.
        (datetime(1950, 1, 1, tzinfo=UTC), AT + DAY, Reason.OK),
        (datetime(1950, 1, 1, tzinfo=UTC), datetime(1999, 1, 1, tzinfo=UTC), Reason.EXPIRED),
        (AT - DAY, datetime(2050, 1, 1, tzinfo=UTC), Reason.OK),
        (AT - DAY, datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC), Reason.OK),
        (datetime(2049, 1, 1, tzinfo=UTC), datetime(2051, 1, 1, tzinfo=UTC), Reason.NOT_YET_VALID),
    ],
)
def test_terms_of_holder_and_authority(root, ca, start, end, reason):
    assert verdict(ca.holder(start=start, end=end), root, known=[ca]).reason is reason
    other = root.ca("Other", start=start, end=end)
    answer = verdict(other.holder(), root, known=[other])
    assert answer.reason is reason
    if reason is Reason.EXPIRED:
        assert answer.facts["ended_at"] == end
        assert answer.facts["certificate"] == answer.path[1].sha256


def test_a_long_time_before_2050_is_read(root):
    leaf = root.holder(start=datetime(2051, 1, 1, tzinfo=UTC), end=datetime(2052, 1, 1, tzinfo=UTC))
    early = resign(leaf.der, b"20510101000000Z", b"20020101000000Z", root.key)
    assert verdict(early, root).reason is Reason.OK


def test_the_anchor_is_in_its_term():
    old = Entity("Old root", end=AT - SECOND)
    assert verdict(old.holder(), old).reason is Reason.EXPIRED


# --- 4.3 names ----------------------------------------------------------------------------------------


def test_a_name_that_does_not_chain(root, ca):
    leaf = ca.holder(issuer_name=dn("Another CA"))
    assert verdict(leaf, root, known=[ca]).reason is Reason.NO_PATH


def test_the_order_of_a_name_counts(root):
    parts = [("O", NameOID.ORGANIZATION_NAME), ("U", NameOID.ORGANIZATIONAL_UNIT_NAME)]
    there, back = (
        x509.Name([x509.NameAttribute(kind, text) for text, kind in order])
        for order in (parts, parts[::-1])
    )
    ca = root.ca(name=there)
    assert verdict(ca.holder(issuer_name=back), root, known=[ca]).reason is Reason.NO_PATH
    assert verdict(ca.holder(issuer_name=there), root, known=[ca]).reason is Reason.OK


@pytest.mark.parametrize(
    ("text", "spelt"),
    [
        ("Some CA", "some ca"),
        ("Some CA", "  Some   CA "),
        ("Some CA", "SOME\u00a0CA"),
        ("Straße", "STRASSE"),
        ("Ärzte", "A\u0308rzte"),
        ("內政部憑證", "內政部憑證"),
    ],
)
def test_capitals_and_white_space_make_no_difference(root, text, spelt):
    ca = root.ca(name=dn(text))
    assert verdict(ca.holder(issuer_name=dn(spelt)), root, known=[ca]).reason is Reason.OK


def test_other_words_make_another_name(root):
    ca = root.ca(name=dn("Some CA"))
    for text in ("SomeCA", "Some CA 2", "Söme CA"):
        assert verdict(ca.holder(issuer_name=dn(text)), root, known=[ca]).reason is Reason.NO_PATH


def test_the_encoding_of_a_name_makes_no_difference(root):
    ca = root.ca(name=dn("Some CA", kind=PRINTABLE))
    leaf = ca.holder(issuer_name=dn("SOME  ca", kind=UTF8))
    assert verdict(leaf, root, known=[ca]).reason is Reason.OK


# --- 4.16 private extensions --------------------------------------------------------------------------


@pytest.mark.parametrize("critical", [False, True])
def test_an_unknown_extension(root, ca, critical):
    unknown = x509.UnrecognizedExtension(x509.ObjectIdentifier("2.25.9.9"), b"\x05\x00")
    expected = Reason.CRITICAL_EXTENSION if critical else Reason.OK
    assert verdict(ca.holder(extra=[(unknown, critical)]), root, known=[ca]).reason is expected
    other = root.ca("Other", extra=[(unknown, critical)])
    assert verdict(other.holder(), root, known=[other]).reason is expected
    top = Entity("Top", extra=[(unknown, critical)])
    assert verdict(top.holder(), top).reason is expected


# --- purposes -----------------------------------------------------------------------------------------


def test_purposes_that_are_asked_for(root):
    leaf = root.holder(eku=[x509.oid.ExtendedKeyUsageOID.CLIENT_AUTH])
    client, mail = "1.3.6.1.5.5.7.3.2", "1.3.6.1.5.5.7.3.4"
    assert verdict(leaf, root, extended_key_usage=frozenset({client})).reason is Reason.OK
    assert verdict(leaf, root, extended_key_usage=frozenset({mail})).reason is Reason.PURPOSE
    assert verdict(leaf, root, key_usage=frozenset({"digitalSignature"})).reason is Reason.OK
    assert verdict(leaf, root, key_usage=frozenset({"contentCommitment"})).reason is Reason.PURPOSE
    bare = root.holder(bits=None)
    assert verdict(bare, root, key_usage=frozenset({"digitalSignature"})).reason is Reason.PURPOSE


def test_nothing_is_trusted_by_default(root):
    assert verdict(root.holder()).reason is Reason.NO_PATH
    assert settings(root).anchors == (root.der,)


def test_a_path_is_held_to_its_names_whoever_built_it(root, ca):
    """The builder chains by names; the check of a path does not rely on it."""
    holder = read_certificate(ca.holder(issuer_name=dn("Another CA")).der)
    path = (read_certificate(ca.der), holder)
    with pytest.raises(Refused, match="names do not chain"):
        process_path(
            read_anchor(root.der), path, settings(root), Signatures(), Budget(Bounds(deadline_s=60))
        )
