"""The clock guard: times never decrease, and a clock that was stepped gives none."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inkan.crypto.tsp import TimeNotAvailable
from inkan.kernel.clock import Clock
from inkan.pki.service.clock_guard import ClockGuard
from support.clock import START

ACCURACY = timedelta(seconds=1)
TOLERANCE = 0.25


class TwoClocks(Clock):
    """A wall clock and a monotonic clock that a test moves apart."""

    def __init__(self) -> None:
        super().__init__(may_advance=True)
        self.wall = START
        self.steady = 1000.0
        self.lag = 0.0

    def wire_now(self):
        self.steady += self.lag  # so long takes a reading
        return self.wall

    def monotonic(self):
        return self.steady

    def pass_time(self, seconds: float) -> None:
        self.wall += timedelta(seconds=seconds)
        self.steady += seconds

    def step(self, seconds: float) -> None:
        self.wall += timedelta(seconds=seconds)


@pytest.fixture
def clocks():
    return TwoClocks()


@pytest.fixture
def guard(clocks):
    return ClockGuard(clocks, accuracy=ACCURACY)


def test_time_goes_on_in_milliseconds(clocks, guard):
    clocks.pass_time(1.2345678)
    assert guard.now() == START + timedelta(milliseconds=1234)
    clocks.pass_time(86_400 * 400)
    assert guard.now() == START + timedelta(days=400, milliseconds=1234)


@pytest.mark.parametrize("step", [0.3, -0.3, 3600, -3600])
def test_a_step_is_refused_until_it_is_taken_back(clocks, guard, step):
    clocks.step(step)
    for _ in range(3):
        with pytest.raises(TimeNotAvailable):
            guard.now()
        clocks.pass_time(100)
    clocks.step(-step)
    assert guard.now() == clocks.wall


def test_small_steps_are_held_and_add_up(clocks, guard):
    clocks.pass_time(10)
    before = guard.now()
    clocks.step(-0.2)
    assert guard.now() == before
    clocks.pass_time(0.3)
    assert guard.now() == before + timedelta(milliseconds=100)
    clocks.step(-0.2)
    with pytest.raises(TimeNotAvailable):
        guard.now()


def test_what_was_stamped_before_is_never_undercut(clocks, guard):
    guard.begin_at(START + timedelta(seconds=0.2))
    assert guard.now() == START + timedelta(seconds=0.2)
    guard.begin_at(START + timedelta(seconds=2))
    with pytest.raises(TimeNotAvailable):
        guard.now()
    guard.begin_at(START)  # an earlier mark changes nothing
    with pytest.raises(TimeNotAvailable):
        guard.now()
    clocks.pass_time(3)
    assert guard.now() == clocks.wall


def test_a_machine_that_reads_too_slowly_is_refused(clocks, guard):
    clocks.lag = 0.2
    assert guard.now() == START
    clocks.lag = 0.3
    with pytest.raises(TimeNotAvailable):
        guard.now()


def test_an_instance_that_travels_forward_stamps_its_own_time(clocks, guard):
    clocks.advance(timedelta(days=60))
    assert guard.now() == START + timedelta(days=60)


MOVES = st.lists(
    st.tuples(
        st.floats(0, 100).map(lambda seconds: round(seconds, 3)),
        st.one_of(st.just(0.0), st.floats(-1, 1).map(lambda seconds: round(seconds, 3))),
    ),
    max_size=40,
)


@given(MOVES, st.floats(-1, 1))
def test_times_never_decrease_and_stay_within_the_accuracy(moves, mark):
    clocks = TwoClocks()
    guard = ClockGuard(clocks, accuracy=ACCURACY)
    guard.begin_at(START + timedelta(seconds=mark))
    last, stepped = START + timedelta(seconds=min(mark, TOLERANCE)), 0.0
    for passed, step in moves:
        clocks.pass_time(passed)
        clocks.step(step)
        stepped += step
        try:
            given_out = guard.now()
        except TimeNotAvailable:
            assert abs(stepped) > TOLERANCE - 0.002 or last > clocks.wall or mark > TOLERANCE
            continue
        assert given_out >= last
        assert abs(stepped) <= TOLERANCE + 1e-6
        true = clocks.wall - timedelta(seconds=stepped)
        # Half of the accuracy; the other half is the host's distance from UTC.
        assert abs(given_out - true) <= ACCURACY / 2 + timedelta(milliseconds=1)
        last = given_out
