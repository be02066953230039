"""What was used once is refused for as long as it could be accepted again."""

import pytest

from inkan.web.replay import ProofReplayed, ReplayMemory, ReplayMemoryFull


def test_a_second_use_is_refused_for_a_whole_window() -> None:
    for first in (0.0, 30.0, 59.9):
        memory = ReplayMemory(window_s=60)
        memory.admit("warm", now=0.0)
        memory.admit("key.jti", now=first)
        for later in (first, first + 0.1, first + 30, first + 60):
            with pytest.raises(ProofReplayed):
                memory.admit("key.jti", now=later)


def test_it_is_forgotten_after_two_windows() -> None:
    memory = ReplayMemory(window_s=60)
    memory.admit("a", now=0.0)
    memory.admit("b", now=61.0)
    memory.admit("c", now=122.0)
    memory.admit("a", now=123.0)
    assert len(memory) == 3
    memory.admit("d", now=1_000.0)
    assert len(memory) == 1


def test_a_full_memory_refuses_rather_than_forgets() -> None:
    memory = ReplayMemory(window_s=60, capacity=3)
    for name in "abc":
        memory.admit(name, now=0.0)
    with pytest.raises(ReplayMemoryFull) as refused:
        memory.admit("d", now=1.0)
    assert refused.value.public_facts == {"retry_after_s": 60}
    for name in "abc":
        with pytest.raises(ProofReplayed):
            memory.admit(name, now=1.0)
    memory.admit("d", now=200.0)
