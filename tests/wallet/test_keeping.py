"""A bound phone in JavaScript: renewal, presence, records, and its way to the platform."""

import json
from collections.abc import Callable
from email.utils import format_datetime
from typing import Any

import httpx
import pytest

from inkan.client.authenticator_data import Ceremony
from inkan.client.rates import retry_after_s
from inkan.crypto import dpop
from inkan.crypto.keys import KeySpec
from support.node import carried_by
from support.phone_platform import PhonePlatform
from support.phone_words import ENROL_FRAME, FRAME, Refusal, true_now
from wallet.js_phones import EVIL, JSPhone, bound, sent_to

RENEW = "/phone/v1/renew"
PHONES = "/phone/v1/phones"


# --- renewal --------------------------------------------------------------------------------------------


@pytest.mark.req("TW-32")
@pytest.mark.parametrize("spec", [KeySpec.RSA2048, KeySpec.P256])
def test_renewal_replaces_keys_and_keeps_the_binding(node, spec):
    platform = PhonePlatform(key_spec=spec)
    asked: list[Ceremony] = []
    phone = bound(node, platform, verify_user=lambda c: asked.append(c) or True)
    before = phone("bound")
    asked.clear()
    made = phone("renew")
    after = made["result"]
    assert made["steps"] == ["keys", "passkey", "sending", "checking"]
    assert asked == [Ceremony.GET]
    assert after["bindingId"] == before["bindingId"]
    assert after["credential"] == before["credential"]
    for use in ("auth", "sign"):
        assert after["keys"][use]["spki"] != before["keys"][use]["spki"]
        assert after["certificates"][use]["der"] == platform.certificates[use].der
    assert platform.confirmed == 1
    platform.ask()
    phone("openFrame", FRAME)
    assert phone("approve")["outcome"] == "ok"


@pytest.mark.parametrize("path", [RENEW, f"{RENEW}/confirm"])
def test_a_renewal_whose_answer_is_lost_goes_on(node, platform, path):
    phone = bound(node, platform)
    platform.lose[path] = 1
    phone("renew")
    assert platform.confirmed == 1
    assert phone("isRenewing") is False
    assert len(set(sent_to(platform, RENEW))) == 1


@pytest.mark.parametrize("path", [RENEW, f"{RENEW}/confirm"])
def test_a_renewal_that_broke_off_is_taken_up(node, platform, path):
    phone = bound(node, platform)
    if path == RENEW:
        platform.lose[path] = 3
    else:
        platform.dead = {path}
    assert phone.refused("renew").code == "platform_unreachable"
    platform.dead = set()
    phone.reopen()
    assert phone("isRenewing") is True
    phone("renew")
    assert platform.confirmed == 1
    assert phone("isRenewing") is False
    held = phone("bound")["certificates"]["auth"]
    assert held["der"] == platform.certificates["auth"].der
    # Certificates that are here already are not asked for again.
    assert len(sent_to(platform, RENEW)) == (4 if path == RENEW else 1)
    assert len(set(sent_to(platform, RENEW))) == 1
    assert len(sent_to(platform, f"{RENEW}/begin")) == 1


@pytest.mark.parametrize(
    ("member", "value"),
    [
        ("aud", "https://id.evil.org"),
        ("scheme", "hca"),
        ("binding_id", "id-other"),
        ("uses", ["auth"]),
        ("old_certificate_sha256", EVIL),
    ],
)
def test_the_old_key_signs_for_nobody_else(node, platform, member, value):
    platform.bend["/renew/begin"] = lambda answer: answer | {member: value}
    phone = bound(node, platform)
    refused = phone.refused("renew")
    assert (refused.code, refused.member) == ("phone_renewal_substituted", member)
    assert ("POST", RENEW) not in platform.calls


@pytest.mark.req("TW-33")
def test_a_refused_renewal_leaves_the_old_certificates(node, platform):
    phone = bound(node, platform)
    before = phone("bound")
    platform.refuse[RENEW] = Refusal(403, "renewal_refused")
    assert phone.refused("renew").code == "renewal_refused"
    assert phone("bound") == before
    assert phone("isRenewing") is False


def test_renewed_certificates_that_do_not_fit_are_not_taken(node, platform):
    phone = bound(node, platform)
    before = phone("bound")
    platform._issue = lambda use, spki: platform.issue(use, spki, binding="id-other")
    assert phone.refused("renew").code == "phone_renewal_substituted"
    assert phone("bound") == before
    assert ("POST", f"{RENEW}/confirm") not in platform.calls


# --- presence and records -------------------------------------------------------------------------------


@pytest.mark.req("TW-38")
def test_what_needs_presence_is_asked_for_once_more_after_it(node, platform):
    asked: list[Ceremony] = []
    phone = bound(node, platform, verify_user=lambda c: asked.append(c) or True)
    asked.clear()
    (listed,) = phone("phones")
    assert listed["this"] is True
    assert asked == [Ceremony.GET]
    assert phone("records") == [{"id": "rec_1"}]
    assert asked == [Ceremony.GET]
    assert [path for _, path in platform.calls].count(PHONES) == 2


def test_presence_needs_the_person(node, platform):
    phone = bound(node, platform)
    phone.verify_user = lambda _: False
    assert phone.refused("phones").code == "authenticator_user_not_verified"
    assert not platform.present


def test_presence_is_asked_for_once_and_not_for_ever(node, platform):
    phone = bound(node, platform)
    platform._require_presence = _never
    assert phone.refused("phones").code == "verification_stale"
    assert [path for _, path in platform.calls].count(PHONES) == 2


def _never() -> None:
    raise Refusal(403, "verification_stale")


def test_a_phone_is_ended_with_its_reason(node, platform):
    phone = bound(node, platform)
    phone("revoke", "id-phone", "lost")
    assert platform.revoked == {"phone": "id-phone", "reason": "lost"}
    phone("revoke", "id-phone")
    assert platform.revoked == {"phone": "id-phone"}


CALLS: dict[str, tuple[tuple[Any, ...], str, str]] = {
    "use": (("a/b.c",), "GET", "/phone/v1/records/a%2Fb%2Ec"),
    "useProof": (("r",), "GET", "/phone/v1/records/r/proof"),
    "reportUse": (("r",), "POST", "/phone/v1/records/r/report"),
    "withdrawConsent": (("c",), "POST", "/phone/v1/consents/c/withdraw"),
    "forgetBrowser": (("b",), "DELETE", "/phone/v1/browsers/b"),
    "freeze": ((), "POST", "/phone/v1/freeze"),
    "certificate": (("x",), "GET", "/phone/v1/certificates/x"),
    "unsubscribe": ((), "DELETE", "/phone/v1/push"),
    "turnDown": (("a",), "POST", "/phone/v1/approvals/a/refuse"),
}
LISTS = ["phones", "records", "consents", "news", "notices", "browsers"]


@pytest.mark.parametrize("verb", CALLS)
def test_each_verb_calls_its_own_route(node, platform, verb):
    arguments, method, path = CALLS[verb]
    phone = bound(node, platform)
    sent = _answering(phone, lambda _: httpx.Response(200, json={}))
    phone(verb, *arguments)
    assert [(each.method, each.url.raw_path.decode()) for each in sent] == [(method, path)]


@pytest.mark.parametrize("what", LISTS)
def test_each_list_is_the_platforms_own(node, platform, what):
    phone = bound(node, platform)
    sent = _answering(phone, lambda _: httpx.Response(200, json={what: [{"id": "x"}]}))
    assert phone(what) == [{"id": "x"}]
    assert sent[0].url.raw_path.decode() == f"/phone/v1/{what}"
    _answering(phone, lambda _: httpx.Response(200, json={}))
    assert phone.refused(what).code == "answer_malformed"


def test_records_are_filtered_by_the_platform(node, platform):
    phone = bound(node, platform)
    sent = _answering(phone, lambda _: httpx.Response(200, json={"records": []}))
    phone("records", {"below": "rec_9", "system": "sys 1&x=y", "before": None, "result": ""})
    assert dict(sent[0].url.params) == {"below": "rec_9", "system": "sys 1&x=y"}


def test_turning_down_may_be_a_report(node, platform):
    phone = bound(node, platform)
    sent = _answering(phone, lambda _: httpx.Response(200, json={"state": "closed"}))
    phone("turnDown", "a", {"report": True})
    assert sent[0].url.path == "/phone/v1/approvals/a/report"


def test_a_subscription_is_the_browsers_own(node, platform):
    phone = bound(node, platform)
    sent = _answering(phone, lambda _: httpx.Response(204))
    given = {
        "endpoint": "https://push.example.org/x",
        "expirationTime": None,
        "keys": {"p256dh": "AA", "auth": "BB"},
    }
    phone("subscribe", given)
    assert json.loads(sent[0].content) == given | {"carrier": "webpush"}
    point = {"key": "BA" + "A" * 85}
    _answering(phone, lambda _: httpx.Response(200, json=point))
    assert len(phone("pushKey")) == 65
    _answering(phone, lambda _: httpx.Response(200, json={"key": "AA"}))
    assert phone.refused("pushKey").code == "base64url_malformed"


def _answering(
    phone: Any, answer: Callable[[httpx.Request], httpx.Response]
) -> list[httpx.Request]:
    sent: list[httpx.Request] = []

    def send(request: httpx.Request) -> httpx.Response:
        sent.append(request)
        return answer(request)

    phone.asked.send = send
    return sent


# --- the way to the platform ----------------------------------------------------------------------------


def test_requests_say_who_and_in_which_language(node, platform):
    phone = bound(node, platform, lang="ja")
    sent = _answering(phone, lambda _: httpx.Response(200, json={"waiting": []}))
    assert phone("waiting", {"waitS": 25}) == []
    (request,) = sent
    assert request.url.params["wait"] == "25"
    assert request.headers["accept-language"] == "ja"
    assert request.headers["dpop"].count(".") == 2
    assert "cookie" not in request.headers


@pytest.mark.parametrize(
    ("answers", "calls"),
    [
        ([503, 503, 200], 3),
        ([503, 503, 503], 3),
        ([429, 200], 1),
        ([(429, "1"), 200], 2),
        ([(429, "31"), 200], 1),
        ([(503, "31"), 200], 1),
        ([404, 200], 1),
    ],
)
def test_reads_are_repeated_as_the_table_says(node, platform, answers, calls):
    phone = bound(node, platform)
    left = iter(answers)

    def answer(_: httpx.Request) -> httpx.Response:
        given = next(left)
        status, wait = given if isinstance(given, tuple) else (given, None)
        headers = {} if wait is None else {"retry-after": wait}
        return httpx.Response(status, json={"waiting": []}, headers=headers)

    sent = _answering(phone, answer)
    if answers[calls - 1] == 200:
        phone("waiting")
    else:
        assert phone.refused("waiting").code == "unexplained"
    assert len(sent) == calls
    assert len({request.headers["dpop"] for request in sent}) == calls


def test_what_may_not_arrive_twice_is_sent_once(node, platform):
    phone = bound(node, platform)
    sent = _answering(phone, lambda _: httpx.Response(503, json={"code": "busy", "text": "忙碌"}))
    refused = phone.refused("showPresence")
    assert (refused.code, refused.facts["status"]) == ("busy", 503)
    assert len(sent) == 1


@pytest.mark.parametrize("body", ["", "[]", "null", "1", "{", "<html>"])
def test_answers_of_another_form_are_not_understood(node, platform, body):
    phone = bound(node, platform)
    _answering(phone, lambda _: httpx.Response(200, text=body))
    assert phone.refused("waiting").code == "answer_malformed"


@pytest.mark.parametrize("body", ["", "[]", "null", "{", '{"code": 5}', "<html>"])
def test_refusals_of_any_form_are_refusals(node, platform, body):
    phone = bound(node, platform)
    headers = {"content-type": "application/problem+json"}
    _answering(phone, lambda _: httpx.Response(403, text=body, headers=headers))
    refused = phone.refused("waiting")
    assert (refused.name, refused.code) == ("CallRefused", "unexplained")


@pytest.mark.parametrize("skew_s", [-3600, 3600])
def test_a_machine_whose_clock_is_wrong_proves_itself_by_the_platforms(node, platform, skew_s):
    """A proof with the machine's own time is refused; the answer's Date says the right one (RFC 9449 §11.1)."""
    phone = JSPhone(node, platform, skew_ms=skew_s * 1000)
    carry = carried_by(platform)

    def send(request: httpx.Request) -> httpx.Response:
        headers = {"date": format_datetime(true_now(), usegmt=True)}
        try:
            answer = carry(request)
        except dpop.DPoPProofRefused:
            return httpx.Response(401, json={"code": "dpop_proof_refused"}, headers=headers)
        answer.headers.update(headers)
        return answer

    phone.asked.send = send
    assert phone("join", ENROL_FRAME)["id"] == "id-request"
    # Without a Date there is nothing to learn, and the refusal is the answer.
    stubborn = JSPhone(node, platform, skew_ms=skew_s * 1000)
    refusing = httpx.Response(401, json={"code": "dpop_proof_refused"})
    sent = _answering(stubborn, lambda _: refusing)
    assert stubborn.refused("join", ENROL_FRAME).code == "dpop_proof_refused"
    assert len(sent) == 1


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after": "7"}, 7),
        (
            {
                "retry-after": "Sat, 21 Nov 2026 22:55:14 GMT",
                "date": "Sat, 21 Nov 2026 22:55:04 GMT",
            },
            10,
        ),
        ({"retry-after": "Sat, 21 Nov 2026 22:55:14 GMT"}, None),
        ({"retry-after": "soon"}, None),
        ({"ratelimit": '"a";r=0;t=9, "b";r=0;t=30, "c";r=3;t=60'}, 30),
        ({"ratelimit": '"a";r=1;t=9'}, None),
        ({}, None),
    ],
)
def test_when_to_come_back(node, platform, headers, seconds):
    assert node.call("probes", "retryAfter", headers) == seconds == retry_after_s(headers)
