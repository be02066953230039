"""Pages for everybody: the authorities, any certificate, and whether a certificate is still valid."""

from pathlib import Path
from typing import Final

from inkan.pki.pages import authorities, status, viewer
from inkan.pki.service.showing import Showing
from inkan.web.exchange import MenuItem
from inkan.web.routes import Group

FOLDER: Final = Path(__file__).parents[1]
"""Where this package's templates, files and texts are: ``Templates({"pki": FOLDER})``."""

show_certificate = viewer.show_certificate
certificate_facts = viewer.facts

MENU: Final = (
    MenuItem(text="Certification authorities", path=authorities.PATH),
    MenuItem(text="Look at a certificate", path=viewer.PATH),
    MenuItem(text="Is a certificate valid?", path=status.PATH),
)


def routes(showing: Showing) -> tuple[Group, ...]:
    """The groups of these pages: those that only show, and those that work on what somebody sends."""
    return (
        authorities.routes(showing),
        authorities.check_routes(showing),
        viewer.routes(showing),
        status.routes(showing),
    )
