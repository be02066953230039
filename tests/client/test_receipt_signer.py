"""The receipt's signer: nothing but a certified receipt signer signs a receipt."""

import base64
import json

import pytest

from client.verdicts import SECOND, refused_at, verify
from inkan.client.verifier import verify_receipt
from inkan.crypto import base64url, oids
from inkan.crypto.certificates import CertificateMalformed
from inkan.crypto.jose import Algorithm
from support.keyring import ec_key
from support.pki import AT, Authority
from support.receipt_world import ReceiptWorld


@pytest.mark.parametrize(
    ("signer", "code"),
    [
        ({"usage": ["content_commitment"]}, "certificate_wrong_purpose"),
        ({"usage": ["digital_signature", "content_commitment"]}, "certificate_wrong_purpose"),
        ({"policies": [oids.POLICY_PHONE_AUTH]}, "certificate_policy_unmet"),
        ({"policies": [oids.ANY_POLICY]}, "certificate_policy_unmet"),
        ({"policies": []}, "certificate_policy_unmet"),
        ({"not_after": AT - SECOND}, "certificate_expired"),
        ({"not_before": AT + SECOND}, "certificate_not_yet_valid"),
    ],
)
def test_only_a_receipt_signer_signs_receipts(signer, code):
    refused_at(verify(ReceiptWorld(signer=signer)), 2, code)


def test_a_phone_cannot_sign_its_own_receipt(world):
    phone = ReceiptWorld(key=ec_key(3), root=world.root, issuing=world.issuing)
    chain = [phone.phone.der, phone.issuing.der]
    forged = phone.sign_receipt(phone.receipt_payload, key=phone.key, chain=chain)
    refused_at(verify_receipt(forged, phone.anchors), 2, "policy_unmet")


def test_a_chain_that_ends_nowhere_is_invalid(world):
    refused_at(verify_receipt(world.receipt_jws, (Authority.root().der,)), 2, "untrusted")
    refused_at(verify_receipt(world.receipt_jws, ()), 2, "untrusted")


def test_a_root_that_signs_as_itself_is_no_signer(world):
    forged = world.sign_receipt(world.receipt_payload, key=ec_key(8), chain=[world.root.der])
    refused_at(verify_receipt(forged, world.anchors), 2)


def test_the_certificate_of_another_key_does_not_vouch(world):
    forged = world.sign_receipt(world.receipt_payload, key=ec_key(9))
    refused_at(verify_receipt(forged, world.anchors), 3)


def test_another_type_is_no_receipt(world):
    forged = world.sign_receipt(world.receipt_payload, typ="inkan-statement+jws")
    refused_at(verify_receipt(forged, world.anchors), 1)


def test_a_receipt_in_another_spelling_is_no_receipt(world):
    pretty = json.dumps(json.loads(world.receipt_payload)).encode()
    refused_at(verify_receipt(world.sign_receipt(pretty), world.anchors), 1, "not_canonical")


def test_x5c_is_standard_base64_in_one_spelling(world):
    from inkan.crypto import jose

    der = world.receipt_signer.der
    good = base64.b64encode(der).decode()
    for text in (base64url.encode(der), good + "\n", good.rstrip("=") + "====", " " + good, "§"):
        if text == good:
            continue
        forged = jose.sign_compact(
            world.receipt_payload,
            world.receipt_signer.key,
            alg=Algorithm.ES256,
            typ="inkan-receipt+jws",
            header={"x5c": [text]},
        )
        refused_at(verify_receipt(forged, world.anchors), 2)


def test_an_anchor_that_is_no_certificate_is_the_callers_mistake(world):
    with pytest.raises(CertificateMalformed):
        verify_receipt(world.receipt_jws, (b"root",))
