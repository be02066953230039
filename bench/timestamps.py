"""Time-stamps: the bare function, and the service over HTTP.

Bare: a request of 256 bits with nonce and certReq is read, a token made and signed (P-256), the reply encoded; CPU
seconds of this process. Its peer in the same run makes such a token by
the general CMS builder on asn1crypto, which builds every field anew.
Over HTTP: `inkan serve` with the demo's ceremony on SQLite, eight keep-alive connections that keep four requests in
flight each; tokens ÷ CPU seconds of the server process, the wall rate and the generator's own CPU beside it. Every
hundredth reply is verified in full afterwards.
"""

import asyncio
import hashlib
import os
import re
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path
from typing import cast

from asn1crypto import tsp as asn1
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, EllipticCurvePrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from rig import Rig, own_cpu_s

from inkan.client.rp_calls import SystemCredentials
from inkan.client.timestamps import verify_timestamp
from inkan.composition.platform import compose
from inkan.crypto import oids
from inkan.crypto.cms import CMSAlgorithm, build_signed_data
from inkan.crypto.keys import KeySpec, generate
from inkan.crypto.tsp import build_request, parse_request
from inkan.crypto.tsp_response import TokenMaker, granted
from inkan.crypto.tsp_token import parse_reply
from inkan.demo.country import settings_for
from inkan.pki import read_ceremony

PORT = 8630
CONNECTIONS, IN_FLIGHT = 8, 4
BARE = 5000
PEER = 300
OVER_HTTP = int(os.environ.get("BENCH_TIMESTAMPS", "20000"))
LIMIT = ">= 1500"
IMPRINT = hashlib.sha256(b"a document").digest()
AT = datetime(2026, 11, 21, tzinfo=UTC)

Row = tuple[str, str, float, float | str | None, str]


def figures() -> Iterator[Row]:
    """Bare, beside the general builder; over HTTP."""
    key = cast("EllipticCurvePrivateKey", generate(KeySpec.P256))
    certificate = _certificate(key)
    bare = _rate(BARE, _templates(key, certificate))
    peer = _rate(PEER, _rebuilding(key, certificate))
    signing = _rate(BARE, lambda _: key.sign(bytes(130), ECDSA(SHA256())))
    note = f"{1e6 / signing:.0f} of {1e6 / bare:.0f} µs are the signature"
    yield "time-stamp, bare", "per CPU-second", bare, LIMIT, note
    yield "the same beside the general builder", "per CPU-second", bare, peer, ""
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        yield _over_http(Path(folder))


def _rate(count: int, call: Callable[[int], object]) -> float:
    started = time.process_time()
    for number in range(count):
        call(number)
    return count / (time.process_time() - started)


def _request(number: int) -> bytes:
    return build_request(IMPRINT, nonce=2**63 + number)


def _templates(key: EllipticCurvePrivateKey, certificate: bytes) -> Callable[[int], bytes]:
    maker = TokenMaker(
        chain=[certificate],
        policy=oids.TIMESTAMP_POLICY,
        accuracy_ms=1000,
        sign=lambda data: key.sign(data, ECDSA(SHA256())),
    )
    requests = [_request(number) for number in range(BARE)]
    return lambda number: granted(
        maker.make(parse_request(requests[number]), serial=2**134 + number, at=AT)
    )


def _rebuilding(key: EllipticCurvePrivateKey, certificate: bytes) -> Callable[[int], bytes]:
    def make(number: int) -> bytes:
        request = asn1.TimeStampReq.load(_request(number))
        info = asn1.TSTInfo(
            {
                "version": "v1",
                "policy": oids.TIMESTAMP_POLICY,
                "message_imprint": request["message_imprint"],
                "serial_number": 2**134 + number,
                "gen_time": AT,
                "accuracy": {"seconds": 1},
                "nonce": request["nonce"],
            }
        )
        return build_signed_data(
            info.dump(),
            # asn1crypto would read the TSTInfo once more under its own type.
            content_type="1.2.3.4.5.6",
            chain=[certificate],
            algorithm=CMSAlgorithm.ECDSA,
            sign=lambda data: key.sign(data, ECDSA(SHA256())),
        )

    return make


def _certificate(key: EllipticCurvePrivateKey) -> bytes:
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "Bench TSA")])
    builder = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(2**64)
        .not_valid_before(datetime(2026, 1, 1, tzinfo=UTC))
        .not_valid_after(datetime(2030, 1, 1, tzinfo=UTC))
    )
    return builder.sign(key, SHA256()).public_bytes(Encoding.DER)


# --- over HTTP --------------------------------------------------------------------------------------


def _over_http(folder: Path) -> Row:
    anchors = asyncio.run(_found(folder))
    os.environ["INKAN_PKI__TIMESTAMPS_PER_MINUTE"] = "100000000"
    credentials = SystemCredentials(issuer="", code="", key=generate(KeySpec.P256))
    rig = Rig(folder=folder, port=PORT, credentials=credentials, phones=[])
    with rig.serving():
        asyncio.run(_load(rig, 500))
        cpu, own, wall = rig.cpu_s(), own_cpu_s(), time.perf_counter()
        replies = asyncio.run(_load(rig, OVER_HTTP))
        cpu, own, wall = rig.cpu_s() - cpu, own_cpu_s() - own, time.perf_counter() - wall
    for reply in replies:
        verify_timestamp(parse_reply(reply), IMPRINT, anchors)
    note = f"wall {OVER_HTTP / wall:,.0f}/s; the generator took {own:.1f} s of CPU, the server {cpu:.1f} s"
    return "time-stamp over HTTP", "per server-CPU-second", OVER_HTTP / cpu, LIMIT, note


async def _found(folder: Path) -> list[bytes]:
    async with compose(settings_for(folder, PORT)) as platform:
        text = (files("inkan.pki") / "ceremonies" / "demo.toml").read_text(encoding="utf-8")
        await platform.pki.hold_ceremony(read_ceremony(text))
        return platform.pki.anchors()


async def _load(rig: Rig, count: int) -> list[bytes]:
    each = count // CONNECTIONS
    kept = await asyncio.gather(*(_line(rig, number * each, each) for number in range(CONNECTIONS)))
    return [reply for replies in kept for reply in replies]


async def _line(rig: Rig, first: int, count: int) -> list[bytes]:
    """Ask over one connection, a few requests ahead; keep every hundredth reply."""
    reader, writer = await asyncio.open_connection("127.0.0.1", rig.port)
    head = (
        f"POST /tsa HTTP/1.1\r\nHost: id.localhost:{rig.port}\r\n"
        "Content-Type: application/timestamp-query\r\nContent-Length: {length}\r\n\r\n"
    )
    kept = []
    for number in range(count + IN_FLIGHT):
        if number < count:
            body = _request(first + number)
            writer.write(head.format(length=len(body)).encode() + body)
        if number >= IN_FLIGHT:
            reply = await _read(reader)
            if number % 100 == 0:
                kept.append(reply)
    writer.close()
    await writer.wait_closed()
    return kept


async def _read(reader: asyncio.StreamReader) -> bytes:
    head = await reader.readuntil(b"\r\n\r\n")
    found = re.search(rb"content-length: (\d+)", head)
    body = await reader.readexactly(int(found[1]) if found else 0)
    if not head.startswith(b"HTTP/1.1 200"):
        raise RuntimeError(head.decode())
    return body
