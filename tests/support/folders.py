"""Folders of tests lie in memory where there is room: a disk makes every small file that is synced wait.

What a test leaves is removed when it passed. Tests that kill what they test write to a disk (``crash``).
"""

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

MEMORY = "/dev/shm"
ROOM_BYTES = 2 << 30
ROOT = "PYTEST_DEBUG_TEMPROOT"


def memory() -> str | None:
    """A file system in memory with room for what tests write."""
    roomy = os.access(MEMORY, os.W_OK) and shutil.disk_usage(MEMORY).free > ROOM_BYTES
    return MEMORY if roomy else None


def pytest_configure(config: pytest.Config) -> None:
    """Name the place in the first process; workers get theirs from it."""
    found = memory()
    if found and not hasattr(config, "workerinput"):
        os.environ.setdefault(ROOT, found)


@pytest.fixture
def tmp_path(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Path]:
    """pytest's own, but on a disk for a test that kills."""
    if request.node.get_closest_marker("crash") is None:
        yield tmp_path
    else:
        with tempfile.TemporaryDirectory(prefix="ik", ignore_cleanup_errors=True) as folder:
            yield Path(folder)
