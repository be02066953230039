"""Time: one source, an offset that only grows, and the forms that dates travel in."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inkan.kernel import clock
from inkan.kernel.clock import Clock, ClockFixed

MOMENT = datetime(2026, 11, 21, 22, 55, 4, 987654, tzinfo=UTC)
moments = st.datetimes(timezones=st.just(UTC))


def test_a_production_clock_shows_true_time() -> None:
    here = Clock()
    before = datetime.now(UTC)
    assert before <= here.now() <= datetime.now(UTC)
    assert here.now().tzinfo is UTC
    assert here.offset == timedelta(0)


def test_a_production_clock_cannot_be_moved() -> None:
    with pytest.raises(ClockFixed):
        Clock().advance(timedelta(hours=1))
    with pytest.raises(ClockFixed):
        Clock(offset=timedelta(seconds=1))


def test_an_offset_moves_the_instance_and_not_the_wire() -> None:
    demo = Clock(offset=timedelta(days=3), may_advance=True)
    assert timedelta(days=3) <= demo.now() - demo.wire_now() + timedelta(seconds=1)
    assert abs(demo.wire_now() - datetime.now(UTC)) < timedelta(seconds=5)


def test_the_offset_only_grows() -> None:
    demo = Clock(may_advance=True)
    before = demo.now()
    after = demo.advance(timedelta(hours=25))
    assert demo.offset == timedelta(hours=25)
    assert after - before >= timedelta(hours=25)
    with pytest.raises(ClockFixed):
        demo.advance(-timedelta(microseconds=1))
    assert demo.offset == timedelta(hours=25)


def test_no_instance_starts_in_the_past() -> None:
    with pytest.raises(ClockFixed):
        Clock(offset=-timedelta(seconds=1), may_advance=True)


def test_monotonic_never_goes_back_and_ignores_the_offset() -> None:
    demo = Clock(may_advance=True)
    before = demo.monotonic()
    demo.advance(timedelta(days=400))
    assert 0 <= demo.monotonic() - before < 60


def test_rfc3339_is_utc_with_whole_seconds() -> None:
    assert clock.rfc3339(MOMENT) == "2026-11-21T22:55:04Z"
    taipei = MOMENT.astimezone(timezone(timedelta(hours=8)))
    assert clock.rfc3339(taipei) == "2026-11-21T22:55:04Z"


def test_seconds_round_down_also_before_the_epoch() -> None:
    assert clock.to_seconds(MOMENT) == 1795301704
    assert clock.to_seconds(clock.EPOCH - timedelta(microseconds=1)) == -1


@given(moments)
def test_microseconds_lose_nothing(moment: datetime) -> None:
    assert clock.from_microseconds(clock.to_microseconds(moment)) == moment


@given(moments)
def test_seconds_are_the_microseconds_rounded_down(moment: datetime) -> None:
    assert clock.to_seconds(moment) == clock.to_microseconds(moment) // 1_000_000
    assert (
        timedelta(0) <= moment - clock.from_seconds(clock.to_seconds(moment)) < timedelta(seconds=1)
    )


@given(st.integers(-62_135_596_800, 253_402_300_799))
def test_seconds_round_trip(value: int) -> None:
    assert clock.to_seconds(clock.from_seconds(value)) == value
