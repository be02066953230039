"""Receipts: never more than the relying party may know, never better than the evidence."""

import hashlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inkan.crypto import base64url
from inkan.wire.binding import BindingLevel, Evidence, StatementDoor
from inkan.wire.reasons import Reason
from inkan.wire.receipt import (
    Binding,
    CommitmentMismatch,
    Receipt,
    ReceiptMalformed,
    commit,
    parse_receipt,
    receipt_bytes,
    verify_commitment,
)
from inkan.wire.session import EvidenceMode, Kind, Outcome
from wire import samples

SIGNED = {"kind": Kind.SIGN, "contents": (samples.content(),), "evidence": EvidenceMode.FULL}


@pytest.mark.parametrize(
    "receipt",
    [
        samples.receipt(),
        samples.receipt(**SIGNED),
        samples.receipt(kind=Kind.APPROVE, contents=(samples.noted(),)),
        samples.receipt(evidence=EvidenceMode.FULL, user_verification="biometric"),
        samples.receipt(
            door=StatementDoor.PUSH,
            binding=Binding(level=BindingLevel.MATCHED, evidence=(Evidence.CODE_ENTERED,)),
        ),
        samples.refused_receipt(),
        samples.refused_receipt(door=None),
        samples.refused_receipt(outcome=Outcome.BLOCKED, reason=Reason.RISK_BLOCKED),
        # Approved, but the certificate was revoked before release: the answer is known, the person is not.
        samples.refused_receipt(
            outcome=Outcome.FAILED,
            reason=Reason.CERT_REVOKED,
            young=True,
            user_verification="pin",
            status_at=samples.AT,
        ),
    ],
)
def test_receipts(receipt: Receipt) -> None:
    assert parse_receipt(receipt_bytes(receipt)) == receipt


def refused_at(receipt: Receipt) -> str:
    with pytest.raises(ReceiptMalformed) as refused:
        receipt_bytes(receipt)
    return str(refused.value.public_facts["where"])


@pytest.mark.parametrize(
    "member",
    [
        *("subject", "commitments", "door", "young", "back_end", "single_key"),
        *("user_verification", "status_at"),
    ],
)
def test_a_good_answer_has_every_member(member: str) -> None:
    assert refused_at(samples.receipt(**{member: None})) == f"/{member}"


@pytest.mark.parametrize("outcome", [Outcome.REFUSED, Outcome.FAILED, Outcome.BLOCKED])
@pytest.mark.parametrize("member", ["subject", "commitments"])
def test_who_did_not_approve_is_not_identified(member: str, outcome: Outcome) -> None:
    given_away = {member: getattr(samples.receipt(), member), "outcome": outcome}
    assert refused_at(samples.refused_receipt(**given_away)) == f"/{member}"


def test_nor_are_attributes_given() -> None:
    assert refused_at(samples.refused_receipt(claims={"name": "王小明"})) == "/claims"


def test_a_reason_stands_exactly_where_it_did_not_end_well() -> None:
    assert refused_at(samples.receipt(reason=Reason.USER_REFUSED)) == "/reason"
    assert refused_at(samples.refused_receipt(reason=None)) == "/reason"


def test_a_level_is_what_its_evidence_reaches() -> None:
    for level in BindingLevel:
        claimed = Binding(level=level, evidence=(Evidence.BROWSER_BOUND,))
        if level == BindingLevel.NONE:
            assert receipt_bytes(samples.receipt(binding=claimed))
            continue
        assert refused_at(samples.receipt(binding=claimed)) == "/binding/level"


def test_without_a_door_there_is_no_level() -> None:
    strong = Binding(level=BindingLevel.STRONG, evidence=(Evidence.HYBRID,))
    assert refused_at(samples.refused_receipt(door=None, binding=strong)) == "/binding/level"


def test_an_older_table_does_not_make_a_receipt_unreadable() -> None:
    data = receipt_bytes(samples.receipt()).replace(b'"level":"none"', b'"level":"matched"')
    assert parse_receipt(data).binding.level == BindingLevel.MATCHED


@pytest.mark.parametrize(
    ("change", "where"),
    [
        ({"released_at": "2026-11-21T22:55:03Z"}, "/released_at"),
        ({"decided_at": "2026-02-30T00:00:00Z"}, "/decided_at"),
        ({"status_at": "2026-02-30T00:00:00Z"}, "/status_at"),
        (SIGNED | {"evidence": EvidenceMode.PLATFORM}, "/evidence"),
        (SIGNED | {"contents": ()}, "/contents"),
        ({"contents": (samples.content(),)}, "/contents"),
        (
            {
                "binding": Binding(
                    level=BindingLevel.NONE,
                    evidence=(Evidence.CODE_ENTERED, Evidence.BROWSER_BOUND),
                )
            },
            "/binding/evidence",
        ),
        (
            {"binding": Binding(level=BindingLevel.NONE, evidence=(Evidence.REDEEMED,) * 2)},
            "/binding/evidence",
        ),
        ({"user_verification": "face"}, "/user_verification"),
        ({"claims": {"Name": "x"}}, "/claims"),
        ({"claims": {"score": 1.5}}, "/claims/score"),
        ({"claims": {"score": 2**53}}, "/claims/score"),
        ({"claims": {"note": "x" * 2001}}, "/claims/note"),
        ({"claims": {"list": [0] * 101}}, "/claims/list"),
        ({"claims": {"object": {"名": 1}}}, "/claims/object"),
        ({"claims": {"object": {"x" * 65: 1}}}, "/claims/object"),
    ],
    ids=str,
)
def test_contradictions_are_refused(change: dict[str, Any], where: str) -> None:
    assert refused_at(samples.receipt(**change)) == where


def test_claims_may_be_whatever_canonical_json_is() -> None:
    claims = {
        "birthdate": {"value": "2000-01-01", "source": "card", "level": 3},
        "adult": True,
        "titles": ["醫師", None, -1],
        "nested": [[[[{"a": [1]}]]]],
    }
    assert parse_receipt(receipt_bytes(samples.receipt(claims=claims))).claims == claims


def test_a_commitment_hides_until_its_salt_opens_it() -> None:
    salt = samples.fixed("salt")
    expected = base64url.encode(hashlib.sha256(salt + b"statement").digest())
    assert commit(salt, b"statement") == expected
    assert verify_commitment(expected, salt=salt, data=b"statement") == b"statement"


@given(st.binary(max_size=40), st.binary(max_size=40))
def test_no_other_bytes_open_it(salt: bytes, data: bytes) -> None:
    commitment = commit(bytes(32), b"statement")
    if (salt, data) == (bytes(32), b"statement"):
        return
    with pytest.raises(CommitmentMismatch):
        verify_commitment(commitment, salt=salt, data=data)


def test_bytes_do_not_slide_from_salt_to_data() -> None:
    commitment = commit(bytes(32), b"statement")
    with pytest.raises(CommitmentMismatch):
        verify_commitment(commitment, salt=bytes(32) + b"s", data=b"tatement")
