"""``inkan serve`` with a stub where sessions, doors and phones are: whoever is asked agrees at once.

For ``openid.py``, whose peer has a stub of the same size: one page that leads on. Everything behind it is the
provider's own, on the disk as ever.
"""

import os
import sys
from datetime import UTC, datetime, timedelta
from typing import Any

from inkan.cli import main
from inkan.composition import openid
from inkan.federation.api import backchannel
from inkan.identification import Created, Identification, SessionView
from inkan.identification.model.session import (
    AddressDoor,
    Answer,
    BindingView,
    Next,
    PushDoor,
    SubjectView,
)
from inkan.kernel.clock import rfc3339
from inkan.kernel.ids import PersonID, SessionID, SystemID, new_id
from inkan.web.exchange import Exchange
from inkan.web.limits import RateLimit
from inkan.web.principal import open_to_all
from inkan.web.response import Response, see_other
from inkan.web.routes import Bare, Group, Surface
from inkan.wire.binding import BindingLevel, Door
from inkan.wire.session import Outcome, SessionState

PERSON = "BENCH_PERSON"
PATH = "/stub/{session}"
_CODE = "A" * 43
_views: dict[str, SessionView] = {}


async def create(
    self: Identification, system: Any, order: Any, *, body: bytes, **_: Any
) -> Created:
    """A session that is answered already."""
    person = PersonID(os.environ[PERSON])
    now = rfc3339(datetime.now(UTC))
    members = dict.fromkeys(SessionView.__struct_fields__)
    view = SessionView(
        **members
        | {
            "id": new_id("ses"),
            "kind": order.kind,
            "purpose": order.purpose,
            "state": SessionState.CLOSED,
            "outcome": Outcome.OK,
            "next": Next(action="none", retry_after_ms=0),
            "binding": BindingView(level=BindingLevel.RETURNED, evidence=[]),
            "claims": {},
            "subject": SubjectView(
                person_ref=self._parts.people.reference(person, sector=system.sector),
                phone_ref=_CODE,
            ),
            "created_at": now,
            "decided_at": now,
            "released_at": now,
            "expires_at": now,
            "purge_at": now,
        }
    )
    _views[view.id] = view
    issuer = os.environ["INKAN_ORIGINS__PLATFORM"]
    doors = {
        Door.REDIRECT: AddressDoor(url=f"{issuer}/stub/{view.id}"),
        Door.PUSH: PushDoor(code=None, resend_after_s=30),
    }
    return Created(session=view, doors=doors)


async def get(
    self: Identification, session_id: str, *, system: SystemID
) -> tuple[SessionView, str]:
    """The answer; the stub forgets it then."""
    return _views.pop(session_id), ""


async def redeem(self: Identification, session_id: str, *_: Any, **__: Any) -> SessionView:
    """The answer once more."""
    return _views[session_id]


async def answer(self: Identification, session_id: str, *, system: SystemID) -> Answer:
    """Who it was."""
    return Answer(
        session=SessionID(session_id),
        person=PersonID(os.environ[PERSON]),
        decided_at=datetime.now(UTC),
    )


async def page(exchange: Exchange) -> Response:
    """What stands where the platform's page is."""
    session = exchange.parameters["session"]
    return see_other(f"/authorize/return?session={session}&return_code={_CODE}")


def with_page(groups: Any) -> Any:
    """The provider's routes and the stub's page."""

    def made(*features: Any, **more: Any) -> list[Group]:
        row = Bare(endpoint=page, access=open_to_all("a stub of the bench"))
        return [*groups(*features, **more), Group(surface=Surface.PAGES, bare={("GET", PATH): row})]

    return made


if __name__ == "__main__":
    for stub in (create, get, redeem, answer):
        setattr(Identification, stub.__name__, stub)
    # One client asks as often as a hundred would.
    backchannel._CLIENT_LIMIT = RateLimit(name="bench", requests=10**9, window=timedelta(minutes=1))
    openid.groups = with_page(openid.groups)
    sys.argv[0] = "inkan"
    main()
