"""docs/wire.md names every member, word and code of the formats, with the figures of the code."""

import re
from enum import StrEnum
from pathlib import Path

import msgspec
import pytest

from inkan.wire import (
    audit_log,
    binding,
    claims,
    conformance_report,
    contents,
    enrolment_request,
    evidence,
    receipt,
    session,
    shown,
    statement,
    use_proof,
)
from inkan.wire.audit_log import EVENT, HEAD
from inkan.wire.conformance_report import REPORT
from inkan.wire.documents import Format
from inkan.wire.enrolment_request import BIND, CONTENT_TYPES, RENEW, REVOKE
from inkan.wire.evidence import EVIDENCE_LIMIT
from inkan.wire.reasons import ROWS
from inkan.wire.receipt import RECEIPT
from inkan.wire.schema import NAMES
from inkan.wire.statement import DRAFT, STATEMENT
from inkan.wire.use_proof import USE_PROOF
from inkan.wire.webhook import WEBHOOK, Webhook

MANUAL = (Path(__file__).parents[2] / "docs" / "wire.md").read_text("utf-8")
NAMED = set(re.findall(r"`([^`\n]+)`", MANUAL))
STRUCTS: list[type[msgspec.Struct]] = [
    *(statement.Statement, statement.RelyingPartyView, statement.Shown, contents.Content),
    *(enrolment_request.BindContent, enrolment_request.RenewContent),
    *(enrolment_request.RevokeContent, enrolment_request.RequestedKey),
    *(receipt.Receipt, receipt.Subject, receipt.Binding, receipt.KeyBackEnd, receipt.Commitments),
    *(evidence.EvidenceBundle, evidence.Assertion, evidence.Salts, evidence.Revocation),
    *(use_proof.UseProof, use_proof.UsedRecord, use_proof.LoggedDetails),
    *(evidence.Inclusion, audit_log.Event, audit_log.Actor, audit_log.HeadPayload),
    *(conformance_report.ConformanceReport, conformance_report.ConformanceItem),
    Webhook,
]
ENUMS: list[type[StrEnum]] = [
    *(session.Kind, session.Outcome, session.EvidenceMode, session.SessionState),
    *(shown.Language, shown.Template),
    *(binding.StatementDoor, binding.BindingLevel, binding.Evidence, binding.BackEnd),
    *(contents.DigestAlgorithm, contents.ContentFormat, evidence.PlatformWord),
    *(audit_log.ActorKind, claims.Claim),
    *(enrolment_request.Purpose, enrolment_request.KeyUse, enrolment_request.RevokeCause),
]


@pytest.mark.parametrize("struct", STRUCTS, ids=lambda struct: struct.__name__)
def test_every_member_is_named(struct: type[msgspec.Struct]) -> None:
    assert set(struct.__struct_fields__) <= NAMED


@pytest.mark.parametrize("enum", ENUMS, ids=lambda enum: enum.__name__)
def test_every_word_is_named(enum: type[StrEnum]) -> None:
    assert set(map(str, enum)) <= NAMED


def test_every_reason_stands_with_its_row() -> None:
    for reason, row in ROWS.items():
        cells = f"| `{reason}` | {row.group} | {row.owner} | {row.retry} | {row.disclosure} |"
        assert cells in MANUAL


def test_every_content_type_is_named() -> None:
    for purpose, oid in CONTENT_TYPES.items():
        assert f"| `{purpose}` | {oid} |" in MANUAL


def test_every_schema_is_named() -> None:
    assert set(NAMES) - {"common"} <= NAMED


@pytest.mark.parametrize(
    ("row", "form"),
    [
        ("draft, statement", DRAFT),
        ("draft, statement", STATEMENT),
        *(("enrolment content", form) for form in (BIND, RENEW, REVOKE)),
        ("receipt payload", RECEIPT),
        ("audit event", EVENT),
        ("audit head", HEAD),
        ("proof of a use", USE_PROOF),
        ("conformance report payload", REPORT),
        ("webhook", WEBHOOK),
    ],
)
def test_limits_are_those_of_the_code(row: str, form: Format[msgspec.Struct]) -> None:
    cells = f"| {row} | {form.limit // 1024} KiB | `json_too_large`, `{form.malformed.code}`"
    assert cells in MANUAL


def test_other_limits_are_those_of_the_code() -> None:
    assert f"| evidence bundle | {EVIDENCE_LIMIT // 1024**2} MiB |" in MANUAL
    longest = len("/q#1.") + 64 + len(f".{2**32 - 1}.") + 22
    assert f"| QR frame | the origin and {longest} characters" in MANUAL
    assert f"| link | the origin and {len('/l#1.') + 64} characters" in MANUAL
