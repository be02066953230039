"""The device grant over HTTP: what the device hears, and what the page demands of whoever types its code."""

import asyncio
import re
from typing import Any

import pytest

from federation.backchannel import CIBA, DEVICE, FAPI, ClientCaller, DevicePage, claims_of, error_of
from federation.keeping import answered_view, everything_kept
from identification.callers import WebClient
from inkan.client import Phone
from inkan.wire.authentication_context import value_of
from inkan.wire.binding import BindingLevel
from portal.browsers import body_of
from support.clock import StandingClock
from support.world import PLATFORM, World

PENDING = (400, "authorization_pending")


@pytest.fixture
async def client(world: World, web: WebClient, clock: StandingClock) -> ClientCaller:
    return await ClientCaller.registered(world, web, clock, "telly")


@pytest.fixture
def page(world: World) -> DevicePage:
    return DevicePage(world.instance.application)


async def confirmed(page: DevicePage, made: dict[str, Any]) -> str:
    """The path of the redirect page after the person said that the device is theirs."""
    reply = await page.say(made["user_code"])
    assert reply.status == 303, reply.text
    path = reply.header("location") or ""
    assert path.startswith("/identify/")
    return path


# --- the device --------------------------------------------------------------------------------------


@pytest.mark.behaviour("DEV-1")
async def test_a_device_gets_its_codes(client: ClientCaller) -> None:
    answer = await client.begin()
    assert answer.headers["cache-control"] == "no-store"
    made = answer.json()
    assert re.fullmatch(r"[A-Za-z0-9_-]{43}", made["device_code"])
    assert re.fullmatch(r"[BCDFGHJKLMNPQRSTVWXZ]{4}-[BCDFGHJKLMNPQRSTVWXZ]{4}", made["user_code"])
    assert made["verification_uri"] == f"{PLATFORM}/device"
    assert made["verification_uri_complete"] == f"{PLATFORM}/device?user_code={made['user_code']}"
    assert (made["expires_in"], made["interval"]) == (600, 5)
    assert (await client.begun())["user_code"] != made["user_code"]


@pytest.mark.behaviour("DEV-2")
async def test_a_device_waits_and_a_hasty_one_waits_longer(
    client: ClientCaller, clock: StandingClock
) -> None:
    made = await client.begun()
    assert error_of(await client.poll(made)) == PENDING
    clock.tick(2)
    assert error_of(await client.poll(made)) == (400, "slow_down")
    clock.tick(6)
    assert error_of(await client.poll(made)) == (400, "slow_down")
    clock.tick(15)
    assert error_of(await client.poll(made)) == PENDING


@pytest.mark.behaviour("DEV-3")
async def test_the_person_confirms_answers_and_the_device_goes_on(
    client: ClientCaller, page: DevicePage, phone: Phone, clock: StandingClock
) -> None:
    made = await client.begun()
    path = await confirmed(page, made)
    assert error_of(await client.poll(made)) == PENDING
    back = await page.answer(phone, path)
    clock.tick(5)
    assert error_of(await client.poll(made)) == PENDING
    assert "Your device goes on by itself" in (await page.see(back)).text
    clock.tick(5)
    answer = await client.poll(made)
    assert answer.status_code == 200, answer.text
    assert claims_of(answer.json()["id_token"])["sub"]


@pytest.mark.behaviour("DEV-4")
async def test_a_code_is_collected_once_and_by_its_own_client(
    world: World, client: ClientCaller, page: DevicePage, phone: Phone, clock: StandingClock
) -> None:
    made = await client.begun()
    await page.see(await page.answer(phone, await confirmed(page, made)))
    thief = await ClientCaller.registered(world, client.web, clock, "thief")
    assert error_of(await thief.poll(made)) == (400, "invalid_grant")
    assert (await client.poll(made)).status_code == 200
    clock.tick(5)
    assert error_of(await client.poll(made)) == (400, "invalid_grant")
    unknown = {"device_code": "x" * 43}
    assert error_of(await client.poll(unknown)) == (400, "invalid_grant")


@pytest.mark.behaviour("DEV-5")
async def test_a_code_that_nobody_typed_expires(
    client: ClientCaller, page: DevicePage, clock: StandingClock
) -> None:
    made = await client.begun()
    clock.tick(600)
    assert (await page.type(made["user_code"])).status == 404
    assert error_of(await client.poll(made)) == (400, "expired_token")


@pytest.mark.behaviour("DEV-6")
async def test_only_a_registered_client_without_fapi_has_devices(
    world: World, client: ClientCaller, clock: StandingClock
) -> None:
    flaws: list[dict[str, Any]] = [
        {"grant_types": [CIBA]},
        FAPI,
        {"grant_types": [CIBA], "system": {"doors": ["push"]}},
        {"system": {"openid": None}},
    ]
    for number, flaw in enumerate(flaws):
        other = await ClientCaller.registered(world, client.web, clock, f"other-{number}", **flaw)
        assert error_of(await other.begin()) == (400, "unauthorized_client")
        refused = await other.token({"grant_type": DEVICE, "device_code": "x" * 43})
        assert error_of(refused) == (400, "unauthorized_client")


@pytest.mark.behaviour("DEV-7")
async def test_a_device_names_its_scope_and_its_client_proves_itself(
    client: ClientCaller,
) -> None:
    assert error_of(await client.begin(scope=None)) == (400, "invalid_request")
    assert error_of(await client.begin(scope="profile")) == (400, "invalid_scope")
    bare = await client.send("/device_authorization", {"scope": "openid", "client_id": "telly"})
    assert error_of(bare)[0] in (400, 401)
    assert (await client.web.get("/device_authorization")).status_code == 405


@pytest.mark.behaviour("DEV-8")
async def test_both_codes_are_kept_as_hashes(world: World, client: ClientCaller) -> None:
    made = await client.begun()
    kept = await everything_kept(world)
    assert "grant_begun" in kept
    for code in (made["device_code"], made["user_code"], made["user_code"].replace("-", "")):
        assert code not in kept


@pytest.mark.behaviour("DEV-9")
async def test_a_devices_answer_has_the_lowest_level_whatever_the_browser_showed(
    world: World, client: ClientCaller, page: DevicePage, phone: Phone
) -> None:
    made = await client.begun()
    path = await confirmed(page, made)
    await page.send(path, path, way="link")
    [address] = re.findall(r'href="(http://wallet[^"]+)"', (await page.see(path)).text)
    await phone.open_link(address)
    await phone.approve()
    await page.see(await page.led_back(path))
    told = claims_of((await client.poll(made)).json()["id_token"])
    assert told["acr"] == value_of(BindingLevel.NONE)
    view = await answered_view(world, made["device_code"])
    assert view["door"] == "redirect/open"
    assert view["binding"] == {"level": "none", "evidence": []}


@pytest.mark.behaviour("DEV-10")
async def test_of_two_polls_at_once_one_collects(
    client: ClientCaller, page: DevicePage, phone: Phone
) -> None:
    made = await client.begun()
    await page.see(await page.answer(phone, await confirmed(page, made)))
    answers = await asyncio.gather(client.poll(made), client.poll(made))
    assert sorted(answer.status_code for answer in answers) == [200, 400]


# --- the page ----------------------------------------------------------------------------------------


@pytest.mark.behaviour("DEV-20")
async def test_a_code_in_the_address_only_fills_the_form(
    client: ClientCaller, page: DevicePage
) -> None:
    made = await client.begun()
    path = made["verification_uri_complete"].removeprefix(PLATFORM)
    shown = await page.see(path)
    assert shown.status == 200
    assert f'value="{made["user_code"]}"' in shown.text
    assert "Tax Office" not in body_of(shown)
    assert error_of(await client.poll(made)) == PENDING
    assert (await page.type(made["user_code"])).status == 200


@pytest.mark.behaviour("DEV-21")
async def test_before_anything_is_asked_the_page_says_who_asks_and_warns(
    client: ClientCaller, page: DevicePage
) -> None:
    made = await client.begun()
    body = body_of(await page.type(made["user_code"]))
    for text in ("Tax Office", "tax.example", "Log in", "If somebody sent you the code"):
        assert text in body
    assert made["user_code"].split("-")[0] in body
    assert error_of(await client.poll(made)) == PENDING


@pytest.mark.behaviour("DEV-22")
async def test_whoever_says_that_it_is_not_their_device_ends_it(
    client: ClientCaller, page: DevicePage
) -> None:
    made = await client.begun()
    reply = await page.say(made["user_code"], "not_mine")
    assert "The device was not connected" in reply.text
    assert error_of(await client.poll(made)) == (400, "access_denied")
    assert (await page.type(made["user_code"])).status == 404


@pytest.mark.behaviour("DEV-23")
async def test_a_code_that_no_device_shows_gets_one_answer(
    world: World, client: ClientCaller, page: DevicePage
) -> None:
    bodies = set()
    for typed in ("BCDF-GHJK", "", "aeiou", "x" * 32, "<b>"):
        reply = await page.type(typed)
        assert reply.status == 404
        bodies.add(re.sub(r'value="[^"]*"', "", body_of(reply)))
    assert len(bodies) == 1
    made = await client.begun()
    await world.platform.relying_parties.suspend("telly")
    assert (await page.type(made["user_code"])).status == 404
    assert (await page.say(made["user_code"])).status == 404


@pytest.mark.behaviour("DEV-24")
async def test_tries_are_limited(world: World, page: DevicePage) -> None:
    heard = [(await page.type("BCDF-GHJK")).status for _ in range(11)]
    assert heard == [404] * 10 + [429]
    elsewhere = DevicePage(world.instance.application, address="198.51.100.9")
    assert (await elsewhere.type("BCDF-GHJK")).status == 404


@pytest.mark.behaviour("DEV-25")
async def test_a_code_is_typed_as_people_type(client: ClientCaller, page: DevicePage) -> None:
    made = await client.begun()
    small = made["user_code"].lower()
    for typed in (small, small.replace("-", ""), small.replace("-", " "), f" {small} "):
        assert (await page.type(typed)).status == 200
    assert (await page.type(made["user_code"] + "B")).status == 404


@pytest.mark.behaviour("DEV-26")
async def test_a_device_is_taken_by_one_browser(
    world: World, client: ClientCaller, page: DevicePage
) -> None:
    made = await client.begun()
    path = await confirmed(page, made)
    assert await confirmed(page, made) == path
    other = DevicePage(world.instance.application, address="198.51.100.9")
    assert (await other.say(made["user_code"])).status == 404
    assert (await other.say(made["user_code"], "not_mine")).status == 404


@pytest.mark.behaviour("DEV-27")
async def test_the_answer_is_brought_back_by_the_browser_that_confirmed(
    world: World, client: ClientCaller, page: DevicePage, phone: Phone
) -> None:
    made = await client.begun()
    back = await page.answer(phone, await confirmed(page, made))
    other = DevicePage(world.instance.application, address="198.51.100.9")
    assert (await other.see(back)).status == 404
    assert error_of(await client.poll(made)) == PENDING
    assert (await page.see(back)).status == 200
    client.clock.tick(5)
    assert (await client.poll(made)).status_code == 200


@pytest.mark.behaviour("DEV-28")
async def test_who_goes_back_without_an_answer_has_refused(
    client: ClientCaller, page: DevicePage
) -> None:
    made = await client.begun()
    back = await page.led_back(await confirmed(page, made))
    assert "The device was not connected" in (await page.see(back)).text
    assert error_of(await client.poll(made)) == (400, "access_denied")


@pytest.mark.behaviour("DEV-29")
async def test_a_return_that_was_bent_gives_nothing(
    client: ClientCaller, page: DevicePage, phone: Phone
) -> None:
    made = await client.begun()
    back = await page.answer(phone, await confirmed(page, made))
    session, _, _ = back.partition("&return_code=")
    assert (await page.see("/device/done")).status == 404
    assert (await page.see("/device/done?session=ses_x&return_code=y")).status == 404
    bent = await page.see(f"{session}&return_code={'A' * 43}")
    assert "The device was not connected" in bent.text
    client.clock.tick(5)
    assert error_of(await client.poll(made)) == (400, "access_denied")


@pytest.mark.behaviour("DEV-30")
async def test_forms_of_other_sites_are_refused(client: ClientCaller, page: DevicePage) -> None:
    made = await client.begun()
    await page.see("/device")
    for path, form in {
        "/device": {"user_code": made["user_code"]},
        "/device/confirm": {"user_code": made["user_code"], "say": "mine"},
    }.items():
        reply = await page.post(path, headers={"origin": "https://evil.example"}, form=form)
        assert reply.status == 403
    assert error_of(await client.poll(made)) == PENDING


@pytest.mark.behaviour("DEV-31")
@pytest.mark.parametrize(
    ("lang", "words"),
    [
        ("en", "Is this your device?"),
        ("ja", "これはご自分の機器ですか"),
        ("zh-Hant", "這是您的裝置嗎？"),
    ],
)
async def test_the_page_speaks_three_languages(
    client: ClientCaller, page: DevicePage, lang: str, words: str
) -> None:
    made = await client.begun()
    await page.see(f"/device?lang={lang}")
    assert words in (await page.type(made["user_code"])).text


@pytest.mark.behaviour("DEV-32")
async def test_with_too_little_time_left_nobody_is_asked(
    client: ClientCaller, page: DevicePage, clock: StandingClock
) -> None:
    made = await client.begun()
    clock.tick(571)
    assert (await page.say(made["user_code"])).status == 404
