"""Addresses that lead inside, and a port inside that counts who connects (threat 16).

The corpus is run against everything that calls addresses which others gave: the fetcher itself, and webhooks.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any

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


def to(*addresses: str) -> Callable[..., Any]:
    """A resolver that knows one answer."""

    async def resolve(_: str, __: int) -> Sequence[str]:
        return addresses

    return resolve


@asynccontextmanager
async def listening() -> AsyncIterator[tuple[int, list[Any]]]:
    """A port on both loopbacks, and who connected to it."""
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
