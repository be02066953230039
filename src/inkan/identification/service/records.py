"""What is written down of a decision: the receipt's payload, the sealed proofs, the usage record."""

from datetime import datetime
from typing import Any, Self

import msgspec

from inkan.approvals import Approval
from inkan.enrolment import PhonePrincipal
from inkan.identification.model import Session
from inkan.identification.service.parts import Parts
from inkan.kernel.clock import rfc3339
from inkan.kernel.ids import PersonID
from inkan.wire import receipt, statement
from inkan.wire.binding import BackEnd, BindingLevel, level_of
from inkan.wire.contents import Content
from inkan.wire.evidence import Assertion, assertion_bytes
from inkan.wire.reasons import Reason
from inkan.wire.session import EvidenceMode, Kind, Outcome

COMMITTED = ("statement", "certificate", "assertion")


class Mark(msgspec.Struct, frozen=True):
    """What the receipt says of the phone that answered, as it was when it decided."""

    person: str
    phone: str
    scheme: str
    young_until: datetime
    back_end: BackEnd
    attested: bool
    synced: bool
    single_key: bool

    @classmethod
    def of(cls, phone: PhonePrincipal) -> Self:
        """The mark of a phone that proved itself."""
        facts = phone.facts
        return cls(
            scheme=phone.scheme,
            person=facts.person,
            phone=facts.phone,
            young_until=facts.young_until,
            back_end=facts.back_end,
            attested=facts.attested,
            synced=facts.backup_eligible,
            single_key=facts.single_key,
        )


class Proofs(msgspec.Struct, frozen=True):
    """Both proofs of an approval, as they rest sealed in the session's row.

    Attributes:
        payload: the statement's bytes.
        certificate: id of the certificate that signed, and its DER.
        salts: one 32-byte salt for each of :data:`COMMITTED`.
        mark: of the phone; None in rows of before there were returns.
    """

    statement_jws: str
    payload: bytes
    assertion: dict[str, str]
    cose_key: bytes
    certificate: str
    certificate_der: bytes
    salts: dict[str, bytes]
    mark: Mark | None = None


def person_ref(parts: Parts, session: Session, person: str) -> str:
    """The reference under which this system's sector knows the person."""
    return parts.people.reference(PersonID(person), sector=session.sector)


def phone_ref(parts: Parts, session: Session, phone: str) -> str:
    """The reference under which this system's sector knows the phone."""
    return parts.people.phone_reference(phone, sector=session.sector)


def usage(
    approval: Approval, *, result: dict[str, Any] | None = None, is_delivered: bool = True
) -> dict[str, Any]:
    """What the person reads about this use (TW-38); sealed and erasable.

    Args:
        approval: as it ended.
        result: what the session shows of the answer.
        is_delivered: False for an answer that nobody fetched in time.
    """
    question = approval.question
    # Whom the asker expected is not told to who scanned its code (design §5.4).
    is_mismatch = approval.reason == Reason.SUBJECT_MISMATCH
    return {
        "session": question.session,
        "system": question.system,
        "kind": question.kind,
        "relying_party": question.relying_party.name,
        "domain": question.relying_party.domain,
        "purpose": question.purpose_text,
        "door": str(approval.door) if approval.door else None,
        "claims": list(question.claims),
        "binding": result["binding"] if result else None,
        "is_delivered": is_delivered,
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
    mark: Mark | None,
    proofs: Proofs | None,
    claims: dict[str, Any],
) -> tuple[bytes, dict[str, Any]]:
    """The receipt's canonical payload, and the part of it that the session object shows.

    Args:
        parts: of the feature.
        session: of the relying party.
        approval: as it ends in this very transaction.
        mark: of the phone that answered with its keys.
        proofs: of an answer that ends well.
        claims: attributes that are given, code to value.
    """
    decided = approval.decided_at
    released = approval.released_at
    assert decided is not None
    assert released is not None
    # The door of the statement; where no draft was given out, nothing was opened.
    door = approval.door if approval.draft else None
    evidence = tuple(sorted(approval.evidence)) if door else ()
    level = level_of(door, evidence) if door else BindingLevel.NONE
    ok = approval.outcome is Outcome.OK
    reference = person_ref(parts, session, mark.person) if mark and ok else None
    question = approval.question
    made = receipt.Receipt(
        v=1,
        iss=question.iss,
        session=question.session,
        kind=Kind(question.kind),
        system=question.system,
        relying_party=statement.RelyingPartyView(
            id=question.relying_party.id,
            name=question.relying_party.name,
            domain=question.relying_party.domain,
        ),
        purpose=question.purpose,
        outcome=Outcome(approval.outcome or Outcome.FAILED),
        reason=Reason(approval.reason) if approval.reason else None,
        subject=receipt.Subject(person_ref=reference) if reference else None,
        claims=claims if ok else {},
        challenge=question.challenge,
        contents=msgspec.convert(question.contents, tuple[Content, ...]),
        door=door,
        binding=receipt.Binding(level=level, evidence=evidence),
        young=mark.young_until > decided if mark else None,
        back_end=_back_end(mark),
        single_key=mark.single_key if mark else None,
        user_verification="undisclosed" if mark else None,
        evidence=EvidenceMode.FULL if session.full_evidence else EvidenceMode.PLATFORM,
        commitments=_commitments(proofs),
        decided_at=rfc3339(decided),
        released_at=rfc3339(released),
        status_at=rfc3339(released) if mark else None,
    )
    result = _result(made, session, level)
    if mark and reference:
        result["phone_ref"] = phone_ref(parts, session, mark.phone)
    return receipt.receipt_bytes(made), result


def _result(made: receipt.Receipt, session: Session, level: BindingLevel) -> dict[str, Any]:
    expected = session.hint_type != "none"
    mismatch = made.reason is Reason.SUBJECT_MISMATCH
    ok = made.outcome is Outcome.OK
    return {
        "person_ref": made.subject.person_ref if made.subject else None,
        "phone_ref": None,
        "claims": made.claims,
        "binding": {
            "level": str(level),
            "evidence": [str(each) for each in made.binding.evidence],
        },
        "match": (ok if ok or mismatch else None) if expected else None,
        "young": made.young,
        "back_end": str(made.back_end.kind) if made.back_end else None,
        "attested": made.back_end.attested and not made.back_end.synced if made.back_end else None,
    }


def _back_end(mark: Mark | None) -> receipt.KeyBackEnd | None:
    if mark is None:
        return None
    return receipt.KeyBackEnd(kind=mark.back_end, attested=mark.attested, synced=mark.synced)


def _commitments(proofs: Proofs | None) -> receipt.Commitments | None:
    if proofs is None:
        return None
    assertion = assertion_bytes(msgspec.convert(proofs.assertion, Assertion))
    return receipt.Commitments(
        statement=receipt.commit(proofs.salts["statement"], proofs.payload),
        certificate=receipt.commit(proofs.salts["certificate"], proofs.certificate_der),
        assertion=receipt.commit(proofs.salts["assertion"], assertion),
    )
