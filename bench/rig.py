"""What the benches of a whole instance share: a founded country, a server process, bare keep-alive sockets.

The load generator signs what phones and agencies sign, beforehand where the protocol allows it; its own CPU is
measured beside the server's. Nothing of the product's HTTP client is used under load.
"""

import asyncio
import json
import os
import re
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey

from inkan.client import EnrolmentClient, Phone
from inkan.client.certificate_keys import unwrap
from inkan.client.phone_parts import PhoneParts
from inkan.client.rp_calls import SystemCredentials
from inkan.crypto import base64url, dpop, jcs, jose
from inkan.crypto.jose import Algorithm
from inkan.crypto.keys import KeySpec, generate
from inkan.demo.country import Country, country, settings_for
from inkan.kernel.clock import Clock
from inkan.kernel.ids import new_id, random_bytes
from inkan.kernel.sensitive import Secret
from inkan.schemes import get_scheme
from inkan.wire import qr, statement
from inkan.wire.enrolment_request import KeyUse
from inkan.wire.shown import text_sha256

PASSPHRASE = Secret("bench")
TICKS = os.sysconf("SC_CLK_TCK")
CLOCK = Clock()


@dataclass
class Keys:
    """The bare keys of one bound phone; one that was copied has a credential id of its own."""

    channel: EllipticCurvePrivateKey
    auth: Any
    parts: PhoneParts
    credential_id: str = ""

    def decide_body(self, draft: dict[str, Any], text: str) -> bytes:
        """Both proofs over the statement of a draft."""
        parsed = statement.parse_draft(jcs.canonical(draft))
        data = statement.statement_bytes(
            parsed, phone_nonce=random_bytes(32), text_sha256=text_sha256(text)
        )
        assertion, _ = self.parts.assert_user(statement.statement_challenge(data))
        jws = jose.sign_compact(
            data,
            self.auth,
            alg=Algorithm.PS256,
            typ=statement.STATEMENT_TYP,
            header={"x5t#S256": parsed.cert_sha256},
        )
        proof = {name: getattr(assertion, name) for name in PARTS}
        if self.credential_id:
            proof["credential_id"] = self.credential_id
        return json.dumps({"jws": jws, "assertion": proof}).encode()


PARTS = ("credential_id", "client_data_json", "authenticator_data", "signature")


@dataclass
class Rig:
    """A founded instance at rest in its folder, and everything that is needed to load it."""

    folder: Path
    port: int
    credentials: SystemCredentials
    phones: list[Keys]
    server: subprocess.Popen[bytes] | None = None
    token: str = ""
    rp_key: EllipticCurvePrivateKey = field(default_factory=lambda: generate(KeySpec.P256))  # type: ignore[assignment,return-value]

    @property
    def origin(self) -> str:
        """The platform's origin."""
        return f"http://id.localhost:{self.port}"

    @property
    def wallet(self) -> str:
        """The wallet's origin."""
        return f"http://wallet.localhost:{self.port}"

    # --- the server process ------------------------------------------------------------------------

    @contextmanager
    def serving(self, *, program: str = "", **more: str) -> Iterator[None]:
        """Run ``inkan serve`` on the folder in a process of its own.

        Args:
            program: a script that stands in for ``inkan``.
            more: further variables of its environment.
        """
        settings = {
            "INKAN_ENVIRONMENT": "demo",
            "INKAN_HOME": str(self.folder),
            "INKAN_SERVER__PORT": str(self.port),
            "INKAN_ORIGINS__PLATFORM": self.origin,
            "INKAN_ORIGINS__WALLET": self.wallet,
            # One system and one address send everything here.
            "INKAN_LIMITS__SESSIONS_PER_MINUTE": str(10**9),
            "INKAN_LIMITS__CALLS_PER_MINUTE": str(10**9),
            **more,
        }
        inkan = [program] if program else ["-c", "from inkan.cli import main; main()"]
        command = [sys.executable, *inkan, "serve"]
        log = self.folder / "server.log"
        with (
            log.open("wb") as out,
            subprocess.Popen(
                command, env={**os.environ, **settings}, stdout=out, stderr=out
            ) as server,
        ):
            self.server = server
            while b"on port" not in log.read_bytes():
                if server.poll() is not None:
                    raise RuntimeError(log.read_text())
                time.sleep(0.02)
            try:
                yield
            finally:
                server.terminate()
                server.wait(20)

    def cpu_s(self) -> float:
        """User and system seconds of the server process so far."""
        assert self.server is not None
        fields = Path(f"/proc/{self.server.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICKS

    def rss_kib(self) -> int:
        """Resident memory of the server process."""
        assert self.server is not None
        status = Path(f"/proc/{self.server.pid}/status").read_text()
        found = re.search(r"VmRSS:\s+(\d+) kB", status)
        return int(found[1]) if found else 0

    # --- requests ----------------------------------------------------------------------------------

    def rp_headers(self, method: str, path: str) -> list[str]:
        """Authorization and proof of the agency's system."""
        proof = dpop.build_proof(
            self.rp_key,
            method=method,
            url=self.origin + path,
            at=CLOCK.wire_now(),
            access_token=self.token,
        )
        return [f"Authorization: DPoP {self.token}", f"DPoP: {proof}"]

    def phone_headers(self, phone: Keys, path: str, *, method: str = "POST") -> list[str]:
        """The proof of a phone's channel key."""
        proof = dpop.build_proof(
            phone.channel, method=method, url=self.origin + path, at=CLOCK.wire_now()
        )
        return [f"DPoP: {proof}"]

    async def log_in(self, line: "Line") -> None:
        """Get an access token; it lives for ten minutes."""
        assertion = self.credentials.client_assertion(CLOCK)
        proof = dpop.build_proof(
            self.rp_key, method="POST", url=f"{self.origin}/token", at=CLOCK.wire_now()
        )
        kind = "urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3Ajwt-bearer"
        body = (
            f"grant_type=client_credentials&client_assertion_type={kind}"
            f"&client_assertion={assertion}"
        )
        headers = [f"DPoP: {proof}", "Content-Type: application/x-www-form-urlencoded"]
        self.token = (await line.ask("POST", "/token", headers, body.encode()))["access_token"]

    async def create(self, line: "Line", **members: Any) -> dict[str, Any]:
        """Open a session with its `qr` door, or as the members of the body say."""
        body = {
            "kind": "identify",
            "purpose": "login",
            "challenge": base64url.encode(random_bytes(32)),
            "doors": ["qr"],
            **members,
        }
        headers = [
            *self.rp_headers("POST", "/v1/sessions"),
            "Content-Type: application/json",
            f"Idempotency-Key: {new_id('idem')}",
        ]
        return await line.ask("POST", "/v1/sessions", headers, json.dumps(body).encode())

    async def open(self, line: "Line", phone: Keys, created: dict[str, Any]) -> dict[str, Any]:
        """Open it on a phone by the frame of this second."""
        door = created["doors"]["qr"]
        key = qr.qr_key(Secret(base64url.decode(door["secret"])))
        frame = qr.frame(self.wallet, handle=door["handle"], t=door["t"], key=key)
        return await self.open_by(line, phone, frame=frame)

    async def open_by(self, line: "Line", phone: Keys, **brought: str) -> dict[str, Any]:
        """Open what a frame, an address or a pushed approval with its code leads to."""
        body = json.dumps({**brought, "lang": "zh-Hant"}).encode()
        return await self.tell(line, phone, "/phone/v1/approvals/open", body)

    async def decide(self, line: "Line", phone: Keys, opened: dict[str, Any]) -> dict[str, Any]:
        """Approve with both proofs."""
        body = phone.decide_body(opened["draft"], opened["text"])
        return await self.send_decision(line, phone, opened["approval"], body)

    async def send_decision(
        self, line: "Line", phone: Keys, approval: str, body: bytes
    ) -> dict[str, Any]:
        """Send proofs that were made before."""
        return await self.tell(line, phone, f"/phone/v1/approvals/{approval}/decide", body)

    async def tell(self, line: "Line", phone: Keys, path: str, body: bytes = b"") -> dict[str, Any]:
        """Send something from a phone."""
        headers = [*self.phone_headers(phone, path), "Content-Type: application/json"]
        return await line.ask("POST", path, headers, body)

    async def result(self, line: "Line", session: str) -> dict[str, Any]:
        """Read the session."""
        path = f"/v1/sessions/{session}"
        return await line.ask("GET", path, self.rp_headers("GET", path))

    async def redeem(self, line: "Line", session: str, **members: str) -> dict[str, Any]:
        """Get the answer for the browser or app that began."""
        path = f"/v1/sessions/{session}/redeem"
        headers = [*self.rp_headers("POST", path), "Content-Type: application/json"]
        return await line.ask("POST", path, headers, json.dumps(members).encode())


class Refused(RuntimeError):
    """An answer of 400 or more; the status stands beside the text."""

    def __init__(self, status: int, body: bytes) -> None:
        super().__init__(f"{status}: {body[:300]!r}")
        self.status = status


class Line:
    """One keep-alive connection, as bare as possible."""

    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, host: str
    ) -> None:
        self._reader = reader
        self._writer = writer
        self._host = host

    @classmethod
    async def dial(cls, rig: Rig, *, source: str = "127.0.0.1") -> "Line":
        """Connect to the server, from one of the loopback addresses."""
        reader, writer = await asyncio.open_connection(
            "127.0.0.1", rig.port, local_addr=(source, 0)
        )
        return cls(reader, writer, f"id.localhost:{rig.port}")

    def send(self, method: str, path: str, headers: Sequence[str], body: bytes = b"") -> None:
        """Send a request without waiting for its answer."""
        lines = [f"{method} {path} HTTP/1.1", f"Host: {self._host}", *headers]
        if body:
            lines.append(f"Content-Length: {len(body)}")
        self._writer.write("\r\n".join([*lines, "", ""]).encode() + body)

    async def receive(self) -> dict[str, Any]:
        """Wait for the answer to what was sent."""
        _, body = await self.receive_whole()
        return json.loads(body) if body else {}

    async def receive_whole(self) -> tuple[bytes, bytes]:
        """Wait for the answer: its head and its body.

        Raises:
            Refused: by the server.
        """
        head = await self._reader.readuntil(b"\r\n\r\n")
        found = re.search(rb"content-length: (\d+)", head)
        body = await self._reader.readexactly(int(found[1]) if found else 0)
        if int(head[9:12]) >= 400:
            raise Refused(int(head[9:12]), body)
        return head, body

    async def receive_until(self, mark: bytes) -> bytes:
        """Read on to this mark: an answer that has no length."""
        return await self._reader.readuntil(mark)

    async def ask(
        self, method: str, path: str, headers: Sequence[str], body: bytes = b""
    ) -> dict[str, Any]:
        """Send and wait."""
        self.send(method, path, headers, body)
        return await self.receive()

    async def close(self) -> None:
        """Hang up."""
        self._writer.close()
        await self._writer.wait_closed()


@asynccontextmanager
async def lines(rig: Rig, count: int) -> AsyncIterator[list[Line]]:
    """So many connections."""
    dialled = [await Line.dial(rig) for _ in range(count)]
    try:
        yield dialled
    finally:
        for line in dialled:
            await line.close()


async def found_rig(
    folder: Path, *, port: int, prepare: Callable[[Country], Awaitable[None]] | None = None
) -> Rig:
    """Found the test country in a folder, bind a phone for each citizen, and stop it again.

    Args:
        folder: empty.
        port: where the server will listen.
        prepare: what else is to be done while the country runs.
    """
    async with country(folder, port=port) as founded:
        if prepare is not None:
            await prepare(founded)
        phones = [await _bind(founded, who) for who in founded.citizens]
        credentials = founded.credentials
    return Rig(folder=folder, port=port, credentials=credentials, phones=phones)


async def _bind(founded: Country, who: str) -> Keys:
    phone = Phone.create(
        founded.folder / f"{who}.phone",
        PASSPHRASE,
        platform=founded.platform_origin,
        wallet_origin=founded.wallet_origin,
        name=who,
        verify_user=lambda *_: True,
        scrypt_n=2**10,
    )
    citizen = founded.citizens[who]
    async with EnrolmentClient(founded.platform_origin) as desk:
        scheme = get_scheme(founded.scheme)
        started = await desk.start(scheme.name, terms_version=scheme.terms.version)
        await phone.join(await started.frame())
        digits = await phone.prepare()
        wanted = await started.to_sign()
        with citizen.card as card:
            cms = card.sign_request(
                wanted.content,
                content_type=wanted.content_type,
                pin=citizen.pin,
                confirm=lambda _: digits,
            )
        await started.submit(cms)
        await phone.collect()
    parts = phone._parts
    _, prf = parts.assert_user(random_bytes(32))
    auth = unwrap(parts.bound.keys[KeyUse.AUTH], prf)
    channel = parts.api._channel_key
    await phone.close()
    return Keys(channel=channel, auth=auth, parts=parts)


def own_cpu_s() -> float:
    """CPU of this process: the load generator's own."""
    return time.process_time()


__all__ = ["Keys", "Line", "Refused", "Rig", "found_rig", "lines", "own_cpu_s", "settings_for"]
