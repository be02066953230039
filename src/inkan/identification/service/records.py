"""What is written down of a decision: the receipt's payload, the sealed proofs, the usage record."""

from typing import Any

import msgspec

from inkan.approvals import Approval
from inkan.enrolment import PhoneFacts
from inkan.identification.model import Session
from inkan.identification.service.parts import Parts
from inkan.kernel.clock import rfc3339
from inkan.kernel.ids import PersonID
from inkan.wire import receipt, statement
from inkan.wire.binding import BindingLevel, Evidence, level_of
from inkan.wire.evidence import Assertion, assertion_bytes
from inkan.wire.reasons import Reason
from inkan.wire.session import EvidenceMode, Outcome

COMMITTED = ("statement", "certificate", "assertion")


class Proofs(msgspec.Struct, frozen=True):
    """Both proofs of an approval, as they rest sealed in the session's row.

    Attributes:
        payload: the statement's bytes.
        certificate: id of the certificate that signed, and its DER.
        salts: one 32-byte salt for each of :data:`COMMITTED`.
    """

    statement_jws: str
    payload: bytes
    assertion: dict[str, str]
    cose_key: bytes
    certificate: str
    certificate_der: bytes
    salts: dict[str, bytes]


def person_ref(parts: Parts, session: Session, person: str) -> str:
    """The reference under which this system's sector knows the person."""
    return parts.people.reference(PersonID(person), sector=session.sector)


def usage(approval: Approval) -> dict[str, Any]:
    """What the person reads about this use (TW-38); sealed and erasable."""
    question = approval.question
    # Whom the asker expected is not told to who scanned its code (design §5.4).
    is_mismatch = approval.reason == Reason.SUBJECT_MISMATCH
    return {
        "kind": question.kind,
        "relying_party": question.relying_party.name,
        "domain": question.relying_party.domain,
        "purpose": question.purpose_text,
        "door": str(approval.door),
        "full_evidence": question.full_evidence,
        "contents": [content["name"] for content in question.contents],
        "outcome": str(approval.outcome),
        "reason": None if is_mismatch else approval.reason,
    }


def receipt_payload(
    parts: Parts,
    session: Session,
    approval: Approval,
    *,
    draft: statement.Draft,
    facts: PhoneFacts | None,
    proofs: Proofs | None,
) -> tuple[bytes, dict[str, Any]]:
    """The receipt's canonical payload, and the part of it that the session object shows."""
    decided = approval.decided_at
    released = approval.released_at
    assert decided is not None
    assert released is not None
    evidence: tuple[Evidence, ...] = ()
    level = level_of(draft.door, evidence)
    ok = approval.outcome is Outcome.OK
    reference = person_ref(parts, session, facts.person) if facts and ok else None
    made = receipt.Receipt(
        v=1,
        iss=draft.iss,
        session=draft.session,
        kind=draft.kind,
        system=draft.system,
        relying_party=draft.relying_party,
        purpose=draft.purpose,
        outcome=Outcome(approval.outcome or Outcome.FAILED),
        reason=Reason(approval.reason) if approval.reason else None,
        subject=receipt.Subject(person_ref=reference) if reference else None,
        claims={},
        challenge=draft.challenge,
        contents=draft.contents,
        door=draft.door,
        binding=receipt.Binding(level=level, evidence=evidence),
        young=facts.young_until > decided if facts else None,
        back_end=_back_end(facts),
        single_key=facts.single_key if facts else None,
        user_verification="undisclosed" if facts else None,
        evidence=EvidenceMode.FULL if session.full_evidence else EvidenceMode.PLATFORM,
        commitments=_commitments(proofs),
        decided_at=rfc3339(decided),
        released_at=rfc3339(released),
        status_at=rfc3339(released) if facts else None,
    )
    return receipt.receipt_bytes(made), _result(made, session, level)


def _result(made: receipt.Receipt, session: Session, level: BindingLevel) -> dict[str, Any]:
    expected = session.hint_type != "none"
    mismatch = made.reason is Reason.SUBJECT_MISMATCH
    ok = made.outcome is Outcome.OK
    return {
        "person_ref": made.subject.person_ref if made.subject else None,
        "binding": {"level": str(level), "evidence": []},
        "match": (ok if ok or mismatch else None) if expected else None,
        "young": made.young,
        "back_end": str(made.back_end.kind) if made.back_end else None,
    }


def _back_end(facts: PhoneFacts | None) -> receipt.KeyBackEnd | None:
    if facts is None:
        return None
    return receipt.KeyBackEnd(
        kind=facts.back_end, attested=facts.attested, synced=facts.backup_eligible
    )


def _commitments(proofs: Proofs | None) -> receipt.Commitments | None:
    if proofs is None:
        return None
    assertion = assertion_bytes(msgspec.convert(proofs.assertion, Assertion))
    return receipt.Commitments(
        statement=receipt.commit(proofs.salts["statement"], proofs.payload),
        certificate=receipt.commit(proofs.salts["certificate"], proofs.certificate_der),
        assertion=receipt.commit(proofs.salts["assertion"], assertion),
    )
