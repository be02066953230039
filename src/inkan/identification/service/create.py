"""Open a session: ``POST /v1/sessions`` (design §5.5).

The expected person is compared after the approval, never before: what is stored is a keyed hash of a
canonical number, and an unknown person costs the same work as a known one (threat 15).
"""

import hashlib
import hmac
from datetime import datetime, timedelta

import msgspec

from inkan.approvals import Approval, Question, RelyingPartyName
from inkan.audit import Actor, ActorKind
from inkan.identification import store
from inkan.identification.model import (
    Created,
    DoorNotRegistered,
    LevelTooLow,
    PurposeNotRegistered,
    Session,
    SessionOrder,
    SubjectHint,
)
from inkan.identification.rules import (
    BINDING_MIN,
    DOOR_LIFE,
    DOORS_SERVED,
    INTERNAL_ONLY,
    READABLE,
)
from inkan.identification.service.parts import Parts, read_session
from inkan.identification.service.views import created_view
from inkan.kernel.errors import Malformed
from inkan.kernel.idempotency import IdempotencyConflict
from inkan.kernel.identifiers import parse_typed_national_id
from inkan.kernel.ids import ApprovalID, SessionID, new_id
from inkan.relying_parties import Purpose, System
from inkan.store.database import MOMENT, Step
from inkan.wire.binding import BindingLevel, Door, Evidence, Stage, highest_reachable
from inkan.wire.contents import Content, ContentFormat, contents_flaw
from inkan.wire.session import Kind


class _Plan(msgspec.Struct, frozen=True):
    """An order that passed every check that needs no database."""

    order: SessionOrder
    purpose: Purpose
    binding_min: BindingLevel
    hint: bytes | None
    idempotency_key: str
    body_mac: str


class _UsedBefore(Exception):
    """The key has its session: nothing of this attempt stays, its audit event neither."""


async def create(
    parts: Parts, system: System, order: SessionOrder, *, body: bytes, idempotency_key: str
) -> Created:
    """Open a session, or give the stored answer of the same key and body.

    Raises:
        PurposeNotRegistered, DoorNotRegistered, LevelTooLow: outside the system's registration.
        NationalIDMalformed: the hint is no national ID; says nothing about any person.
        Malformed: contents that no statement admits, or a longer life than a door has.
        IdempotencyConflict: the key was used with another body.
    """
    _check_contents(order)
    plan = _Plan(
        order=order,
        purpose=_purpose(system, order),
        binding_min=_binding_min(system, order),
        hint=_hint(parts, order.subject_hint),
        idempotency_key=idempotency_key,
        body_mac=parts.body_mac(body),
    )
    _check_doors(system, plan)
    try:
        return await parts.db.transact(_create, parts, system, plan)
    except _UsedBefore:
        return await parts.db.read(_stored_answer, parts, system, plan)


def _create(parts: Parts, system: System, plan: _Plan) -> Step[Created]:
    moment = yield MOMENT
    session_id, approval_id = SessionID(new_id("ses")), ApprovalID(new_id("apr"))
    event = yield from parts.audit.record(
        "identification.session_created",
        actor=Actor(ActorKind.SYSTEM, system.id),
        object=session_id,
        details={
            "approval": approval_id,
            "kind": plan.order.kind,
            "purpose": plan.purpose.code,
            "doors": [str(door) for door in plan.order.doors],
            "hint_type": plan.order.subject_hint.type,
        },
    )
    session = _session(system, plan, session_id, approval_id, now=moment)
    made = yield store.INSERT.run(
        **msgspec.structs.asdict(session),
        idempotency_key=plan.idempotency_key,
        evidence=None,
        event_id=event,
    )
    if not made:
        raise _UsedBefore
    approval = yield from parts.approvals.ask(
        _question(parts, system, plan, session_id),
        approval_id=approval_id,
        handle=new_id("qr") if Door.QR in plan.order.doors else None,
        expires_at=session.expires_at,
        event=event,
    )
    return _answer(parts, session, approval, now=moment)


def _session(
    system: System, plan: _Plan, session_id: SessionID, approval_id: ApprovalID, *, now: datetime
) -> Session:
    expires_at = now + timedelta(seconds=plan.order.expires_in)
    return Session(
        id=session_id,
        system=system.id,
        sector=system.sector,
        approval=approval_id,
        kind=plan.order.kind,
        purpose=plan.purpose.code,
        full_evidence=plan.purpose.evidence == "full",
        binding_min=plan.binding_min,
        hint_type=plan.order.subject_hint.type,
        hint=plan.hint,
        body_sha256=plan.body_mac,
        created_at=now,
        expires_at=expires_at,
        purge_at=expires_at + READABLE,
        result=None,
        certificate=None,
        receipt_payload=None,
        receipt=None,
    )


def _stored_answer(parts: Parts, system: System, plan: _Plan) -> Step[Created]:
    row = yield store.BY_KEY.one(system=system.id, key=plan.idempotency_key)
    session = read_session(row)
    if session is None or not hmac.compare_digest(session.body_sha256, plan.body_mac):
        raise IdempotencyConflict()
    approval = yield from parts.approvals.get(session.approval)
    return _answer(parts, session, approval, now=parts.db.now())


def _answer(parts: Parts, session: Session, approval: Approval, *, now: datetime) -> Created:
    doors = {"qr": parts.qr_door(approval, now)} if approval.handle else {}
    return Created(session=created_view(session, approval), doors=doors)


def _question(parts: Parts, system: System, plan: _Plan, session_id: SessionID) -> Question:
    return Question(
        iss=parts.issuer,
        kind=plan.order.kind,
        session=session_id,
        system=system.id,
        relying_party=RelyingPartyName(
            id=system.organisation, name=system.name, domain=system.domain
        ),
        purpose=plan.purpose.code,
        purpose_text=plan.purpose.text,
        challenge=plan.order.challenge,
        contents=msgspec.to_builtins(_contents(plan.order)),
        full_evidence=plan.purpose.evidence == "full",
    )


def _contents(order: SessionOrder) -> list[Content]:
    # An approval signs nothing but the statement; documents get formats with the feature `signing`.
    return [
        Content(
            id=each.id,
            name=each.name,
            digest=each.digest,
            alg=each.alg,
            format=ContentFormat.STATEMENT,
            tbs_sha256=None,
        )
        for each in order.contents
    ]


def _check_contents(order: SessionOrder) -> None:
    """Refuse here what no statement could say: the person at the phone cannot mend it."""
    flaw = contents_flaw(Kind(order.kind), _contents(order))
    if flaw is not None:
        raise Malformed(where=flaw.where, expected=flaw.expected)


def _purpose(system: System, order: SessionOrder) -> Purpose:
    purpose = system.purposes.get(order.purpose)
    if purpose is None or order.kind not in purpose.kinds:
        raise PurposeNotRegistered()
    return purpose


def _binding_min(system: System, order: SessionOrder) -> BindingLevel:
    default = system.binding_min or BINDING_MIN[order.kind]
    wanted = order.binding_min or default
    if (order.kind, wanted) in INTERNAL_ONLY and not system.internal:
        raise LevelTooLow(
            "only a system registered for internal use may ask so", binding_min=str(wanted)
        )
    return wanted


def _check_doors(system: System, plan: _Plan) -> None:
    for door in plan.order.doors:
        if door not in DOORS_SERVED or door not in system.doors:
            raise DoorNotRegistered()
        check_level(door, plan.binding_min)
        check_life(door, timedelta(seconds=plan.order.expires_in))


def check_level(door: Door, binding_min: BindingLevel) -> None:
    """Refuse a door that cannot reach the demanded level (design §5.4; checked when it is made).

    Raises:
        LevelTooLow: with what can be reached.
    """
    reachable = highest_reachable(door, stage=Stage.MADE, excluded=frozenset(Evidence))
    if reachable < binding_min:
        raise LevelTooLow(binding_min=str(binding_min), reachable=str(reachable))


def check_life(door: Door, life: timedelta) -> None:
    """Refuse a door for a session that outlives it (TW-45: a code is scanned within 180 s).

    Raises:
        Malformed: with the longest life.
    """
    longest = DOOR_LIFE[door]
    if life > longest:
        raise Malformed(
            where="/expires_in", expected=f"at most {longest.total_seconds():.0f} with {door}"
        )


def _hint(parts: Parts, hint: SubjectHint) -> bytes | None:
    """The blind form of whom the relying party expects: the number itself ends here (design §5.4)."""
    match hint.type:
        case "none":
            return None
        case "national_id":
            return parts.people.lookup(parse_typed_national_id(hint.value))
        case "person_ref":
            return hashlib.sha256(hint.value.encode()).digest()
