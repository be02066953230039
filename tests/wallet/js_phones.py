"""Phones of the tests in JavaScript: made, opened again and bound, against the stand-in of the platform."""

from typing import Any

from inkan.client.authenticator import AuthenticatorState, SoftwareAuthenticator
from inkan.client.authenticator_data import Ceremony
from support.node import Asked, Node, NodeError, carried_by
from support.phone_platform import PhonePlatform
from support.phone_words import ENROL_FRAME, PLATFORM, WALLET, b64

EVIL = b64(b"e" * 32)
NAME = "ASUS_A007"


class JSPhone:
    """One phone in the node process; its network is the stand-in, its passkeys are the software authenticator's."""

    _made = 0

    def __init__(
        self,
        node: Node,
        platform: PhonePlatform,
        *,
        verify_user: Any = lambda _: True,
        lang: str = "zh-Hant",
        named: bool = True,
        skew_ms: int = 0,
        options: dict[str, Any] | None = None,
        **authenticator: Any,
    ) -> None:
        JSPhone._made += 1
        self.node, self.platform = node, platform
        self.key = f"phone-{JSPhone._made}"
        self.lang, self.skew_ms, self.options = lang, skew_ms, options or {}
        self.verify_user = verify_user
        self.state = AuthenticatorState()
        self.asked = Asked(
            send=carried_by(platform),
            authenticator=SoftwareAuthenticator(
                self.state, verify_user=self._ask_person, **authenticator
            ),
            origin=WALLET,
        )
        self.reopen()
        if named:
            self("setName", NAME)

    def reopen(self) -> None:
        """The page is loaded again: another object over the same memory."""
        self.node.asked = self.asked
        self.node.open(
            self.key,
            self.key,
            skew_ms=self.skew_ms,
            platform=PLATFORM,
            walletOrigin=WALLET,
            lang=self.lang,
            **self.options,
        )

    def __call__(self, verb: str, *args: Any) -> Any:
        self.node.asked = self.asked
        return self.node.phone(self.key, verb, *args)

    def refused(self, verb: str, *args: Any) -> NodeError:
        """What a method throws."""
        try:
            answer = self(verb, *args)
        except NodeError as error:
            return error
        raise AssertionError(f"{verb} answered {answer}")

    def _ask_person(self, ceremony: Ceremony) -> bool:
        """By what the test says now: it may change its mind."""
        return bool(self.verify_user(ceremony))

    def stored(self) -> dict[str, Any]:
        return self.node.stored(self.key)


def prepared(node: Node, platform: PhonePlatform, *, back_end: str = "", **options: Any) -> JSPhone:
    phone = JSPhone(node, platform, **options)
    phone("join", ENROL_FRAME, *([{"backEnd": back_end}] if back_end else []))
    phone("prepare")
    return phone


def bound(node: Node, platform: PhonePlatform, **options: Any) -> JSPhone:
    """A phone that is bound already; the card's part is played by the stand-in."""
    phone = prepared(node, platform, **options)
    issue(platform)
    assert phone("collect") is not None
    platform.calls.clear()
    platform.bodies.clear()
    return phone


def issue(platform: PhonePlatform, **bent: Any) -> None:
    """What the platform does when the card has signed."""
    platform.certificates = {
        use: platform.issue(use, spki, **bent) for use, spki in platform.spkis.items()
    }
    platform.state = "issued"


def sent_to(platform: PhonePlatform, path: str) -> list[bytes]:
    return [
        body
        for (_, called), body in zip(platform.calls, platform.bodies, strict=True)
        if called == path
    ]
