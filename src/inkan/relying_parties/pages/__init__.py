"""Pages of onboarding: for developers of relying parties (``/developer``) and for officers (``/console``)."""

from pathlib import Path
from typing import Final

from inkan.relying_parties.pages import console, developer, openid, registered, systems
from inkan.relying_parties.service import Applications, RelyingParties
from inkan.web.exchange import MenuItem
from inkan.web.routes import Group

FOLDER: Final = Path(__file__).parents[1]
"""Where this package's templates and texts are: ``Templates({"relying_parties": FOLDER})``."""

_DEVELOPERS: Final = frozenset({"developer"})
_OFFICERS: Final = frozenset({"rp_officer", "auditor"})
_OPERATORS: Final = frozenset({"rp_officer", "operator", "auditor"})
MENU: Final = (
    MenuItem(text="Your systems", path=developer.HOME, roles=_DEVELOPERS),
    MenuItem(text="Applications", path=console.APPLICATIONS, roles=_OFFICERS),
    MenuItem(text="Systems", path=registered.SYSTEMS, roles=_OPERATORS),
    MenuItem(text="Load tests", path=console.WINDOWS, roles=_OPERATORS),
)


def routes(applications: Applications, relying_parties: RelyingParties) -> tuple[Group, ...]:
    """The groups of these pages."""
    return (
        developer.routes(applications),
        openid.routes(applications),
        systems.routes(applications, relying_parties),
        console.routes(applications),
        registered.routes(applications, relying_parties),
    )
