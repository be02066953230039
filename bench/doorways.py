"""Whole identifications by each of the five doors, as relying party, browser and phone send them; and who asks them.

A system that may use every door, and as many persons as quotas demand: each has a phone whose row is a copy of a
citizen's, but for its ids, its channel key and the id of its credential. Copies are made at rest.
"""

import asyncio
import hashlib
import re
import sqlite3
from collections.abc import Awaitable, Callable, Sequence
from contextlib import closing
from datetime import date
from itertools import count
from pathlib import Path
from typing import Any, NamedTuple, cast
from urllib.parse import parse_qs, urlencode, urlsplit

import msgspec
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from rig import Keys, Line, Rig, found_rig

from inkan.client.rp_calls import SystemCredentials
from inkan.crypto import base64url, jwk
from inkan.crypto.keys import KeySpec, generate
from inkan.demo.country import CLERK, Country, read_world
from inkan.kernel.identifiers import national_id_check_digit, parse_national_id
from inkan.kernel.ids import new_id, random_bytes
from inkan.people import new_identity
from inkan.relying_parties import SystemRegistration

CODE = "bench-every-door"
RETURN_URL = "https://taxoffice.localhost/return"
EVERY_DOOR = ["qr", "push", "web_link", "redirect", "app_link"]


class Person(NamedTuple):
    """Somebody with a phone, and the number by which a relying party names them."""

    number: str
    phone: Keys


# --- who asks and who answers -----------------------------------------------------------------------


async def found_crowd(folder: Path, *, port: int, persons: int) -> tuple[Rig, list[Person]]:
    """Found the country with a system for every door and so many persons; it is at rest then."""
    registered: list[tuple[str, str]] = []

    async def prepare(founded: Country) -> None:
        founded.credentials = await _register(founded)
        registered.extend([await _person(founded, number) for number in range(persons)])

    rig = await found_rig(folder, port=port, prepare=prepare)
    with closing(sqlite3.connect(folder / "inkan.db")) as database:
        phones = _copy_phones(rig, database, [person for person, _ in registered])
        database.commit()
    return rig, [
        Person(number, phone) for (_, number), phone in zip(registered, phones, strict=True)
    ]


async def _register(founded: Country) -> SystemCredentials:
    key = cast("EllipticCurvePrivateKey", generate(KeySpec.P256))
    system = {
        **read_world().system,
        "code": CODE,
        "doors": EVERY_DOOR,
        "return_urls": [RETURN_URL],
        "keys": [jwk.to_jwk(key.public_key())],
    }
    registration = msgspec.convert(system, SystemRegistration)
    await founded.instance.platform.relying_parties.register(registration)
    return SystemCredentials(issuer=founded.credentials.issuer, code=CODE, key=key)


async def _person(founded: Country, number: int) -> tuple[str, str]:
    prefix = f"B2{number:07d}"
    text = prefix + national_id_check_digit(prefix)
    identity = new_identity(
        name="王大明", birth_date=date(1980, 1, 1), national_id=parse_national_id(text)
    )
    person = await founded.instance.platform.people.register(identity, actor=CLERK)
    return person.id, text


def _copy_phones(rig: Rig, database: sqlite3.Connection, persons: Sequence[str]) -> list[Keys]:
    """A phone for each person: copies of the citizens' in turn."""
    database.row_factory = sqlite3.Row
    rows = {
        bytes(row["credential_id"]): row
        for row in database.execute("SELECT * FROM enrolment_phone").fetchall()
    }
    return [
        _copy_phone(rig.phones[n % len(rig.phones)], rows, database, person)
        for n, person in enumerate(persons)
    ]


def _copy_phone(
    model: Keys, rows: dict[bytes, sqlite3.Row], database: sqlite3.Connection, person: str
) -> Keys:
    channel = cast("EllipticCurvePrivateKey", generate(KeySpec.P256))
    credential_id = random_bytes(32)
    row = dict(rows[model.parts.bound.credential.id]) | {
        "id": new_id("ph"),
        "person": person,
        "channel_jkt": jwk.thumbprint(channel.public_key()),
        "credential_id": credential_id,
    }
    places = ", ".join("?" for _ in row)
    database.execute(
        f"INSERT INTO enrolment_phone ({', '.join(row)}) VALUES ({places})", tuple(row.values())
    )
    return Keys(channel, model.auth, model.parts, base64url.encode(credential_id))


# --- one identification by each door ----------------------------------------------------------------


async def by_qr(rig: Rig, line: Line, person: Person) -> dict[str, Any]:
    """Create, open by a frame, decide, result: four requests."""
    created = await rig.create(line)
    opened = await rig.open(line, person.phone, created)
    await rig.decide(line, person.phone, opened)
    return await rig.result(line, created["session"]["id"])


async def by_push(rig: Rig, line: Line, person: Person) -> dict[str, Any]:
    """Create, the phone's long poll, open by the code, decide, result: five requests and the job between."""
    hint = {"type": "national_id", "value": person.number}
    created = await rig.create(line, doors=["push"], subject_hint=hint)
    path = "/phone/v1/approvals"
    headers = rig.phone_headers(person.phone, path, method="GET")
    listed = await line.ask("GET", f"{path}?wait=30", headers)
    opened = await rig.open_by(
        line,
        person.phone,
        approval=listed["waiting"][0]["approval"],
        code=created["doors"]["push"]["code"],
    )
    await rig.decide(line, person.phone, opened)
    return await rig.result(line, created["session"]["id"])


async def by_web_link(rig: Rig, line: Line, person: Person) -> dict[str, Any]:
    """Create, open by the address, decide, redeem: four requests."""
    return await _by_address(rig, line, person, "web_link")


async def by_app_link(rig: Rig, line: Line, person: Person) -> dict[str, Any]:
    """The same from an app."""
    return await _by_address(rig, line, person, "app_link")


async def _by_address(rig: Rig, line: Line, person: Person, door: str) -> dict[str, Any]:
    verifier, return_ = _return()
    created = await rig.create(line, doors=[door], **{"return": return_})
    return await _returned(
        rig, line, person, created, verifier=verifier, address=created["doors"][door]["url"]
    )


async def by_redirect(rig: Rig, line: Line, person: Person) -> dict[str, Any]:
    """Create, the page in a fresh browser of the same phone, its form, the page again, open, decide, redeem:
    seven requests and a connection.
    """
    verifier, return_ = _return()
    created = await rig.create(line, doors=["redirect"], **{"return": return_})
    address = await _open_app(rig, created["doors"]["redirect"]["url"])
    return await _returned(rig, line, person, created, verifier=verifier, address=address)


async def _returned(
    rig: Rig,
    line: Line,
    person: Person,
    created: dict[str, Any],
    *,
    verifier: str,
    address: str,
) -> dict[str, Any]:
    opened = await rig.open_by(line, person.phone, link=address)
    decided = await rig.decide(line, person.phone, opened)
    [code] = parse_qs(urlsplit(decided["return_url"]).query)["return_code"]
    return await rig.redeem(line, created["session"]["id"], verifier=verifier, return_code=code)


def _return() -> tuple[str, dict[str, str]]:
    """A verifier, and what the session carries of it."""
    verifier = random_bytes(32)
    binding = base64url.encode(hashlib.sha256(verifier).digest())
    return base64url.encode(verifier), {"url": RETURN_URL, "binding": binding}


BY_DOOR: dict[str, Callable[[Rig, Line, Person], Awaitable[dict[str, Any]]]] = {
    "qr": by_qr,
    "push": by_push,
    "web_link": by_web_link,
    "redirect": by_redirect,
    "app_link": by_app_link,
}


# --- a browser before the redirect page -------------------------------------------------------------

_TOKEN = re.compile(rb'name="csrf_token" value="([0-9a-f]{64})"')
_ADDRESS = re.compile(rb'href="(http://wallet[^"]+)"')
_COOKIE = re.compile(rb"set-cookie: ([^;]+)")
_visitors = count()


async def _open_app(rig: Rig, url: str) -> str:
    """The address behind the page's button "open app", in a browser of its own."""
    # Pages are asked for sparingly by each sender: every browser comes from another address.
    number = next(_visitors) % 4_000_000 + 1
    browser = await Line.dial(
        rig, source=f"127.{64 + (number >> 16)}.{number >> 8 & 255}.{number & 255}"
    )
    path = urlsplit(url).path
    cookies: list[str] = []
    try:
        page = await _visit(browser, "GET", path, cookies)
        token = _found(_TOKEN, page)
        await _visit(browser, "POST", path, cookies, rig.origin, csrf_token=token, way="link")
        return _found(_ADDRESS, await _visit(browser, "GET", path, cookies))
    finally:
        await browser.close()


async def _visit(
    browser: Line, method: str, path: str, cookies: list[str], origin: str = "", **fields: str
) -> bytes:
    headers = ["Accept: text/html", "Accept-Language: en"]
    if cookies:
        headers.append(f"Cookie: {'; '.join(cookies)}")
    if fields:
        headers += [
            f"Origin: {origin}",
            "Sec-Fetch-Site: same-origin",
            "Content-Type: application/x-www-form-urlencoded",
        ]
    browser.send(method, path, headers, urlencode(fields).encode())
    head, body = await browser.receive_whole()
    cookies += [found.decode() for found in _COOKIE.findall(head)]
    return body


def _found(pattern: re.Pattern[bytes], page: bytes) -> str:
    found = pattern.search(page)
    if found is None:
        raise RuntimeError(f"{pattern.pattern!r} is not on the page")
    return found[1].decode()


async def identify_by(
    door: str, rig: Rig, open_lines: Sequence[Line], shares: Sequence[Sequence[Person]]
) -> None:
    """Identify each person of a line's share, one after the other; the lines at the same time.

    Raises:
        RuntimeError: one did not end well.
    """

    async def work(line: Line, share: Sequence[Person]) -> None:
        for person in share:
            seen = await BY_DOOR[door](rig, line, person)
            if seen["outcome"] != "ok":
                raise RuntimeError(seen)

    await asyncio.gather(
        *(work(line, share) for line, share in zip(open_lines, shares, strict=True))
    )
