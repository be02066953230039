"""Pictures for the documents: what a page looks like, as a PNG that is small enough for a repository.

Screens of few colours are written with a palette, which is exact; where a picture has more than 256, neighbouring
colours fall together. Chromium writes eight bits for each of three or four channels, not interlaced.
"""

import asyncio
import struct
import zlib
from collections import Counter
from pathlib import Path

from playwright.async_api import Page

from support.browser import within

SIGNATURE = b"\x89PNG\r\n\x1a\n"
CHANNELS = {2: 3, 6: 4}
"""Colour type (PNG §11.2.1) to channels."""
COLOURS = 256


async def keep(page: Page, path: Path) -> None:
    """Write what the window shows."""
    shot = await within(page.screenshot())
    await asyncio.to_thread(lambda: path.write_bytes(shrunk(shot)))


def shrunk(png: bytes) -> bytes:
    """The same picture with a palette.

    Raises:
        ValueError: not what Chromium writes.
    """
    width, height, channels, body = _read(png)
    rows = _rows(zlib.decompress(body), width * channels, channels)
    pixels = [
        [bytes(row[at : at + 3]) for at in range(0, width * channels, channels)] for row in rows
    ]
    counts = Counter(pixel for row in pixels for pixel in row)
    for lost_bits in range(8):
        mask = 0xFF << lost_bits & 0xFF
        known = {pixel: bytes(each & mask for each in pixel) for pixel in counts}
        if len(set(known.values())) <= COLOURS:
            break
    # The commonest of the colours that fall together stands for them, so that flat areas keep their own.
    kept: dict[bytes, bytes] = {}
    for pixel, _ in counts.most_common():
        kept.setdefault(known[pixel], pixel)
    number = {key: at for at, key in enumerate(kept)}
    drawn = b"".join(b"\0" + bytes(number[known[pixel]] for pixel in row) for row in pixels)
    head = struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0)
    chunks = [(b"IHDR", head), (b"PLTE", b"".join(kept.values()))]
    chunks += [(b"IDAT", zlib.compress(drawn, 9)), (b"IEND", b"")]
    return SIGNATURE + b"".join(_chunk(name, data) for name, data in chunks)


def _chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def _read(png: bytes) -> tuple[int, int, int, bytes]:
    if not png.startswith(SIGNATURE):
        raise ValueError("no PNG")
    at, body, head = len(SIGNATURE), b"", b""
    while at < len(png):
        (length,) = struct.unpack_from(">I", png, at)
        name, data = png[at + 4 : at + 8], png[at + 8 : at + 8 + length]
        head = data if name == b"IHDR" else head
        body += data if name == b"IDAT" else b""
        at += length + 12
    width, height, depth, kind, _, _, interlace = struct.unpack(">IIBBBBB", head)
    if depth != 8 or kind not in CHANNELS or interlace:
        raise ValueError("not what Chromium writes")
    return width, height, CHANNELS[kind], body


def _rows(raw: bytes, size: int, step: int) -> list[bytearray]:
    """Undo the filters (PNG §9.2)."""
    rows: list[bytearray] = []
    above = bytearray(size)
    for at in range(0, len(raw), size + 1):
        kind, row = raw[at], bytearray(raw[at + 1 : at + 1 + size])
        for i in range(size) if kind else ():
            left = row[i - step] if i >= step else 0
            corner = above[i - step] if i >= step else 0
            row[i] = (row[i] + _guess(kind, left, above[i], corner)) & 0xFF
        rows.append(row)
        above = row
    return rows


def _guess(kind: int, left: int, up: int, corner: int) -> int:
    if kind < 4:
        return (0, left, up, (left + up) // 2)[kind]
    p = left + up - corner
    return min((left, up, corner), key=lambda each: abs(p - each))
