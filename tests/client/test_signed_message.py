"""A signed message as its receiver opens it: each step of the plan, and bytes of any kind."""

import pytest
from asn1crypto import cms as asn1
from hypothesis import given
from hypothesis import strategies as st

from inkan.client.signed_message import open_signed
from inkan.crypto import cms, oids
from inkan.crypto.cms import (
    CMSAlgorithm,
    CMSContentTypeWrong,
    CMSMalformed,
    CMSSignatureWrong,
    build_signed_data,
    key_signer,
    signed_attributes,
)
from inkan.kernel.errors import InkanError
from support.keyring import ec_key, rsa_key
from support.pki import AT, Hierarchy

WORLD = Hierarchy()
CONTENT = b'{"purpose":"submission"}'
TYPE = oids.CONTENT_SUBMISSION
LEAF, CA = WORLD.leaf, WORLD.issuing


def build(content=CONTENT, **bent) -> bytes:
    settings = {
        "content_type": TYPE,
        "chain": [LEAF.der, CA.der],
        "algorithm": CMSAlgorithm.ECDSA,
        "sign": key_signer(LEAF.key),
        "signing_time": AT,
    }
    return build_signed_data(content, **settings | bent)


GOOD = build()


def bend(change) -> bytes:
    info = asn1.ContentInfo.load(GOOD)
    change(info["content"])
    return info.dump(force=True)


def test_it_gives_content_signer_and_what_came_along() -> None:
    message = open_signed(GOOD, TYPE)
    assert message.content == CONTENT
    assert (message.signer, message.others) == (LEAF.der, (CA.der,))
    assert message.signing_time == AT


@pytest.mark.parametrize("algorithm", [CMSAlgorithm.RSA_PKCS1, CMSAlgorithm.RSA_PSS])
def test_rsa_by_both_paddings(algorithm) -> None:
    leaf = CA.issue("RSA", key=rsa_key())
    der = build(chain=[leaf.der], algorithm=algorithm, sign=key_signer(leaf.key, algorithm))
    assert open_signed(der, TYPE).signer == leaf.der


def test_another_type_is_refused() -> None:
    with pytest.raises(CMSContentTypeWrong):
        open_signed(GOOD, oids.CONTENT_BIND)


def test_changed_content_is_refused() -> None:
    def change(signed):
        signed["encap_content_info"] = {"content_type": TYPE, "content": CONTENT + b" "}

    with pytest.raises(CMSSignatureWrong, match="content was changed"):
        open_signed(bend(change), TYPE)


def test_changed_attributes_are_refused() -> None:
    bare = signed_attributes(CONTENT, content_type=TYPE, certificate=LEAF.der)

    def change(signed):
        signed["signer_infos"][0]["signed_attrs"] = asn1.CMSAttributes.load(bare)

    with pytest.raises(CMSSignatureWrong, match="not one of the signer's key"):
        open_signed(bend(change), TYPE)


def test_another_key_is_refused() -> None:
    with pytest.raises(CMSSignatureWrong, match="not one of the signer's key"):
        open_signed(build(sign=key_signer(ec_key())), TYPE)


def test_a_certificate_that_was_not_named_is_refused() -> None:
    """The same key under another certificate: the reference under the signature tells them apart."""
    twin = CA.issue("Twin", key=LEAF.key)
    attributes = signed_attributes(CONTENT, content_type=TYPE, certificate=LEAF.der)
    signature = key_signer(LEAF.key)(attributes)

    def change(signed):
        signed["certificates"] = [asn1.CertificateChoices.load(twin.der)]
        info = signed["signer_infos"][0]
        info["sid"] = asn1.SignerIdentifier(
            "issuer_and_serial_number",
            asn1.IssuerAndSerialNumber.load(cms.issuer_and_serial(twin.der)),
        )
        info["signed_attrs"] = asn1.CMSAttributes.load(attributes)
        info["signature"] = signature

    with pytest.raises(CMSSignatureWrong, match="another certificate"):
        open_signed(bend(change), TYPE)


def test_without_a_reference_nothing_is_believed() -> None:
    whole = asn1.CMSAttributes.load(
        signed_attributes(CONTENT, content_type=TYPE, certificate=LEAF.der)
    )
    kept = [each for each in whole if each["type"].native != "signing_certificate_v2"]
    bare = asn1.CMSAttributes(kept).dump()

    def change(signed):
        info = signed["signer_infos"][0]
        info["signed_attrs"] = asn1.CMSAttributes.load(bare)
        info["signature"] = key_signer(LEAF.key)(bare)

    with pytest.raises(CMSSignatureWrong, match="another certificate"):
        open_signed(bend(change), TYPE)


def test_an_algorithm_of_another_kind_of_key_is_refused() -> None:
    leaf = CA.issue("RSA", key=rsa_key())
    der = build(chain=[leaf.der], sign=lambda _: b"\x30\x00", algorithm=CMSAlgorithm.ECDSA)
    with pytest.raises(CMSMalformed, match="does not go with the key"):
        open_signed(der, TYPE)


@given(st.binary(max_size=200))
def test_any_bytes_are_refused_in_our_words(data) -> None:
    with pytest.raises(InkanError):
        open_signed(data, TYPE)


@given(st.integers(0, len(GOOD) - 1), st.integers(1, 255))
def test_any_bent_byte_is_refused_or_changes_nothing_that_was_signed(place, flip) -> None:
    bent = bytearray(GOOD)
    bent[place] ^= flip
    try:
        message = open_signed(bytes(bent), TYPE)
    except InkanError:
        return
    assert (message.content, message.signer) == (CONTENT, LEAF.der)
