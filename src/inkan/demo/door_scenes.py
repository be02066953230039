"""The ways to a phone besides the scanned code, as scenes of the story; each tells the binding level it reached.

The level says how firmly the answer is bound to the browser or app that asked. A scene that somebody relays to a
victim shows what the level is worth: the answer stays withheld from who cannot prove the return.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlsplit

from inkan.client import (
    Phone,
    RelyingParty,
    Session,
    SessionView,
    SubjectHint,
    begin_return,
)
from inkan.demo.country import Country
from inkan.demo.steps import Step, refused
from inkan.demo.visitor import Visitor, leads_to, link_to
from inkan.kernel.sensitive import Secret
from inkan.wire.binding import BindingLevel, Door


@dataclass(frozen=True)
class Cast:
    """Who plays: the country, the asking agency, the person's phone, and the hint that names her."""

    country: Country
    agency: RelyingParty
    phone: Phone
    hint: SubjectHint

    async def ask(self, door: Door, **members: Any) -> tuple[Session, Secret[str]]:
        """Open a session with this door and a return; the verifier stays with whoever began."""
        return_to, verifier = begin_return(self.country.return_url)
        session = await self.agency.create_session(
            "identify", purpose="login", doors=[door], return_to=return_to, **members
        )
        return session, verifier


Scene = Callable[[Cast, Step], Awaitable[None]]


async def _push(cast: Cast, step: Step) -> None:
    session = await cast.agency.create_session(
        "identify", purpose="login", doors=[Door.PUSH], subject_hint=cast.hint
    )
    assert session.doors.push is not None
    code = session.doors.push.code
    step.check("the page shows six digits", code is not None and len(code) == 6)
    await cast.country.instance.catch_up()
    [waiting] = await cast.phone.waiting()
    step.check("the phone hears who asks", waiting.domain == "taxoffice.localhost")
    wrong = f"{(int(code or '0') + 1) % 10**6:06}"
    await refused(cast.phone.open_push(waiting.approval, wrong), "code_wrong", step)
    await cast.phone.open_push(waiting.approval, code)
    await session.refresh()
    step.check("the page sees nothing of it", session.view.state == "presented")
    await cast.phone.approve()
    _tell(await session.wait(timeout_s=10), step, BindingLevel.MATCHED)


async def _web_link(cast: Cast, step: Step) -> None:
    session, verifier = await cast.ask(Door.WEB_LINK)
    assert session.doors.web_link is not None
    await cast.phone.open_link(session.doors.web_link.url)
    code = _return_code((await cast.phone.approve()).return_url)
    await session.refresh()
    step.check("decided, and nobody is named yet", session.view.subject is None)
    _tell(await session.redeem(verifier, return_code=code), step, BindingLevel.RETURNED)
    receipt = await session.receipt()
    step.check("the receipt holds the level", receipt.receipt.binding.level == "returned")


async def _app_link(cast: Cast, step: Step) -> None:
    session, verifier = await cast.ask(Door.APP_LINK)
    assert session.doors.app_link is not None
    await cast.phone.open_link(session.doors.app_link.url)
    code = _return_code((await cast.phone.approve()).return_url)
    _tell(await session.redeem(verifier, return_code=code), step, BindingLevel.RETURNED)


async def _redirect(cast: Cast, step: Step) -> None:
    session, verifier = await cast.ask(Door.REDIRECT)
    assert session.doors.redirect is not None
    page = session.doors.redirect.url
    async with Visitor(cast.country.platform_origin) as browser:
        seen = await browser.see(page)
        ways = ("Get QR code", "Get push message", "Open app")
        step.check("the page offers three ways", all(way in seen for way in ways))
        seen = await browser.send(page, seen=seen, way="link")
        await cast.phone.open_link(link_to(seen, cast.country.wallet_origin))
        code = _return_code((await cast.phone.approve()).return_url)
    _tell(await session.redeem(verifier, return_code=code), step, BindingLevel.RETURNED)


async def _redirect_by_code(cast: Cast, step: Step) -> None:
    session, verifier = await cast.ask(Door.REDIRECT)
    assert session.doors.redirect is not None
    page = session.doors.redirect.url
    async with Visitor(cast.country.platform_origin) as browser:
        await browser.send(page, seen=await browser.see(page), way="frame")
        await cast.phone.open_frame(await browser.see(f"{page}/camera"))
        await cast.phone.approve()
        async with Visitor(cast.country.platform_origin) as stranger:
            elsewhere = await stranger.see(page)
        step.check("another browser is sent away", "Begun in another browser" in elsewhere)
        back = await browser.send(f"{page}/finish", seen=await browser.see(page))
    code = _return_code(leads_to(back))
    _tell(await session.redeem(verifier, return_code=code), step, BindingLevel.NONE)


async def _relayed(cast: Cast, step: Step) -> None:
    """Somebody begins, sends the address to a victim, and waits: the victim's answer never reaches them."""
    session, _ = await cast.ask(Door.WEB_LINK)
    assert session.doors.web_link is not None
    await cast.phone.open_link(session.doors.web_link.url)
    await cast.phone.approve()
    _, guessed = begin_return(cast.country.return_url)
    await refused(session.redeem(guessed, return_code="A" * 43), "return_other_browser", step)
    await session.refresh()
    step.check("the session failed", session.view.reason == "return_other_browser")
    step.check("and named nobody", session.view.subject is None)


def _return_code(address: str | None) -> str:
    """What the browser brings back."""
    brought = parse_qs(urlsplit(address or "").query)
    return brought.get("return_code", [""])[0]


def _tell(seen: SessionView, step: Step, level: BindingLevel) -> None:
    step.check("the session is closed with ok", seen.is_ok)
    step.check("the person has a name here", seen.subject is not None)
    assert seen.binding is not None
    step.bound(str(seen.binding.level), seen.binding.evidence)
    step.check(f"binding level: {level}", seen.binding.level == level)


SCENES: Mapping[str, tuple[str, Scene]] = {
    "a message to the phone, six digits from the page": ("push", _push),
    "a link in the phone's browser": ("web_link", _web_link),
    "a link in an app on the phone": ("app_link", _app_link),
    "the platform's page, opened on the phone": ("redirect", _redirect),
    "the platform's page, its code scanned": ("redirect", _redirect_by_code),
    "an attacker's link, approved by the victim": ("web_link", _relayed),
}
