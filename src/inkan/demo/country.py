"""Builders of the test country: the world file becomes persons, cards, a registered system, servers.

Everything goes through the same doors as in production: cards are made and certified by order, the system is
registered with a public key, agencies and phones speak HTTP. Only the clock may leap.
"""

import asyncio
import tomllib
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import date, timedelta
from importlib.resources import files
from pathlib import Path
from typing import Any

import msgspec

from inkan.audit import Actor, ActorKind
from inkan.client import SoftwareCard, SystemCredentials
from inkan.client.piv_card import PivCard
from inkan.composition.card_settings import Cards
from inkan.composition.enrolment_settings import EnrolmentSettings
from inkan.composition.running import Running, running
from inkan.composition.settings import Environment, Origins, Server, Settings
from inkan.composition.wallet_settings import Wallet
from inkan.crypto import jwk
from inkan.crypto.certificate_requests import parse_csr, verify_csr
from inkan.crypto.keys import KeySpec, generate
from inkan.demo.kiosk import DemoKiosk
from inkan.enrolment import CardClient, Kiosk
from inkan.kernel.calendar import last_instant
from inkan.kernel.clock import Clock
from inkan.kernel.identifiers import parse_national_id
from inkan.kernel.sensitive import Secret
from inkan.people import Person, new_identity
from inkan.pki import CertificateOrder, SubjectName, read_ceremony
from inkan.relying_parties import SystemRegistration
from inkan.schemes import Texts, get_scheme
from inkan.web.server import Server as HTTPServer

DEFAULT_PORT = 8480
CARD_YEARS = 3  # JPKI-11
CLERK = Actor(ActorKind.OPERATOR, "counter")

Tell = Callable[[str], None]
"""Hears what is being done, one short line at a time."""


def keep_quiet(_: str) -> None:
    """Tell nobody."""


class PersonPart(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One citizen of the world file."""

    key: str
    name: str
    birth_date: date
    national_id: str
    mail: str
    pin: str


class World(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The world file.

    Attributes:
        system: the tax office's registration, but for key and addresses.
        library: the library's registration, but for addresses and secret.
    """

    scheme: str
    person: list[PersonPart]
    system: dict[str, Any]
    library: dict[str, Any]


@dataclass(frozen=True)
class Citizen:
    """A person of the test country with a card, its PIN and its certificate (DER)."""

    part: PersonPart
    person: Person
    card: SoftwareCard | PivCard
    certificate: bytes

    @property
    def pin(self) -> Secret[str]:
        """The card's PIN."""
        return Secret(self.part.pin)


@dataclass
class Country:
    """The running test country.

    Attributes:
        credentials: of the tax office's system; nobody else holds them.
        kiosk: the only one.
        anchors: the root's DER, as a verifier would have got it from the published thumbprint.
    """

    instance: Running
    server: HTTPServer
    clock: Clock
    folder: Path
    credentials: SystemCredentials
    kiosk: DemoKiosk
    citizens: dict[str, Citizen] = field(default_factory=dict)

    @property
    def platform_origin(self) -> str:
        """Where the platform answers."""
        return self.instance.platform.settings.origins.platform

    @property
    def office_origin(self) -> str:
        """The tax office's site, on the next port."""
        return _office_origin(self.instance.platform.settings.server.port)

    @property
    def return_url(self) -> str:
        """Where phones and the redirect page lead a browser back to."""
        return f"{self.office_origin}/return"

    @property
    def wallet_origin(self) -> str:
        """The wallet's origin; its host is the RP ID."""
        return self.instance.platform.settings.origins.wallet

    @property
    def scheme(self) -> str:
        """The rule set that the country lives under."""
        return read_world().scheme

    @property
    def anchors(self) -> list[bytes]:
        """The trusted roots."""
        return self.instance.platform.pki.anchors()

    async def leap(self, by: timedelta) -> None:
        """Move the country's time forward and do what became due."""
        self.clock.advance(by)
        await self.instance.catch_up()


def read_world() -> World:
    """The world file of the package."""
    text = (files("inkan.demo") / "world.toml").read_text(encoding="utf-8")
    return msgspec.convert(tomllib.loads(text), World)


def settings_for(folder: Path, port: int, *, kiosks: tuple[Kiosk, ...] = ()) -> Settings:
    """The settings of a demo instance in this folder, on loopback."""
    return Settings(
        environment=Environment.DEMO,
        home=str(folder),
        server=Server(port=port),
        origins=Origins(
            platform=f"http://id.localhost:{port}", wallet=f"http://wallet.localhost:{port}"
        ),
        cards=Cards(agent=f"http://127.0.0.1:{agent_port(port)}"),
        enrolment=EnrolmentSettings(card_clients=(_card_desk(port),), kiosks=kiosks),
        wallet=Wallet(screens=(_office_origin(port),)),
    )


def _office_origin(port: int) -> str:
    return f"http://{read_world().system['domain']}:{port + 1}"


def card_desk_origin(port: int) -> str:
    """The card desk's site, on the third port after the platform's."""
    return f"http://carddesk.localhost:{port + 3}"


def agent_port(port: int) -> int:
    """Where the test country's card agent listens on loopback."""
    return port + 6


def _card_desk(port: int) -> CardClient:
    name = Texts(
        en="the card program of the test country",
        ja="テスト用のカードプログラム",
        zh_hant="測試國的卡片程式",
    )
    return CardClient(name=name, url=f"{card_desk_origin(port)}/")


@asynccontextmanager
async def country(folder: Path, *, port: int, tell: Tell = keep_quiet) -> AsyncIterator[Country]:
    """Found the test country in an empty folder and keep it running until the block ends.

    Args:
        folder: made where it is missing; holds database, keys, cards and mail.
        port: where the platform listens on loopback.
        tell: hears what is being done, for a terminal.

    Raises:
        AddressTaken: something listens on the port.
    """
    clock = Clock(may_advance=True)
    async with AsyncExitStack() as stack:
        kiosk = DemoKiosk.draw()
        settings = settings_for(folder, port, kiosks=(kiosk.kiosk,))
        tell("starting the instance: database, keys, workers")
        instance = await stack.enter_async_context(running(settings, clock=clock))
        server = await stack.enter_async_context(
            HTTPServer(instance.application, port=port).running()
        )
        key = generate(KeySpec.P256)
        credentials = SystemCredentials(
            issuer=settings.origins.platform, code=read_world().system["code"], key=key
        )
        founded = Country(
            instance=instance,
            server=server,
            clock=clock,
            folder=folder,
            credentials=credentials,
            kiosk=kiosk,
        )
        await found(founded, tell=tell)
        yield founded


async def found(country: Country, *, tell: Tell = keep_quiet) -> None:
    """Hold the ceremony, register the people with their cards and the tax office's system.

    Authorities and card keys know nothing of each other, so they are made at the same time.
    """
    platform = country.instance.platform
    world = read_world()
    tell(f"key ceremony: root, authorities, signers; {len(world.person)} cards make their keys")
    making = asyncio.gather(
        *(asyncio.to_thread(_make_card, country.folder / "cards", part) for part in world.person)
    )
    await platform.pki.hold_ceremony(read_ceremony(_ceremony()))
    blanks = await making
    tell("certificates of the cards: issued, linted, written")
    citizens = await asyncio.gather(*(_citizen(country, blank) for blank in blanks))
    country.citizens |= {citizen.part.key: citizen for citizen in citizens}
    tell("the tax office's system")
    public = jwk.to_jwk(country.credentials.key.public_key())
    members = {**world.system, "keys": [public], "return_urls": [country.return_url]}
    registration = msgspec.convert(members, SystemRegistration)
    await platform.relying_parties.register(registration)


def _ceremony() -> str:
    """The citizens' own hierarchy, then the agencies' side of it with the bridge between them."""
    citizens = (files("inkan.pki") / "ceremonies" / "demo.toml").read_text(encoding="utf-8")
    agencies = (files("inkan.demo") / "government.toml").read_text(encoding="utf-8")
    return f"{citizens}\n{agencies}"


@dataclass(frozen=True)
class _Blank:
    """A card without certificate, and the request (PKCS #10) that its key signed."""

    part: PersonPart
    card: SoftwareCard
    request: bytes


def _make_card(folder: Path, part: PersonPart) -> _Blank:
    folder.mkdir(mode=0o700, exist_ok=True)
    card, request = SoftwareCard.make(folder / f"{part.key}.card", pin=Secret(part.pin))
    return _Blank(part, card, request)


async def _citizen(country: Country, blank: _Blank) -> Citizen:
    """What a counter does: proof the person, take the card's request, write the certificate."""
    platform, part = country.instance.platform, blank.part
    identity = new_identity(
        name=part.name,
        birth_date=part.birth_date,
        national_id=parse_national_id(part.national_id),
    )
    person = await platform.people.register(identity, actor=CLERK)
    scheme = get_scheme(country.scheme)
    end = last_instant(country.clock.now(), years=CARD_YEARS, utc_offset=scheme.utc_offset)
    issued = await platform.pki.issue(
        CertificateOrder(
            order_key=f"card:{person.id}",
            profile="card-sign",
            owner=person.id,
            subject=SubjectName(common_name=identity.name, serial_number=person.subject_serial),
            spki=verify_csr(parse_csr(blank.request)).spki,
            not_after=end,
        )
    )
    blank.card.put_certificate(issued.der, chain=issued.chain)
    return Citizen(part=part, person=person, card=blank.card, certificate=issued.der)
