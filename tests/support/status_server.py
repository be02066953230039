"""The status service of a foreign card authority: a real HTTP server on loopback, as honest as a test wants it."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from cryptography import x509
from cryptography.x509 import ocsp as library
from cryptography.x509.oid import NameOID

from inkan.crypto.certificates import Certificate
from inkan.kernel.clock import Clock
from inkan.pki import FOREIGN, ForeignAuthority, Role
from inkan.pki import Authority as PKIAuthority
from inkan.web.fetch import Fetcher
from support.keyring import rsa_key
from support.pki import POLICY, Authority, Issued

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


@dataclass(frozen=True)
class Reply:
    """One HTTP answer."""

    body: bytes
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def wire(self) -> bytes:
        lines = [f"HTTP/1.1 {self.status} X", f"content-length: {len(self.body)}"]
        lines += [f"{name}: {value}" for name, value in self.headers.items()]
        return "\r\n".join([*lines, "connection: close", "", ""]).encode() + self.body


class StatusServer:
    """Answers from a table of paths; what is not there is 404."""

    def __init__(self) -> None:
        self.paths: dict[str, Callable[[bytes], Reply]] = {}
        self.seen: Counter[str] = Counter()
        self.gate = asyncio.Event()
        self.gate.set()
        self.port = 0

    @asynccontextmanager
    async def running(self) -> AsyncIterator["StatusServer"]:
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        async with server:
            yield self

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            _, path, *_ = head.split(" ")
            self.seen[path.removeprefix("/")] += 1
            lengths = [
                line for line in head.lower().split("\r\n") if line.startswith("content-length:")
            ]
            body = await reader.readexactly(int(lengths[0].partition(":")[2]) if lengths else 0)
            await self.gate.wait()
            answer = self.paths.get(path.removeprefix("/"), lambda _: Reply(b"", 404))
            writer.write(answer(body).wire)
            await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()


@dataclass
class CardCountry:
    """A card authority that is not ours: root, card authority, cards, and its status service.

    Attributes:
        revoked: certificates with the name of their reason; an empty name gives none.
        cards: every card that was made, by serial number.
    """

    server: StatusServer
    clock: Clock
    revoked: dict[Certificate, str] = field(default_factory=dict)
    cards: dict[int, Certificate] = field(default_factory=dict)
    root: Authority = field(init=False)
    issuing: Authority = field(init=False)
    responder: Issued = field(init=False)

    def __post_init__(self) -> None:
        now = self.clock.now().replace(microsecond=0)
        self.term = {"not_before": now - 30 * DAY, "not_after": now + 2000 * DAY}
        self.root = Authority.root("Foreign Root", **self.term)
        self.issuing = self.root.subordinate(
            "Foreign Card CA", crl_url=self.url("root.crl"), **self.term
        )
        self.responder = self.issuing.responder(**self.term)
        self.server.paths = {
            "root.crl": lambda _: Reply(self.crl(self.root)),
            "card.crl": lambda _: Reply(self.crl()),
            "ocsp": lambda body: Reply(self.ocsp(body)),
        }

    @property
    def origin(self) -> str:
        return f"http://ca.localhost:{self.server.port}"

    def url(self, path: str) -> str:
        return f"{self.origin}/{path}"

    def card(
        self,
        subject_serial: str = "",
        *,
        number: int = 70,
        issuer: Authority | None = None,
        **bent: Any,
    ) -> Issued:
        """A card's signature certificate; by default it names a responder and a list."""
        attributes = [(NameOID.COUNTRY_NAME, "TW"), (NameOID.COMMON_NAME, "陳怡君")]
        attributes += [(NameOID.SERIAL_NUMBER, subject_serial)] if subject_serial else []
        wanted = {
            "key": rsa_key(number),
            "subject": x509.Name([x509.NameAttribute(oid, value) for oid, value in attributes]),
            "usage": ["content_commitment"],
            "crl_url": self.url("card.crl"),
            "ocsp_url": self.url("ocsp"),
            **self.term,
            **bent,
        }
        made = (issuer or self.issuing).issue(**wanted)
        self.cards[made.certificate.serial] = made.certificate
        return made

    def crl(self, authority: Authority | None = None, **bent: Any) -> bytes:
        now = self.clock.now().replace(microsecond=0)
        dates = {"this_update": now - HOUR, "next_update": now + DAY, "revoked_at": now - 2 * HOUR}
        return (authority or self.issuing).crl(**{"revoked": self.revoked} | dates | bent)

    def ocsp(self, request: bytes, **bent: Any) -> bytes:
        """The answer about whichever card was asked for; a card is found by its serial number."""
        card = self.cards[library.load_der_ocsp_request(request).serial_number]
        now = self.clock.now().replace(microsecond=0)
        dates = {"this_update": now - HOUR, "next_update": now + HOUR, "revoked_at": now - 2 * HOUR}
        said = {"status": "revoked", "reason": self.revoked[card]} if card in self.revoked else {}
        return self.issuing.ocsp(card, **{"responder": self.responder} | said | dates | bent)

    def foreign(self, **bent: Any) -> ForeignAuthority:
        """How an operator would configure it."""
        authority = PKIAuthority(
            name=f"{FOREIGN}national",
            role=Role.ISSUING,
            certificate=self.issuing.der,
            chain=(self.issuing.der, self.root.der),
            key_label="",
            parent=f"{FOREIGN}national",
            profiles=("card-sign",),
            crl_shards=1,
            not_after=self.issuing.certificate.not_after,
        )
        settings = {
            "authority": authority,
            "policies": frozenset({POLICY}),
            "origins": frozenset({self.origin}),
        }
        return ForeignAuthority(**settings | bent)

    def fetcher(self) -> Fetcher:
        return Fetcher(
            admitted=[f"ca.localhost:{self.server.port}", f"other.localhost:{self.server.port}"]
        )
