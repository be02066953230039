"""The town hall of the test country: its root on the agencies' side of the bridge, and its application."""

from inkan.apps.showcase.town_hall import Trusted, town_hall
from inkan.composition.platform import Platform
from inkan.crypto import oids
from inkan.demo.country import Country
from inkan.web.app import Application

GOVERNMENT_ROOT = "government-root"
ACROSS = ("government-root-to-bridge", "bridge-to-root")
"""The cross-certificates from the agencies' root to the citizens' root, over the bridge."""


def town_hall_origin(port: int) -> str:
    """The town hall's site, on the fifth port after the platform's."""
    return f"http://townhall.localhost:{port + 5}"


def trusted_by_agencies(platform: Platform) -> Trusted:
    """What an agency is given when it is set up: its own root, the cross-certificates, where status is published."""
    hierarchy = platform.pki.hierarchy
    return Trusted(
        root=hierarchy.certificate(GOVERNMENT_ROOT),
        known=tuple(hierarchy.certificate(name) for name in ACROSS),
        policies=frozenset({oids.POLICY_BRIDGE}),
        origins=frozenset({platform.settings.origins.platform}),
    )


def town_hall_of(founded: Country) -> Application:
    """The town hall of the country, with a database of its own in the country's folder."""
    platform = founded.instance.platform
    return town_hall(
        origin=town_hall_origin(platform.settings.server.port),
        store_url=f"sqlite:///{founded.folder / 'town-hall.db'}",
        trusted=trusted_by_agencies(platform),
        clock=founded.clock,
        agent=platform.settings.cards.agent,
    )
