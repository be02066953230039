"""Answers and problems, without any network."""

import msgspec
import pytest

from inkan.client import exchange
from inkan.client.exchange import (
    REFUSALS,
    Answer,
    AnswerMalformed,
    CallRefused,
    CallTooMany,
    CallUnavailable,
    read_problem,
    verify_success,
)
from inkan.kernel.errors import Category

PROBLEM = {
    "type": "urn:inkan:problem:qr_stale",
    "code": "qr_stale",
    "title": "Too old",
    "status": 409,
    "detail": "4 s",
    "text": "請重新掃描。",
    "errors": [{"pointer": "/frame"}],
}


def answer(status=200, body=b"", **headers):
    return Answer(
        status=status,
        headers={name.replace("_", "-"): value for name, value in headers.items()},
        body=body,
    )


def problem(status=409, members=PROBLEM, content_type="application/problem+json"):
    return answer(status, msgspec.json.encode(members), content_type=content_type)


def test_a_problem_is_read_as_it_is():
    found = read_problem(problem())
    assert found.code == "qr_stale"
    assert found.status == 409
    assert (found.title, found.detail, found.text) == ("Too old", "4 s", "請重新掃描。")
    assert found.errors == [{"pointer": "/frame"}]
    assert found.retry_after_s is None


def test_an_oauth_error_is_read_too():
    members = {"error": "invalid_client", "error_description": "unknown key"}
    with pytest.raises(exchange.CallUnauthenticated) as refused:
        verify_success(problem(401, members, "application/json;charset=utf-8"))
    assert refused.value.problem.code == "invalid_client"
    assert refused.value.problem.title == "unknown key"
    assert "invalid_client" in str(refused.value)


@pytest.mark.parametrize(
    "body",
    [b"", b"<html>", b"[]", b'"text"', b'{"code": 7, "title": null, "errors": "x"}', b"\xff"],
)
def test_an_answer_that_explains_nothing_is_a_refusal_all_the_same(body):
    with pytest.raises(CallUnavailable) as refused:
        verify_success(answer(502, body, content_type="application/problem+json"))
    assert refused.value.problem.code == "unexplained"
    assert refused.value.problem.status == 502


def test_html_is_not_searched_for_words():
    html = answer(400, msgspec.json.encode(PROBLEM), content_type="text/html")
    assert read_problem(html).code == "unexplained"


@pytest.mark.parametrize(
    ("status", "kind"), [*REFUSALS.items(), (500, CallUnavailable), (418, CallRefused)]
)
def test_each_status_has_its_refusal(status, kind):
    with pytest.raises(CallRefused) as refused:
        verify_success(problem(status))
    assert type(refused.value) is kind


def test_refusals_cover_every_category_of_the_platform():
    told = {kind.category for kind in REFUSALS.values()} | {CallUnavailable.category}
    assert set(Category) - told == {Category.TOO_LARGE}  # a fault of the program: CallMalformed


@pytest.mark.parametrize(("header", "seconds"), [("7", 7), ("", None), ("soon", None), ("٣", None)])
def test_when_to_come_back(header, seconds):
    with pytest.raises(CallTooMany) as refused:
        verify_success(answer(429, b"", retry_after=header))
    assert refused.value.problem.retry_after_s == seconds


@pytest.mark.parametrize("body", [b"", b"{", b"[" * 10**5, b'{"state": 1}', b"\xff\xfe"])
def test_unreadable_answers_are_refused(body):
    class Kind(msgspec.Struct):
        """Something with a text."""

        state: str

    with pytest.raises(AnswerMalformed):
        answer(200, body).read(Kind)


def test_unknown_members_are_left_out():
    class Kind(msgspec.Struct):
        """Something with a text."""

        state: str

    assert answer(200, b'{"new": 1, "state": "x"}').read(Kind).state == "x"


def test_paths_join_without_doubled_slashes():
    assert exchange.joined("https://id.example.org/", "/v1") == "https://id.example.org/v1"
    assert exchange.joined("https://id.example.org/a", "/v1") == "https://id.example.org/a/v1"


@pytest.mark.parametrize(
    ("text", "path"),
    [("ses_1", "ses_1"), ("..", "%2E%2E"), ("a/b?c#d", "a%2Fb%3Fc%23d"), ("名", "%E5%90%8D")],
)
def test_what_came_from_elsewhere_stays_one_segment(text, path):
    assert exchange.segment(text) == path
