"""The tax office's web application. It knows the platform's URL, its own key and the published root, nothing else."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from inkan.apps.showcase.tax_office.conformance import TestDesk
from inkan.apps.showcase.tax_office.logins import Logins
from inkan.apps.showcase.tax_office.office import Office
from inkan.apps.showcase.tax_office.webhook import PATH, WebhookDesk
from inkan.client import AsyncTransport, RelyingParty, SystemCredentials
from inkan.kernel.clock import Clock
from inkan.kernel.ids import random_bytes
from inkan.kernel.sensitive import Secret
from inkan.web.app import Application, Equipment, Site, build_app
from inkan.web.cors import ANYBODY
from inkan.web.principal import open_to_all
from inkan.web.routes import Bare, Endpoint, Group, Surface
from inkan.web.templates import Templates

HERE: Final = Path(__file__).parent
RETURN_PATH: Final = "/return"
_ANYBODY: Final = open_to_all(
    "a public page of the showcase agency; the visit's cookie binds the rest"
)
_SIGNED: Final = open_to_all("webhooks carry the platform's signature")


def tax_office(
    *,
    origin: str,
    credentials: SystemCredentials,
    anchors: Sequence[bytes],
    clock: Clock,
    is_test: bool = False,
) -> Application:
    """The application of the office under its own origin.

    Args:
        origin: ``https://tax.example``; its host is the domain that the office registered.
        credentials: of its system.
        anchors: published roots (DER); without any, no receipt is verified.
        clock: true time.
        is_test: whether the test endpoint of the conformance kit is there.
    """
    transport = AsyncTransport()
    agency = RelyingParty(credentials, anchors=anchors, transport=transport)
    issuer = credentials.issuer
    logins = Logins(
        agency,
        issuer=issuer,
        domain=urlsplit(origin).hostname or "",
        return_url=origin + RETURN_PATH,
        clock=clock,
    )
    office, webhook = Office(logins), origin + PATH
    desk = WebhookDesk(webhook, issuer=issuer, logins=logins, transport=transport, clock=clock)
    groups = [_pages(office), _camera(office), _programs(desk)]
    if is_test:
        test = TestDesk(office, system=credentials.code, issuer=issuer, webhook=webhook)
        groups.append(test.group())

    @asynccontextmanager
    async def client() -> AsyncIterator[None]:
        try:
            yield
        finally:
            await transport.aclose()

    equipment = Equipment(
        clock=clock,
        csrf_key=Secret(random_bytes(32)),
        templates=Templates({"tax_office": HERE}),
    )
    site = Site(name="測試國稅局", origin=origin, groups=groups)
    return build_app([site], equipment, lifespan=[client])


def _pages(office: Office) -> Group:
    places: dict[tuple[str, str], Endpoint] = {
        ("GET", "/"): office.first_page,
        ("POST", "/"): office.start,
        ("GET", "/visit"): office.visit_page,
        ("GET", RETURN_PATH): office.come_back,
        ("POST", "/visit/resend"): office.resend,
        ("POST", "/visit/cancel"): office.cancel,
        ("GET", "/visit/receipt"): office.receipt,
        ("GET", "/visit/evidence"): office.evidence,
        ("GET", "/visit/code"): office.code,
        ("GET", "/visit/states"): office.states,
    }
    rows = {place: Bare(endpoint=each, access=_ANYBODY) for place, each in places.items()}
    return Group(surface=Surface.PAGES, bare=rows)


def _camera(office: Office) -> Group:
    """The code as text. Whoever knows a camera's name may see it, a wallet's page on another origin, too."""
    row = Bare(endpoint=office.camera, access=_ANYBODY)
    return Group(surface=Surface.PAGES, cors=ANYBODY, bare={("GET", "/camera/{name}"): row})


def _programs(desk: WebhookDesk) -> Group:
    row = Bare(endpoint=desk.take, access=_SIGNED, body_limit=4_096)
    return Group(surface=Surface.API, bare={("POST", PATH): row})
