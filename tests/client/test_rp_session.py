"""A relying party's session, awaiting and blocking: its frames, its waiting, and the receipts it takes."""

import json

import pytest

from inkan.client.exchange import AnswerMalformed
from inkan.client.receipt_report import Verdict
from inkan.client.rp_session import NoDoor, ReceiptNotValid
from inkan.kernel.sensitive import Secret
from inkan.wire import qr
from inkan.wire.session import Outcome, SessionState
from support.receipt_world import ReceiptWorld, seeded
from support.rp_platform import answer

# --- frames ----------------------------------------------------------------------------------------


@pytest.mark.req("TW-40")
def test_frames_count_on_from_the_platforms_second(side):
    session = side.session()
    key = qr.qr_key(Secret(bytes([1]) * 32))
    for seconds, t in ((0, 5), (0.9, 5), (1.0, 6), (59.5, 64)):
        side.clock.seconds = 1000.0 + seconds
        frame = qr.parse_frame(session.frame(), origin="https://wallet.example.org")
        assert frame.t == t
        assert qr.verify_frame(frame, key, t_now=t) == frame


def test_a_code_that_was_given_back_is_drawn_with_the_new_secret(side):
    session = side.session()
    side.platform.states = [{"state": "opened"}, {"state": "presented"}]
    side.do(session.refresh())
    side.do(session.refresh())
    frame = qr.parse_frame(session.frame(), origin="https://wallet.example.org")
    qr.verify_frame(frame, qr.qr_key(Secret(bytes([2]) * 32)), t_now=5)
    assert side.platform.generation == 2


def test_a_return_of_the_code_that_nobody_saw_is_noticed_by_its_tag(side):
    session = side.session()
    side.platform.states = [{"state": "presented"}]
    side.do(session.refresh())
    assert side.platform.generation == 1
    side.do(session.refresh())
    assert side.platform.generation == 2


def test_a_session_without_a_code_says_so(side):
    side.platform.answers["/v1/sessions"] = [
        answer(201, {"session": side.platform.view(), "doors": {}})
    ]
    with pytest.raises(NoDoor):
        side.session().frame()


# --- waiting ---------------------------------------------------------------------------------------


def test_waiting_follows_the_session_to_its_end(side):
    session = side.session()
    side.platform.states = [
        {"state": "presented"},
        {"status": 304},
        {"state": "opened"},
        {"state": "closed"},
    ]
    view = side.do(session.wait())
    assert view.state is SessionState.CLOSED
    assert view.is_ok
    assert view is session.view
    assert view.subject.person_ref == "pairwise-1"
    assert [etag for _, etag in side.platform.waits] == [None, '"1"', '"1"', '"3"']
    assert {query for query, _ in side.platform.waits} == {"wait=60"}


@pytest.mark.parametrize(
    "end",
    [
        {"state": "cancelled"},
        {"state": "expired"},
        {"state": "decided", "next": {"action": "redeem"}},
        {"state": "closed", "outcome": "refused", "reason": "user_refused"},
    ],
)
def test_other_ends_end_the_waiting_too(side, end):
    session = side.session()
    side.platform.states = [end]
    view = side.do(session.wait())
    assert view.is_final
    assert not view.is_ok


def test_waiting_has_a_limit(side):
    session = side.session()
    platform = side.platform
    original = platform._read

    def slowly(request):
        side.clock.seconds += 7
        return original(request)

    platform._read = slowly
    view = side.do(session.wait(timeout_s=20))
    assert view.state is SessionState.PRESENTED
    assert [query for query, _ in platform.waits] == ["wait=20", "wait=13", "wait=6"]
    assert side.do(session.wait(timeout_s=0)) is view


def test_a_lost_reading_is_read_again(side):
    session = side.session()
    side.platform.states = [{"state": "opened"}, {"state": "closed"}]
    side.platform.lose["/v1/sessions/ses_1"] = 1
    assert side.do(session.wait()).is_ok


def _event(platform, **members) -> bytes:
    return b"event: state\ndata: " + json.dumps(platform.view(**members)).encode() + b"\n\n"


def test_events_come_as_they_happen_and_a_broken_stream_is_opened_again(side):
    session = side.session()
    side.platform.events = [
        [_event(side.platform), b": heartbeat\n\n", _event(side.platform, state="opened")],
        [_event(side.platform, state="closed")],
    ]
    views = side.do(session.events())
    assert [view.state for view in views] == ["presented", "opened", "closed"]
    assert session.view.is_ok


def test_an_event_that_is_no_session_is_refused(side):
    session = side.session()
    side.platform.events = [[b"data: {}\n\n"]]
    with pytest.raises(AnswerMalformed):
        side.do(session.events())


def test_cancelling_ends_it(side):
    session = side.session()
    assert side.do(session.cancel()).state is SessionState.CANCELLED
    assert session.view.is_final


# --- receipts --------------------------------------------------------------------------------------


def _closed(side, world, **settings):
    side.platform.world = world
    party = side.party(**settings)
    return side.do(
        party.create_session("identify", purpose="login", challenge=world.draft.challenge)
    )


def test_a_receipt_is_verified_when_anchors_are_known(side, world):
    fetched = side.do(_closed(side, world, anchors=world.anchors).receipt())
    assert fetched.jws == world.receipt_jws
    assert fetched.report.verdict is Verdict.VALID
    assert fetched.receipt.outcome is Outcome.OK


def test_without_anchors_nothing_is_claimed(side, world):
    assert side.do(_closed(side, world).receipt()).report is None


def test_evidence_is_verified_with_its_receipt(side, world):
    bundle, fetched = side.do(_closed(side, world, anchors=world.anchors).evidence())
    assert bundle == world.bundle
    assert len(fetched.report.checks) == 14


def test_a_receipt_under_another_root_is_not_taken(side, world):
    other = ReceiptWorld()
    with pytest.raises(ReceiptNotValid) as refused:
        side.do(_closed(side, world, anchors=other.anchors).receipt())
    assert refused.value.report.verdict is Verdict.INVALID


@pytest.mark.parametrize("member", ["session", "challenge"])
def test_another_sessions_receipt_is_not_taken(side, world, member):
    values = {"session": "ses_2", "challenge": seeded(99)}
    other = ReceiptWorld(statement={member: values[member]}, root=world.root, issuing=world.issuing)
    session = _closed(side, world, anchors=world.anchors)
    side.platform.receipt = other.receipt_jws
    with pytest.raises(ReceiptNotValid):
        side.do(session.receipt())
