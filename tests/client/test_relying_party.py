"""The relying party, awaiting and blocking: how it says who it is, and what it sends to open a session."""

import json

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
from inkan.client.relying_party import RelyingParty, SyncRelyingParty
from inkan.client.session_view import ContentOrder, Return, SubjectHint
from inkan.crypto import base64url
from inkan.kernel.sensitive import Personal
from support.keyring import ec_key, rsa_key
from support.receipt_world import seeded
from support.rp_platform import answer

# --- who asks --------------------------------------------------------------------------------------


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


# --- opening ---------------------------------------------------------------------------------------


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


# --- receipts --------------------------------------------------------------------------------------


def test_both_forms_offer_the_same():
    for one, other in (
        (module.Session, module.SyncSession),
        (RelyingParty, SyncRelyingParty),
    ):
        public = {name for name in dir(one) if not name.startswith("_")} - {"aclose"}
        assert public == {name for name in dir(other) if not name.startswith("_")} - {"close"}
