"""The validity check by serial number and by file, as a browser without scripts and as an attacker see it."""

import re
from datetime import timedelta

import pytest

from inkan.audit import Actor, ActorKind
from inkan.pki import RevocationReason, store
from pki.hands import on_sqlite, order
from pki.page_forms import OWN, TOKEN, issued, send, text_of, token
from support import pki
from support.asgi import Client, Reply
from support.clock import StandingClock
from support.world import PLATFORM, World

OFFICER = Actor(ActorKind.OPERATOR, "test")

pytestmark = on_sqlite


@pytest.fixture
def browser(world: World) -> Client:
    return Client(world.instance.application, PLATFORM)


async def ask(
    browser: Client, serial: str, *, authority: str = "card", language: str = "en"
) -> Reply:
    form = {
        "csrf_token": await token(browser, "/certificates/status"),
        "authority": authority,
        "serial": serial,
    }
    lines = OWN | {"accept-language": language}
    return await browser.post("/certificates/status", headers=lines, form=form)


@pytest.mark.req("JPKI-27", "JPKI-35")
@pytest.mark.parametrize(
    ("language", "valid", "revoked", "why"),
    [
        (
            "en",
            "This certificate is valid",
            "This certificate was revoked",
            "It was replaced by another one",
        ),
        (
            "ja",
            "この証明書は有効です",
            "この証明書は失効しています",
            "別の証明書に置き換えられました",
        ),
        ("zh-Hant", "此憑證有效", "此憑證已廢止", "已由另一張憑證取代"),
    ],
)
async def test_the_state_is_told_in_words(
    world: World,
    browser: Client,
    clock: StandingClock,
    language: str,
    valid: str,
    revoked: str,
    why: str,
) -> None:
    made = await issued(world)
    spaced = " ".join(made.serial[n : n + 2] for n in range(0, len(made.serial), 2)).upper()
    assert valid in text_of(await ask(browser, spaced, language=language))
    clock.tick(60)
    reason = RevocationReason.SUPERSEDED
    platform = world.platform
    await platform.db.transact(platform.pki.revoke, made.id, reason=reason, actor=OFFICER)
    seen = text_of(await ask(browser, made.serial, language=language))
    assert revoked in seen
    assert why in seen
    assert f"{PLATFORM}/ocsp/card" in seen
    assert f"{PLATFORM}/crl/card.crl" in seen


async def test_a_suspended_and_an_expired_certificate(
    world: World, browser: Client, clock: StandingClock
) -> None:
    first, second = await issued(world, 1), await issued(world, 2)
    platform = world.platform
    await platform.db.transact(platform.pki.suspend, first.id, actor=OFFICER)
    assert "This certificate is suspended" in text_of(await ask(browser, first.serial))
    clock.advance(second.not_after - clock.now() + timedelta(seconds=1))
    assert "This certificate has expired" in text_of(await ask(browser, second.serial))


async def test_unknown_and_never_finished_get_one_answer(world: World, browser: Client) -> None:
    platform = world.platform
    reserved = await platform.db.transact(platform.pki.order, order(world, 3))

    def row() -> object:
        return (yield store.BY_ID.one(key=reserved))

    never_signed = (await platform.db.read(row)).serial
    never_drawn = f"{int(never_signed, 16) ^ 1:x}"
    answers = set()
    for serial in (never_signed, never_drawn):
        reply = await ask(browser, serial)
        seen = re.sub(r"(?:[0-9A-F]{2}\s*:\s*)+[0-9A-F]{2}", "SERIAL", text_of(reply))
        answers.add((reply.status, seen))
    ((status, seen),) = answers
    assert status == 200
    assert "No such certificate is known" in seen


async def test_the_authorities_own_certificates_have_a_state_too(
    world: World, browser: Client
) -> None:
    der = world.platform.pki.hierarchy.get("card").certificate
    reply = await send(browser, "/certificates/status", file=der)
    assert "This certificate is valid" in text_of(reply)
    assert "Inkan Test Root CA" in text_of(reply)


async def test_a_certificate_that_only_names_our_authority_says_nothing_of_ours(
    world: World, browser: Client
) -> None:
    made = await issued(world)
    name = pki.parse_certificate(world.platform.pki.hierarchy.get("card").certificate).subject
    forger = pki.Authority.root()
    forged = pki._certificate(
        name, name, forger.key, forger.key, serial=int(made.serial, 16), aki=bytes(20)
    )
    assert "This certificate is valid" in text_of(
        await send(browser, "/certificates/status", file=made.der)
    )
    reply = await send(browser, "/certificates/status", file=forged.der)
    assert "This certificate was not issued here" in text_of(reply)


@pytest.mark.parametrize("serial", ["", "hello", "1" * 41, "<script>"])
async def test_a_wrong_serial_number_is_told_at_its_field(browser: Client, serial: str) -> None:
    reply = await ask(browser, serial)
    assert reply.status == 400
    assert 'aria-invalid="true"' in reply.text
    assert "<script>" not in reply.text.partition("<main")[2]


async def test_an_unknown_authority_is_told_on_the_page(browser: Client) -> None:
    reply = await ask(browser, "ab", authority="nobody")
    assert reply.status == 404
    assert TOKEN.search(reply.text)
    signer = await ask(browser, "ab", authority="card-ocsp")
    assert "No such certificate is known" in text_of(signer)


async def test_who_asks_too_often_is_slowed_down(browser: Client) -> None:
    replies = [(await browser.get("/certificates/status", headers=OWN)).status for _ in range(32)]
    assert replies.count(200) == 30
    assert replies[-1] == 429
    assert (await browser.get("/ca", headers=OWN)).status == 200


async def test_no_serial_number_can_be_put_into_an_address(world: World, browser: Client) -> None:
    made = await issued(world)
    reply = await browser.get(
        f"/certificates/status?serial={made.serial}&authority=card", headers=OWN
    )
    assert "This certificate is valid" not in reply.text
