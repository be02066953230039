"""Revocation before the verifier: what was revoked by the release is invalid, and what nobody vouches for stays open."""

from datetime import timedelta

import pytest

from client.verdicts import SECOND, refused_at, unknown_at, verify
from inkan.client.receipt_report import Report, Trust, Verdict
from support.pki import AT, DAY, Authority
from support.receipt_world import ReceiptWorld, replaced


def _with(world, **evidence) -> Report:
    return verify(world, replaced(world.bundle, revocation=world.revocation(**evidence)))


def test_ocsp_or_crl_alone_will_do_for_the_phone(world):
    ocsp, crls = world.issuing.ocsp(world.phone.certificate), world.issuing.crl()
    for evidence in (
        {"ocsp": [ocsp], "crls": [world.root.crl()]},
        {"ocsp": [], "crls": [crls, world.root.crl()]},
    ):
        assert _with(world, **evidence).verdict is Verdict.VALID


def test_without_word_of_the_phone_the_answer_is_open(world):
    unknown_at(_with(world, ocsp=[], crls=[world.root.crl()]), 12)


def test_without_word_of_its_authority_the_answer_is_open(world):
    report = _with(world, crls=[world.issuing.crl()])
    unknown_at(report, 12)
    assert Trust.SIGNER_STATUS in report.rests_on_platform


@pytest.mark.parametrize("way", ["ocsp", "crl"])
@pytest.mark.parametrize("before", [0, 1, 3600])
def test_revoked_by_the_release_is_invalid(world, way, before):
    when = AT - timedelta(seconds=before)
    phone = world.phone.certificate
    if way == "ocsp":
        evidence = {
            "ocsp": [
                world.issuing.ocsp(
                    phone, status="revoked", revoked_at=when, this_update=AT + SECOND
                )
            ]
        }
    else:
        listed = world.issuing.crl([phone], revoked_at=when, this_update=AT + SECOND)
        evidence = {"crls": [listed, world.root.crl()]}
    refused_at(_with(world, **evidence), 12, "certificate_revoked")


def test_revoked_after_the_release_changes_nothing(world):
    later = world.issuing.ocsp(
        world.phone.certificate,
        status="revoked",
        revoked_at=AT + SECOND,
        this_update=AT + 2 * SECOND,
    )
    assert _with(world, ocsp=[later]).verdict is Verdict.VALID


def test_a_good_answer_beside_a_bad_one_does_not_win(world):
    phone = world.phone.certificate
    bad = world.issuing.ocsp(phone, status="revoked", revoked_at=AT - SECOND)
    refused_at(_with(world, ocsp=[world.issuing.ocsp(phone), bad]), 12, "certificate_revoked")


def test_an_old_answer_says_nothing(world):
    """Threat 36: a good answer from before the decision, replayed."""
    window = {"this_update": AT - 2 * DAY, "next_update": AT - DAY}
    old = [world.issuing.ocsp(world.phone.certificate, **window)]
    unknown_at(_with(world, ocsp=old, crls=[world.root.crl()]), 12)
    old = [world.issuing.crl(**window), world.root.crl()]
    unknown_at(_with(world, ocsp=[], crls=old), 12)


def test_a_later_answer_speaks_for_the_release_too(world):
    window = {"this_update": AT + DAY, "next_update": AT + 2 * DAY}
    phone = world.phone.certificate
    assert _with(world, ocsp=[world.issuing.ocsp(phone, **window)]).verdict is Verdict.VALID


def test_a_list_from_after_the_term_says_nothing():
    """Lists forget certificates that have ended."""
    world = ReceiptWorld(leaf={"not_after": AT + DAY})
    late = world.issuing.crl(this_update=AT + 2 * DAY, next_update=AT + 3 * DAY)
    unknown_at(_with(world, ocsp=[], crls=[late, world.root.crl()]), 12)


def test_a_responder_that_does_not_know_leaves_the_answer_open(world):
    unknown = world.issuing.ocsp(world.phone.certificate, status="unknown")
    unknown_at(_with(world, ocsp=[unknown]), 12)


def test_a_revoked_authority_is_invalid(world):
    listed = world.root.crl([world.issuing.certificate], revoked_at=AT - SECOND)
    refused_at(_with(world, crls=[listed, world.issuing.crl()]), 12, "certificate_revoked")


def test_a_revoked_authority_is_not_hidden_by_a_gap_below_it(world):
    listed = world.root.crl([world.issuing.certificate], revoked_at=AT - SECOND)
    refused_at(_with(world, ocsp=[], crls=[listed]), 12, "certificate_revoked")


def test_a_revoked_receipt_signer_is_invalid(world):
    listed = world.root.crl([world.receipt_signer.certificate], revoked_at=AT - SECOND)
    refused_at(_with(world, crls=[listed, world.issuing.crl()]), 12, "certificate_revoked")


def test_forged_and_foreign_proofs_of_status_are_invalid(world):
    rogue = Authority.root("Rogue")
    phone = world.phone.certificate
    cases = [
        {"ocsp": [world.issuing.ocsp(phone, responder=rogue.responder())]},
        {"ocsp": [_flipped(world.issuing.ocsp(phone, embed=[], responder=world.issuing))]},
        {"ocsp": [rogue.ocsp(rogue.issue().certificate)]},
        {"crls": [world.issuing.crl(signer=rogue), world.root.crl()]},
        {"crls": [rogue.crl(), world.root.crl()]},
        {"ocsp": [b"\x30\x00"]},
        {"crls": [b"\x30\x00"]},
    ]
    for evidence in cases:
        refused_at(_with(world, **evidence), 12)


def _flipped(der: bytes) -> bytes:
    return der[:-1] + bytes([der[-1] ^ 1])


def test_a_proof_about_another_holder_is_invalid(world):
    neighbour = world.issuing.issue("Neighbour").certificate
    good = [world.issuing.ocsp(world.phone.certificate), world.issuing.ocsp(neighbour)]
    refused_at(_with(world, ocsp=good), 12, "status_unproved")
