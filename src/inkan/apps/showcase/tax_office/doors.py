"""The office's doors, one row each, and what it says of the level that an answer reached.

Texts are msgids of the office's catalogue. What a door does on the platform stands in docs/doors.md.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

import msgspec

from inkan.wire.binding import BackEnd, BindingLevel, Door, Evidence, StatementDoor


class DoorRow(msgspec.Struct, frozen=True, kw_only=True):
    """How the office offers one door.

    Attributes:
        title, text, button: on the first page.
        step: the first of the three steps while the session waits.
        template: the page of a session that waits.
        demanded: the weakest level that logs somebody in.
        returns: whether the browser comes back with a return code, and keeps a verifier until then.
        leads_away: whether the browser goes to the door's address at once.
        needs_number: whether a national ID must be typed.
        is_first_on_phone: whether a small screen shows it before the others.
        life_s: how long the session waits at most, in seconds.
    """

    title: str
    text: str
    button: str
    step: str
    template: str
    demanded: BindingLevel
    returns: bool = False
    leads_away: bool = False
    needs_number: bool = False
    is_first_on_phone: bool = False
    life_s: int = 180


DOORS: Final[Mapping[Door, DoorRow]] = MappingProxyType(
    {
        Door.QR: DoorRow(
            title="Scan a code",
            text="Your phone is beside this screen.",
            button="Show the code",
            step="Scan",
            template="tax_office/scan.html",
            demanded=BindingLevel.NONE,
        ),
        Door.PUSH: DoorRow(
            title="Message to the phone",
            text="Your phone shows the question, and you type six digits from here. Needs the national ID.",
            button="Send the message",
            step="Type the digits",
            template="tax_office/push.html",
            demanded=BindingLevel.MATCHED,
            needs_number=True,
        ),
        Door.WEB_LINK: DoorRow(
            title="On this phone",
            text="You read this page on the phone with the wallet. It leads you back here.",
            button="Open it on this phone",
            step="Open the wallet",
            template="tax_office/open.html",
            demanded=BindingLevel.RETURNED,
            returns=True,
            is_first_on_phone=True,
        ),
        Door.REDIRECT: DoorRow(
            title="The platform's page",
            text="The platform offers these ways on a page of its own and leads you back here.",
            button="Go to the platform",
            step="Choose there",
            template="tax_office/away.html",
            demanded=BindingLevel.NONE,
            returns=True,
            leads_away=True,
            life_s=600,
        ),
        Door.APP_LINK: DoorRow(
            title="As an app on the phone would",
            text="An app opens the wallet by itself and is opened again afterwards. Here this page plays the app.",
            button="Play the app",
            step="Open the wallet",
            template="tax_office/open.html",
            demanded=BindingLevel.RETURNED,
            returns=True,
        ),
    }
)

WAYS: Final[Mapping[StatementDoor, str]] = MappingProxyType(
    {
        StatementDoor.QR: "a scanned code",
        StatementDoor.PUSH: "a message to the phone",
        StatementDoor.WEB_LINK: "opened on this phone",
        StatementDoor.APP_LINK: "opened by an app",
        StatementDoor.REDIRECT_QR: "the platform's page, a scanned code",
        StatementDoor.REDIRECT_PUSH: "the platform's page, a message to the phone",
        StatementDoor.REDIRECT_OPEN: "the platform's page, opened on this phone",
    }
)

LEVELS: Final[Mapping[BindingLevel, str]] = MappingProxyType(
    {
        BindingLevel.NONE: "A phone answered. Somebody may have been shown a code that another person asked for.",
        BindingLevel.MATCHED: "The person typed what the asking page showed.",
        BindingLevel.PAIRED: "The person typed what the asking page showed, in a browser that is known as theirs.",
        BindingLevel.RETURNED: "The phone led its own browser back here, and that is the one that began.",
        BindingLevel.STRONG: "Phone and browser were proved to be together.",
    }
)

EVIDENCE: Final[Mapping[Evidence, str]] = MappingProxyType(
    {
        Evidence.CODE_ENTERED: "digits typed on the phone",
        Evidence.PAIRED_BROWSER: "a known browser",
        Evidence.REDEEMED: "return code and verifier came back together",
        Evidence.BROWSER_BOUND: "finished in the browser that began",
        Evidence.SAME_DEVICE_WEBAUTHN: "a passkey on the same device",
        Evidence.HYBRID: "a device nearby",
        Evidence.CARD_IN_READER: "a card in its reader",
    }
)

BACK_ENDS: Final[Mapping[BackEnd, str]] = MappingProxyType(
    {
        BackEnd.A: "on the phone, locked by its passkey",
        BackEnd.B: "in a security module",
        BackEnd.C: "in the phone's hardware",
        BackEnd.PLAIN: "in a browser's own store, not locked",
    }
)
