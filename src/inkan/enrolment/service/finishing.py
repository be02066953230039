"""Accepted requests: certificates are issued and the phone becomes active, or all of it is given back."""

import msgspec

from inkan.enrolment import store
from inkan.enrolment.model import (
    EnrolmentExpired,
    EnrolmentNotFound,
    PhoneState,
    Request,
    RequestState,
)
from inkan.enrolment.service.parts import (
    PLATFORM,
    Certificates,
    Parts,
    encode_certificates,
    phone_certificate,
    read_phone,
    topic,
)
from inkan.enrolment.service.requests import get, held
from inkan.pki import (
    CertificateNotIssued,
    LintRefused,
    RevocationReason,
)
from inkan.store.database import Step, Wake
from inkan.store.outbox import cancel

FINISH_JOB = "enrolment.finish"


class Accepted(msgspec.Struct, frozen=True):
    """The answer to a signed request.

    Attributes:
        certificates: id of the certificate per use, once issued.
    """

    state: RequestState
    phone: str
    certificates: dict[str, str]


class FinishJob(msgspec.Struct, frozen=True):
    """The job :data:`FINISH_JOB`."""

    request: str


def order_key(request_id: str, use: str) -> str:
    """The order of one certificate of a request; it names it for ever."""
    return f"{request_id}:{use}"


def job_key(request_id: str) -> str:
    """The outbox key of a request's :data:`FINISH_JOB`."""
    return f"{FINISH_JOB}:{request_id}"


async def finish(parts: Parts, request_id: str) -> Accepted:
    """Issue what was accepted and make the phone active; called again it goes on, or answers what is.

    Raises:
        EnrolmentNotFound: unknown request.
        LintRefused: a certificate cannot be issued; the binding was given up.
        EnrolmentExpired: it was given up, or its phone ended before it was active.
    """
    request = await parts.db.read(get, request_id)
    if request.state is RequestState.REFUSED:
        raise EnrolmentExpired()
    try:
        issued = await _issue(parts, request)
    except (LintRefused, CertificateNotIssued) as refusal:
        await parts.db.transact(_give_up, parts, request_id, refusal.code)
        if isinstance(refusal, LintRefused):
            raise
        raise EnrolmentExpired() from None
    if request.state is RequestState.ACCEPTED:
        request = await parts.db.transact(_activate, parts, request_id, issued)
    if request.state is RequestState.REFUSED:
        raise EnrolmentExpired()
    assert request.phone is not None
    return Accepted(
        state=request.state,
        phone=request.phone,
        certificates={use: certificate.id for use, certificate in issued.items()},
    )


async def _issue(parts: Parts, request: Request) -> Certificates:
    prepared = request.prepared
    assert prepared is not None
    issued: Certificates = {}
    for key in prepared.keys:
        certificate = await parts.pki.complete(order_key(request.id, key.use))
        issued[key.use] = phone_certificate(certificate, key.spki)
    return issued


async def make_up(parts: Parts, request_id: str) -> None:
    """The outbox's :data:`FINISH_JOB`: finish what a crash interrupted, or give it up for good."""
    try:
        await finish(parts, request_id)
    except (EnrolmentNotFound, EnrolmentExpired, LintRefused):
        return


def _activate(parts: Parts, request_id: str, issued: Certificates) -> Step[Request]:
    request = yield from held(request_id)
    if request.state is not RequestState.ACCEPTED:
        return request
    phone = read_phone((yield store.HELD_PHONE.one(key=request.phone)))
    if phone is None or phone.state is not PhoneState.ISSUING:
        yield from _give_up(parts, request_id, EnrolmentExpired.code)
        return (yield from get(request_id))
    event = yield from parts.audit.record(
        "enrolment.bound",
        actor=PLATFORM,
        subject=phone.person,
        object=phone.id,
        details={"certificates": {use: each.sha256 for use, each in issued.items()}},
    )
    yield store.ACTIVATE.run(
        key=phone.id, seen=phone.version, event=event, new_certificates=encode_certificates(issued)
    )
    yield store.ISSUE.run(key=request.id, seen=request.version, event=event)
    yield from cancel(job_key(request_id))
    yield Wake(topic(request_id))
    return (yield from get(request_id))


def _give_up(parts: Parts, request_id: str, code: str) -> Step[None]:
    """End a request whose certificates can never be issued: no phone, no slot, no certificate stays."""
    request = yield from held(request_id)
    if request.state is not RequestState.ACCEPTED or request.phone is None:
        return
    event = yield from parts.audit.record(
        "enrolment.refused", actor=PLATFORM, object=request_id, details={"code": code}
    )
    yield store.REFUSE.run(key=request_id, seen=request.version, event=event, new_refusal=code)
    phone = read_phone((yield store.HELD_PHONE.one(key=request.phone)))
    if phone is not None and phone.state is PhoneState.ISSUING:
        yield from parts.pki.revoke_all(
            phone.id, reason=RevocationReason.CESSATION_OF_OPERATION, actor=PLATFORM
        )
        yield store.FREE_SLOT.run(phone=phone.id)
        yield store.FORGET_PHOTO.run(phone_id=phone.id)
        yield store.FORGET_PHONE.run(key=phone.id)
    yield from cancel(job_key(request_id))
    yield Wake(topic(request_id))
