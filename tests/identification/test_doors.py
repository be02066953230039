"""Five doors into one session: each opens, says how it was opened, and reaches the level that its evidence carries."""

from typing import Any

import pytest

from identification.answers import frame_of
from identification.callers import PhoneCaller, SystemCaller, WebClient, code_of
from identification.doorways import (
    BINDING,
    EVERY_DOOR,
    RETURN,
    RETURN_URL,
    VERIFIER,
    all_doors,
    brought,
    hint_of,
    pushed,
)
from inkan.client import CallRefused, Phone
from inkan.crypto import jose
from inkan.identification.rules import DOORS, Opening, way_of
from inkan.wire.binding import Door, StatementDoor
from inkan.wire.receipt import RECEIPT_TYP, parse_receipt
from support.clock import StandingClock
from support.world import PURPOSES, World


@pytest.fixture
async def office(world: World, web: WebClient, clock: StandingClock) -> SystemCaller:
    return await SystemCaller.registered(world, web, clock, "office", **all_doors())


def test_every_door_has_a_row_and_every_way_of_a_statement_is_reached_by_one():
    assert DOORS.keys() == set(Door)
    ways = {way for rule in DOORS.values() for way in rule.openings.values()}
    assert ways == set(StatementDoor)
    assert all(way.door == door for door, rule in DOORS.items() for way in rule.openings.values())
    assert way_of(Opening.LINK, [Door.QR]) is None
    assert way_of(Opening.FRAME, [Door.PUSH, Door.QR]) is StatementDoor.QR


@pytest.mark.req("TW-40")
@pytest.mark.req("TW-59")
@pytest.mark.req("TW-60")
@pytest.mark.parametrize("door", ["web_link", "app_link"])
async def test_an_address_opens_returns_and_is_redeemed(office: SystemCaller, phone: Phone, door):
    made = await office.created(doors=[door], **{"return": RETURN, "binding_min": "returned"})
    session = made["session"]["id"]
    held = await phone.open_link(made["doors"][door]["url"])
    assert (await office.read(session))["state"] == "opened"
    decision = await phone.approve(held.id)
    back = brought(decision.return_url)
    assert back["session"] == session
    waiting = await office.read(session)
    assert (waiting["state"], waiting["next"]["action"]) == ("decided", "redeem")
    withheld = ("outcome", "subject", "binding", "door", "decided_at", "reason", "match", "young")
    assert [waiting[name] for name in withheld] == [None] * len(withheld)
    seen = await redeem(office, session, back["return_code"])
    assert (seen["state"], seen["outcome"], seen["door"]) == ("closed", "ok", door)
    assert seen["binding"] == {"level": "returned", "evidence": ["redeemed"]}
    assert seen["subject"]["person_ref"]


async def redeem(office: SystemCaller, session: str, return_code: str | None) -> dict[str, Any]:
    body = {"verifier": VERIFIER, "return_code": return_code}
    answer = await office.call("POST", f"/v1/sessions/{session}/redeem", body=body)
    assert answer.status_code == 200, answer.text
    seen: dict[str, Any] = answer.json()
    return seen


@pytest.mark.req("TW-46")
@pytest.mark.req("TW-50")
async def test_a_push_opens_by_the_code_of_the_page(
    world: World, office: SystemCaller, phone: Phone
):
    made = await office.created(doors=["push"], subject_hint=hint_of("chen"), binding_min="matched")
    door = made["doors"]["push"]
    assert len(door["code"]) == 6
    assert door["code"].isdigit()
    held = await pushed(world, phone, door["code"])
    assert (await office.read(made["session"]["id"]))["state"] == "presented"
    decision = await phone.approve(held.id)
    assert decision.return_url is None
    seen = await office.read(made["session"]["id"])
    assert (seen["outcome"], seen["match"], seen["door"]) == ("ok", True, "push")
    assert seen["binding"] == {"level": "matched", "evidence": ["code_entered"]}


async def test_the_receipt_says_the_door_and_the_level(office: SystemCaller, phone: Phone):
    made = await office.created(doors=["web_link"], **{"return": RETURN})
    await phone.open_link(made["doors"]["web_link"]["url"])
    back = brought((await phone.approve()).return_url)
    await redeem(office, made["session"]["id"], back["return_code"])
    path = f"/v1/sessions/{made['session']['id']}/receipt"
    jws = (await office.call("GET", path)).text
    receipt = parse_receipt(jose.parse_compact(jws, typ=RECEIPT_TYP, required=("x5c",)).payload)
    assert (receipt.door, receipt.binding.level) == ("web_link", "returned")
    assert receipt.binding.evidence == ("redeemed",)


async def test_a_code_with_a_return_is_bound_to_the_browser(office: SystemCaller, phone: Phone):
    made = await office.created(doors=["qr"], **{"return": RETURN})
    await phone.open_frame(frame_of(made["doors"]["qr"]))
    assert (await phone.approve()).return_url is None  # the phone is not the browser that asked
    seen = await redeem(office, made["session"]["id"], None)
    assert seen["binding"] == {"level": "none", "evidence": ["browser_bound"]}


async def test_several_doors_lead_to_one_question_and_the_first_opener_has_it(
    world: World, office: SystemCaller, phone: Phone
):
    lin = await world.bind("lin")
    made = await office.created(
        doors=["qr", "web_link"], subject_hint=hint_of("chen"), **{"return": RETURN}
    )
    held = await phone.open_frame(frame_of(made["doors"]["qr"]))
    for rival in (
        lin.open_frame(frame_of(made["doors"]["qr"])),
        lin.open_link(made["doors"]["web_link"]["url"]),
    ):
        with pytest.raises(CallRefused, match="already opened"):
            await rival
    again = await phone.open_link(made["doors"]["web_link"]["url"])
    assert again.id == held.id
    assert b'"door":"qr"' in again.draft  # the door is fixed by the first opening


@pytest.mark.req("TW-45")
async def test_what_a_door_demands(office: SystemCaller):
    refused = {
        "return missing": ({"doors": ["web_link"]}, (400, "malformed")),
        "nobody named": ({"doors": ["push"]}, (400, "malformed")),
        "not alone": ({"doors": ["redirect", "qr"], "return": RETURN}, (400, "malformed")),
        "two returns": ({"doors": ["web_link", "app_link"], "return": RETURN}, (400, "malformed")),
        "beside a push to a named person": (
            {"doors": ["push", "qr"], "subject_hint": hint_of("chen")},
            (400, "malformed"),
        ),
        "twice": ({"doors": ["qr", "qr"]}, (400, "malformed")),
        "too long": ({"doors": ["qr"], "expires_in": 181}, (400, "malformed")),
        "level": ({"doors": ["qr"], "binding_min": "matched"}, (403, "level_too_low")),
        "level of a link": (
            {"doors": ["web_link"], "return": RETURN, "binding_min": "strong"},
            (403, "level_too_low"),
        ),
        "paired but unknown": (
            {"doors": ["push"], "subject_hint": hint_of("chen"), "binding_min": "paired"},
            (403, "level_too_low"),
        ),
    }
    for name, (members, expected) in refused.items():
        assert code_of(await office.create(**members)) == expected, name
    longer = await office.created(doors=["push"], subject_hint=hint_of("chen"), expires_in=600)
    path = f"/v1/sessions/{longer['session']['id']}/doors/qr"
    assert code_of(await office.call("POST", path, body={})) == (400, "malformed")


@pytest.mark.req("TW-63")
async def test_a_door_that_the_registration_does_not_name_is_shut(
    world: World, web: WebClient, clock: StandingClock
):
    system = await SystemCaller.registered(world, web, clock, "small", **all_doors(doors=["qr"]))
    for door in set(EVERY_DOOR) - {"qr"}:
        members = {"doors": [door], "return": RETURN, "subject_hint": hint_of("chen")}
        assert code_of(await system.create(**members)) == (403, "door_not_registered"), door


_TRICKS = [
    RETURN_URL + "/",
    RETURN_URL + "?x=1",
    RETURN_URL + "#x",
    RETURN_URL.upper(),
    RETURN_URL.replace("https", "http"),
    RETURN_URL.replace("tax.example", "TAX.example"),
    RETURN_URL.replace("tax.example", "tax.example."),
    RETURN_URL.replace("tax.example", "tax.example:443"),
    RETURN_URL.replace("tax.example", "tax.example@evil.example"),
    RETURN_URL.replace("tax.example", "evil.example"),
    RETURN_URL.replace("/return", "/a/../return"),
    RETURN_URL.replace("/return", "//return"),
    RETURN_URL.replace("/return", "/%72eturn"),
    RETURN_URL.replace("tax", "tａx"),
    " " + RETURN_URL,
    RETURN_URL + " ",
    RETURN_URL + "\n",
    "javascript:alert(1)//" + RETURN_URL,
    "//tax.example/return",
    "/return",
    "",
]


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_only_the_registered_address_letter_by_letter(office: SystemCaller):
    for url in _TRICKS:
        members = {"doors": ["web_link"], "return": {"url": url, "binding": BINDING}}
        assert code_of(await office.create(**members)) == (403, "origin_not_registered"), url


async def test_an_address_is_worth_one_opening_and_no_guess(
    office: SystemCaller, caller: PhoneCaller, world: World, phone: Phone
):
    made = await office.created(doors=["web_link"], **{"return": RETURN})
    url = made["doors"]["web_link"]["url"]
    body = {"lang": "en", "link": url[:-1] + ("a" if url[-1] != "a" else "b")}
    path = "/phone/v1/approvals/open"
    assert code_of(await caller.post(path, body)) == (409, "link_reused")
    for wrong in ("https://evil.example/l#1.ln_x", url.replace("/l#", "/q#"), url + "?", ""):
        assert code_of(await caller.post(path, {"lang": "en", "link": wrong})) == (
            400,
            "link_malformed",
        )
    held = await phone.open_link(url)
    await phone.give_back(held.id)
    assert code_of(await caller.post(path, {"lang": "en", "link": url})) == (409, "link_reused")
    again = await office.call(
        "POST", f"/v1/sessions/{made['session']['id']}/doors/web_link", body={}
    )
    assert again.json()["url"] != url
    await phone.open_link(again.json()["url"])


async def test_exactly_one_thing_opens(caller: PhoneCaller):
    for body in (
        {},
        {"frame": "x", "link": "y"},
        {"frame": "x", "code": "123456"},
        {"link": "x", "code": "123456"},
        {"code": "123456"},
    ):
        answer = await caller.post("/phone/v1/approvals/open", {"lang": "en", **body})
        assert code_of(answer) == (400, "malformed"), body


def test_purposes_of_the_tests_stand():
    assert {purpose["code"] for purpose in PURPOSES} >= {"login", "approve_payment"}
