"""The office's test endpoint for the conformance kit; mounted in test instances only (docs/relying-parties/conformance.md)."""

from typing import Final

from inkan.apps.showcase.tax_office.logins import Visit, Wish
from inkan.apps.showcase.tax_office.office import Office
from inkan.kernel.errors import Malformed
from inkan.web.exchange import Exchange
from inkan.web.principal import open_to_all
from inkan.web.response import Response, ok
from inkan.web.routes import Bare, Endpoint, Group, Surface
from inkan.wire.binding import Door

BASE: Final = "/conformance"
EXPECTED_NUMBER: Final = "A800000014"
"""The national ID of the documentation: somebody is expected, and the kit's platform knows who."""
_ACCESS: Final = open_to_all(
    "the test endpoint of a test instance; the visit's cookie binds the rest"
)


class TestDesk:
    """Begins logins and says how a browser stands, by the office's own code."""

    def __init__(self, office: Office, *, system: str, issuer: str, webhook: str) -> None:
        self._office = office
        self._about = {"v": 1, "system": system, "issuer": issuer, "webhook": webhook}

    def group(self) -> Group:
        """The rows of the route table."""
        places: dict[str, Endpoint] = {
            "/about": self.about,
            "/start": self.start,
            "/page": self._office.visit_page,
            "/frame": self.frame,
            "/who": self.who,
        }
        rows = {
            ("GET", BASE + path): Bare(endpoint=endpoint, access=_ACCESS)
            for path, endpoint in places.items()
        }
        return Group(surface=Surface.PAGES, bare=rows)

    async def about(self, _: Exchange) -> Response:
        """Who is tested."""
        return ok(self._about)

    async def start(self, exchange: Exchange) -> Response:
        """Begin a login in this browser."""
        try:
            door = Door(exchange.query("door") or "")
        except ValueError:
            raise Malformed("no such door", where="/door", expected=", ".join(Door)) from None
        number = EXPECTED_NUMBER if exchange.query("expected") == "1" else ""
        return await self._office.open_visit(exchange, Wish("login", door, number))

    async def frame(self, exchange: Exchange) -> Response:
        """The address inside the code that this browser shows now."""
        return self._office.frame_of(self._office.visit(exchange))

    async def who(self, exchange: Exchange) -> Response:
        """How this browser stands."""
        visit: Visit | None = self._office.visit(exchange)
        if visit is None:
            return ok({"state": "none", "person": None})
        await self._office.logins.look(visit)
        return ok({"state": visit.standing, "person": visit.person})
