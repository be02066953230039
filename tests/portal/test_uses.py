"""The pages of uses: what they show, the report, the files, and that nobody reads or reports somebody else's."""

import csv
import json
from collections.abc import Callable
from io import StringIO
from typing import Any

import pytest

from inkan.approvals import Opener
from inkan.audit import Actor, ActorKind
from inkan.client import Phone
from inkan.client.use_checks import verify_use
from inkan.kernel.ids import EventID, PersonID, PhoneID, new_id
from inkan.portal.pages.export import COLUMNS
from inkan.wire.session import Outcome
from portal.browsers import OWN, PROGRAM, Browser, body_of, csrf_of
from support.clock import StandingClock
from support.world import World

Another = Callable[[], Browser]
RIGHT_TO_LEFT = "\u202egnp.knab\u202c\u2066"
HOSTILE = f'<script>alert(1)</script>"{RIGHT_TO_LEFT}' + "W" * 180


@pytest.fixture
async def home(browser: Browser, phone: Phone) -> Browser:
    """陳怡君's browser, logged in."""
    await browser.log_in(phone)
    return browser


@pytest.fixture
async def person(world: World) -> PersonID:
    return (await world.citizen("chen")).person.id


async def use(world: World, person: str, **members: Any) -> str:
    """Write a usage record as a decision does."""
    detail: dict[str, Any] = {
        "session": "ses_a",
        "system": "sys_a",
        "relying_party": "Tax Office",
        "domain": "tax.example",
        "kind": "identify",
        "door": "qr",
        "contents": [],
        "claims": [],
    }
    outcome = members.pop("outcome", Outcome.OK)
    detail |= {"purpose": dict.fromkeys(("en", "ja", "zh-Hant"), "Log in")} | members
    note = world.platform.approvals.note_use
    return await world.platform.db.transact(
        note,
        opener=Opener(phone=PhoneID(new_id("ph")), person=PersonID(person)),
        outcome=outcome,
        detail=detail,
        event=await world.platform.db.transact(recorded, world, person),
    )


def recorded(world: World, person: str) -> Any:
    """Step: an event that the record names."""
    event: EventID = yield from world.platform.audit.record(
        "identification.session_decided", actor=Actor(ActorKind.PERSON, person), subject=person
    )
    return event


async def newest(world: World, person: PersonID) -> str:
    return (await world.platform.identification.records(person, before=None))[0].id


# --- the list and one of them ------------------------------------------------------------------------------


@pytest.mark.req("TW-38")
async def test_a_use_tells_everything_of_itself(
    home: Browser, world: World, phone: Phone, person: PersonID, clock: StandingClock
) -> None:
    clock.tick(61)
    agency = await world.agency()
    await world.identify(agency, phone, purpose="file_return")
    record = await newest(world, person)
    listed = body_of(await home.see("/my/records"))
    assert f'href="/my/records/{record}"' in listed
    page = body_of(await home.see(f"/my/records/{record}"))
    for text in (
        "Tax Office",
        "tax.example",
        "File a tax return",
        "You agreed",
        "April 1, 2026 09:01:01",  # to the second
        "my phone",
        "Identification",
        "Scanned code",
        "None: nothing ties your answer",
        "Your name and certificate",
        "The proof is being made",
        "I did not start this",
    ):
        assert text in page, text
    japanese = body_of(await home.see(f"/my/records/{record}?lang=ja"))
    assert "コードの読み取り" in japanese


@pytest.mark.req("TW-38")
async def test_the_proof_is_shown_downloaded_and_holds(
    home: Browser, world: World, person: PersonID
) -> None:
    record = await newest(world, person)  # of the login itself
    assert (await home.see(f"/my/records/{record}/proof")).status == 503
    await world.platform.audit.sequence_once()
    await world.platform.audit.sign_head()
    page = body_of(await home.see(f"/my/records/{record}"))
    assert f'href="/my/records/{record}/proof"' in page
    reply = await home.see(f"/my/records/{record}/proof")
    assert reply.header("content-disposition") == f'attachment; filename="inkan-use-{record}.json"'
    found = verify_use(reply.body, world.anchors)
    assert found.record.id == record
    assert found.is_opened


async def test_records_are_grouped_by_day_and_picked(
    home: Browser, world: World, person: PersonID, clock: StandingClock
) -> None:
    clock.tick(24 * 3600)
    await home.log_in(world.phones[0])
    await use(world, person, system="sys_b", relying_party="Bank", domain="bank.example")
    await use(world, person, system="sys_b", outcome=Outcome.REFUSED, relying_party="Bank")
    page = body_of(await home.see("/my/records"))
    days = [page.index(day) for day in (">April 2, 2026<", ">April 1, 2026<")]
    assert days == sorted(days)
    assert '<option value="sys_b">Bank' in page
    picked = body_of(await home.see("/my/records?system=sys_b&result=refused"))
    assert picked.count('href="/my/records/use_') == 1
    assert '<option value="sys_b" selected>' in picked
    assert body_of(await home.see("/my/records?system=sys_b")).count("/my/records/use_") == 2
    nothing = body_of(await home.see("/my/records?result=reported"))
    assert "There are no records here." in nothing
    assert (await home.see("/my/records?result=x")).status == 400


async def test_the_older_ones_stay_picked(home: Browser, world: World, person: PersonID) -> None:
    for number in range(55):
        await use(world, person, system="sys_b", contents=[f"number {number:02}."])
        await use(world, person, system="sys_c", contents=["another"])
    page = body_of(await home.see("/my/records?system=sys_b"))
    assert page.count("/my/records/use_") == 50
    older = page.partition('href="/my/records?below=')[2].partition('"')[0].replace("&amp;", "&")
    assert "system=sys_b" in older
    page = body_of(await home.see(f"/my/records?below={older}"))
    assert page.count("/my/records/use_") == 5
    assert "another" not in page


async def test_hostile_names_stay_text_in_their_own_direction(
    home: Browser, world: World, person: PersonID
) -> None:
    record = await use(world, person, relying_party=HOSTILE, contents=[HOSTILE])
    for path in ("/my", "/my/records", f"/my/records/{record}"):
        page = body_of(await home.see(path))
        assert "<script>alert" not in page
        for part in page.split(RIGHT_TO_LEFT)[:-1]:
            # Each stands in an element that keeps its direction to itself, or where no direction shows.
            opened = max(part.rfind("<bdi>"), part.rfind("<option"), part.rfind('class="unseen"'))
            assert opened > max(part.rfind("</bdi>"), part.rfind("</option>")), path


async def test_an_erased_use_shows_what_is_left(
    home: Browser, world: World, person: PersonID
) -> None:
    record = await newest(world, person)
    await world.platform.db.transact(world.platform.approvals.erase_records, person)
    page = body_of(await home.see(f"/my/records/{record}"))
    assert "erased" in page
    assert "You agreed" in page
    assert "id.localhost" not in page


# --- the report --------------------------------------------------------------------------------------------


async def test_a_use_is_reported_once_and_says_so(
    home: Browser, world: World, person: PersonID, clock: StandingClock
) -> None:
    record = await newest(world, person)
    path = f"/my/records/{record}"
    reply = await home.send(f"{path}/report", path)
    assert (reply.status, reply.header("location")) == (303, path)
    page = body_of(await home.see(path))
    assert "You reported this use" in page
    assert "<form" not in page  # nothing to report any more
    assert "reported" in body_of(await home.see("/my/records?result=reported"))
    clock.tick(60)
    assert (await home.send(f"{path}/report", "/login")).status == 303  # a second window
    assert body_of(await home.see(path)) == page
    assert (await world.events()).count("identification.use_reported") == 1


async def test_a_report_from_another_site_is_refused(
    home: Browser, world: World, person: PersonID
) -> None:
    path = f"/my/records/{await newest(world, person)}"
    token = csrf_of(await home.see(path))
    evil = OWN | {"origin": "https://evil.example", "sec-fetch-site": "cross-site"}
    tries: list[tuple[dict[str, str], dict[str, str]]] = [
        (evil, {"csrf_token": token}),
        (OWN, {"csrf_token": "0" * 64}),
        (OWN, {}),
    ]
    for headers, form in tries:
        reply = await home.post(f"{path}/report", headers=headers, form=form)
        assert reply.status == 403
    assert "You reported" not in body_of(await home.see(path))


async def test_a_get_reports_nothing(home: Browser, world: World, person: PersonID) -> None:
    path = f"/my/records/{await newest(world, person)}"
    assert (await home.see(f"{path}/report")).status in {404, 405}
    assert "You reported" not in body_of(await home.see(path))


async def test_somebody_elses_use_and_no_use_look_alike(
    home: Browser, another: Another, world: World, person: PersonID
) -> None:
    mine = await newest(world, person)
    other = another()
    lin = await world.bind("lin", phone=world.new_phone("phone of lin"))
    await other.log_in(lin)
    token = csrf_of(await other.see("/my"))
    seen = set()
    for record in (mine, "use_" + "a" * 32):
        path = f"/my/records/{record}"
        for target in (path, f"{path}/proof"):
            reply = await other.get(target, headers=PROGRAM)
            seen.add((reply.status, reply.json()["code"]))
        reply = await other.post(f"{path}/report", headers=PROGRAM, form={"csrf_token": token})
        seen.add((reply.status, reply.json()["code"]))
    assert seen == {(404, "record_not_found")}
    assert "You reported" not in body_of(await home.see(f"/my/records/{mine}"))


# --- the files ---------------------------------------------------------------------------------------------


@pytest.mark.req("TW-38")
async def test_all_records_are_taken_away_as_json(
    home: Browser, world: World, person: PersonID
) -> None:
    for number in range(230):
        await use(world, person, contents=[f"number {number:03}"])
    lin = (await world.citizen("lin")).person.id
    await use(world, lin, contents=["a secret of lin"])
    reply = await home.see("/my/records.json")
    assert reply.status == 200
    assert reply.header("content-disposition") == 'attachment; filename="inkan-records.json"'
    assert reply.header("cache-control") == "no-store"
    assert "a secret of lin" not in reply.text
    assert "陳怡君" not in reply.text
    taken = json.loads(reply.text)
    assert (taken["v"], taken["issuer"]) == (1, "http://id.localhost:8480")
    assert len(taken["records"]) == 231
    assert len({record["id"] for record in taken["records"]}) == 231
    [own] = [each for each in taken["records"] if each["relying_party"] == "Inkan"]
    assert own["phone"]["name"] == "my phone"
    assert set(COLUMNS) <= set(own)


async def test_all_records_are_taken_away_as_a_table(
    home: Browser, world: World, person: PersonID
) -> None:
    formula = '=HYPERLINK("https://evil.example","x")'
    for hostile in (formula, "@SUM(A1)", "+1", "-1", "\tx", "plain, with a comma", 'a "quote"'):
        await use(world, person, relying_party=hostile, contents=["a\r\nb"])
    reply = await home.see("/my/records.csv?lang=ja")
    assert reply.header("content-type") == "text/csv; charset=utf-8"
    text = reply.body.decode("utf-8-sig")
    table = list(csv.DictReader(StringIO(text, newline="")))
    assert list(table[0]) == list(COLUMNS)
    names = {row["relying_party"] for row in table}
    assert {f"'{formula}", "'@SUM(A1)", "'+1", "'-1", "'\tx", "plain, with a comma"} <= names
    assert all(cell[:1] not in set("=+-@\t\r") for row in table for cell in row.values() if cell)
    assert "Inkanのマイページへのログイン" in {row["purpose"] for row in table}


async def test_an_erased_record_is_taken_away_empty(
    home: Browser, world: World, person: PersonID
) -> None:
    await world.platform.db.transact(world.platform.approvals.erase_records, person)
    [record] = json.loads((await home.see("/my/records.json")).text)["records"]
    assert (record["relying_party"], record["session"], record["result"]) == (None, None, "ok")
    assert "id.localhost" not in (await home.see("/my/records.csv")).text


@pytest.mark.parametrize("path", ["/my/records.json", "/my/records.csv", "/my/records/use_x"])
async def test_nobody_is_led_to_the_login(browser: Browser, path: str) -> None:
    assert (await browser.see(path)).status == 303


async def test_nothing_but_refusals_comes_of_any_id(home: Browser) -> None:
    for tried in ("x", "%00", "..%2f", "A" * 2000, "%F0%9F%92%A9"):
        reply = await home.see(f"/my/records/{tried}")
        assert reply.status in {400, 404, 414}
