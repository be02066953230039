"""The audit log in the evidence: only this decision, under a head that the root vouches for, is called logged."""

import base64

import msgspec
import pytest

from client.verdicts import SECOND, refused_at, verify
from inkan.client.receipt_report import Report, Result, Trust, Verdict
from inkan.crypto import jose, oids
from inkan.crypto.jose import Algorithm
from inkan.wire import evidence as wire
from support.keyring import ec_key, rsa_key
from support.pki import AT, DAY, Authority
from support.receipt_world import EVENT_SALT, SIZE, ReceiptWorld, b64, replaced, seeded
from support.tree import tree_path

STEP = 14


def with_proof(world: ReceiptWorld, **changes: object) -> wire.EvidenceBundle:
    """The bundle with members of the proof changed, and nothing made to fit."""
    return replaced(world.bundle, inclusion=msgspec.structs.replace(world.inclusion, **changes))


def unproved(report: Report, word: str) -> None:
    """The receipt is valid, and that it is logged is the platform's word, for this reason."""
    last = report.checks[-1]
    assert report.verdict is Verdict.VALID, report.summary
    assert (last.number, last.result) == (STEP, Result.UNPROVED)
    assert word in last.detail
    assert Trust.LOGGED in report.rests_on_platform
    assert not report.is_logged
    assert report.summary == "valid"


def refused(report: Report, word: str = "") -> None:
    refused_at(report, STEP, word)
    assert not report.is_logged


def test_an_honest_proof_is_proved(world):
    report = verify(world)
    assert report.checks[-1].result is Result.PASSED, report.checks[-1]
    assert report.is_logged
    assert Trust.LOGGED not in report.rests_on_platform
    assert not any("audit log" in sentence for sentence in report.trust)


def test_evidence_of_before_the_head_holds_without_it(world):
    unproved(verify(world, replaced(world.bundle, inclusion=None)), "log_proof_absent")


# --- the leaf ---------------------------------------------------------------------------------------


def test_another_leaf_is_refused(world):
    """A true proof under a true head, of an event that says something else."""
    for index in (0, SIZE - 1):
        changes = {
            "index": index,
            "path": tuple(map(b64, tree_path(index, world.leaves))),
            "event": b64(world.leaves[index]),
        }
        refused(verify(world, with_proof(world, **changes)), "audit_event_malformed")


@pytest.mark.parametrize(
    ("event", "word"),
    [
        ({"use_case": "identification.session_opened"}, "another act"),
        ({"object": "ses_2"}, "another session"),
        ({"object": None}, "another session"),
        ({"details": seeded(60)}, "another receipt"),
        ({"v": 2}, "audit_event_malformed"),
        ({"name": "wang"}, "audit_event_malformed"),
        ({"subject": "王小明"}, "audit_event_malformed"),
    ],
    ids=str,
)
def test_an_event_of_something_else_is_refused(event, word):
    refused(verify(ReceiptWorld(event=event)), word)


@pytest.mark.parametrize(
    "details",
    [
        {"receipt_sha256": seeded(61)},
        {"statement_sha256": seeded(61)},
        {"outcome": "refused"},
        {"reason": "user_refused"},
        {"more": True},
    ],
    ids=str,
)
def test_an_event_that_commits_to_something_else_is_refused(details):
    refused(verify(ReceiptWorld(details=details)), "another receipt")


def test_the_proof_of_another_receipt_of_the_same_session_is_refused(world):
    """The same session, statement and log; only the receipt says otherwise."""
    other = ReceiptWorld(receipt={"young": True}, root=world.root, issuing=world.issuing)
    assert verify(other).is_logged
    swapped = replaced(world.bundle, inclusion=other.inclusion)
    refused(verify(world, swapped), "another receipt")


def test_another_salt_is_refused(world):
    salt = b64(bytes([EVENT_SALT[0] ^ 1, *EVENT_SALT[1:]]))
    refused(verify(world, with_proof(world, salt=salt)), "another receipt")


def test_an_event_in_another_spelling_is_refused(world):
    spelt = world.leaf_bytes.replace(b":", b": ", 1)
    refused(verify(world, with_proof(world, event=b64(spelt))), "not_canonical")


# --- the path ---------------------------------------------------------------------------------------


def test_an_altered_path_is_refused(world):
    path = world.inclusion.path
    for wrong in (
        (seeded(62), *path[1:]),
        path[::-1],
        path[:-1],
        (*path, seeded(62)),
        (),
    ):
        refused(verify(world, with_proof(world, path=wrong)), "merkle_proof_refused")


def test_another_index_or_size_is_refused(world):
    refused(verify(world, with_proof(world, index=4)), "merkle_proof_refused")
    refused(verify(world, with_proof(world, tree_size=SIZE + 1)), "evidence_unfit")


# --- the head ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("head", "word"),
    [
        ({"root": seeded(63)}, "merkle_proof_refused"),
        ({"size": SIZE + 1}, "evidence_unfit"),
        ({"v": 2}, "audit_head_malformed"),
        ({"at": "2026-11-31T00:00:00Z"}, "audit_head_malformed"),
        ({"more": 1}, "audit_head_malformed"),
    ],
    ids=str,
)
def test_a_head_of_something_else_is_refused(head, word):
    refused(verify(ReceiptWorld(head=head)), word)


def test_a_head_of_another_key_is_refused(world):
    forged = world.sign_head(key=ec_key(13))
    refused(verify(world, with_proof(world, head_jws=forged)), "jws_signature_wrong")


def test_a_head_of_another_type_is_refused(world):
    for typ in ("inkan-receipt+jws", "JWT"):
        forged = world.sign_head(typ=typ)
        refused(verify(world, with_proof(world, head_jws=forged)), "jws_malformed")
    refused(verify(world, with_proof(world, head_jws=world.receipt_jws)), "jws_malformed")


def test_a_head_in_another_spelling_is_refused(world):
    spelt = world.sign_head(world.head_payload + b" ")
    refused(verify(world, with_proof(world, head_jws=spelt)), "not_canonical")


def test_a_head_without_its_signers_chain_is_refused(world):
    bare = world.sign_head(chain=[])
    refused(verify(world, with_proof(world, head_jws=bare)), "x5c")


# --- the head's signer ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("signer", "code"),
    [
        ({"policies": [oids.POLICY_RECEIPT]}, "certificate_policy_unmet"),
        ({"policies": [oids.POLICY_PHONE_AUTH]}, "certificate_policy_unmet"),
        ({"policies": [oids.ANY_POLICY]}, "certificate_policy_unmet"),
        ({"policies": []}, "certificate_policy_unmet"),
        ({"usage": ["content_commitment"]}, "certificate_wrong_purpose"),
        ({"usage": ["digital_signature", "content_commitment"]}, "certificate_wrong_purpose"),
        ({"not_after": AT + SECOND}, "certificate_expired"),
        ({"not_before": AT + DAY}, "certificate_not_yet_valid"),
    ],
    ids=str,
)
def test_only_a_signer_of_heads_signs_heads(signer, code):
    refused(verify(ReceiptWorld(head_signer=signer)), code)


def test_neither_the_receipt_signer_nor_a_phone_signs_heads(world):
    receipts = world.sign_head(key=world.receipt_signer.key, chain=[world.receipt_signer.der])
    refused(verify(world, with_proof(world, head_jws=receipts)), "certificate_policy_unmet")
    phone = ReceiptWorld(key=ec_key(3), root=world.root, issuing=world.issuing)
    forged = phone.sign_head(key=phone.key, chain=[phone.phone.der, phone.issuing.der])
    refused(verify(phone, with_proof(phone, head_jws=forged)), "certificate_policy_unmet")


def test_a_signer_under_a_foreign_root_is_refused(world):
    foreign = Authority.root()
    signer = foreign.issue("Audit log", key=ec_key(12), policies=[oids.POLICY_AUDIT_HEAD])
    forged = world.sign_head(chain=[signer.der])
    refused(verify(world, with_proof(world, head_jws=forged)), "certificate_untrusted")


def test_another_algorithm_is_refused(world):
    """A signer of heads with an RSA key, certified and all: heads are ES256."""
    signer = world.issuing.issue("Log", key=rsa_key(), policies=[oids.POLICY_AUDIT_HEAD])
    forged = jose.sign_compact(
        world.head_payload,
        signer.key,
        alg=Algorithm.PS256,
        typ="inkan-audit-head+jws",
        header={"x5c": [base64.b64encode(each.der).decode() for each in (signer, world.issuing)]},
    )
    refused(verify(world, with_proof(world, head_jws=forged)), "jws_signature_wrong")


def test_a_revoked_signer_is_refused(world):
    crls = (world.issuing.crl({world.log_signer.certificate: "keyCompromise"}), world.root.crl())
    revoked = replaced(world.bundle, revocation=world.revocation(crls=crls))
    refused(verify(world, revoked), "certificate_revoked")


def test_a_signer_of_whom_nothing_speaks_leaves_it_the_platforms_word():
    """The phone's own status is proved by OCSP; no list speaks of the authority's other certificates."""
    world = ReceiptWorld()
    bundle = replaced(world.bundle, revocation=world.revocation(crls=(world.root.crl(),)))
    unproved(verify(world, bundle), "revocation_unknown")


def test_after_the_signers_term_the_head_proves_nothing_more():
    world = ReceiptWorld(head_signer={"not_after": AT + 10 * DAY})
    assert verify(world, at=AT + 10 * DAY).is_logged
    unproved(verify(world, at=AT + 10 * DAY + SECOND), "log_head_too_old")
