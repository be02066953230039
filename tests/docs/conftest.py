"""Fixtures of the documents' tests: true time, since programs of the documents have no other."""

import pytest

from inkan.kernel.clock import Clock


@pytest.fixture
def clock() -> Clock:
    """The machine's clock, which the instance's time may leave forwards."""
    return Clock(may_advance=True)
