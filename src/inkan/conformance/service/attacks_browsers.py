"""Attacks with browsers and codes: returns that are replayed, swapped or fixed, and codes that stand still."""

import asyncio
import base64
import contextlib
from collections.abc import Iterator

from inkan.conformance.model import Fell, Unproved
from inkan.conformance.rules import PAGE
from inkan.conformance.service.browser import Browser
from inkan.conformance.service.plays import EXPECTED, OTHER, Lie, Play
from inkan.conformance.service.stage import Login, Stage, refuse_return, return_address
from inkan.crypto import base64url
from inkan.wire.binding import Door


async def replayed_return_code(stage: Stage) -> None:
    """A finished return is opened once more, in another browser: from a history, a log, a shoulder."""
    login = await stage.control(Door.WEB_LINK)
    address = return_address(login.play, login.play.return_code or "")
    thief = stage.endpoint.browser()
    answer = await thief.open(address)
    await refuse_return(stage, thief, answer, "a used return address in another browser")


async def swapped_callback(stage: Stage) -> None:
    """The attacker's own approved return is slipped to a browser that began a login of its own."""
    await stage.control(Door.WEB_LINK)
    attacker = await stage.begin(Door.WEB_LINK)
    victim = await stage.begin(Door.WEB_LINK)
    address = stage.approve(attacker, person=OTHER)
    answer = await victim.browser.open(address)
    await refuse_return(stage, victim.browser, answer, "the return of another session")
    # Once more with the victim's own session beside the attacker's code.
    attacker, victim = await stage.begin(Door.WEB_LINK), await stage.begin(Door.WEB_LINK)
    stage.approve(attacker, person=OTHER)
    mixed = return_address(victim.play, attacker.play.return_code or "")
    answer = await victim.browser.open(mixed)
    await refuse_return(stage, victim.browser, answer, "the return code of another session")


async def session_fixation(stage: Stage) -> None:
    """The attacker sends the own link around; the victim approves, and the phone opens the victim's browser."""
    await stage.control(Door.WEB_LINK)
    attacker = await stage.begin(Door.WEB_LINK)
    address = stage.approve(attacker)
    victim = stage.endpoint.browser()
    answer = await victim.open(address)
    await refuse_return(stage, victim, answer, "a return in a browser that began nothing")
    await stage.stay_out(attacker.browser, "the attacker's browser, after the victim came back")


async def fixed_cookie(stage: Stage) -> None:
    """The attacker plants the cookies of an own visit in the victim's browser and keeps a copy."""
    attacker = await stage.begin(Door.WEB_LINK)
    victim = stage.endpoint.browser(attacker.browser.cookies)
    login = await stage.begin(Door.WEB_LINK, browser=victim)
    await victim.open(stage.approve(login))
    await stage.succeed(victim)
    await stage.stay_out(attacker.browser, "the cookie from before the login")


async def stale_frame(stage: Stage) -> None:
    """A code that is photographed, or whose secret is read from the page, is drawn by others elsewhere."""
    login = await stage.begin(Door.QR)
    await login.browser.get(PAGE)
    first = await stage.scan(login)
    await asyncio.sleep(stage.frame_after_s)
    second = await _second_of(stage, login)
    if second <= first:
        raise Fell("the code stands still: later it shows the same frame")
    _verify_secret_is_kept(login.browser, login.play)
    stage.approve(login)
    await stage.succeed(login.browser)
    _verify_secret_is_kept(login.browser, login.play)


async def wrong_person(stage: Stage) -> None:
    """Somebody else than the expected person approves; once the platform says so, once it says "yes" beside it."""
    await stage.control(Door.QR, expected=True)
    login = await stage.begin(Door.QR, expected=True)
    stage.approve(login, person=OTHER)
    await stage.refuse(login.browser, "failed, subject_mismatch")
    login = await stage.begin(Door.QR, expected=True)
    stage.approve(login, person=EXPECTED, lie=Lie(view=lambda view: view | {"match": False}))
    await stage.refuse(login.browser, "match: false")


async def _second_of(stage: Stage, login: Login) -> int:
    """The second of the present code, current or not."""
    text = await stage.frame(login.browser)
    parts = text.partition("#")[2].split(".")
    with contextlib.suppress(IndexError, ValueError):
        return int(parts[2])
    raise Unproved("no code is shown any more")


def _verify_secret_is_kept(browser: Browser, play: Play) -> None:
    seen = b"\n".join(browser.seen)
    if any(form in seen for form in _forms(play)):
        raise Fell("the secret of the code was sent to the browser")


def _forms(play: Play) -> Iterator[bytes]:
    for secret in (play.secret, play.frame_key.reveal()):
        yield secret
        yield base64url.encode(secret).encode()
        yield base64.b64encode(secret)
        yield secret.hex().encode()
