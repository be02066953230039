"""An enrolment request as it stands: who may see it, where it is, what is next."""

import hashlib
from datetime import datetime

import msgspec

from inkan.enrolment import store
from inkan.enrolment.model import (
    EnrolmentExpired,
    EnrolmentNotFound,
    EnrolmentOutOfOrder,
    Request,
    RequestState,
)
from inkan.enrolment.service.parts import read_request
from inkan.kernel.clock import rfc3339
from inkan.store.database import Step

_OPEN = frozenset(
    {RequestState.STARTED, RequestState.JOINED, RequestState.PREPARED, RequestState.SIGNED}
)


class Progress(msgspec.Struct, frozen=True):
    """Where a request stands, for the page."""

    id: str
    state: RequestState
    phone_name: str | None
    refusal: str | None
    phone: str | None
    expires_at: str


def get(request_id: str) -> Step[Request]:
    """Step: the request of that id.

    Raises:
        EnrolmentNotFound: unknown.
    """
    request = read_request((yield store.REQUEST_BY_ID.one(key=request_id)))
    if request is None:
        raise EnrolmentNotFound()
    return request


def held(request_id: str) -> Step[Request]:
    """Step: the request, its row held until COMMIT.

    Raises:
        EnrolmentNotFound: unknown.
    """
    request = read_request((yield store.HELD_REQUEST.one(key=request_id)))
    if request is None:
        raise EnrolmentNotFound()
    return request


def for_desk(request_id: str, secret: bytes) -> Step[Request]:
    """Step: the request of the page that holds its secret.

    Raises:
        EnrolmentNotFound: unknown, or another page's: one answer.
    """
    request = read_request((yield store.REQUEST_BY_ID.one(key=request_id)))
    given = hashlib.sha256(secret).digest()
    # Compared by hash, so that neither timing nor an unknown id tells anything.
    if request is None or request.secret_sha256 != given:
        raise EnrolmentNotFound()
    return request


def for_phone(request_id: str, jkt: str) -> Step[Request]:
    """Step: the request that this channel key joined.

    Raises:
        EnrolmentNotFound: unknown, or another phone's: one answer.
    """
    request = read_request((yield store.REQUEST_BY_ID.one(key=request_id)))
    if request is None or request.channel_jkt != jkt:
        raise EnrolmentNotFound()
    return request


def progress(request: Request, now: datetime) -> Progress:
    """Where the request stands at ``now``; its time is over by itself, not by a sweeper."""
    return Progress(
        id=request.id,
        state=state_at(request, now),
        phone_name=request.phone_name,
        refusal=request.refusal,
        phone=request.phone,
        expires_at=rfc3339(request.expires_at),
    )


def state_at(request: Request, now: datetime) -> RequestState:
    """The state that holds at ``now``."""
    if request.state in _OPEN and request.expires_at <= now:
        return RequestState.EXPIRED
    return request.state


def require(request: Request, state: RequestState, now: datetime) -> None:
    """Refuse when the request is over or stands elsewhere.

    Raises:
        EnrolmentExpired, EnrolmentOutOfOrder.
    """
    stands = state_at(request, now)
    if stands in (RequestState.EXPIRED, RequestState.REFUSED):
        raise EnrolmentExpired()
    if stands is not state:
        raise EnrolmentOutOfOrder(state=str(stands))
