"""passkey.js in a real browser, with the browser's own authenticator: invite, log in, log out."""

import re
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from inkan.accounts import LOGIN_COOKIE, PERMISSIONS, Accounts, Invitation, Role
from inkan.accounts.pages import FOLDER, routes
from inkan.audit import Actor, ActorKind, Audit
from inkan.kernel.sensitive import Personal, Secret
from inkan.notices import Notices
from inkan.store.connect import database as database_of
from inkan.store.sealing import Sealer
from inkan.web.app import Equipment, Site, build_app
from inkan.web.server import Server
from inkan.web.templates import Templates
from support.browser import Chromium, Look, Window, within
from support.clock import StandingClock
from support.keyring import ec_key

pytestmark = pytest.mark.browser


class House:
    """A served platform that knows nothing but its staff."""

    def __init__(self, accounts: Accounts, origin: str) -> None:
        self.accounts = accounts
        self.origin = origin

    async def invite(self, name: str) -> str:
        invitation: Invitation = await self.accounts.invite(
            [Role.ADMINISTRATOR],
            name=Personal(name),
            actor=Actor(ActorKind.OPERATOR, "console"),
        )
        assert invitation.link is not None
        return invitation.link.reveal()


@pytest.fixture
async def house(sqlite_url: str, clock: StandingClock, tmp_path: Path) -> AsyncIterator[House]:
    async with served(sqlite_url, clock, tmp_path) as house:
        yield house


@asynccontextmanager
async def served(url: str, clock: StandingClock, folder: Path) -> AsyncIterator[House]:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = int(probe.getsockname()[1])
    origin = f"http://id.localhost:{port}"
    db = database_of(url, clock=clock)
    await db.open()
    audit = Audit(db=db, mac_key=Secret(bytes(32)), head_signer=ec_key())
    sealer = Sealer(sealing={1: Secret(b"s" * 32)}, lookup={1: Secret(b"l" * 32)})
    notices = Notices(
        db=db, audit=audit, sealer=sealer, clock=clock, spool=folder, sender="inkan@id.example"
    )
    accounts = Accounts(
        db=db,
        audit=audit,
        sealer=sealer,
        notices=notices,
        clock=clock,
        rp_id="id.localhost",
        origin=origin,
    )
    equipment = Equipment(
        clock=clock,
        csrf_key=Secret(b"c" * 32),
        templates=Templates({"accounts": FOLDER}),
        permissions=PERMISSIONS,
    )
    site = Site(name="Inkan", origin=origin, groups=[routes(accounts)])
    async with Server(build_app([site], equipment), port=port).running(grace_s=1):
        yield House(accounts, origin)
    await db.close()


async def give_authenticator(window: Window, *, verifies: bool = True) -> Any:
    """Give the window an authenticator of its own (Chrome DevTools Protocol, WebAuthn domain)."""
    session = await within(window.context.new_cdp_session(window.page))
    await within(session.send("WebAuthn.enable"))
    options = {
        "protocol": "ctap2",
        "transport": "internal",
        "hasResidentKey": True,
        "hasUserVerification": True,
        "isUserVerified": verifies,
        "automaticPresenceSimulation": True,
    }
    made = await within(session.send("WebAuthn.addVirtualAuthenticator", {"options": options}))
    return session, made["authenticatorId"]


async def test_an_administrator_accepts_an_invitation_logs_out_and_in_again(
    chromium: Chromium,
    house: House,
) -> None:
    window = await chromium.open(Look(language="en"))
    await give_authenticator(window)
    link = await house.invite("陳美")
    assert await window.go(link) == 200
    await window.see("Accept your invitation")
    await window.check_accessibility()
    # The code went from the address into the field
    assert "#" not in window.page.url
    value = await window.evaluate("() => document.querySelector('#code').value")
    assert value == link.partition("#")[2]
    await window.press("Make my passkey")
    await window.see("Your login")
    await window.see("陳美")
    await window.check_accessibility()
    cookies = {cookie["name"]: cookie for cookie in await window.context.cookies()}
    kept = cookies[LOGIN_COOKIE]
    assert (kept["httpOnly"], kept["secure"], kept["sameSite"]) == (True, True, "Strict")
    await window.press("Log out")
    await window.see("Staff login")
    await window.check_accessibility()
    await window.press("Log in with a passkey")
    await window.see("Your login")
    assert await house.accounts.find_login(kept["value"]) is None
    await chromium.close()


async def test_a_failed_verification_is_told_and_can_be_repeated(
    chromium: Chromium,
    house: House,
) -> None:
    window = await chromium.open(Look(language="ja", is_phone=True, is_dark=True))
    session, identifier = await give_authenticator(window, verifies=False)
    await window.go(await house.invite("山田"))
    await window.press("パスキーを作成")
    await window.see("何も送信されませんでした", within_s=20)
    await window.check_accessibility()
    verify = {"authenticatorId": identifier, "isUserVerified": True}
    await within(session.send("WebAuthn.setUserVerified", verify))
    await window.press("パスキーを作成")
    await window.see("ログイン情報")
    await chromium.close()


async def test_a_used_invitation_is_refused_in_words(
    chromium: Chromium,
    house: House,
) -> None:
    link = await house.invite("Lin")
    first = await chromium.open(Look(language="en"))
    await give_authenticator(first)
    await first.go(link)
    await first.press("Make my passkey")
    await first.see("Your login")
    second = await chromium.open(Look(language="zh-TW"))
    second.expect_complaint(r"status of 404")
    await give_authenticator(second)
    await second.go(link)
    await second.press("建立通行密鑰")
    await second.see("此邀請無效或已逾期")
    await chromium.close()


async def test_without_javascript_the_page_says_what_is_missing(
    chromium: Chromium,
    house: House,
) -> None:
    window = await chromium.open(Look(language="en", javascript=False))
    await window.go(f"{house.origin}/staff/login")
    # playwright's search for texts leaves noscript out
    shown = await within(window.page.locator("noscript").inner_text())
    assert "JavaScript is switched off" in shown
    assert "<" not in shown
    await chromium.close()


def test_the_script_puts_nothing_but_text_into_pages() -> None:
    script = (FOLDER.parent / "web" / "static" / "passkey.js").read_text(encoding="utf-8")
    forbidden = r"innerHTML|outerHTML|insertAdjacent|document\.write|eval\(|Function\(|localStorage|sessionStorage"
    assert re.findall(forbidden, script) == []
