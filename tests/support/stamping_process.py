"""A process that stamps and prints time (microseconds) and serial number of each token, until it is killed.

python stamping_process.py HOME
"""

import asyncio
import hashlib
import os
import sys
from importlib.resources import files
from pathlib import Path

import msgspec

from inkan.composition.platform import compose
from inkan.composition.settings import Environment, Settings
from inkan.crypto.tsp import build_request
from inkan.crypto.tsp_token import parse_reply, parse_token
from inkan.kernel.clock import to_microseconds
from inkan.pki import read_ceremony

REQUEST = build_request(hashlib.sha256(b"a document").digest())


def settings_of(home: Path) -> Settings:
    settings = Settings(environment=Environment.DEMO, home=str(home))
    return msgspec.structs.replace(settings, pki=msgspec.structs.replace(settings.pki, lint=False))


async def stamp(home: Path) -> None:
    text = (files("inkan.pki") / "ceremonies" / "demo.toml").read_text(encoding="utf-8")
    async with compose(settings_of(home)) as platform:
        await platform.pki.hold_ceremony(read_ceremony(text))
        while True:
            info = parse_token(parse_reply(await platform.pki.timestamp(REQUEST))).info
            os.write(1, f"{to_microseconds(info.at)} {info.serial}\n".encode())


if __name__ == "__main__":
    asyncio.run(stamp(Path(sys.argv[1])))
