"""Outgoing HTTP: a corpus of addresses that would reach inside, and the one way that leads out (threat 16)."""

import asyncio
import ssl
import subprocess
from collections.abc import AsyncIterator, Callable, Sequence
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

PUBLIC = "93.184.215.14"
PUBLIC_V6 = "2606:2800:21f:cb07:6820:80da:af6b:8b2c"

CORPUS = [
    # Not https, not a web address.
    "http://hook.example.com/", "ftp://hook.example.com/", "file:///etc/passwd", "gopher://127.0.0.1:6379/_FLUSHALL",
    "data:text/plain,x", "javascript:alert(1)", "//hook.example.com/", "hook.example.com", "https:hook.example.com",
    "https:/hook.example.com", "https:///hook.example.com", "HTTPS://hook.example.com/", "", " ", "https://",
    # This machine by name.
    "https://localhost/", "https://localhost:{port}/", "https://LOCALHOST:{port}/", "https://localhost.:{port}/",
    "https://a.localhost:{port}/", "https://localhost.localdomain/", "https://ip6-localhost/", "https://loopback/",
    # This machine and its neighbours by number, in every spelling that a resolver or a library might read.
    "https://127.0.0.1/", "https://127.0.0.1:{port}/", "https://127.1:{port}/", "https://127.0.1:{port}/",
    "https://2130706433:{port}/", "https://0x7f000001:{port}/", "https://0x7f.1:{port}/", "https://0x7f.0x0.0x0.0x1/",
    "https://017700000001:{port}/", "https://0177.0.0.1:{port}/", "https://127.0.0.1.:{port}/", "https://0:{port}/",
    "https://0.0.0.0:{port}/", "https://10.0.0.1/", "https://172.16.0.1/", "https://192.168.0.1/", "https://100.64.0.1/",
    "https://169.254.169.254/latest/meta-data/", "https://0xa9fea9fe/", "https://2852039166/", "https://168.63.129.16/",
    "https://[::1]:{port}/", "https://[::]:{port}/", "https://[::ffff:127.0.0.1]:{port}/", "https://[::ffff:7f00:1]/",
    "https://[0:0:0:0:0:ffff:127.0.0.1]/", "https://[::127.0.0.1]/", "https://[64:ff9b::7f00:1]/", "https://[2002:7f00:1::]/",
    "https://[fe80::1%25lo]/", "https://[fd00:ec2::254]/", "https://[ff02::1]/",
    # Digits, dots and letters of other alphabets.
    "https://１２７.０.０.１/", "https://①②⑦.⓪.⓪.①/", "https://127。0。0。1/", "https://ⓛocalhost/", "https://localhosṭ/",
    # Names of networks inside.
    "https://metadata.google.internal/", "https://db.internal/", "https://printer.local/", "https://router.lan/",
    "https://service.test/", "https://x.invalid/", "https://hidden.onion/", "https://1.0.0.127.in-addr.arpa/", "https://intranet/",
    # A host hidden behind another one.
    "https://hook.example.com@127.0.0.1:{port}/", "https://user:pass@hook.example.com/", "https://127.0.0.1\\@hook.example.com/",
    "https://hook.example.com\\@127.0.0.1/", "https://127.0.0.1#@hook.example.com/", "https://127.0.0.1?@hook.example.com/",
    "https://hook.example.com#.127.0.0.1/", "https://hook.example.com:443@127.0.0.1/", "https://127.0.0.1%2f@hook.example.com/",
    "https://127.0.0.1 .hook.example.com/", "https://127.0.0.1\t.hook.example.com/", "https://127.0.0.1\r\nhost: x/",
    "https://127.0.0.1%00.hook.example.com/", "https://127.0.0.1;.hook.example.com/", "https://%31%32%37.0.0.1/",
    # Ports of other services, and no ports.
    "https://hook.example.com:22/", "https://hook.example.com:25/", "https://hook.example.com:0/", "https://hook.example.com:65536/",
    "https://hook.example.com:99999/", "https://hook.example.com:-1/", "https://hook.example.com:/", "https://hook.example.com:443x/",
    # Names that are none.
    "https://-a.example.com/", "https://a-.example.com/", "https://a..example.com/", "https://.example.com/", "https://example.com./",
    "https://a_b.example.com/", "https://" + "a" * 64 + ".example.com/", "https://" + "a." * 130 + "com/", "https://example.1/",
    "https://hook.example.com/\r\nx: y", "https://hook.example.com/ x", "https://hook.example.com/é", "https://hook.example.com/" + "a" * 2048,
]  # fmt: skip


@pytest.fixture
async def inside() -> AsyncIterator[tuple[int, list[Any]]]:
    """A port on both loopbacks that counts who connects."""
    seen: list[Any] = []

    async def connected(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        seen.append(writer.get_extra_info("peername"))
        writer.close()

    first = await asyncio.start_server(connected, "127.0.0.1", 0)
    port = first.sockets[0].getsockname()[1]
    try:
        second = await asyncio.start_server(connected, "::1", port)
    except OSError:
        second = None
    yield port, seen
    for server in (first, second):
        if server is not None:
            server.close()
            await server.wait_closed()


def to(*addresses: str) -> Callable[..., Any]:
    """A resolver that knows one answer."""

    async def resolve(_: str, __: int) -> Sequence[str]:
        return addresses

    return resolve


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


INSIDE = [
    "0.0.0.0", "0.1.2.3", "10.0.0.1", "10.255.255.255", "100.64.0.1", "100.127.255.255", "127.0.0.1", "127.255.255.254",
    "168.63.129.16", "169.254.169.254", "172.16.0.1", "172.31.255.255", "192.0.0.1", "192.0.0.170", "192.0.2.1",
    "192.31.196.1", "192.52.193.1", "192.88.99.1", "192.168.255.255", "192.175.48.1", "198.18.0.1", "198.19.255.255",
    "198.51.100.1", "203.0.113.1", "224.0.0.1", "239.255.255.255", "240.0.0.1", "255.255.255.255",
    "::", "::1", "::127.0.0.1", "::ffff:127.0.0.1", "::ffff:8.8.8.8", "::ffff:0:127.0.0.1", "64:ff9b::7f00:1", "64:ff9b:1::1",
    "100::1", "2001::1", "2001:0:4136:e378:8000:63bf:3fff:fdd2", "2001:10::1", "2001:20::1", "2001:db8::1", "2002:7f00:1::1",
    "2620:4f:8000::1", "3fff::1", "4000::1", "5f00::1", "fc00::1", "fd00:ec2::254", "fe80::1", "fe80::1%lo", "febf::1", "fec0::1",
    "ff02::1", "2606:2800::1%eth0",
]  # fmt: skip


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
