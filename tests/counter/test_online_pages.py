"""The online window before browsers of this process: what it shows, what it refuses, what it never takes."""

import hashlib
import html
import json
import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from client.card_kinds import personalise
from counter.online_hands import MadeCard, counter_card, make_card
from inkan.composition.routes import PAGED
from inkan.counter.pages import online, online_reading
from inkan.counter.pages.online_parts import OnlineWindow
from inkan.counter.pages.online_revoke import CAUSES, ONLINE_COOKIE
from inkan.counter.rules.online import ONLINE_CAUSES
from inkan.counter.rules.terms import TERMS
from inkan.counter.store.tables import challenge, office
from inkan.crypto import base64url
from inkan.crypto.keys import KeySpec
from inkan.kernel.ids import new_id
from inkan.pki import CertificateState, RevocationReason
from inkan.store.connect import database as database_of
from inkan.store.database import MOMENT, Step
from inkan.store.query import Query, insert_row
from inkan.web.languages import Language
from inkan.web.templates import Templates
from portal.browsers import OWN, PROGRAM, Browser, body_of, csrf_of
from support.asgi import Reply
from support.clock import StandingClock
from support.world import CLERK, World, world_on

FOLDER = Path(online.__file__).parents[1]
READ = (
    "/online",
    "/online/prepare",
    "/online/pin",
    "/online/readers",
    "/online/terms",
    "/online/inquiries",
)
_MSGID = re.compile(r"_\(\"((?:[^\"\\]|\\.)*)\"")
_CHALLENGES = Query(sa.select(challenge.c.purpose))


@pytest.fixture
async def world(sqlite_url: str, clock: StandingClock, tmp_path: Path) -> AsyncIterator[World]:
    db = database_of(sqlite_url, clock=clock)
    await db.open()
    async with world_on(db, clock, tmp_path) as made:
        yield made
    await db.close()


@pytest.fixture
def browser(world: World) -> Browser:
    return Browser(world.instance.application)


async def begin(browser: Browser, der: bytes, **changed: str) -> Reply:
    """What the page's script asks before the card signs."""
    token = csrf_of(await browser.see("/online/revoke"))
    form = {
        "csrf_token": token,
        "cause": "no_longer_needed",
        "accepted": "yes",
        "certificate": base64url.encode(der),
        **changed,
    }
    return await browser.post("/online/revoke/begin", headers=PROGRAM, form=form)


async def begun(browser: Browser, card: MadeCard) -> bytes:
    """What the card signs after a good beginning."""
    reply = await begin(browser, card.signature.der)
    assert reply.status == 200, reply.text
    given = json.loads(reply.text)
    return card.sign(base64url.decode(given["content"]), given["content_type"])


async def send(browser: Browser, cms: bytes) -> Reply:
    return await browser.send(
        "/online/revoke", "/online/revoke", cause="no_longer_needed", cms=base64url.encode(cms)
    )


def texts(reply: Reply) -> str:
    return html.unescape(re.sub(r"<[^>]+>", " ", body_of(reply)))


@pytest.mark.req("JPKI-41")
async def test_the_window_leads_to_everything(browser: Browser) -> None:
    shown = await browser.see("/online")
    for path in (*READ[1:], "/online/revoke", "/online/validity", "/online/card", "/ca/handbook"):
        assert f'href="{path}"' in shown.text
        assert (await browser.see(path)).status == 200


@pytest.mark.req("JPKI-17", "JPKI-06", "JPKI-30")
async def test_what_to_prepare_and_how_to_guard_it(browser: Browser) -> None:
    shown = body_of(await browser.see("/online/prepare"))
    assert shown.count("<li><strong>") == 5
    assert "counts like your seal" in shown
    assert "tell it to nobody" in shown
    advice = texts(await browser.see("/online/pin"))
    for word in ("birthday", "telephone number", "Tell it to nobody", "from time to time"):
        assert word in advice


@pytest.mark.req("JPKI-18")
async def test_the_list_of_readers_says_what_was_tried(browser: Browser) -> None:
    listed = online_reading.readers().reader
    shown = texts(await browser.see("/online/readers"))
    assert all(each.name in shown for each in listed)
    tried = [each.name for each in listed if each.tried is online_reading.Tried.YES]
    assert tried == ["Virtual PCD (vpcd)"], "whoever tries a reader changes the sentence below too"
    assert "No reader that can be bought has been tried by us so far." in shown


@pytest.mark.req("JPKI-07")
@pytest.mark.parametrize("language", list(Language))
async def test_the_terms_are_those_that_are_accepted_at_a_counter(
    browser: Browser, language: Language
) -> None:
    shown = texts(await browser.see("/online/terms", **{"accept-language": language.value}))
    assert TERMS.version in shown
    for line in TERMS.text[language.value].split("\n"):
        assert line.strip().replace("：", ":").partition(":")[2].strip() in shown.replace("：", ":")


@pytest.mark.req("JPKI-41")
async def test_inquiries_go_to_the_offices(world: World, browser: Browser) -> None:
    assert "No office is listed yet" in (await browser.see("/online/inquiries")).text
    await world.platform.db.transact(_add_office, world)
    shown = (await browser.see("/online/inquiries")).text
    assert "Chiyoda &lt;1&gt;" in shown
    assert 'href="tel:+81-3-0000-0000"' in shown


@pytest.mark.req("JPKI-26")
async def test_a_revocation_begins_and_ends(world: World, browser: Browser) -> None:
    card = await counter_card(world)
    cms = await begun(browser, card)
    reply = await send(browser, cms)
    assert reply.status == 200
    assert "The certificates have ended" in reply.text
    for each in card.certificates.values():
        assert each.serial.upper() in texts(reply).replace(":", "").replace(" ", "")
    again = await send(browser, cms)
    assert again.status == 403
    assert "was revoked" in again.text


async def test_it_is_the_browser_that_asked(world: World, browser: Browser) -> None:
    card = await make_card(world)
    cms = await begun(browser, card)
    assert browser.cookies[ONLINE_COOKIE]
    other = Browser(world.instance.application)
    reply = await send(other, cms)
    assert reply.status == 409
    found = await world.platform.pki.find_by_serial(card.signature.authority, card.signature.serial)
    assert found is not None
    assert found.state is CertificateState.VALID


async def test_a_form_of_another_site_is_refused(world: World, browser: Browser) -> None:
    card = await make_card(world)
    form = {
        "cause": "misused",
        "accepted": "yes",
        "certificate": base64url.encode(card.signature.der),
    }
    for headers in (
        PROGRAM,
        PROGRAM | {"origin": "https://evil.example", "sec-fetch-site": "cross-site"},
    ):
        reply = await browser.post("/online/revoke/begin", headers=headers, form=form)
        assert reply.status == 403
    assert await world.platform.db.scan(_challenges) == []


REFUSED = {
    "accepted": ("", "counter_terms_not_accepted"),
    "cause": ("lost", "online_cause_refused"),
    "certificate": ("AAAA", "certificate_file_unreadable"),
}


@pytest.mark.parametrize("name", REFUSED)
async def test_what_is_missing_is_told_before_the_card_signs(
    world: World, browser: Browser, name: str
) -> None:
    card = await make_card(world)
    value, code = REFUSED[name]
    reply = await begin(browser, card.signature.der, **{name: value})
    assert 400 <= reply.status < 500
    told = json.loads(reply.text)
    assert told["code"] == code
    assert told["text"]
    assert await world.platform.db.scan(_challenges) == []


async def test_a_card_that_cannot_be_ended_here_is_told_before_it_signs(
    world: World, browser: Browser
) -> None:
    card = await make_card(world)
    foreign = personalise(KeySpec.P256).certificate.der
    codes = [json.loads((await begin(browser, foreign)).text)["code"]]
    phone = await world.bind("lin")
    other = next(iter(phone.certificates.values())).der
    codes.append(json.loads((await begin(browser, other)).text)["code"])
    await world.platform.db.transact(
        lambda: world.platform.pki.revoke(
            card.signature.id, reason=RevocationReason.SUPERSEDED, actor=CLERK
        )
    )
    codes.append(json.loads((await begin(browser, card.signature.der)).text)["code"])
    assert codes == ["card_not_ours", "card_wrong_purpose", "card_revoked"]
    assert await world.platform.db.scan(_challenges) == []


@pytest.mark.parametrize("path", ["/online/card", "/online/validity"])
@pytest.mark.parametrize("sent", ["", "%", "AAAA", "MAAA"])
async def test_junk_from_an_agent_is_told_on_the_page(
    browser: Browser, path: str, sent: str
) -> None:
    reply = await browser.send(path, path, certificate=sent, key="signature", issuers="")
    assert reply.status == 400
    assert "This did not work" in reply.text


@pytest.mark.req("JPKI-14", "JPKI-16", "JPKI-28", "JPKI-39")
async def test_the_viewer_shows_seven_facts_and_the_authorities(
    world: World, browser: Browser
) -> None:
    card = await counter_card(world)
    issuers = [world.platform.pki.anchors()[0], *card.signature.chain]
    token = csrf_of(await browser.see("/online/card"))
    form = {
        "csrf_token": token,
        "key": "signature",
        "certificate": base64url.encode(card.signature.der),
        "issuers": " ".join(map(base64url.encode, issuers)),
    }
    reply = await browser.post("/online/card", headers=OWN | {"accept-language": "ja"}, form=form)
    assert reply.status == 200
    shown = texts(reply)
    facts = (
        "陳怡君",
        "昭和63年3月14日",
        "女",
        "千代田区千代田1-1",
        "令和8年4月1日",
        "令和11年3月31日",
    )
    assert [each for each in (*facts, "Inkan Test Card CA") if each not in shown] == []
    for each in world.platform.pki.anchors()[0], *card.signature.chain:
        print_ = hashlib.sha256(each).hexdigest().upper()
        assert print_ in shown.replace(" ", "").replace("\n", "")
    assert shown.count("これは当方の証明書です") == 2


async def test_nothing_that_a_card_says_is_more_than_text(world: World, browser: Browser) -> None:
    card = await make_card(world)
    evil = '"><script>alert(1)</script>'
    reply = await browser.send(
        "/online/card",
        "/online/card",
        certificate=base64url.encode(card.signature.der),
        issuers="",
        key=evil,
    )
    assert reply.status == 200
    assert "<script>alert" not in reply.text


async def test_the_loopback_agent_is_named_only_where_one_is_configured(world: World) -> None:
    browser = Browser(world.instance.application)
    shown = await browser.see("/online/pin")
    assert 'name="inkan-card-agent"' not in shown.text
    assert "127.0.0.1" not in str(shown.headers)
    window = OnlineWindow(
        counter=world.platform.counter,
        showing=None,  # type: ignore[arg-type]
        certificate_facts=lambda _: {},
        agent_address="http://127.0.0.1:8499",
    )
    assert dict(window.policy.csp)["connect-src"] == ("'self'", "http://127.0.0.1:8499")


def test_every_text_has_its_translations() -> None:
    templates = Templates(
        {each.__name__.split(".")[-1]: Path(str(each.__file__)).parent for each in PAGED}
    )
    wanted = {item.text for item in online.FOOT} | set(CAUSES.values())
    wanted |= set(online_reading.TRIED.values())
    for each in online_reading.readers().reader:
        wanted |= {each.connection, each.driver, each.source}
    for file in (FOLDER / "templates").glob("online*.html"):
        wanted |= set(_MSGID.findall(file.read_text(encoding="utf-8")))
    for language in (Language.JA, Language.ZH_HANT):
        known = templates.languages.translations[language]
        assert {text for text in wanted if text not in known} == set(), language


def test_only_a_card_that_can_sign_is_asked_for() -> None:
    assert {each.value for each in ONLINE_CAUSES} == {
        "no_longer_needed",
        "suspected_misuse",
        "misused",
    }


def _challenges() -> Step[list[object]]:
    return list((yield _CHALLENGES.all()))


def _add_office(world: World) -> Step[None]:
    moment = yield MOMENT
    event = yield from world.platform.audit.record("counter.office_added", actor=CLERK)
    yield insert_row(office).run(
        code=new_id("x")[:20],
        name="Chiyoda <1>",
        municipality="chiyoda",
        authority="card",
        phone="+81-3-0000-0000",
        created_at=moment,
        event_id=event,
    )
