"""What attacks are made of: begin a login, answer it, come back, and look where a browser then stands.

A legal run that does not succeed is :class:`Unproved`, an attack that is not refused is :class:`Fell`; an attack that
returns was refused.
"""

import asyncio
from dataclasses import dataclass
from urllib.parse import urlencode

from inkan.client.exchange import Answer
from inkan.conformance.model import About, Fell, Unproved, Who, WhoState
from inkan.conformance.rules import ASK_EVERY_S, FRAME, FRAME_AFTER_S, PATIENCE_S, START
from inkan.conformance.service.browser import Browser, TestEndpoint
from inkan.conformance.service.platform import HostilePlatform
from inkan.conformance.service.plays import EXPECTED, Lie, Play
from inkan.kernel.errors import InkanError
from inkan.wire.binding import Door, StatementDoor

_REFUSED = {WhoState.NONE, WhoState.REFUSED}


@dataclass
class Login:
    """One login that a browser began, and its session on the platform."""

    browser: Browser
    play: Play


class Stage:
    """The relying party, the hostile platform, and the clock by which patience is measured.

    Args:
        platform: that lies.
        endpoint: of the relying party.
        about: what it says of itself.
        patience_s: how long the relying party may take to decide.
        frame_after_s: after how long a code has to be another one, more than a second.
    """

    def __init__(
        self,
        platform: HostilePlatform,
        endpoint: TestEndpoint,
        about: About,
        *,
        patience_s: float = PATIENCE_S,
        frame_after_s: float = FRAME_AFTER_S,
    ) -> None:
        self.platform = platform
        self.endpoint = endpoint
        self.about = about
        self.frame_after_s = frame_after_s
        self._patience_s = patience_s

    async def begin(
        self, door: Door, *, expected: bool = False, browser: Browser | None = None
    ) -> Login:
        """Begin a login in a browser, a fresh one where none is given.

        Raises:
            Unproved: not exactly one session was opened, or one of another kind.
        """
        browser = browser or self.endpoint.browser()
        before = set(self.platform.plays)
        query = {"door": str(door)} | ({"expected": "1"} if expected else {})
        answer = await browser.get(f"{START}?{urlencode(query)}")
        opened = [play for id_, play in self.platform.plays.items() if id_ not in before]
        if answer.status >= 400 or len(opened) != 1:
            raise Unproved(
                f"{START} by {door} answers {answer.status} and opens {len(opened)} sessions"
            )
        _verify_order(opened[0], door, expected=expected)
        return Login(browser, opened[0])

    async def frame(self, browser: Browser) -> str:
        """The address inside the code that this browser shows now.

        Raises:
            Unproved: there is none.
        """
        answer = await browser.get(FRAME)
        if answer.status != 200:
            raise Unproved(f"{FRAME} answers {answer.status}")
        return answer.body.decode("ascii", errors="replace").strip()

    async def scan(self, login: Login) -> int:
        """Hold a phone to the code; returns the second that the code is of.

        Raises:
            Unproved: the code is none of this platform, or not current.
        """
        try:
            play, second = self.platform.scan(await self.frame(login.browser))
        except InkanError as refused:
            raise Unproved(f"the code cannot be scanned: {refused.title}") from None
        if play is not login.play:
            raise Unproved("the code is of another session")
        return second

    def approve(self, login: Login, *, person: str = EXPECTED, lie: Lie | None = None) -> str:
        """A person approves; returns the address to which the phone sends the browser, empty for a code.

        Args:
            login: that was begun.
            person: who approves.
            lie: how the platform tells it.
        """
        play = login.play
        play.lie = lie or Lie()
        is_code = play.order.back is None
        door = StatementDoor.QR if is_code else StatementDoor.WEB_LINK
        code = self.platform.answer(play, person=person, door=door)
        return return_address(play, code) if code else ""

    async def settle(self, browser: Browser) -> Who:
        """Where the browser stands once the relying party has stopped waiting, or patience is over."""
        clock = self.platform.clock
        ends_at = clock.monotonic() + self._patience_s
        while True:
            who = await browser.who()
            if who.state is not WhoState.WAITING or clock.monotonic() >= ends_at:
                return who
            await asyncio.sleep(ASK_EVERY_S)

    async def succeed(self, browser: Browser, *, person: str = EXPECTED) -> None:
        """See that the browser is logged in as this person.

        Raises:
            Unproved: it is not.
        """
        who = await self.settle(browser)
        if who.state is not WhoState.LOGGED_IN or who.person != person:
            raise Unproved(f"a legal login ends {who.state}")

    async def refuse(self, browser: Browser, what: str) -> None:
        """See that the relying party has actively refused this browser.

        Raises:
            Fell: it is logged in, or nothing was decided.
        """
        who = await self.settle(browser)
        if who.state is WhoState.LOGGED_IN:
            raise Fell(f"{what}: the browser is logged in")
        if who.state not in _REFUSED:
            raise Fell(f"{what}: not refused, the browser still stands {who.state}")

    async def stay_out(self, browser: Browser, what: str) -> None:
        """See that the browser is not logged in, whatever else it is.

        Raises:
            Fell: it is.
        """
        if (await browser.who()).state is WhoState.LOGGED_IN:
            raise Fell(f"{what}: the browser is logged in")

    async def control(self, door: Door, *, expected: bool = False) -> Login:
        """A legal login from beginning to end.

        Raises:
            Unproved: it does not succeed.
        """
        login = await self.begin(door, expected=expected)
        if door is Door.QR:
            await self.scan(login)
        address = self.approve(login)
        if address:
            await login.browser.open(address)
        await self.succeed(login.browser)
        return login

    async def lied_to(self, what: str, lie: Lie, *, door: Door = Door.QR) -> None:
        """A login in which the platform lies; it has to be refused.

        Raises:
            Fell: it was not.
        """
        login = await self.begin(door)
        address = self.approve(login, lie=lie)
        if address:
            await login.browser.open(address)
        await self.refuse(login.browser, what)


def return_address(play: Play, code: str) -> str:
    """Where the phone sends the browser: the registered address with code and session."""
    assert play.order.back is not None
    url = play.order.back.url
    joint = "&" if "?" in url else "?"
    return f"{url}{joint}{urlencode({'return_code': code, 'session': play.id})}"


async def refuse_return(stage: Stage, browser: Browser, answer: Answer, what: str) -> None:
    """See that a return was refused: by its status, or by how the browser then stands.

    Raises:
        Fell: it was not.
    """
    await stage.stay_out(browser, what)
    if answer.status < 400 and (await browser.who()).state not in _REFUSED:
        raise Fell(f"{what}: not refused ({answer.status})")


def _verify_order(play: Play, door: Door, *, expected: bool) -> None:
    order = play.order
    if order.kind != "identify" or door not in order.doors:
        raise Unproved(f"no session of the kind identify by {door} was opened")
    if door is Door.WEB_LINK and order.back is None:
        raise Unproved("a session by web_link was opened without return")
    if door is Door.QR and order.back is not None:
        raise Unproved("a session by qr was opened with return")
    if expected is not order.is_expected:
        raise Unproved("a hint is given exactly when somebody is expected")
