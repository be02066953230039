"""Open a session: ``POST /v1/sessions`` (design §5.5).

The expected person is compared after the approval, never before: what is stored is a keyed hash of a
canonical number, and an unknown person costs the same work as a known one (threat 15).
"""

import hmac
from collections.abc import Sequence
from datetime import datetime, timedelta
from urllib.parse import urlsplit

import msgspec

from inkan.approvals import Approval, Question, RelyingPartyName
from inkan.audit import Actor, ActorKind
from inkan.identification import store
from inkan.identification.model import (
    ClaimNotRegistered,
    Created,
    LevelTooLow,
    PurposeNotRegistered,
    Session,
    SessionOrder,
    SubjectHint,
    Terms,
    WebhookNotRegistered,
)
from inkan.identification.rules import BINDING_MIN, INTERNAL_ONLY, READABLE, comparable
from inkan.identification.service import announcing, doors, pushing
from inkan.identification.service.parts import Found, Parts, read_session
from inkan.identification.service.views import created_view
from inkan.kernel.errors import Malformed
from inkan.kernel.idempotency import IdempotencyConflict
from inkan.kernel.identifiers import parse_typed_national_id
from inkan.kernel.ids import ApprovalID, SessionID, new_id
from inkan.people import MyNumberRefused, verify_free_text
from inkan.relying_parties import Purpose, System
from inkan.store.database import MOMENT, Step
from inkan.wire.binding import BindingLevel, Door
from inkan.wire.contents import Content, ContentFormat, contents_flaw
from inkan.wire.session import Kind


class _Plan(msgspec.Struct, frozen=True):
    """An order that passed every check that needs no database."""

    order: SessionOrder
    purpose: Purpose
    binding_min: BindingLevel
    hint: bytes | None
    terms: Terms
    idempotency_key: str
    body_mac: str


class _UsedBefore(Exception):
    """The key has its session: nothing of this attempt stays, its audit event neither."""


async def create(
    parts: Parts,
    system: System,
    order: SessionOrder,
    *,
    body: bytes,
    idempotency_key: str,
    omit_missing: bool = False,
    is_followed: bool = False,
) -> Created:
    """Open a session, or give the stored answer of the same key and body.

    Args:
        parts: of the feature.
        system: that asks, as it is registered.
        order: what it asks.
        body: the bytes that the key stands for.
        idempotency_key: of the system.
        omit_missing: see :class:`~inkan.identification.model.Terms`; what OpenID Connect demands (Core §5.5.1).
        is_followed: its end is told by :class:`SessionEnded`, as far as the relying party may see it.

    Raises:
        PurposeNotRegistered, ClaimNotRegistered, DoorNotRegistered, ReturnNotRegistered,
        WebhookNotRegistered, LevelTooLow: outside the system's registration.
        NationalIDMalformed: the hint is no national ID; says nothing about any person.
        Malformed: contents that no statement admits, or a longer life than a door has.
        AttributeUnknown: a claim that is no attribute.
        DocumentNotFound, BatchNotFound: unknown, another system's, or no longer kept.
        IdempotencyConflict: the key was used with another body.
    """
    if sum(map(bool, (order.contents, order.documents, order.batch))) > 1:
        raise Malformed(where="/contents", expected="contents, documents or a batch")
    if not order.documents and order.batch is None:
        _check_contents(order, _contents(order))
    parts.attributes.check(order.claims)
    doors.check(
        system,
        order.doors,
        hint=order.subject_hint,
        return_=order.return_,
        life=timedelta(seconds=order.expires_in),
    )
    await _verify_texts(parts, system, order)
    plan = _Plan(
        order=order,
        purpose=_purpose(system, order),
        binding_min=_binding_min(system, order),
        hint=_hint(parts, order.subject_hint),
        terms=_terms(parts, system, order, omit_missing=omit_missing, is_followed=is_followed),
        idempotency_key=idempotency_key,
        body_mac=parts.body_mac(body),
    )
    browser = plan.terms.browser
    is_known = browser is not None and await parts.db.read(doors.is_known_browser, browser)
    for door in order.doors:
        doors.check_level(door, plan.binding_min, terms=plan.terms, is_known=is_known)
    try:
        return await parts.db.transact(_create, parts, system, plan)
    except _UsedBefore:
        return await parts.db.read(_stored_answer, parts, system, plan)


async def _verify_texts(parts: Parts, system: System, order: SessionOrder) -> None:
    """What a relying party writes freely holds no My Number (WAT-62); ids, codes and digests have forms of their own.

    Who may use My Numbers by law may name one in what a person approves; nowhere else is there a use for it.

    Raises:
        MyNumberRefused: see above.
    """
    verify_free_text(order.phone_name, where="/phone_name")
    verify_free_text(order.subject_hint.value, where="/subject_hint/value")
    try:
        for place, each in enumerate(order.contents):
            verify_free_text(each.name, where=f"/contents/{place}/name")
    except MyNumberRefused:
        may_use = parts.relying_parties.entitlements.may_use
        if not await parts.db.read(may_use, system.organisation):
            raise


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
    handle, link, page = doors.handles_for(plan.order.doors)
    session = _session(system, plan, session_id, approval_id, page=page, now=moment)
    made = yield store.INSERT.run(
        **msgspec.structs.asdict(session),
        idempotency_key=plan.idempotency_key,
        evidence=None,
        event_id=event,
    )
    if not made:
        raise _UsedBefore
    contents = yield from _contents_of(parts, system, plan.order)
    approval = yield from parts.approvals.ask(
        _question(parts, system, plan, session_id, contents),
        approval_id=approval_id,
        handle=handle,
        link=link,
        is_presented=bool(plan.order.doors),
        expires_at=session.expires_at,
        event=event,
    )
    if Door.PUSH in plan.order.doors:
        yield from pushing.order(session_id)
        yield from announcing.order_end(session)
    return _answer(parts, session, approval)


def _session(
    system: System,
    plan: _Plan,
    session_id: SessionID,
    approval_id: ApprovalID,
    *,
    page: str | None,
    now: datetime,
) -> Session:
    expires_at = now + timedelta(seconds=plan.order.expires_in)
    return Session(
        id=session_id,
        system=system.id,
        sector=system.sector,
        approval=approval_id,
        kind=plan.order.kind,
        purpose=plan.purpose.code,
        full_evidence=_is_full(plan),
        binding_min=plan.binding_min,
        hint_type=plan.order.subject_hint.type,
        hint=plan.hint,
        terms=plan.terms,
        page=page,
        page_browser=None,
        is_withdrawn=False,
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
    return _answer(parts, session, approval)


def _answer(parts: Parts, session: Session, approval: Approval) -> Created:
    found = Found(session=session, approval=approval)
    made = {door: doors.view(parts, found, door) for door in session.terms.doors}
    return Created(session=created_view(session, approval), doors=made)


def _question(
    parts: Parts,
    system: System,
    plan: _Plan,
    session_id: SessionID,
    contents: Sequence[Content],
) -> Question:
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
        claims=plan.terms.claims,
        contents=msgspec.to_builtins(contents),
        return_origin=_origin(plan.terms.return_url),
        full_evidence=_is_full(plan),
    )


def _is_full(plan: _Plan) -> bool:
    """Whether name, certificate and proofs are given: by the purpose, and always for a signature (design §5.5)."""
    return plan.purpose.evidence == "full" or plan.order.kind == "sign"


def _origin(url: str | None) -> str | None:
    if url is None:
        return None
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def _terms(
    parts: Parts, system: System, order: SessionOrder, *, omit_missing: bool, is_followed: bool
) -> Terms:
    if order.notify is not None and order.notify not in system.webhooks:
        raise WebhookNotRegistered()
    purpose = _purpose(system, order)
    for claim in order.claims:
        if claim not in purpose.claims:
            raise ClaimNotRegistered(claim=claim)
    if len(set(order.claims)) != len(order.claims):
        raise Malformed(where="/claims", expected="each claim once")
    return_ = order.return_
    return Terms(
        doors=order.doors,
        return_url=return_.url if return_ else None,
        return_binding=return_.binding if return_ else None,
        browser=parts.browser_of(system.id, order.browser) if order.browser else None,
        webhook=system.webhooks[order.notify] if order.notify else None,
        phone_name=comparable(order.phone_name),
        claims=order.claims,
        tap_only=system.tap_only,
        omit_missing=omit_missing,
        is_followed=is_followed,
    )


def _contents(order: SessionOrder) -> list[Content]:
    # The statement itself is the signature over each digest; other formats come with documents.
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


def _contents_of(parts: Parts, system: System, order: SessionOrder) -> Step[Sequence[Content]]:
    """Step: what the statement lists: the order's own contents, or registered documents."""
    if not order.documents and order.batch is None:
        return _contents(order)
    contents = yield from parts.signing.contents_of(
        system.id, documents=order.documents, batch=order.batch
    )
    _check_contents(order, contents)
    return contents


def _check_contents(order: SessionOrder, contents: Sequence[Content]) -> None:
    """Refuse here what no statement could say: the person at the phone cannot mend it."""
    flaw = contents_flaw(Kind(order.kind), contents)
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


def _hint(parts: Parts, hint: SubjectHint) -> bytes | None:
    """The blind form of whom the relying party expects: the number itself ends here (design §5.4)."""
    match hint.type:
        case "none":
            return None
        case "national_id":
            return parts.people.lookup(parse_typed_national_id(hint.value))
        case "person_ref" | "phone_ref":
            return hint.value.encode()
