"""A founded test country at rest in its folder, served by ``inkan serve`` in a process that may be killed."""

import asyncio
import os
import sqlite3
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

from inkan.client import EnrolmentClient, Phone, RelyingParty, StartedEnrolment, SystemCredentials
from inkan.composition.running import running
from inkan.demo import country as founding
from inkan.demo.country import Citizen, PersonPart, settings_for
from inkan.kernel.clock import Clock
from inkan.kernel.identifiers import national_id_check_digit
from inkan.kernel.sensitive import Secret
from inkan.schemes import get_scheme
from inkan.store.outbox import dead_jobs, depth
from support.waiting import eventually

PASSPHRASE = Secret("a passphrase for tests")
SERVE = ("-c", "from inkan.cli import main; main()")
SCHEME = "tw-citizen"


@dataclass
class Place:
    """The country between two servers.

    Attributes:
        citizens: hold cards and no phone yet, besides the first ones of ``phones``.
        phones: files of bound phones.
        lint: whether its servers lint what they are about to sign.
    """

    folder: Path
    port: int
    credentials: SystemCredentials
    anchors: tuple[bytes, ...]
    citizens: list[Citizen]
    phones: list[Path]
    lint: bool = True

    @property
    def platform(self) -> str:
        return f"http://id.localhost:{self.port}"

    @property
    def environment(self) -> dict[str, str]:
        return {
            "INKAN_ENVIRONMENT": "demo",
            "INKAN_HOME": str(self.folder),
            "INKAN_PKI__LINT": str(self.lint).lower(),
            "INKAN_SERVER__PORT": str(self.port),
            "INKAN_ORIGINS__PLATFORM": self.platform,
            "INKAN_ORIGINS__WALLET": f"http://wallet.localhost:{self.port}",
        }

    def agency(self) -> RelyingParty:
        return RelyingParty(self.credentials, anchors=self.anchors)

    def open_phone(self, path: Path) -> Phone:
        return Phone.open(
            path, PASSPHRASE, verify_user=lambda *_: True, anchors=tuple(self.anchors)
        )

    def new_phone(self, name: str) -> Phone:
        return Phone.create(
            self.folder / f"{name}.phone",
            PASSPHRASE,
            platform=self.platform,
            wallet_origin=f"http://wallet.localhost:{self.port}",
            name=name,
            verify_user=lambda *_: True,
            anchors=tuple(self.anchors),
            scrypt_n=2**10,
        )

    @asynccontextmanager
    async def serving(
        self, program: Sequence[str] = SERVE
    ) -> AsyncIterator[asyncio.subprocess.Process]:
        """A server that answers; it is ended at the end unless somebody killed it."""
        with (self.folder / "server.log").open("ab") as log:
            server = await asyncio.create_subprocess_exec(
                sys.executable,
                *program,
                "serve",
                env={**os.environ, **self.environment},
                stdout=asyncio.subprocess.PIPE,
                stderr=log,
            )
        try:
            assert server.stdout is not None
            line = await asyncio.wait_for(server.stdout.readline(), 60)
            assert b"on port" in line, (self.folder / "server.log").read_text()
            yield server
        finally:
            if server.returncode is None:
                server.terminate()
            await asyncio.wait_for(server.communicate(), 30)


async def sign(started: StartedEnrolment, citizen: Citizen, digits: str) -> bytes:
    """The person at the desk: card in, digits typed, PIN."""
    wanted = await started.to_sign()
    with citizen.card as card:
        return card.sign_request(
            wanted.content,
            content_type=wanted.content_type,
            pin=citizen.pin,
            confirm=lambda _: digits,
        )


async def start(desk: EnrolmentClient) -> StartedEnrolment:
    return await desk.start(SCHEME, terms_version=get_scheme(SCHEME).terms.version)


async def found(folder: Path, *, port: int, newcomers: int, bound: bool = True) -> Place:
    """Found the country, bind a phone for each of its own citizens, give cards to so many newcomers."""
    async with founding.country(folder, port=port) as country:
        place = Place(
            folder=folder,
            port=port,
            credentials=country.credentials,
            anchors=tuple(country.anchors),
            citizens=[],
            phones=[],
        )
        for name, citizen in country.citizens.items() if bound else ():
            place.phones.append(await _bind(place, name, citizen))
        blanks = [
            founding._make_card(folder / "cards", _newcomer(number)) for number in range(newcomers)
        ]
        place.citizens = [await founding._citizen(country, blank) for blank in blanks]
    return place


def _newcomer(number: int) -> PersonPart:
    prefix = f"B1{number:07}"
    return PersonPart(
        key=f"newcomer-{number}",
        name="王小明",
        birth_date=date(1990, 1, 1),
        national_id=prefix + national_id_check_digit(prefix),
        mail="",
        pin="204886",
    )


async def _bind(place: Place, name: str, citizen: Citizen) -> Path:
    async with place.new_phone(name) as phone, EnrolmentClient(place.platform) as desk:
        started = await start(desk)
        await phone.join(await started.frame())
        await started.submit(await sign(started, citizen, await phone.prepare()))
        assert await phone.collect() is not None
    return place.folder / f"{name}.phone"


def _unsigned(folder: Path) -> int:
    """How many receipts have a payload and no signature."""
    with sqlite3.connect(folder / "inkan.db") as database:
        (count,) = database.execute(
            "SELECT count(*) FROM identification_session"
            " WHERE receipt_payload IS NOT NULL AND receipt IS NULL"
        ).fetchone()
    return int(count)


async def assert_finished(place: Place) -> None:
    """The instance comes to rest by itself, and its log is intact."""
    clock = Clock(may_advance=True)
    async with running(settings_for(place.folder, place.port), clock=clock) as instance:
        # Past every pause after which something is made up, before anything ends by itself
        clock.advance(timedelta(minutes=2))
        await instance.catch_up()
        # What this instance's own schedules had begun before is under way still, and was not begun twice.
        await eventually(lambda: _unsigned(place.folder) == 0)
        platform = instance.platform
        await platform.audit.sequence_once()
        report = await platform.audit.verify(platform.event_pairs)
        assert report.is_intact, report
        assert (await platform.db.read(depth)).waiting == 0
        assert await platform.db.read(dead_jobs) == []
        assert await platform.db.find_damage() == []  # type: ignore[attr-defined]
