"""Pages of the counter for clerks, and for the people who look at the screen with them (``/counter``)."""

from pathlib import Path
from typing import Final

from inkan.counter.pages import carrying, cases, login, papers, shift, words
from inkan.counter.pages.parts import HOME_PATH
from inkan.counter.service import Counter
from inkan.web.exchange import MenuItem
from inkan.web.routes import Group

FOLDER: Final = Path(__file__).parents[1]
"""Where this package's templates and texts are: ``Templates({"counter": FOLDER})``."""

MENU: Final = (MenuItem(text="Counter", path=HOME_PATH, roles=frozenset({"clerk"})),)

WORDS: Final = words.WORDS | set(papers.TITLES.values()) | {item.text for item in MENU}
"""Every text of these pages that stands in a table; a test looks for its translations."""


def routes(counter: Counter, *, loopback: str = "") -> tuple[Group, ...]:
    """The groups of these pages; ``loopback`` is the origin of a card agent on the same machine, if any."""
    return (
        login.routes(counter, counter.parts.accounts, loopback=loopback),
        shift.routes(counter),
        cases.routes(counter, loopback=loopback),
        carrying.routes(counter, loopback=loopback),
        papers.routes(counter),
    )


__all__ = ["FOLDER", "MENU", "WORDS", "routes"]
