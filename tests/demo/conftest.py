"""The story of the test country, told once for all tests of this folder that read what it left."""

import asyncio
from dataclasses import dataclass
from pathlib import Path

import pytest

from inkan.demo.country import country
from inkan.demo.steps import StepReport, StoryReport
from inkan.demo.story import Story
from support.ports import free_port


@dataclass(frozen=True)
class Told:
    """A story that was told: its report, what the terminal heard, what was kept."""

    report: StoryReport
    heard: list[StepReport]
    said: list[str]
    kept: Path


@pytest.fixture(scope="session")
def told(tmp_path_factory: pytest.TempPathFactory) -> Told:
    folder = tmp_path_factory.mktemp("country")
    kept = folder / "kept"
    heard: list[StepReport] = []
    said: list[str] = []

    async def tell() -> StoryReport:
        async with country(folder / "home", port=free_port(), tell=said.append) as founded:
            return await Story(founded, keep=kept, tell=heard.append).run()

    return Told(asyncio.run(tell()), heard, said, kept)
