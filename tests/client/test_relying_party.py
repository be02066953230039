"""The relying party's side, awaiting and blocking, against a stand-in of the RP API."""

import asyncio
import inspect
import json
from dataclasses import dataclass

import pytest

from inkan.client import relying_party as module
from inkan.client.exchange import (
    AnswerMalformed,
    CallConflict,
    CallForbidden,
    CallTooMany,
    CallUnauthenticated,
    PlatformUnreachable,
)
from inkan.client.http import AsyncTransport, SyncTransport
from inkan.client.receipt_report import Verdict
from inkan.client.relying_party import RelyingParty, SyncRelyingParty
from inkan.client.rp_calls import SystemCredentials
from inkan.client.rp_session import NoDoor, ReceiptNotValid
from inkan.client.session_view import ContentOrder, Return, SubjectHint
from inkan.crypto import base64url
from inkan.kernel.clock import Clock
from inkan.kernel.sensitive import Personal, Secret
from inkan.wire import qr
from inkan.wire.session import Outcome, SessionState
from support.keyring import ec_key, rsa_key
from support.receipt_world import ISSUER, ReceiptWorld, seeded
from support.rp_platform import CODE, RPPlatform, answer

KEY = ec_key(21)


class Stopwatch(Clock):
    """A clock whose monotonic seconds a test moves."""

    seconds = 1000.0

    def monotonic(self) -> float:
        return self.seconds


@dataclass
class Side:
    """One of the two forms, driven alike: every method returns at once."""

    kind: str
    platform: RPPlatform
    clock: Stopwatch

    def party(self, *, key=KEY, anchors=()):
        credentials = SystemCredentials(issuer=ISSUER, code=CODE, key=key)
        settings = {"anchors": anchors, "clock": self.clock}
        if self.kind == "sync":
            return SyncRelyingParty(credentials, transport=SyncTransport(self.platform), **settings)
        return RelyingParty(credentials, transport=AsyncTransport(self.platform), **settings)

    def do(self, call):
        """The result of a call, awaited where it must be."""
        if inspect.isasyncgen(call):

            async def collect():
                return [item async for item in call]

            return asyncio.run(collect())
        if inspect.isgenerator(call):
            return list(call)
        return asyncio.run(call) if inspect.isawaitable(call) else call

    def session(self, **settings):
        return self.do(self.party(**settings).create_session("identify", purpose="login"))


@pytest.fixture(params=["async", "sync"])
def side(request) -> Side:
    return Side(request.param, RPPlatform(KEY.public_key()), Stopwatch())


@pytest.fixture(scope="module")
def world() -> ReceiptWorld:
    return ReceiptWorld()


# --- who asks ---------------------------------------------------------------------------------------


@pytest.mark.req("TW-66")
@pytest.mark.parametrize("key", [ec_key(21), rsa_key(2)], ids=["P-256", "RSA-2048"])
def test_a_token_is_fetched_by_key_and_used_again(side, key):
    side.platform.key = key.public_key()
    party = side.party(key=key)
    for _ in range(3):
        side.do(party.create_session("identify", purpose="login"))
    assert [path for _, path in side.platform.calls] == ["/token", *["/v1/sessions"] * 3]


def test_a_token_is_renewed_before_it_ends(side):
    party = side.party()
    for seconds in (0, 569, 2):
        side.clock.seconds += seconds
        side.do(party.create_session("identify", purpose="login"))
    paths = [path for _, path in side.platform.calls]
    assert paths == ["/token", "/v1/sessions", "/v1/sessions", "/token", "/v1/sessions"]


def test_a_token_that_was_forgotten_is_fetched_anew(side):
    party = side.party()
    side.do(party.create_session("identify", purpose="login"))
    side.platform.tokens.clear()
    side.do(party.create_session("identify", purpose="login"))
    assert [path for _, path in side.platform.calls].count("/token") == 2


def test_a_key_that_is_not_accepted_is_refused_and_not_tried_for_ever(side):
    side.platform.token_life = 600
    party = side.party()
    side.platform.answers["/v1/sessions"] = [
        answer(401, {"code": "token_refused"}),
        answer(401, {"code": "token_refused"}),
    ]
    with pytest.raises(CallUnauthenticated) as refused:
        side.do(party.create_session("identify", purpose="login"))
    assert refused.value.problem_code == "token_refused"
    assert len(side.platform.calls) == 4


def test_a_nonce_is_taken_over(side):
    side.platform.nonce = "nonce-1"
    party = side.party()
    side.do(party.create_session("identify", purpose="login"))
    side.platform.nonce = "nonce-2"
    side.do(party.create_session("identify", purpose="login"))
    assert len(side.platform.calls) == 3 + 2


def test_a_bearer_token_is_not_accepted(side):
    side.platform._token = lambda *_: answer(
        200, {"access_token": "x", "token_type": "Bearer", "expires_in": 600}
    )
    with pytest.raises(AnswerMalformed):
        side.session()


def test_a_lost_token_is_fetched_with_a_new_assertion(side):
    side.platform.lose["/token"] = 1
    side.session()
    assert len(side.platform.tokens) == 2


def test_secrets_do_not_print(side):
    session = side.session()
    texts = [repr(session._calls._calls._token), repr(side.platform.door()), repr(session._calls)]
    assert "token-0" not in texts[0]
    assert base64url.encode(bytes([1]) * 32) not in texts[2]


# --- opening ------------------------------------------------------------------------------------------


def test_only_members_with_a_value_are_sent(side):
    side.session()
    body = json.loads(side.platform.bodies[-1])
    assert set(body) == {"kind", "purpose", "challenge", "doors"}
    assert body["doors"] == ["qr"]
    assert len(base64url.decode(body["challenge"])) == 32


def test_everything_that_can_be_asked_is_sent(side):
    session = side.do(
        side.party().create_session(
            "approve",
            purpose="file_document",
            challenge=seeded(4),
            doors=["qr", "redirect"],
            subject_hint=SubjectHint("national_id", Personal("A123456789")),
            binding_min="returned",
            contents=[ContentOrder(id="doc_1", name="申報書", digest=seeded(5))],
            claims=["name"],
            return_to=Return("https://tax.example.org/back", seeded(6)),
            expires_in=60,
        )
    )
    assert session.challenge == seeded(4)
    assert json.loads(side.platform.bodies[-1]) == {
        "kind": "approve",
        "purpose": "file_document",
        "challenge": seeded(4),
        "doors": ["qr", "redirect"],
        "subject_hint": {"type": "national_id", "value": "A123456789"},
        "binding_min": "returned",
        "contents": [{"id": "doc_1", "name": "申報書", "digest": seeded(5)}],
        "claims": ["name"],
        "return": {"url": "https://tax.example.org/back", "binding": seeded(6)},
        "expires_in": 60,
    }


def test_every_session_has_a_challenge_and_a_key_of_its_own(side):
    party = side.party()
    made = [side.do(party.create_session("identify", purpose="login")) for _ in range(3)]
    assert len({session.challenge for session in made}) == 3
    assert len(side.platform.sessions) == 3


def test_a_lost_answer_opens_no_second_session(side):
    side.platform.lose["/v1/sessions"] = 2
    side.session()
    sent = [
        b
        for (_, path), b in zip(side.platform.calls, side.platform.bodies, strict=True)
        if path == "/v1/sessions"
    ]
    assert len(sent) == 3
    assert len(set(sent)) == 1
    assert len(side.platform.sessions) == 1


def test_a_dead_platform_is_unreachable_in_the_end(side):
    side.platform.lose["/v1/sessions"] = 3
    with pytest.raises(PlatformUnreachable):
        side.session()


@pytest.mark.parametrize(
    ("status", "refusal"), [(403, CallForbidden), (409, CallConflict), (429, CallTooMany)]
)
def test_refusals_keep_their_words(side, status, refusal):
    side.platform.answers["/v1/sessions"] = [answer(status, {"code": "a_code", "text": "說明"})]
    with pytest.raises(refusal) as refused:
        side.session()
    assert refused.value.problem.code == "a_code"
    assert refused.value.problem.text == "說明"


# --- frames --------------------------------------------------------------------------------------------


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


# --- waiting -------------------------------------------------------------------------------------------


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


# --- receipts ------------------------------------------------------------------------------------------


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
    assert len(fetched.report.checks) == 13


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


def test_both_forms_offer_the_same():
    for one, other in (
        (module.Session, module.SyncSession),
        (RelyingParty, SyncRelyingParty),
    ):
        public = {name for name in dir(one) if not name.startswith("_")} - {"aclose"}
        assert public == {name for name in dir(other) if not name.startswith("_")} - {"close"}
