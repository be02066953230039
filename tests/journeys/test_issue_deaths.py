"""kill -9 of a real server inside an issue, at every state of the issuance machine (design §5.2 step 5).

The client that lost its answer either sends the very same bytes again, or says nothing more; both ways the
issue ends with one certificate for each use. Nothing that was signed is unknown to the register, and nothing
answers as good before it is stored.
"""

import asyncio
import hashlib
import signal
import sqlite3
from collections import Counter
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp

from inkan.client import (
    EnrolmentClient,
    Phone,
    StartedEnrolment,
)
from inkan.crypto import base64url
from inkan.demo.country import Citizen
from inkan.wire.enrolment_request import KeyUse
from journeys.served_country import Place, assert_finished, found, sign, start
from support.ports import free_port

pytestmark = pytest.mark.crash

MORTAL = Path(__file__).with_name("mortal_server.py")
# Point and passing → what the register holds after the death: certificates by state.
POINTS = {
    "ordering 1": {},
    "reserving 1": {},
    "reserved 1": {"reserved": 2},
    "linted 1": {"reserved": 2},
    "intending 1": {"reserved": 2},
    "intended 1": {"reserved": 1, "intended": 1},
    "signed 1": {"reserved": 1, "intended": 1},
    "storing 1": {"reserved": 1, "intended": 1},
    "stored 1": {"reserved": 1, "valid": 1},
    "issued 1": {"valid": 2},
    "activating 1": {"valid": 2},
    "answering 1": {"valid": 2},
    "reserving 2": {},
    "reserved 2": {"reserved": 1, "valid": 1},
    "linted 2": {"reserved": 1, "valid": 1},
    "intending 2": {"reserved": 1, "valid": 1},
    "intended 2": {"intended": 1, "valid": 1},
    "signed 2": {"intended": 1, "valid": 1},
    "storing 2": {"intended": 1, "valid": 1},
    "stored 2": {"valid": 2},
}
SHORT = ["reserved 1", "intended 1", "signed 2", "stored 2"]


@dataclass
class Lost:
    """A binding whose client got no answer."""

    phone: Phone
    started: StartedEnrolment
    cms: bytes


class Scene:
    """A place, its mortal servers, and what they signed."""

    def __init__(self, place: Place, issuer: x509.Certificate) -> None:
        self.place = place
        self.issuer = issuer

    @property
    def program(self) -> tuple[str, ...]:
        return (str(MORTAL), str(self.place.folder))

    @property
    def signed(self) -> list[x509.Certificate]:
        """Every certificate that an authority's key signed, in its order."""
        file = self.place.folder / "signed"
        lines = file.read_text(encoding="ascii").split() if file.exists() else []
        return [x509.load_der_x509_certificate(base64url.decode(line)) for line in lines]

    def rows(self, where: str = "profile LIKE 'phone-%'") -> list[sqlite3.Row]:
        with sqlite3.connect(self.place.folder / "inkan.db") as database:
            database.row_factory = sqlite3.Row
            return database.execute(f"SELECT * FROM pki_certificate WHERE {where}").fetchall()

    async def begin(self, desk: EnrolmentClient, phone: Phone, citizen: Citizen) -> Lost:
        """A binding up to the card's signature, which is not handed in yet."""
        started = await start(desk)
        await phone.join(await started.frame())
        return Lost(phone, started, await sign(started, citizen, await phone.prepare()))

    async def die(self, server: asyncio.subprocess.Process, lost: Lost, point: str) -> None:
        """Hand it in to a server that dies at the point."""
        known = {row["id"] for row in self.rows()}
        death = f"{point} {lost.started.id}"
        (self.place.folder / "death").write_text(death, encoding="ascii")
        submission = asyncio.create_task(lost.started.submit(lost.cms))
        ended = await asyncio.wait_for(server.wait(), 60)
        submission.cancel()
        await asyncio.gather(submission, return_exceptions=True)
        assert ended == -signal.SIGKILL, point
        left = Counter(row["state"] for row in self.rows() if row["id"] not in known)
        assert left == POINTS[point], point

    async def assert_none_is_good(self) -> None:
        """What was signed and is not stored has a serial that is reserved, and no good status."""
        valid = self.valid
        lost = [each for each in self.signed if f"{each.serial_number:x}" not in valid]
        async with httpx.AsyncClient() as web:
            for certificate in lost:
                status = await self._status(web, certificate)
                if status is not ocsp.OCSPCertStatus.UNKNOWN:
                    # The server made up for it just now.
                    assert f"{certificate.serial_number:x}" in self.valid

    @property
    def valid(self) -> set[str]:
        return {row["serial"] for row in self.rows("state = 'valid'")}

    async def _status(
        self, web: httpx.AsyncClient, certificate: x509.Certificate
    ) -> ocsp.OCSPCertStatus:
        """What the responder says of a certificate."""
        builder = ocsp.OCSPRequestBuilder().add_certificate(certificate, self.issuer, SHA1())
        answer = await web.post(
            f"http://127.0.0.1:{self.place.port}/ocsp/phone",
            content=builder.build().public_bytes(Encoding.DER),
            headers={
                "host": f"id.localhost:{self.place.port}",
                "content-type": "application/ocsp-request",
            },
        )
        return ocsp.load_der_ocsp_response(answer.content).certificate_status

    def assert_known(self) -> None:
        """One certificate for each use, and every signature is of a certificate in the register."""
        rows = self.rows()
        assert {row["state"] for row in rows} == {"valid"}
        assert set(Counter((row["owner"], row["profile"]) for row in rows).values()) == {1}
        register = {row["serial"]: row["tbs_sha256"] for row in rows}
        for certificate in self.signed:
            digest = hashlib.sha256(certificate.tbs_certificate_bytes).digest()
            assert register[f"{certificate.serial_number:x}"] == digest

    async def assert_delivered(self, phone: Phone) -> None:
        """The phone gets what was signed for it, and both of it."""
        assert await phone.collect(wait_s=20) is not None
        assert set(phone.certificates) == {KeyUse.AUTH, KeyUse.SIGN}
        register = {row["tbs_sha256"] for row in self.rows("state = 'valid'")}
        for held in phone.certificates.values():
            tbs = x509.load_der_x509_certificate(held.der).tbs_certificate_bytes
            assert hashlib.sha256(tbs).digest() in register


@pytest.fixture
async def scene(request: pytest.FixtureRequest, tmp_path: Path) -> Scene:
    newcomers, lint = request.param
    place = await found(tmp_path / "home", port=free_port(), newcomers=newcomers, bound=False)
    place.lint = lint
    with sqlite3.connect(place.folder / "inkan.db") as database:
        (der,) = database.execute(
            "SELECT certificate FROM pki_authority WHERE name = 'phone'"
        ).fetchone()
    return Scene(place, x509.load_der_x509_certificate(der))


async def die_at(scene: Scene, points: list[str]) -> None:
    """A death at each point; the next server answers the same bytes again, or its client stays silent."""
    place, silent = scene.place, []
    async with AsyncExitStack() as stack:
        desk = await stack.enter_async_context(EnrolmentClient(place.platform))
        lost: Lost | None = None
        for number, point in enumerate(points):
            citizen = place.citizens[number]
            phone = await stack.enter_async_context(place.new_phone(citizen.part.key))
            async with place.serving(scene.program) as server:
                await scene.assert_none_is_good()
                if lost is not None:
                    await lost.started.submit(lost.cms)
                    await scene.assert_delivered(lost.phone)
                lost = await scene.begin(desk, phone, citizen)
                await scene.die(server, lost, point)
            if POINTS[point] and (number % 2 or number == len(points) - 1):
                silent.append(lost.phone)
                lost = None
        assert lost is None
        await assert_finished(place)
        scene.assert_known()
        async with place.serving(scene.program):
            for phone in silent:
                await scene.assert_delivered(phone)


@pytest.mark.parametrize("scene", [(len(SHORT), False)], indirect=True)
async def test_a_server_killed_inside_an_issue_leaves_one_certificate_for_each_use(
    scene: Scene,
) -> None:
    await die_at(scene, SHORT)


@pytest.mark.long
@pytest.mark.parametrize("scene", [(2 * len(POINTS) + 1, True)], indirect=True)
async def test_a_server_killed_at_every_point_of_an_issue(scene: Scene) -> None:
    points = list(POINTS)
    # Twice, so that at every point one client asks again and another stays silent.
    await die_at(scene, [*points, *points[-1:], *points])
