"""The wallet's modules in one node process for each file of tests."""

from collections.abc import Iterator

import pytest

from support.node import Asked, Node
from support.phone_platform import PhonePlatform


@pytest.fixture(scope="module")
def process() -> Iterator[Node]:
    node = Node()
    yield node
    node.close()


@pytest.fixture
def node(process: Node) -> Node:
    """The process, with nobody to ask yet."""
    process.asked = Asked()
    return process


@pytest.fixture
def platform() -> PhonePlatform:
    return PhonePlatform()
