"""Phones of the tests: made, opened again, and bound, against the stand-in of the platform."""

from contextlib import asynccontextmanager
from pathlib import Path

from inkan.client.http import AsyncTransport
from inkan.client.phone import Phone
from inkan.kernel.sensitive import Secret
from support.phone_platform import PhonePlatform
from support.phone_words import ENROL_FRAME, PLATFORM, WALLET, b64

PASSPHRASE = Secret("correct horse battery staple")
EVIL = b64(b"e" * 32)


def make(tmp_path: Path, platform: PhonePlatform, **options) -> Phone:
    settings = {
        "platform": PLATFORM,
        "wallet_origin": WALLET,
        "name": "ASUS_A007",
        "verify_user": lambda _: True,
        "scrypt_n": 2**10,
        "transport": AsyncTransport(platform),
        "anchors": (platform.root.der,),
    }
    return Phone.create(tmp_path / "phone.inkan", PASSPHRASE, **settings | options)


def reopen(tmp_path: Path, platform: PhonePlatform, **options) -> Phone:
    settings = {
        "verify_user": lambda _: True,
        "transport": AsyncTransport(platform),
        "anchors": (platform.root.der,),
    }
    return Phone.open(tmp_path / "phone.inkan", PASSPHRASE, **settings | options)


@asynccontextmanager
async def bound(tmp_path: Path, platform: PhonePlatform, **options):
    """A phone that is bound already; the card's part is played by the stand-in."""
    phone = make(tmp_path, platform, **options)
    await phone.join(ENROL_FRAME)
    await phone.prepare()
    issue(platform)
    assert await phone.collect() is not None
    platform.calls.clear()
    platform.bodies.clear()
    async with phone:
        yield phone


def issue(platform: PhonePlatform, **bent) -> None:
    """What the platform does when the card has signed."""
    platform.certificates = {
        use: platform.issue(use, spki, **bent) for use, spki in platform.spkis.items()
    }
    platform.state = "issued"


def sent_to(platform, path) -> list[bytes]:
    return [
        body
        for (_, called), body in zip(platform.calls, platform.bodies, strict=True)
        if called == path
    ]
