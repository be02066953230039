"""What is asked again: after which refusals, how long after, and how often; by hand, without time or network."""

from typing import Any

import msgspec
import pytest

from client.playing import play
from inkan.client import repeating
from inkan.client.exchange import (
    Answer,
    CallConflict,
    CallTooMany,
    CallUnavailable,
    Pause,
    PlatformTimeout,
    PlatformUnreachable,
    Request,
    ask,
    verify_success,
)
from inkan.client.repeating import NO_PATIENCE, PATIENCE, Patience, repeated, spread

LOST = PlatformUnreachable()


def answer(status: int = 200, **headers: str) -> Answer:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Answer(status=status, headers=named, body=b"")


def one():
    return verify_success((yield from ask(Request(method="GET", url="https://id.example.org/x"))))


def pauses(wishes: list[Any]) -> list[float]:
    return [wish.seconds for wish in wishes if isinstance(wish, Pause)]


@pytest.fixture
def level(monkeypatch: pytest.MonkeyPatch) -> None:
    """Chance that always falls in the middle."""
    monkeypatch.setattr(repeating, "chance", lambda: 0.5)


@pytest.mark.usefixtures("level")
def test_a_lost_answer_is_asked_for_again_twice():
    good = answer()
    wishes, result = play(repeated(one), [LOST, None, PlatformTimeout(), None, good])
    assert result is good
    assert [type(wish) for wish in wishes] == [Request, Pause, Request, Pause, Request]
    assert pauses(wishes) == [0.2, 1.0]
    _, result = play(repeated(one), [LOST, None, LOST, None, LOST])
    assert result is LOST


@pytest.mark.usefixtures("level")
@pytest.mark.parametrize("status", [500, 502, 503])
def test_a_platform_that_cannot_answer_is_asked_again(status: int):
    wishes, result = play(repeated(one), [answer(status), None, answer()])
    assert result.status == 200
    assert pauses(wishes) == [0.2]


def test_a_refusal_is_not_asked_for_again():
    wishes, result = play(repeated(one), [answer(409)])
    assert isinstance(result, CallConflict)
    assert len(wishes) == 1


@pytest.mark.usefixtures("level")
@pytest.mark.parametrize("twice", [True, False])
@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry_after": "7"}, 7.25),
        ({"ratelimit": '"sessions";r=0;t=3'}, 3.25),
        ({"retry_after": "1", "ratelimit": '"sessions";r=0;t=60'}, 1.25),
        (
            {
                "retry_after": "Sun, 22 Nov 2026 06:00:09 GMT",
                "date": "Sun, 22 Nov 2026 06:00:00 GMT",
            },
            9.25,
        ),
    ],
)
def test_a_used_up_rate_is_waited_for_whatever_the_request(
    headers: dict[str, str], seconds: float, twice: bool
):
    wishes, result = play(repeated(one, twice=twice), [answer(429, **headers), None, answer()])
    assert result.status == 200
    assert pauses(wishes) == [seconds]


@pytest.mark.parametrize(
    "headers", [{}, {"retry_after": "soon"}, {"retry_after": "31"}, {"ratelimit": '"x";r=1;t=2'}]
)
def test_a_wait_that_is_not_named_or_too_long_is_left_to_the_caller(headers: dict[str, str]):
    wishes, result = play(repeated(one), [answer(429, **headers)])
    assert isinstance(result, CallTooMany)
    assert len(wishes) == 1
    named = headers.get("retry_after")
    assert result.problem.retry_after_s == (31 if named == "31" else None)


@pytest.mark.usefixtures("level")
def test_a_platform_that_says_when_is_asked_then():
    wishes, _ = play(repeated(one), [answer(503, retry_after="20"), None, answer()])
    assert pauses(wishes) == [20.25]
    wishes, result = play(repeated(one), [answer(503, retry_after="300")])
    assert isinstance(result, CallUnavailable)
    assert len(wishes) == 1


@pytest.mark.parametrize("lost", [LOST, PlatformTimeout(), answer(500)])
def test_what_must_not_arrive_twice_is_sent_once(lost: Any):
    wishes, result = play(repeated(one, twice=False), [lost])
    assert isinstance(result, PlatformUnreachable | CallUnavailable)
    assert len(wishes) == 1


def test_who_has_no_patience_asks_once():
    wishes, result = play(repeated(one, patience=NO_PATIENCE), [LOST])
    assert result is LOST
    assert len(wishes) == 1
    longer = Patience(pauses_s=(0.1,) * 5)
    wishes, _ = play(repeated(one, patience=longer), [LOST, None] * 5 + [answer()])
    assert len(wishes) == 11


def test_pauses_are_spread_and_bounded():
    drawn = {spread(1.0) for _ in range(200)}
    assert len(drawn) > 50
    assert min(drawn) >= 0.5
    assert max(drawn) < 1.5


def test_the_sum_of_all_pauses_has_a_bound():
    longest = len(PATIENCE.pauses_s) * (PATIENCE.longest_s + PATIENCE.spread_s)
    assert longest <= 61
    assert msgspec.structs.replace(PATIENCE, pauses_s=()) == NO_PATIENCE
