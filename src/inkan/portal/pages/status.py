"""``/status``: how the instance stands, in words; the facts are those of ``GET /v1/status`` and of the operators."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final, NamedTuple

from inkan.identification import Identification
from inkan.portal.model import ComponentName, Health
from inkan.portal.pages.places import API_STATUS_PATH, AUTHORITIES_PATH, NEWS_PATH, STATUS_PATH
from inkan.portal.rules import STANDING_WINDOW
from inkan.portal.service import Component, Standing
from inkan.web.exchange import Exchange
from inkan.web.limits import RateLimit
from inkan.web.principal import open_to_all
from inkan.web.response import Response
from inkan.web.routes import Bare, Group, Surface

_LIMIT: Final = RateLimit(name="status", requests=120, window=timedelta(minutes=1))
_OPEN: Final = open_to_all("counts without anybody's id")


class ComponentWords(NamedTuple):
    """How a component is told.

    Attributes:
        title, about: what it is for.
        working, slow, down: what its state means for people.
        since, figure: what its moment and its figure are; the figure is left out where that is empty.
    """

    title: str
    about: str
    working: str
    slow: str
    down: str
    since: str
    figure: str

    def of(self, health: Health) -> str:
        """The sentence of a state."""
        return {Health.WORKING: self.working, Health.SLOW: self.slow, Health.DOWN: self.down}[
            health
        ]


HEALTHS: Final[Mapping[Health, str]] = {
    Health.WORKING: "Working",
    Health.SLOW: "Disturbed",
    Health.DOWN: "Not working",
}
COMPONENTS: Final[Mapping[ComponentName, ComponentWords]] = {
    ComponentName.SESSIONS: ComponentWords(
        "Questions and answers",
        "Services ask, phones answer.",
        "Questions reach the phones.",
        "Some questions fail. Please try again.",
        "Most questions fail at present.",
        "Counted since",
        "Questions in the last hour",
    ),
    ComponentName.JOBS: ComponentWords(
        "Messages",
        "Push messages, mails and notes to services.",
        "Messages leave at once.",
        "Messages are late. The wallet shows what waits when you open it.",
        "Messages do not leave. The wallet shows what waits when you open it.",
        "The oldest waits since",
        "Messages that wait",
    ),
    ComponentName.LISTS: ComponentWords(
        "Revocation lists",
        "They say which certificates are no longer good.",
        "The lists are up to date.",
        "A list is late.",
        "A list is out of date. Checks of some certificates fail.",
        "The newest was signed",
        "Lists that are out of date",
    ),
    ComponentName.LOG: ComponentWords(
        "Audit log",
        "Every use is written down where it cannot be changed unseen.",
        "Uses are logged at once.",
        "Proofs for new uses come late.",
        "New uses are kept, but not provable yet.",
        "The newest signed head",
        "Uses that wait for their place",
    ),
    ComponentName.WORKS: ComponentWords(
        "Regular work",
        "What the platform does by itself: tidying, checking, renewing.",
        "All regular work is done.",
        "Some regular work failed and is tried again.",
        "Regular work does not run.",
        "Last done",
        "Works that failed",
    ),
}
_WORST: Final[Mapping[Health, tuple[str, str]]] = {
    Health.WORKING: ("done", "Everything works"),
    Health.SLOW: ("caution", "Something is disturbed"),
    Health.DOWN: ("problem", "Something does not work"),
}
WORDS: Final = frozenset(
    [
        *HEALTHS.values(),
        *(word for row in COMPONENTS.values() for word in row),
        *(title for _, title in _WORST.values()),
    ]
)


def status_routes(standing: Standing, identification: Identification) -> Group:
    """The page."""

    async def page(exchange: Exchange) -> Response:
        components, at = await standing.components()
        worst = max((each.health for each in components), key=list(Health).index)
        window = identification.tally.window(STANDING_WINDOW)
        notice, title = _WORST[worst]
        return exchange.page(
            "portal/status.html",
            notice_kind=notice,
            title=title,
            components=[_facts(each) for each in components],
            window=window,
            answered=sum(door.ok for door in window.doors),
            at=at,
            since=standing.since,
            news_path=NEWS_PATH,
            authorities_path=AUTHORITIES_PATH,
            api_path=API_STATUS_PATH,
        )

    return Group(
        surface=Surface.PAGES,
        limit=_LIMIT,
        bare={("GET", STATUS_PATH): Bare(endpoint=page, access=_OPEN)},
    )


def _facts(component: Component) -> dict[str, Any]:
    words = COMPONENTS[component.name]
    return {
        "title": words.title,
        "about": words.about,
        "state": HEALTHS[component.health],
        "health": component.health.value,
        "text": words.of(component.health),
        "since_word": words.since,
        "since": component.since,
        "count_word": words.figure,
        "count": component.count,
    }
