"""What the tests' process collects: what a test made, seldom, and never what importing and collecting left behind.

As a plugin: a worker holds a million objects that last as long as it does, and Python would look through all of
them again and again for what one test dropped.
"""

import gc

import pytest

YOUNG = 20_000
"""Objects that are made before Python looks for rubbish among them; its own number is 700."""


@pytest.hookimpl(trylast=True)
def pytest_collection_finish() -> None:
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG, *gc.get_threshold()[1:])
