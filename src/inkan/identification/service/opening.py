"""A phone opens a session by a scanned frame, an address or a pushed code (design §5.4) and gets the draft.

Numbered plan:

1. the frame or address is one of this wallet's (form);
2. its handle finds an approval; an unknown handle and a forged MAC get one answer: stale, scan on;
3. the MAC holds under the secret of the present generation;
4. the frame is current at arrival: −1 ≤ now − t ≤ 3 s; a stale one consumes nothing;
5. a push was aimed at this very phone, and the typed code is the page's; the third wrong one ends the session;
6. the phone and its certificate for this kind are good now, and its scheme allows this instance;
7. compare-and-set: presented → opened, with the draft; the same phone may open again, another hears
   "already opened on another phone". A frame or address that was drawn anew meanwhile is stale.
"""

from contextlib import suppress
from datetime import datetime

import msgspec

from inkan.approvals import (
    UNDECIDED,
    Approval,
    ApprovalEnded,
    ApprovalMoved,
    ApprovalNotFound,
    OpenedElsewhere,
    Opener,
    Question,
    is_releasable,
    state_at,
)
from inkan.audit import Actor, ActorKind
from inkan.crypto import base64url
from inkan.enrolment import PhoneCertificate, PhoneFacts, PhonePrincipal, PhoneYoung
from inkan.identification.model import CertificateNotGood, LinkStale, Session
from inkan.identification.rules import DOORS, Opening, way_of
from inkan.identification.service import announcing
from inkan.identification.service.parts import (
    Parts,
    certificate_flaw,
    find_by_approval,
    qr_seconds,
)
from inkan.kernel.clock import rfc3339
from inkan.kernel.errors import InkanError
from inkan.kernel.ids import random_bytes
from inkan.store.database import MOMENT, Step
from inkan.wire import link, qr, shown, statement
from inkan.wire.binding import Door, Evidence, StatementDoor
from inkan.wire.contents import Content
from inkan.wire.session import Kind, SessionState

# Which of a phone's certificates answers a kind of question (design §5.1).
USE_OF_KIND = {Kind.IDENTIFY: "auth", Kind.APPROVE: "auth", Kind.SIGN: "sign"}
SINGLE = "single"


def certificate_of(facts: PhoneFacts, kind: Kind) -> PhoneCertificate:
    """The certificate that answers this kind; a scheme of single keys has one for all (design §5.1)."""
    return facts.certificates[SINGLE if facts.single_key else USE_OF_KIND[kind]]


TEMPLATE_OF_KIND = {
    Kind.IDENTIFY: shown.Template.IDENTIFY_V1,
    Kind.APPROVE: shown.Template.APPROVE_V1,
    Kind.SIGN: shown.Template.SIGN_V1,
}


class Opened(msgspec.Struct, frozen=True):
    """What the phone gets: the draft to sign and the very text to show."""

    approval: str
    draft: msgspec.Raw
    text: str
    expires_at: str
    now: str


class _Shown(msgspec.Struct, frozen=True):
    lang: shown.Language


class _Given(msgspec.Struct, frozen=True):
    """What of our own draft decides the text: its language; the draft was checked when it was made."""

    shown: _Shown


async def open_by_frame(
    parts: Parts, phone: PhonePrincipal, *, frame: str, lang: shown.Language, arrived: datetime
) -> Opened:
    """Open the approval behind a scanned frame.

    Raises:
        QRFrameMalformed, QRFrameStale: see the plan, 1 to 4.
        CertificateNotGood, OpenedElsewhere, ApprovalEnded: 6 and 7.
    """
    scanned = qr.parse_frame(frame, origin=parts.wallet_origin)  # 1
    approval = await parts.db.read(parts.approvals.find_by_handle, scanned.handle)
    if approval is None:  # 2
        raise qr.QRFrameStale()
    key = qr.qr_key(parts.qr_secret(approval))
    try:
        qr.verify_frame(scanned, key, t_now=qr_seconds(approval, arrived))  # 3, 4
    except qr.QRFrameForged:
        raise qr.QRFrameStale() from None
    if scanned.t > DOORS[Door.QR].life.total_seconds():
        # A code on the redirect page outlives no three minutes, though its session does.
        state = state_at(approval, arrived)
        raise qr.QRFrameStale() if state in UNDECIDED else ApprovalEnded(state=str(state))
    return await _open_read(parts, phone, approval, Opening.FRAME, lang, stale=qr.QRFrameStale)


async def open_by_link(
    parts: Parts, phone: PhonePrincipal, *, address: str, lang: shown.Language
) -> Opened:
    """Open the approval behind an address of the wallet.

    Raises:
        LinkMalformed, LinkStale: see the plan, 1 and 2.
        CertificateNotGood, OpenedElsewhere, ApprovalEnded: 6 and 7.
    """
    handle = link.parse_address(address, origin=parts.wallet_origin)  # 1
    approval = await parts.db.read(parts.approvals.find_by_link, handle)
    if approval is None:  # 2
        raise LinkStale()
    return await _open_read(parts, phone, approval, Opening.LINK, lang, stale=LinkStale)


async def _open_read(
    parts: Parts,
    phone: PhonePrincipal,
    read: Approval,
    opening: Opening,
    lang: shown.Language,
    *,
    stale: type[InkanError],
) -> Opened:
    """Open what was just read: the compare-and-set tells when something came between, and only then it is read again."""
    opens = (parts, phone, read, opening, lang)
    if read.state is SessionState.PRESENTED:
        with suppress(ApprovalMoved, ApprovalEnded, OpenedElsewhere):
            held, at = await parts.db.transact(_open_as_read, *opens, stale=stale)
            return opened(held, now=at)
    held, at = await parts.db.transact(_open_by_handle, *opens, stale=stale)
    return opened(held, now=at)


def _open_by_handle(
    parts: Parts,
    phone: PhonePrincipal,
    read: Approval,
    opening: Opening,
    lang: shown.Language,
    *,
    stale: type[InkanError],
) -> Step[tuple[Approval, datetime]]:
    approval = yield from parts.approvals.get(read.id)
    if approval.generation != read.generation:
        raise stale()
    return (yield from _open_as_read(parts, phone, approval, opening, lang, stale=stale))


def _open_as_read(
    parts: Parts,
    phone: PhonePrincipal,
    approval: Approval,
    opening: Opening,
    lang: shown.Language,
    *,
    stale: type[InkanError],
) -> Step[tuple[Approval, datetime]]:
    session = yield from find_by_approval(approval)
    way = way_of(opening, session.terms.doors)
    if way is None:
        raise stale()
    return (yield from open_(parts, phone, session, approval, Way(door=way, lang=lang)))


class Way(msgspec.Struct, frozen=True):
    """How a phone came to a question, what that shows of the asking browser, and in which language it reads."""

    door: StatementDoor
    lang: shown.Language
    evidence: list[Evidence] = []


def open_(
    parts: Parts,
    phone: PhonePrincipal,
    session: Session,
    approval: Approval,
    way: Way,
) -> Step[tuple[Approval, datetime]]:
    """Step: give the approval to this phone, or find it open there: 6 and 7 of the plan."""
    moment = yield MOMENT
    yield from hold_good_phone(parts, phone, approval.question.kind, now=moment)  # 6
    if approval.state is not SessionState.OPENED or approval.phone != phone.phone:
        approval = yield from _take(parts, phone, session, approval, way)  # 7
    if state_at(approval, moment) is not SessionState.OPENED:
        raise ApprovalEnded(state=str(state_at(approval, moment)))
    return approval, moment


def _take(
    parts: Parts,
    phone: PhonePrincipal,
    session: Session,
    approval: Approval,
    way: Way,
) -> Step[Approval]:
    moment = yield MOMENT
    state = state_at(approval, moment)
    if state is SessionState.OPENED:
        raise OpenedElsewhere()
    if state is not SessionState.PRESENTED:
        raise ApprovalEnded(state=str(state))
    draft = _draft(approval.question, phone.facts, door=way.door, lang=way.lang, at=moment)
    event = yield from parts.audit.record(
        "identification.session_opened",
        actor=Actor(ActorKind.PHONE, phone.phone),
        subject=phone.person,
        object=approval.question.session,
        details={"approval": approval.id, "door": way.door.value},
    )
    opened_ = yield from parts.approvals.open(
        approval,
        opener=Opener(phone=phone.phone, person=phone.person),
        door=way.door,
        evidence=way.evidence,
        draft=statement.draft_bytes(draft).decode(),
        event=event,
    )
    yield from announcing.changed(session, before=approval, after=opened_)
    return opened_


def hold_good_phone(parts: Parts, phone: PhonePrincipal, kind: str, *, now: datetime) -> Step[None]:
    """Step: hold a phone whose certificate for this kind is good now (threat 12).

    Raises:
        ApprovalNotFound: the phone was revoked or changed since the request was authenticated.
        CertificateNotGood: the certificate expired, is suspended or revoked.
        PhoneYoung: the binding is too fresh to sign contents (design §5.2 step 6).
    """
    held = yield from parts.enrolment.hold(phone)
    if not held:
        raise ApprovalNotFound()
    certificate = certificate_of(phone.facts, Kind(kind))
    status = yield from parts.pki.hold_status(certificate.id)
    reason = certificate_flaw(status, now=now)
    if reason is not None:
        raise CertificateNotGood(reason=str(reason))
    if Kind(kind) is Kind.SIGN and phone.facts.young_until > now:
        raise PhoneYoung()


def release_stale(parts: Parts, session: Session, approval: Approval) -> Step[Approval]:
    """Step: take an approval back from a phone that left it undecided for 60 s, with a new QR secret."""
    moment = yield MOMENT
    if not is_releasable(approval, moment):
        return approval
    event = yield from parts.audit.record(
        "identification.opening_released",
        actor=Actor(ActorKind.PLATFORM, "identification"),
        subject=approval.person,
        object=approval.question.session,
        details={"approval": approval.id, "generation": approval.generation + 1},
    )
    reopened = yield from parts.approvals.reopen(approval, event=event)
    yield from announcing.changed(session, before=approval, after=reopened)
    return reopened


async def give_back(parts: Parts, phone: PhonePrincipal, approval_id: str) -> None:
    """The opener lets go without deciding: the code may be scanned again, under a new secret.

    Raises:
        ApprovalNotFound: not opened on this phone.
        ApprovalEnded: over, or its three releases are used up.
    """
    await parts.db.transact(_give_back, parts, phone, approval_id)


def _give_back(parts: Parts, phone: PhonePrincipal, approval_id: str) -> Step[None]:
    approval = yield from parts.approvals.get(approval_id)
    if approval.phone != phone.phone:
        raise ApprovalNotFound()
    session = yield from find_by_approval(approval)
    event = yield from parts.audit.record(
        "identification.opening_given_back",
        actor=Actor(ActorKind.PHONE, phone.phone),
        subject=phone.person,
        object=approval.question.session,
        details={"approval": approval.id},
    )
    reopened = yield from parts.approvals.reopen(approval, event=event)
    yield from announcing.changed(session, before=approval, after=reopened)


def _draft(
    question: Question,
    facts: PhoneFacts,
    *,
    door: StatementDoor,
    lang: shown.Language,
    at: datetime,
) -> statement.Draft:
    certificate = certificate_of(facts, Kind(question.kind))
    return statement.Draft(
        v=1,
        iss=question.iss,
        kind=Kind(question.kind),
        decision="approve",
        session=question.session,
        system=question.system,
        relying_party=statement.RelyingPartyView(
            id=question.relying_party.id,
            name=question.relying_party.name,
            domain=question.relying_party.domain,
        ),
        purpose=question.purpose,
        shown=statement.Shown(
            template=TEMPLATE_OF_KIND[Kind(question.kind)],
            lang=lang,
            text_sha256=shown.text_sha256(_text(question, door, lang)),
        ),
        claims=tuple(question.claims),
        challenge=question.challenge,
        contents=_contents(question),
        door=door,
        return_origin=question.return_origin,
        cert_sha256=certificate.sha256,
        cred_sha256=statement.credential_sha256(facts.credential_id, facts.cose_key),
        server_nonce=base64url.encode(random_bytes(statement.NONCE_SIZE)),
        at=rfc3339(at),
    )


def _text(question: Question, door: StatementDoor, lang: shown.Language) -> str:
    return shown.render(
        TEMPLATE_OF_KIND[Kind(question.kind)],
        lang,
        relying_party=question.relying_party.name,
        domain=question.relying_party.domain,
        purpose_text=question.purpose_text[lang],
        door=door,
        contents=_contents(question),
        claims=question.claims,
        full_evidence=question.full_evidence,
    )


def _contents(question: Question) -> tuple[Content, ...]:
    return msgspec.convert(question.contents, tuple[Content, ...])


def opened(approval: Approval, *, now: datetime) -> Opened:
    """What the phone gets of an approval that it has open."""
    assert approval.draft is not None
    assert approval.door is not None
    given = msgspec.json.decode(approval.draft, type=_Given)
    return Opened(
        approval=approval.id,
        draft=msgspec.Raw(approval.draft),
        text=_text(approval.question, approval.door, given.shown.lang),
        expires_at=rfc3339(approval.expires_at),
        now=rfc3339(now),
    )


async def opened_on(parts: Parts, phone: PhonePrincipal) -> list[Opened]:
    """What this phone has open and undecided, as it was given out."""
    approvals = await parts.db.read(parts.approvals.opened_on, phone.phone)
    return [opened(approval, now=parts.db.now()) for approval in approvals]
