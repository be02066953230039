"""Known browsers: what an earlier return is worth at a later push (design §5.4, the paired-browser register)."""

import pytest

from identification.callers import PhoneCaller, SystemCaller, WebClient, code_of
from identification.doorways import RETURN, VERIFIER, all_doors, brought, hint_of, push, pushed
from inkan.client import Phone
from support.clock import StandingClock
from support.world import World


@pytest.fixture
async def office(world: World, web: WebClient, clock: StandingClock) -> SystemCaller:
    return await SystemCaller.registered(world, web, clock, "office", **all_doors())


BROWSER = "A" * 43


async def paired(office: SystemCaller, phone: Phone) -> None:
    made = await office.created(doors=["web_link"], browser=BROWSER, **{"return": RETURN})
    await phone.open_link(made["doors"]["web_link"]["url"])
    back = brought((await phone.approve()).return_url)
    body = {"verifier": VERIFIER, "return_code": back["return_code"]}
    await office.call("POST", f"/v1/sessions/{made['session']['id']}/redeem", body=body)


async def test_a_browser_is_known_after_a_return_and_lifts_the_level(
    world: World, office: SystemCaller, phone: Phone, caller: PhoneCaller
):
    await paired(office, phone)
    made = await push(office, browser=BROWSER, binding_min="paired")
    held = await pushed(world, phone, made["doors"]["push"]["code"])
    await phone.approve(held.id)
    seen = await office.read(made["session"]["id"])
    assert seen["binding"] == {"level": "paired", "evidence": ["code_entered", "paired_browser"]}
    [known] = await phone.browsers()
    assert known["relying_party"] == "Tax Office"
    path = f"/phone/v1/browsers/{known['id']}"
    gone = await caller.web.request("DELETE", path, headers={"dpop": caller.proof("DELETE", path)})
    assert gone.status_code == 204
    members = {"browser": BROWSER, "binding_min": "paired", "subject_hint": hint_of("chen")}
    assert code_of(await office.create(doors=["push"], **members)) == (403, "level_too_low")


async def test_a_browser_known_as_somebody_elses_lifts_nothing(
    world: World, office: SystemCaller, phone: Phone
):
    await paired(office, phone)
    lin = await world.bind("lin")
    made = await push(office, "lin", browser=BROWSER, binding_min="paired")
    held = await pushed(world, lin, made["doors"]["push"]["code"])
    await lin.approve(held.id)
    seen = await office.read(made["session"]["id"])
    assert seen["state"] == "presented"  # level_too_low, and veiled like every other bad end


async def test_a_browser_name_of_one_system_says_nothing_to_another(
    world: World, web: WebClient, clock: StandingClock, office: SystemCaller, phone: Phone
):
    await paired(office, phone)
    other = await SystemCaller.registered(world, web, clock, "other", **all_doors())
    members = {"browser": BROWSER, "binding_min": "paired", "subject_hint": hint_of("chen")}
    assert code_of(await other.create(doors=["push"], **members)) == (403, "level_too_low")
