"""docs/relying-parties/errors.md: its example runs, and its words for retries are those of the catalogue and the client."""

import re
from pathlib import Path
from typing import Any

import inkan.client
from docs.blocks import DOCS, run, sections
from inkan.client.repeating import PATIENCE
from inkan.client.rp_session import STREAM_PATIENCE
from inkan.kernel.clock import Clock
from inkan.store.connect import database as database_of
from inkan.web import catalogue
from inkan.wire.reasons import ROWS
from support.world import world_on

PAGE = DOCS / "relying-parties" / "errors.md"
TEXT = PAGE.read_text(encoding="utf-8")


async def test_the_example_runs(sqlite_url: str, clock: Clock, tmp_path: Path) -> None:
    db = database_of(sqlite_url, clock=clock)
    await db.open()
    async with world_on(db, clock, tmp_path) as world:
        names: dict[str, Any] = {name: getattr(inkan.client, name) for name in inkan.client.__all__}
        names["inkan"] = await world.agency()
        for section in sections(PAGE):
            for code in section.in_("python"):
                await run(code, names, page=PAGE)
    await db.close()
    assert names["entry"].problem.owner == "relying_party"
    assert names["entry"].problem.status == 403


def test_every_word_for_retries_is_explained() -> None:
    said = re.findall(r"^\| `(\w+)` \|", TEXT, re.MULTILINE)
    problems = {str(entry.retry) for entry in catalogue.entries().values()}
    assert set(said) - {"retry"} == problems | {str(row.retry) for row in ROWS.values()}


def test_the_figures_are_the_clients() -> None:
    assert PATIENCE.pauses_s == (0.2, 1.0)
    assert f"within {PATIENCE.longest_s:.0f} seconds" in TEXT
    assert len(STREAM_PATIENCE.pauses_s) + 1 == 6
    assert "up to six times in a row" in TEXT
