"""A small country for tests: one assembled instance on a test database, spoken to over HTTP in this process.

Everything comes through the same doors as in production (composition, client, wire), so a test reads like
what people do: ``phone = await world.bind("chen")``, ``session = await world.ask()``. Only processes and
sockets are left out: workers run inline, HTTP is carried by an ASGI transport.
"""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import date, timedelta
from importlib.resources import files
from pathlib import Path
from typing import Any

import httpx
import msgspec
import sqlalchemy as sa
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey

from inkan.audit import Actor, ActorKind
from inkan.audit.store import event
from inkan.client import (
    AsyncTransport,
    EnrolmentClient,
    Phone,
    RelyingParty,
    Session,
    SoftwareCard,
    StartedEnrolment,
    SystemCredentials,
)
from inkan.composition import sandboxes
from inkan.composition.keys import ring
from inkan.composition.platform import Platform, assemble
from inkan.composition.running import Running
from inkan.composition.settings import Environment, Origins, Settings
from inkan.crypto import jwk
from inkan.crypto.certificate_requests import parse_csr, verify_csr
from inkan.crypto.key_files import EncryptedFileKeyProvider
from inkan.crypto.keys import KeySpec, generate
from inkan.kernel.calendar import last_instant
from inkan.kernel.clock import Clock
from inkan.kernel.identifiers import parse_national_id
from inkan.kernel.sensitive import Secret
from inkan.people import Person, new_identity
from inkan.pki import CertificateOrder, IssuedCertificate, SubjectName, read_ceremony
from inkan.relying_parties import SystemRegistration
from inkan.relying_parties.service.register import Origin
from inkan.schemes import get_scheme
from inkan.store.database import Database, Step
from inkan.store.query import Query
from support.inline_workers import InlineWorkers
from support.thrift import thrift

PLATFORM = "http://id.localhost:8480"
WALLET = "http://wallet.localhost:8480"
PIN = Secret("204886")
PASSPHRASE = Secret("a passphrase for tests")
CLERK = Actor(ActorKind.OPERATOR, "counter")
SCHEME = "tw-citizen"

# key: (name, born, national ID)
CITIZENS = {
    "chen": ("陳怡君", date(1988, 3, 14), "A234567893"),
    "lin": ("林志明", date(1975, 11, 2), "F112233444"),
    "tanaka": ("田中花子", date(1991, 7, 30), "A800000014"),
    "child": ("王小明", date(2015, 5, 5), "A123456789"),
}

PURPOSES = [
    {
        "code": "login",
        "kinds": ["identify"],
        "evidence": "platform",
        "text": {"en": "Log in", "ja": "ログイン", "zh-Hant": "登入"},
    },
    {
        "code": "file_return",
        "kinds": ["identify"],
        "evidence": "full",
        "text": {"en": "File a tax return", "ja": "申告", "zh-Hant": "申報"},
    },
    {
        "code": "approve_payment",
        "kinds": ["approve"],
        "evidence": "platform",
        "text": {"en": "Approve a payment", "ja": "支払いの承認", "zh-Hant": "核准付款"},
    },
]


@dataclass(frozen=True)
class Citizen:
    """A registered person with a card."""

    person: Person
    card: SoftwareCard
    certificate: IssuedCertificate


@dataclass
class World:
    """One instance, its people, and the ways in.

    Attributes:
        transport: carries requests to the instance in this process.
        signed: the last CMS that a card signed, for replays.
    """

    instance: Running
    clock: Clock
    folder: Path
    transport: AsyncTransport
    phones: list[Phone] = field(default_factory=list)
    citizens: dict[str, Citizen] = field(default_factory=dict)
    signed: bytes = b""

    @property
    def platform(self) -> Platform:
        return self.instance.platform

    @property
    def anchors(self) -> tuple[bytes, ...]:
        return tuple(self.platform.pki.anchors())

    @property
    def origins(self) -> Origins:
        """Where the instance says that it is; any will do, since requests are carried in this process."""
        return self.platform.settings.origins

    # --- people ------------------------------------------------------------------------------------

    async def citizen(self, key: str = "chen", *, years: int = 3) -> Citizen:
        """A person with a card of so many years; the same one when asked again."""
        if key in self.citizens:
            return self.citizens[key]
        name, born, number = CITIZENS[key]
        identity = new_identity(name=name, birth_date=born, national_id=parse_national_id(number))
        person = await self.platform.people.register(identity, actor=CLERK)
        card, request = SoftwareCard.make(self.folder / f"{key}.card", pin=PIN)
        end = last_instant(self.clock.now(), years=years, utc_offset=get_scheme(SCHEME).utc_offset)
        issued = await self.platform.pki.issue(
            CertificateOrder(
                order_key=f"card:{person.id}",
                profile="card-sign",
                owner=person.id,
                subject=SubjectName(common_name=identity.name, serial_number=person.subject_serial),
                spki=verify_csr(parse_csr(request)).spki,
                not_after=end,
            )
        )
        card.put_certificate(issued.der, chain=issued.chain)
        self.citizens[key] = Citizen(person, card, issued)
        return self.citizens[key]

    # --- phones ------------------------------------------------------------------------------------

    def new_phone(self, name: str = "my phone", **options: Any) -> Phone:
        """A phone that is bound to nobody."""
        phone = Phone.create(
            self.folder / f"{len(self.phones)}.phone",
            PASSPHRASE,
            platform=self.origins.platform,
            wallet_origin=self.origins.wallet,
            name=name,
            scrypt_n=2**10,
            **{
                "verify_user": lambda *_: True,
                "anchors": self.anchors,
                "transport": self.transport,
                "clock": self.clock,
                **options,
            },
        )
        self.phones.append(phone)
        return phone

    async def start(self) -> StartedEnrolment:
        """An enrolment begun at the desk."""
        desk = EnrolmentClient(self.origins.platform, transport=self.transport)
        return await desk.start(SCHEME, terms_version=get_scheme(SCHEME).terms.version)

    async def prepared(self, phone: Phone) -> tuple[StartedEnrolment, str]:
        """An enrolment that the phone joined and handed its keys to, and its eight digits."""
        started = await self.start()
        await phone.join(await started.frame())
        return started, await phone.prepare()

    async def sign(self, started: StartedEnrolment, citizen: Citizen, digits: str) -> bytes:
        """What the card signs at the desk."""
        wanted = await started.to_sign()
        with citizen.card as card:
            self.signed = card.sign_request(
                wanted.content,
                content_type=wanted.content_type,
                pin=PIN,
                confirm=lambda _: digits,
            )
        return self.signed

    async def bind(self, key: str = "chen", *, phone: Phone | None = None) -> Phone:
        """A phone bound with the citizen's card."""
        citizen = await self.citizen(key)
        phone = phone or self.new_phone()
        started, digits = await self.prepared(phone)
        await started.submit(await self.sign(started, citizen, digits))
        await phone.collect()
        return phone

    # --- agencies ----------------------------------------------------------------------------------

    async def agency(
        self, code: str = "tax-office", *, imported: bool = False, **more: Any
    ) -> RelyingParty:
        """A registered system of an agency of its own, and its client; ``imported`` as production has to have it."""
        key = generate(KeySpec.P256)
        registration = {
            "organisation": f"{code}-org",
            "organisation_name": {"en": code, "ja": code, "zh-Hant": code},
            "sector": "government",
            "code": code,
            "name": "Tax Office",
            "domain": "tax.example",
            "doors": ["qr"],
            "purposes": PURPOSES,
            "keys": [jwk.to_jwk(key.public_key())],
            **more,
        }
        wanted = msgspec.convert(registration, SystemRegistration)
        if imported:
            register = self.platform.relying_parties.register_of_systems
            origin = Origin(actor=CLERK, owner=wanted.organisation, number="04595257")
            await self.platform.db.transact(register.put, wanted, register.check(wanted), origin)
        else:
            await self.platform.relying_parties.register(wanted)
        return self.client(code, key)

    def client(self, code: str, key: EllipticCurvePrivateKey) -> RelyingParty:
        """The client of a system that holds this key."""
        credentials = SystemCredentials(issuer=self.origins.platform, code=code, key=key)
        return RelyingParty(
            credentials, anchors=self.anchors, clock=self.clock, transport=self.transport
        )

    async def identify(self, agency: RelyingParty, phone: Phone, **members: Any) -> Session:
        """A whole identification, answered with yes."""
        session = await agency.create_session("identify", **{"purpose": "login", **members})
        await phone.open_frame(session.frame())
        await phone.approve()
        await session.wait(timeout_s=5)
        return session

    # --- time and evidence -------------------------------------------------------------------------

    async def leap(self, by: timedelta) -> None:
        """Move the instance's time and do what became due."""
        self.clock.advance(by)
        await self.instance.catch_up()

    async def events(self) -> list[str]:
        """The use cases of the audit log, oldest first, after checking that it is intact."""
        await self.platform.audit.sequence_once()
        report = await self.platform.audit.verify(self.platform.event_pairs)
        assert report.is_intact, report
        return await self.platform.db.scan(_use_cases)


_USE_CASES = Query(sa.select(event.c.use_case).order_by(event.c.at))


def _use_cases() -> Step[list[str]]:
    rows = yield _USE_CASES.all()
    return [row.use_case for row in rows]


def settings_for(folder: Path) -> Settings:
    """Settings of a test instance."""
    return Settings(environment=Environment.DEMO, home=str(folder))


@asynccontextmanager
async def world_on(
    database: Database,
    clock: Clock,
    folder: Path,
    *,
    lint: bool = False,
    shards: int | None = None,
    ceremony: str = "",
    settings: Settings | None = None,
    found: bool = True,
    **options: Any,
) -> AsyncIterator[World]:
    """A world with its ceremony held; on a database where that was done, another process of the same instance.

    ``shards`` is how many shards every issuing authority has, where it is not what the demo has; ``ceremony`` is
    TOML of further authorities; ``settings`` are the demo's by default; ``found`` is whether the ceremony is held:
    in production it is not, because that needs custodians; ``options`` go to the assembly.
    """
    settings = settings or settings_for(folder)
    settings = msgspec.structs.replace(
        settings, pki=msgspec.structs.replace(settings.pki, lint=lint)
    )
    with thrift():
        store = EncryptedFileKeyProvider(folder / "keys", PASSPHRASE, cost=2**10)
        keys = ring(settings, clock, store)
        platform = assemble(
            settings, clock=clock, db=database, keys=keys, workers=InlineWorkers(), **options
        )
        text = (files("inkan.pki") / "ceremonies" / "demo.toml").read_text(encoding="utf-8")
        held = read_ceremony(text + ceremony)
        if shards is not None:
            parts = [msgspec.structs.replace(part, crl_shards=shards) for part in held.issuing]
            held = msgspec.structs.replace(held, issuing=parts)
        await sandboxes.load(platform.pki, platform.sandbox, database)
        if found and not platform.pki.hierarchy:
            await platform.pki.hold_ceremony(held)
        instance = Running(platform)
        transport = AsyncTransport(httpx.ASGITransport(app=instance.application))
        world = World(instance=instance, clock=clock, folder=folder, transport=transport)
        try:
            yield world
        finally:
            await _close(world.phones)
            await transport.aclose()


async def _close(phones: Sequence[Phone]) -> None:
    for phone in phones:
        await phone.close()
