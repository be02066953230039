"""A stream of events that breaks: it is opened again, tells nothing twice, and gives up in the end."""

import json
from types import SimpleNamespace

import httpx
import pytest

from inkan.client import http, repeating
from inkan.client.exchange import (
    CallForbidden,
    CallUnauthenticated,
    CallUnavailable,
    PlatformUnreachable,
)
from support.rp_platform import Events, answer

PATH = "/v1/sessions/ses_1/events"


class Torn(Events):
    """A body that breaks behind its parts."""

    def __iter__(self):
        yield from super().__iter__()
        raise httpx.ReadError("torn")

    async def __aiter__(self):
        async for part in super().__aiter__():
            yield part
        raise httpx.ReadError("torn")


@pytest.fixture(autouse=True)
def pauses(monkeypatch):
    made = []

    async def sleep(seconds):
        made.append(seconds)

    monkeypatch.setattr(http, "asyncio", SimpleNamespace(sleep=sleep))
    monkeypatch.setattr(http, "time", SimpleNamespace(sleep=made.append))
    monkeypatch.setattr(repeating, "chance", lambda: 0.5)
    return made


def event(side, **members) -> bytes:
    return b"event: state\ndata: " + json.dumps(side.platform.view(**members)).encode() + b"\n\n"


def torn(side, **members):
    return httpx.Response(200, stream=Torn([event(side, **members)]))


def states(side, session):
    return [str(view.state) for view in side.do(session.events())]


def test_a_stream_that_breaks_is_opened_again_and_tells_nothing_twice(side, pauses):
    session = side.session()
    side.platform.answers[PATH] = [torn(side), torn(side), torn(side, state="opened")]
    side.platform.events = [[event(side, state="opened"), event(side, state="closed")]]
    assert states(side, session) == ["presented", "opened", "closed"]
    assert session.view.is_ok
    assert pauses == [0.5, 0.5, 0.5]


def test_a_platform_that_is_away_is_asked_again_for_some_time(side, pauses):
    session = side.session()
    side.platform.answers[PATH] = [answer(503, {"code": "unavailable"}) for _ in range(5)]
    side.platform.events = [[event(side, state="closed")]]
    assert states(side, session) == ["closed"]
    assert pauses == [0.5, 1.0, 2.0, 4.0, 8.0]


def test_the_sixth_break_without_an_event_is_the_answer(side, pauses):
    session = side.session()
    side.platform.answers[PATH] = [answer(503, {"code": "unavailable"}) for _ in range(6)]
    with pytest.raises(CallUnavailable):
        states(side, session)
    assert len(pauses) == 5


def test_streams_that_end_without_a_word_end_the_following_too(side, pauses):
    session = side.session()
    side.platform.events = [[] for _ in range(10)]
    with pytest.raises(PlatformUnreachable):
        states(side, session)
    assert len(side.platform.events) == 4


def test_a_token_that_ended_meanwhile_is_fetched_anew(side):
    session = side.session()
    side.platform.answers[PATH] = [torn(side)]
    side.platform.events = [[event(side, state="closed")]]
    original = side.platform._resource
    forgotten = []

    def forget(request, body):
        reply = original(request, body)
        if not forgotten:
            forgotten.append(side.platform.tokens.copy())
            side.platform.tokens.clear()
        return reply

    side.platform._resource = forget
    assert states(side, session) == ["presented", "closed"]
    assert len(side.platform.tokens) == 1


@pytest.mark.parametrize(("status", "kind"), [(403, CallForbidden), (401, CallUnauthenticated)])
def test_a_refusal_for_good_is_not_asked_for_again(side, status, kind):
    session = side.session()
    side.platform.answers[PATH] = [answer(status, {"code": "no"}) for _ in range(9)]
    with pytest.raises(kind):
        states(side, session)


def test_a_session_is_taken_up_again_by_its_id(side):
    party = side.party()
    side.platform.states = [{"state": "presented"}, {"state": "closed"}]
    session = side.do(party.get_session("ses_1"))
    assert (session.id, session.challenge, session.doors.qr) == ("ses_1", None, None)
    assert side.do(session.wait()).is_ok


def test_a_session_that_was_taken_up_again_still_takes_its_own_receipt_only(side, world):
    from inkan.client.rp_session import ReceiptNotValid
    from support.receipt_world import ReceiptWorld, seeded

    side.platform.world = world
    side.platform.states = [{"state": "closed"}]
    party = side.party(anchors=world.anchors)
    session = side.do(party.get_session("ses_1"))
    assert side.do(session.receipt()).report.verdict == "valid"
    known = side.do(party.get_session("ses_1", challenge=seeded(99)))
    with pytest.raises(ReceiptNotValid):
        side.do(known.receipt())
    other = ReceiptWorld(statement={"session": "ses_2"}, root=world.root, issuing=world.issuing)
    side.platform.receipt = other.receipt_jws
    with pytest.raises(ReceiptNotValid):
        side.do(session.receipt())
