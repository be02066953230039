"""Outgoing HTTP: a corpus of addresses that would reach inside, and the one way that leads out (threat 16)."""

import asyncio
import ssl
import subprocess
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import httpx
import pytest

from inkan.web.fetch import (
    AnswerRefused,
    Fetcher,
    FetchFailed,
    TargetRefused,
    is_public,
    resolve_by_system,
)
from support import tools
from support.inside import CORPUS, INSIDE, PUBLIC, PUBLIC_V6, listening, to


@pytest.fixture
async def inside() -> AsyncIterator[tuple[int, list[Any]]]:
    """A port on both loopbacks that counts who connects."""
    async with listening() as counted:
        yield counted


def test_the_corpus_is_large_enough() -> None:
    assert len(set(CORPUS)) == len(CORPUS) >= 60


@pytest.mark.parametrize("url", CORPUS)
async def test_no_address_of_the_corpus_reaches_inside(
    url: str, inside: tuple[int, list[Any]]
) -> None:
    port, seen = inside
    trust = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    fetcher = Fetcher(resolver=to("127.0.0.1"), timeout_s=2, trust=trust)
    with pytest.raises(TargetRefused):
        await fetcher.request("POST", url.replace("{port}", str(port)), body=b"x")
    await fetcher.aclose()
    assert seen == []


# A name of the public form that only a resolver knows to be this machine.
BY_RESOLVER = {"https://localhost.localdomain/"}


@pytest.mark.parametrize("url", sorted(set(CORPUS) - BY_RESOLVER))
async def test_an_address_is_refused_before_anybody_calls_it(url: str) -> None:
    async def unasked(_: str, __: int) -> Sequence[str]:
        raise AssertionError("nothing is resolved")

    fetcher = Fetcher(resolver=unasked, transport=httpx.MockTransport(unreachable))
    with pytest.raises(TargetRefused):
        fetcher.verify(url.replace("{port}", "8443"))
    fetcher.verify("https://hook.example.com/x")


@pytest.mark.parametrize("address", INSIDE)
async def test_a_name_that_leads_inside_is_refused(address: str) -> None:
    assert not is_public(ip_address(address))
    for answers in ((address,), (PUBLIC, address), (address, PUBLIC_V6)):
        fetcher = Fetcher(resolver=to(*answers), transport=httpx.MockTransport(unreachable))
        with pytest.raises(TargetRefused, match="not public"):
            await fetcher.request("GET", "https://hook.example.com/")


def unreachable(request: httpx.Request) -> httpx.Response:
    raise AssertionError(f"connected to {request.url}")


@pytest.mark.parametrize(
    "address", [PUBLIC, PUBLIC_V6, "8.8.8.8", "1.1.1.1", "172.32.0.1", "2400:cb00::1"]
)
def test_the_open_internet_is_open(address: str) -> None:
    assert is_public(ip_address(address))


@pytest.mark.parametrize("answers", [[], ["not an address"], [""]])
async def test_a_name_without_an_address_is_refused(answers: list[str]) -> None:
    fetcher = Fetcher(resolver=to(*answers), transport=httpx.MockTransport(unreachable))
    with pytest.raises(TargetRefused):
        await fetcher.request("GET", "https://hook.example.com/")


# --- the one way out --------------------------------------------------------------------------------


async def test_the_connection_goes_to_the_address_that_was_checked() -> None:
    asked: list[tuple[str, int]] = []
    seen: list[httpx.Request] = []

    async def rebinding(name: str, port: int) -> Sequence[str]:
        asked.append((name, port))
        return [PUBLIC] if len(asked) == 1 else ["127.0.0.1"]

    async def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(200, headers={"x-a": "b"}, content=b"done")

    fetcher = Fetcher(resolver=rebinding, transport=httpx.MockTransport(answer))
    reply = await fetcher.request(
        "POST",
        "https://hook.example.com:8443/a?b=c",
        body=b"x",
        headers={"Host": "inside", "content-type": "application/json", "accept-encoding": "gzip"},
    )
    assert (reply.status, reply.headers["x-a"], reply.body) == (200, "b", b"done")
    assert asked == [("hook.example.com", 8443)]
    (request,) = seen
    assert str(request.url) == f"https://{PUBLIC}:8443/a?b=c"
    assert request.headers["host"] == "hook.example.com:8443"
    assert request.headers.get_list("accept-encoding") == ["identity"]
    assert request.extensions["sni_hostname"] == "hook.example.com"
    assert request.content == b"x"


# Called by plain http: exactly these, and nothing that leads inside.
PLAIN = ["pki.example.com:80", "pki.example.com:8080"]


async def test_plain_http_goes_to_the_named_authorities_only() -> None:
    seen: list[str] = []

    async def answer(request: httpx.Request) -> httpx.Response:
        seen.append(str(request.url))
        return httpx.Response(200)

    fetcher = Fetcher(plain=PLAIN, resolver=to(PUBLIC), transport=httpx.MockTransport(answer))
    for url in ("http://pki.example.com/a.crl", "http://pki.example.com:8080/a.crl"):
        await fetcher.request("GET", url)
    assert seen == [f"http://{PUBLIC}/a.crl", f"http://{PUBLIC}:8080/a.crl"]
    for url in (
        "http://www.example.com/",
        "http://pki.example.com:443/",
        "http://pki.example.com:8081/",
        "https://pki.example.com:80/",
        "http://pki.example.com.:80/",
    ):
        with pytest.raises(TargetRefused):
            await fetcher.request("GET", url)
    assert len(seen) == 2


@pytest.mark.parametrize("address", INSIDE)
async def test_plain_http_leads_nowhere_inside(address: str) -> None:
    fetcher = Fetcher(
        plain=[*PLAIN, "127.0.0.1:80", "db.internal:80"],
        resolver=to(address),
        transport=httpx.MockTransport(unreachable),
    )
    for url in ("http://pki.example.com/", "http://127.0.0.1/", "http://db.internal/"):
        with pytest.raises(TargetRefused):
            await fetcher.request("GET", url)


async def test_the_next_address_is_tried_when_one_is_dead() -> None:
    seen: list[str] = []

    async def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request.url.host)
        if len(seen) < 2:
            raise httpx.ConnectError("dead")
        return httpx.Response(204)

    fetcher = Fetcher(resolver=to(PUBLIC_V6, PUBLIC), transport=httpx.MockTransport(answer))
    assert (await fetcher.request("GET", "https://hook.example.com")).status == 204
    assert seen == [PUBLIC_V6, PUBLIC]


async def test_a_redirect_is_an_answer_and_not_followed() -> None:
    seen: list[str] = []

    async def answer(request: httpx.Request) -> httpx.Response:
        seen.append(str(request.url))
        return httpx.Response(302, headers={"location": "http://127.0.0.1/"})

    fetcher = Fetcher(resolver=to(PUBLIC), transport=httpx.MockTransport(answer))
    assert (await fetcher.request("GET", "https://hook.example.com/")).status == 302
    assert len(seen) == 1


@pytest.mark.parametrize(
    "response",
    [
        httpx.Response(200, content=b"x" * 101),
        httpx.Response(200, headers={"content-encoding": "gzip"}, stream=httpx.ByteStream(b"\x1f\x8b")),
        httpx.Response(500, content=b"x" * 101),
    ],
)  # fmt: skip
async def test_an_answer_that_is_too_large_or_packed_is_refused(response: httpx.Response) -> None:
    transport = httpx.MockTransport(lambda _: response)
    fetcher = Fetcher(resolver=to(PUBLIC), transport=transport, limit_bytes=100)
    with pytest.raises(AnswerRefused):
        await fetcher.request("GET", "https://hook.example.com/")


@pytest.mark.parametrize(
    "fault",
    [httpx.ConnectError("x"), httpx.ReadTimeout("x"), httpx.RemoteProtocolError("x"), OSError("x")],
)
async def test_another_side_that_fails_is_a_refusal(fault: Exception) -> None:
    def fail(_: httpx.Request) -> httpx.Response:
        raise fault

    fetcher = Fetcher(resolver=to(PUBLIC), transport=httpx.MockTransport(fail))
    with pytest.raises(FetchFailed):
        await fetcher.request("GET", "https://hook.example.com/")


async def test_it_ends_in_time_wherever_it_hangs() -> None:
    async def hang(*_: Any) -> Any:
        await asyncio.Event().wait()

    for fetcher in (
        Fetcher(resolver=hang, timeout_s=0.05),
        Fetcher(resolver=to(PUBLIC), transport=httpx.MockTransport(hang), timeout_s=0.05),
    ):
        with pytest.raises(FetchFailed):
            await fetcher.request("GET", "https://hook.example.com/")


async def test_the_system_resolves_names() -> None:
    assert "127.0.0.1" in await resolve_by_system("127.0.0.1", 443)


# --- loopback authorities of the demo ---------------------------------------------------------------


@asynccontextmanager
async def echo(tls: ssl.SSLContext | None = None) -> AsyncIterator[tuple[int, list[bytes]]]:
    """A server that keeps what it hears and answers 200."""
    heard: list[bytes] = []

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhi")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(connected, "127.0.0.1", 0, ssl=tls)
    yield server.sockets[0].getsockname()[1], heard
    server.close()
    await server.wait_closed()


async def test_an_admitted_authority_is_reached_and_no_other() -> None:
    async with echo() as (port, heard):
        fetcher = Fetcher(admitted={f"taxoffice.localhost:{port}"}, resolver=to("192.0.2.1"))
        reply = await fetcher.request("GET", f"http://taxoffice.localhost:{port}/hook")
        assert reply.body == b"hi"
        assert f"host: taxoffice.localhost:{port}".encode() in heard[0].lower()
        for url in (
            f"http://clinic.localhost:{port}/",
            f"http://taxoffice.localhost:{port + 1}/",
            f"http://127.0.0.1:{port}/",
            f"http://x.taxoffice.localhost:{port}/",
            "http://taxoffice.localhost/",
        ):
            with pytest.raises(TargetRefused):
                await fetcher.request("GET", url)
        await fetcher.aclose()
        assert len(heard) == 1


@pytest.mark.parametrize("authority", ["example.com:443", "10.0.0.1:80", "taxoffice.localhost", "localhost.evil.example:80", "127.0.0.1:", "0.0.0.0:80"])  # fmt: skip
def test_only_loopback_is_admitted(authority: str) -> None:
    with pytest.raises(ValueError, match="loopback"):
        Fetcher(admitted={authority})


@pytest.fixture
def certificate(tmp_path: Path) -> tuple[ssl.SSLContext, Path]:
    """A server's TLS context for ``taxoffice.localhost``, and the root to trust."""
    openssl = tools.require("openssl")
    key, root = tmp_path / "key.pem", tmp_path / "root.pem"
    subprocess.run(
        [openssl, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", key,
         "-out", root, "-subj", "/CN=x", "-addext", "subjectAltName=DNS:taxoffice.localhost", "-days", "2"],
        check=True, capture_output=True, timeout=30,
    )  # fmt: skip
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(root, key)
    return context, root


async def test_the_certificate_is_checked_for_the_name(
    certificate: tuple[ssl.SSLContext, Path],
) -> None:
    tls, root = certificate
    trust = ssl.create_default_context(cafile=str(root))
    async with echo(tls) as (port, _):
        admitted = {f"taxoffice.localhost:{port}", f"clinic.localhost:{port}"}
        fetcher = Fetcher(admitted=admitted, trust=trust)
        reply = await fetcher.request("GET", f"https://taxoffice.localhost:{port}/")
        assert reply.body == b"hi"
        with pytest.raises(FetchFailed):
            await fetcher.request("GET", f"https://clinic.localhost:{port}/")
        await fetcher.aclose()
        stranger = Fetcher(admitted=admitted)
        with pytest.raises(FetchFailed):
            await stranger.request("GET", f"https://taxoffice.localhost:{port}/")
        await stranger.aclose()
