"""Sessions by every door: what the asking side orders, and how a person's phone and browser follow it."""

import hashlib
from typing import Any
from urllib.parse import parse_qs, urlsplit

from identification.callers import SystemCaller
from inkan.client import Phone, SubjectHint, begin_return
from inkan.client.phone_state import OpenApproval
from inkan.crypto import base64url
from inkan.kernel.sensitive import Personal, Secret
from support.world import CITIZENS, PURPOSES, World

RETURN_URL = "https://tax.example/return"
EVERY_DOOR = ["qr", "push", "web_link", "redirect", "app_link"]
VERIFIER = base64url.encode(bytes(range(32)))
BINDING = base64url.encode(hashlib.sha256(bytes(range(32))).digest())
RETURN = {"url": RETURN_URL, "binding": BINDING}


def all_doors(**more: Any) -> dict[str, Any]:
    """The registration of a system that may use every door."""
    return {"doors": EVERY_DOOR, "return_urls": [RETURN_URL], "purposes": PURPOSES, **more}


def hint_of(key: str) -> dict[str, str]:
    """The hint that names a citizen by the typed number."""
    return {"type": "national_id", "value": CITIZENS[key][2]}


def named(key: str) -> SubjectHint:
    """The same for the client."""
    return SubjectHint(type="national_id", value=Personal(CITIZENS[key][2]))


def started() -> tuple[Any, Secret[str]]:
    """A return and its verifier."""
    return begin_return(RETURN_URL)


def brought(url: str | None) -> dict[str, str]:
    """What an address that a browser came back to brings."""
    assert url is not None
    return {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}


async def push(office: SystemCaller, key: str = "chen", **members: Any) -> dict[str, Any]:
    """A session with a push to a citizen."""
    return await office.created(doors=["push"], **{"subject_hint": hint_of(key), **members})


async def pushed(world: World, phone: Phone, code: str | None) -> OpenApproval:
    """Open the newest question that was pushed to this phone."""
    await world.instance.catch_up()
    [first, *_] = await phone.waiting()
    return await phone.open_push(first.approval, code)
