"""A person's uses, consents and known browsers in a real browser: read, proved, reported, taken back, taken away."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest

from inkan.approvals import Opener
from inkan.client import AsyncTransport
from inkan.client.use_checks import verify_use
from inkan.kernel.ids import EventID, PersonID, PhoneID, SessionID, SystemID, new_id
from inkan.store.database import Step
from inkan.wire.session import Outcome
from journeys.test_home_browser import TEXTS, Town, begin
from journeys.test_tax_office_browser import _bound, shoot
from support.browser import Chromium, Look, Window, within
from support.founded import founded_country
from support.world import CLERK

pytestmark = pytest.mark.browser

LONG = "Bureau of Very Long Names " * 6 + "\u202ekcab\u202c"
# language: (who asked, results shown, the report, reported, a consent's button, a browser's button, download)
WORDS = {
    "en": ("Show these", "I did not start this", "You reported this use", "Withdraw this consent"),
    "ja": ("絞り込む", "自分が始めたものではない", "この利用を報告しました", "この同意を撤回"),
    "zh-TW": ("篩選", "並非我發起", "您已回報此筆使用", "撤回此同意"),
}
LOOKS = [
    Look(language="en", is_phone=False, is_dark=False),
    Look(language="en", is_phone=True, is_dark=True),
    Look(language="ja", is_phone=True, is_dark=False),
    Look(language="ja", is_phone=False, is_dark=True),
    Look(language="zh-TW", is_phone=True, is_dark=True),
    Look(language="zh-TW", width=360),
]


@pytest.fixture
async def town(tmp_path: Path) -> AsyncIterator[Town]:
    async with AsyncExitStack() as stack:
        enter = stack.enter_async_context
        founded = await enter(founded_country(tmp_path / "country"))
        phone = await enter(await _bound(founded))
        made = Town(founded, phone, await enter(AsyncTransport()))
        yield made


async def person_of(town: Town) -> PersonID:
    """Whose phone it is, as a login on it tells."""
    platform = town.country.instance.platform
    [record] = await town.phone.records()
    return (await platform.db.read(_person_of, record["id"])).person


def _person_of(record: str) -> Step[Any]:
    import sqlalchemy as sa

    from inkan.approvals.store import record as table
    from inkan.store.query import Query

    return (yield Query(sa.select(table.c.person).where(table.c.id == record)).one())


async def furnish(town: Town, person: PersonID) -> None:
    """Uses of a name without end, a consent and a known browser."""
    platform = town.country.instance.platform
    systems = await platform.relying_parties.systems()
    system = systems[0][0].id
    [phone] = await town.phone.phones()
    text = dict.fromkeys(("en", "ja", "zh-Hant"), "Sign a contract 契約書")
    for outcome in (Outcome.OK, Outcome.REFUSED, Outcome.FAILED):
        detail = {
            "session": "ses_x",
            "system": "sys_long",
            "relying_party": LONG,
            "domain": "very-long-names.example",
            "kind": "sign",
            "door": "redirect/push",
            "purpose": text,
            "contents": ["contract.pdf", "W" * 150],
            "claims": ["name", "age_over_18"],
            "full_evidence": True,
            "binding": {"level": "matched", "evidence": ["code_entered"]},
            "reason": "user_wrong_code" if outcome is Outcome.FAILED else None,
        }
        await platform.db.transact(
            _use, town, person, PhoneID(phone.id), detail | {"outcome": outcome}
        )
    await platform.db.transact(_give, town, person, system)


def _use(town: Town, person: PersonID, phone: PhoneID, detail: dict[str, Any]) -> Step[None]:
    platform = town.country.instance.platform
    event = yield from platform.audit.record(
        "identification.session_decided", actor=CLERK, subject=person, object="ses_x"
    )
    yield from platform.approvals.note_use(
        opener=Opener(phone=phone, person=person),
        outcome=detail["outcome"],
        detail=detail,
        event=event,
    )


def _give(town: Town, person: PersonID, system: SystemID) -> Step[None]:
    platform = town.country.instance.platform
    event: EventID = yield from platform.audit.record(
        "identification.session_decided", actor=CLERK, subject=person
    )
    for number in range(len(LOOKS)):
        yield from platform.attributes.note_consent(
            person,
            system=system,
            session=SessionID(new_id("ses")),
            codes=["name", "age_over_18"],
            statement_sha256="A" * 42 + "AEIMQUYc"[number],
            event=event,
        )
    from inkan.identification.store import PAIR

    yield PAIR.run(
        id=new_id("br"),
        browser="A" * 43,
        person=person,
        system=system,
        paired_at=platform.db.now(),
        event_id=event,
    )


async def log_in(town: Town, window: Window, look: Look) -> None:
    await begin(town, window, language=look.language)
    await town.scan(window)
    await town.phone.approve()
    await window.see(TEXTS[look.language][2])


async def test_the_pages_of_uses_in_every_look(town: Town, chromium: Chromium) -> None:
    furnished = False
    for look in LOOKS:
        window = await chromium.open(look)
        width = look.options["viewport"]["width"]
        name = f"{look.language}-{width}-{'dark' if look.is_dark else 'light'}"
        show, report, reported, withdraw = WORDS[look.language]
        await log_in(town, window, look)
        if not furnished:
            await furnish(town, await person_of(town))
            await town.country.instance.platform.audit.sequence_once()
            await town.country.instance.platform.audit.sign_head()
            furnished = True
        await window.go(f"{town.origin}/my/records")
        await shoot(window, f"{name}-records")
        await window.check_accessibility()
        await within(window.page.locator("#result").select_option("failed"))
        await window.press(show)
        await within(window.page.locator("main table a").first.click())
        await within(window.page.locator("#what").wait_for())
        await shoot(window, f"{name}-record-failed")
        await window.check_accessibility()
        # The newest login of this very window is the one that is reported.
        await window.go(f"{town.origin}/my/records")
        await within(window.page.locator("main table a").first.click())
        await window.press(report)
        await window.see(reported)
        await shoot(window, f"{name}-record-reported")
        await window.check_accessibility()
        await window.go(f"{town.origin}/my/consents")
        await window.press(withdraw)
        await within(window.page.locator("main article").first.wait_for())
        await shoot(window, f"{name}-consents")
        await window.check_accessibility()
        await window.go(f"{town.origin}/my/browsers")
        await shoot(window, f"{name}-browsers")
        await window.check_accessibility()
        await window.go(f"{town.origin}/my")
        await shoot(window, f"{name}-home")
        await window.check_accessibility()


async def test_a_downloaded_proof_holds_and_the_files_come(
    town: Town, chromium: Chromium, tmp_path: Path
) -> None:
    look = Look()
    window = await chromium.open(look)
    await log_in(town, window, look)
    platform = town.country.instance.platform
    await platform.audit.sequence_once()
    await platform.audit.sign_head()
    await window.go(f"{town.origin}/my/records")
    await within(window.page.locator("main table a").first.click())
    proof = await download(window, "Download the proof", tmp_path / "proof.json")
    found = verify_use(proof, tuple(platform.pki.anchors()))
    assert found.record.relying_party == "Inkan"
    await window.go(f"{town.origin}/my/records")
    assert b'"records":[' in await download(window, "Download for programs", tmp_path / "a.json")
    assert b"relying_party" in await download(window, "Download for a sp", tmp_path / "a.csv")


async def download(window: Window, name: str, path: Path) -> bytes:
    async with window.page.expect_download(timeout=10_000) as begun:
        await window.press(name, role="link")
    await within((await begun.value).save_as(path))
    return await asyncio.to_thread(path.read_bytes)


async def test_a_use_is_reported_by_keyboard_without_javascript(
    town: Town, chromium: Chromium
) -> None:
    window = await chromium.open(Look(javascript=False))
    await begin(town, window)
    await town.scan(window)
    await town.phone.approve()
    await window.see("Your phone has answered")
    await window.press("Log in")
    await window.see("My phones")
    await within(window.page.get_by_role("link", name="All usage records").focus())
    await within(window.page.keyboard.press("Enter"))
    await window.see("Take your records with you")
    await within(window.page.locator("main table a").first.focus())
    await within(window.page.keyboard.press("Enter"))
    await window.see("Was this not you?")
    await tab_to(window, "I did not start this")
    await within(window.page.keyboard.press("Enter"))
    await window.see("You reported this use")


async def tab_to(window: Window, name: str) -> None:
    """Reach a button by the tabulator alone."""
    button = window.page.get_by_role("button", name=name)
    for _ in range(60):
        await within(window.page.keyboard.press("Tab"))
        if await within(button.and_(window.page.locator(":focus")).count()):
            return
    pytest.fail(f"{name} is out of the keyboard's reach")
