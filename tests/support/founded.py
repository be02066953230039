"""A founded test country for tests that ask something of it, not how it is founded or what its workers are shielded by.

That it comes up as people start it, with workers in processes of their own, is shown in tests/demo and by the servers
of tests/journeys that are killed.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from unittest.mock import patch

from inkan.composition import platform
from inkan.demo.country import Country, country
from support.inline_workers import InlineWorkers
from support.ports import free_port
from support.thrift import thrift


@asynccontextmanager
async def founded_country(folder: Path, *, port: int = 0) -> AsyncIterator[Country]:
    """Found it in an empty folder, on a free port unless one is named, and keep it running until the block ends."""
    with thrift(), patch.object(platform, "WorkerPool", InlineWorkers):
        async with country(folder, port=port or free_port()) as founded:
            yield founded
