"""The tax office by every door against a running country, and who tries to come back in another's place."""

import re
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import msgspec
import pytest
from babel.messages.pofile import read_po

from inkan.apps.showcase.tax_office import doors, refusals, tax_office
from inkan.client import Phone, Verdict, verify_receipt
from inkan.demo.country import Country
from inkan.web.server import Server
from inkan.wire.binding import BackEnd, BindingLevel, Door, Evidence, StatementDoor
from journeys.test_tax_office_browser import _bound
from support.asgi import Client, Reply
from support.founded import founded_country
from support.ports import free_port

PAGE = {"accept": "text/html"}
CHEN, NOBODY = "A234567893", "B123456780"


@dataclass
class Town:
    """The country, its office called without a socket, and a phone of 陳怡君."""

    country: Country
    application: Any
    phone: Phone

    def browser(self) -> Client:
        return Client(self.application, self.country.office_origin)


@pytest.fixture
async def town(tmp_path: Path) -> AsyncIterator[Town]:
    async with AsyncExitStack() as stack:
        port = free_port(neighbours=1)
        founded = await stack.enter_async_context(founded_country(tmp_path / "home", port=port))
        office = tax_office(
            origin=founded.office_origin,
            credentials=founded.credentials,
            anchors=founded.anchors,
            clock=founded.clock,
        )
        # Served for its beginning and end; the tests call it without a socket.
        await stack.enter_async_context(Server(office, port=port + 1).running())
        phone = await stack.enter_async_context(await _bound(founded))
        yield Town(founded, office, phone)


async def send(browser: Client, path: str, **fields: str) -> Reply:
    """Send a form as this site's own page would."""
    page = (await browser.get("/", headers=PAGE)).text
    token = page.split('name="csrf_token" value="')[1].split('"')[0]
    headers = PAGE | {"origin": browser.origin, "sec-fetch-site": "same-origin"}
    return await browser.post(path, headers=headers, form={"csrf_token": token, **fields})


async def see(browser: Client, path: str = "/visit") -> str:
    return (await browser.get(path, headers=PAGE)).text


async def begin(browser: Client, door: Door, **fields: str) -> str:
    """Begin by a door; returns the page then, or where the browser was led."""
    reply = await send(browser, "/", door=door, **{"purpose": "login", **fields})
    assert reply.status == 303, reply.text
    led = reply.header("location") or ""
    return await see(browser) if led == "/visit" else led


def link(page: str) -> str:
    return page.split("--link ")[1].split("<", maxsplit=1)[0].replace("&#39;", "").replace("'", "")


async def back_from_phone(town: Town, page: str) -> str:
    """Open the page's link on the phone and approve; returns the path that it leads back to."""
    await town.phone.open_link(link(page))
    led = urlsplit((await town.phone.approve()).return_url or "")
    return f"{led.path}?{led.query}"


@pytest.mark.parametrize("door", [Door.WEB_LINK, Door.APP_LINK])
async def test_a_return_counts_in_its_own_browser_alone(town: Town, door: Door) -> None:
    mine, other, bare = town.browser(), town.browser(), town.browser()
    back = await back_from_phone(town, await begin(mine, door, purpose="file_return"))
    other_back = await back_from_phone(town, await begin(other, door))
    bare.cookies["__Host-tax-office"] = mine.cookies["__Host-tax-office"]
    for stranger in (town.browser(), other, bare):
        reply = await stranger.get(back, headers=PAGE)
        assert reply.status == 403
        assert "It was not begun in this browser" in reply.text
        assert "Welcome" not in await see(stranger)
    assert (await mine.get(back, headers=PAGE)).status == 303
    answer = await see(mine)
    assert "Welcome" in answer
    assert "returned" in answer
    assert doors.LEVELS[BindingLevel.RETURNED] in answer
    assert mine.cookies["__Host-tax-office-return"] == ""
    for stranger in (town.browser(), other):
        assert (await stranger.get(back, headers=PAGE)).status == 403, "a replay"
    for stranger in (town.browser(), other):
        assert (await stranger.get("/visit/receipt")).status == 404
    await _downloads(town, mine)
    assert (await other.get(other_back, headers=PAGE)).status == 303, "its own try was not spent"


async def _downloads(town: Town, browser: Client) -> None:
    jws = (await browser.get("/visit/receipt")).text
    bundle = await browser.get("/visit/evidence")
    assert "attachment" in (bundle.header("content-disposition") or "")
    assert verify_receipt(jws, town.country.anchors).verdict is Verdict.VALID
    assert msgspec.json.decode(bundle.body)["receipt"] == jws


async def test_another_verifier_ends_the_try(town: Town) -> None:
    browser = town.browser()
    back = await back_from_phone(town, await begin(browser, Door.WEB_LINK))
    browser.cookies["__Host-tax-office-return"] = "A" * 43
    reply = await browser.get(back, headers=PAGE)
    assert reply.status == 403
    assert refusals.REFUSALS["return_other_browser"].to_do in reply.text
    assert "Not identified" in await see(browser)


async def test_a_refusal_comes_back_as_one(town: Town) -> None:
    browser = town.browser()
    await town.phone.open_link(link(await begin(browser, Door.WEB_LINK)))
    address = (await town.phone.refuse()).return_url
    assert address is not None
    led = urlsplit(address)
    assert "return_code" not in led.query
    reply = await browser.get(f"{led.path}?{led.query}", headers=PAGE)
    assert reply.status == 403
    assert "Refused on the phone" in reply.text
    assert "Refused on the phone" in await see(browser)


@pytest.mark.req("TW-53")
async def test_the_platforms_page_is_where_the_browser_goes(town: Town) -> None:
    browser = town.browser()
    led = await begin(browser, Door.REDIRECT)
    assert led.startswith(f"{town.country.platform_origin}/identify/")
    first = await browser.get("/", headers=PAGE)
    policy = first.header("content-security-policy") or ""
    assert f"form-action 'self' {town.country.platform_origin};" in policy
    assert led in await see(browser)


@pytest.mark.req("TW-48")
async def test_a_message_to_nobody_looks_the_same(town: Town) -> None:
    pages = []
    for number in (CHEN, NOBODY):
        browser = town.browser()
        await begin(browser, Door.PUSH, national_id=number)
        await town.country.instance.catch_up()
        pages.append(_masked(await see(browser)))
        pages.append(_masked(await see(browser, "/visit?resent=no")))
        assert (await send(browser, "/visit/resend")).header("location") == "/visit?resent=no"
    assert pages[:2] == pages[2:]
    assert "Message sent" in pages[0]
    [waiting] = await town.phone.waiting()
    assert waiting.domain == "taxoffice.localhost"


def _masked(page: str) -> str:
    """Without what differs between two visits of the same person, too."""
    page = re.sub(r'name="csrf_token" value="\w+"', "", page)
    return re.sub(r"\d{3} ?\d{3}|<span aria-hidden=\"true\">\d{3}</span>", "", page)


async def test_a_message_without_a_number_is_asked_for_it(town: Town) -> None:
    browser = town.browser()
    reply = await send(browser, "/", door="push", purpose="login")
    assert reply.status == 400
    assert "A message to the phone needs the number." in reply.text
    assert "__Host-tax-office" not in browser.cookies


async def test_who_cancels_reads_so_and_the_phone_hears_nothing_more(town: Town) -> None:
    browser = town.browser()
    page = await begin(browser, Door.WEB_LINK)
    assert (await send(town.browser(), "/visit/cancel")).status == 303
    assert "You cancelled" not in await see(browser), "somebody else's button"
    await send(browser, "/visit/cancel")
    assert "You cancelled" in await see(browser)
    with pytest.raises(Exception, match=r".") as refused:
        await town.phone.open_link(link(page))
    assert getattr(refused.value, "problem_code", "")


@pytest.mark.parametrize("door", ["fax", "QR", ""])
async def test_a_door_that_is_none_is_refused(town: Town, door: str) -> None:
    assert (await send(town.browser(), "/", door=door, purpose="login")).status == 400


def _rows() -> set[str]:
    tables: list[dict[Any, str]] = [doors.WAYS, doors.LEVELS, doors.EVIDENCE, doors.BACK_ENDS]  # type: ignore[list-item]
    said = {text for table in tables for text in table.values()}
    for row in doors.DOORS.values():
        said |= {row.title, row.text, row.button, row.step}
    single = [refusals.ENDED, refusals.FOREIGN, refusals.DOWN, refusals.TOO_SOON]
    for each in [*refusals.REFUSALS.values(), *refusals.BEGINNING.values(), *single]:
        said |= {each.title, each.happened, each.to_do}
    return said


@pytest.mark.parametrize("folder", ["ja", "zh_Hant"])
def test_every_row_is_translated(folder: str) -> None:
    path = Path(doors.__file__).parent / "locale" / folder / "messages.po"
    known = {each.id for each in read_po(BytesIO(path.read_bytes())) if each.string}
    assert _rows() - known == set()


@pytest.mark.parametrize(
    ("table", "names"),
    [
        (doors.DOORS, Door),
        (doors.WAYS, StatementDoor),
        (doors.LEVELS, BindingLevel),
        (doors.EVIDENCE, Evidence),
        (doors.BACK_ENDS, BackEnd),
    ],
)
def test_every_name_has_its_row(table: Any, names: Any) -> None:
    assert set(table) == set(names)
