"""Counts of how sessions fare: by what the relying party may read, when it may read it."""

from datetime import timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from inkan.identification.service import tally as tallies
from inkan.identification.service.cancelling import TakenBack
from inkan.identification.service.tally import Tally
from inkan.kernel.clock import rfc3339
from inkan.wire.reasons import ROWS, Group, Reason
from support.clock import START, StandingClock


def payload(
    outcome: str = "ok", reason: str | None = None, door: str | None = "qr", waited: int = 0
) -> bytes:
    return msgspec.json.encode(
        {
            "door": door,
            "outcome": outcome,
            "reason": reason,
            "decided_at": rfc3339(START),
            "released_at": rfc3339(START + timedelta(seconds=waited)),
            "subject": {"person_ref": "never looked at"},
        }
    )


@pytest.fixture
def tally(clock: StandingClock) -> Tally:
    return Tally(clock)


def doors(tally: Tally, minutes: int = 5) -> dict[str, dict[str, Any]]:
    return {each.door: msgspec.to_builtins(each) for each in tally.window(minutes).doors}


def test_nothing_has_no_rate(tally: Tally) -> None:
    window = tally.window(60)
    assert (window.created, window.doors) == (0, [])
    assert window.create.p50_ms is None
    assert window.release.p95_ms is None


def test_what_people_do_is_no_failure(tally: Tally) -> None:
    for _ in range(3):
        tally.released(payload())
    tally.released(payload("failed", "cert_revoked"))
    tally.released(payload("refused", "user_refused"))
    tally.released(payload("failed", "user_wrong_code", door="push"))
    tally.expired(2)
    tally.cancelled(TakenBack(None))
    found = doors(tally)
    assert found["qr"] == {
        "door": "qr", "ok": 3, "user": 1, "failed": 1, "cancelled": 0, "failure_rate": 0.25
    }  # fmt: skip
    assert (found["push"]["user"], found["push"]["failure_rate"]) == (1, None)
    assert (found["none"]["user"], found["none"]["cancelled"]) == (2, 1)


@pytest.mark.parametrize("reason", Reason)
def test_every_reason_falls_on_one_side(tally: Tally, reason: Reason) -> None:
    tally.released(payload("failed", str(reason)))
    (found,) = doors(tally).values()
    assert found["user" if ROWS[reason].group is Group.USER else "failed"] == 1
    assert found["ok"] + found["user"] + found["failed"] == 1


def test_an_end_behind_the_veil_is_counted_as_the_expiry_that_its_reader_sees(
    tally: Tally, clock: StandingClock
) -> None:
    """Else the figures would tell at once that somebody refused, which the relying party is not told."""
    tally.expired(seen_at=clock.now() + timedelta(seconds=150))
    assert doors(tally, 60) == {}
    clock.tick(timedelta(seconds=150))
    assert doors(tally, 60)["none"]["user"] == 1


def test_a_veiled_end_that_is_taken_back_counts_as_that_alone(
    tally: Tally, clock: StandingClock
) -> None:
    until = clock.now() + timedelta(seconds=150)
    tally.expired(seen_at=until)
    tally.cancelled(TakenBack(until))
    tally.cancelled(None)
    clock.tick(timedelta(seconds=150))
    assert doors(tally, 60)["none"] == {
        "door": "none", "ok": 0, "user": 0, "failed": 0, "cancelled": 1, "failure_rate": None
    }  # fmt: skip


def test_windows_forget(tally: Tally, clock: StandingClock) -> None:
    tally.created(0.001)
    tally.released(payload())
    clock.tick(timedelta(minutes=5))
    assert (tally.window(5).created, tally.window(60).created) == (0, 1)
    tally.created(0.001)
    clock.tick(timedelta(minutes=60))
    assert tally.window(60).created == 0
    tally.created(0.001)
    assert len(tally._minutes) == 1


def test_a_clock_that_leaps_leaves_no_memory_behind(tally: Tally, clock: StandingClock) -> None:
    for _ in range(300):
        tally.created(0.001)
        clock.tick(timedelta(minutes=7))
    assert len(tally._minutes) <= tallies.HOUR + tallies.AHEAD


@given(seconds=st.lists(st.floats(min_value=0.0002, max_value=600), min_size=1, max_size=200))
def test_percentiles_are_right_within_a_step(seconds: list[float]) -> None:
    tally = Tally(StandingClock())
    for each in seconds:
        tally.created(each)
    found = tally.window(5).create
    for percent, said in ((50, found.p50_ms), (95, found.p95_ms)):
        rank = -(-len(seconds) * percent // 100)
        true = sorted(seconds)[rank - 1] * 1000
        assert said is not None
        assert true - 0.06 <= said <= true * 1.0906 + 0.06


def test_a_release_counts_from_the_decision(tally: Tally) -> None:
    for _ in range(20):
        tally.released(payload(waited=0))
    for _ in range(2):
        tally.released(payload(waited=4))
    release = tally.window(5).release
    assert release.p50_ms == 0
    assert release.p95_ms == pytest.approx(4000, rel=0.1)
