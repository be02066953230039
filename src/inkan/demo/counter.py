"""The counter of the test country: an office, two clerks, a terminal, and cards that are made there.

Each card is made as any card is: a case, the platform's signed commands, the manage program, the card's own keys. Only
the people are missing: who types the PINs is a script until somebody sits at the desk.
"""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Final, NamedTuple

import msgspec

from inkan.accounts import Role
from inkan.audit import Actor, ActorKind
from inkan.client.authenticator import (
    Attestation,
    AuthenticatorState,
    CreationOptions,
    SoftwareAuthenticator,
)
from inkan.client.card_agent.dialog import Ending
from inkan.client.card_manager import (
    CardManager,
    ManagerConfiguration,
    ManagerDialog,
    PINAsked,
    TerminalKeys,
)
from inkan.client.piv_layout import KeyUse
from inkan.composition.platform import Platform
from inkan.counter import (
    FEE,
    TERMS,
    Case,
    CaseKind,
    Clerk,
    DocumentKind,
    Office,
    PhotoDocument,
    ReportCause,
)
from inkan.crypto import base64url
from inkan.crypto.certificate_view import Sex
from inkan.demo.software_reader import HeldCard, SoftwareReader
from inkan.demo.test_card import PivApplet
from inkan.kernel.identifiers import NationalID, parse_national_id
from inkan.kernel.ids import AccountID, PersonID, random_bytes, random_digits
from inkan.kernel.sensitive import Personal, Secret
from inkan.people import new_identity
from inkan.wire.card_command import CardAct

OFFICE: Final = Office(
    code="zhongzheng-1",
    name="中正區 憑證窗口",
    municipality="taipei-zhongzheng",
    authority="card",
    phone="+886 2 0000 0000",
)
ADDRESS: Final = "臺北市中正區測試路一段1號"
OPERATOR: Final = Actor(ActorKind.OPERATOR, "counter")
LOGIN: Final = "founding"
BLANKS: Final = 2


class ClerkPart(NamedTuple):
    """One clerk, who lives here too, and the PINs of their card."""

    key: str
    name: str
    birth_date: date
    national_id: str
    pins: dict[KeyUse, str]


CLERKS: Final = (
    ClerkPart(
        "clerk-1",
        "吳淑芬",
        date(1979, 5, 6),
        "B120033445",
        {KeyUse.SIGNATURE: "Moon58k", KeyUse.AUTHENTICATION: "6093"},
    ),
    ClerkPart(
        "clerk-2",
        "許文雄",
        date(1984, 8, 9),
        "C220055668",
        {KeyUse.SIGNATURE: "River37q", KeyUse.AUTHENTICATION: "7416"},
    ),
)


class Script:
    """A person who types PINs that are known beforehand; a ManagerDialog."""

    def __init__(self, pins: dict[KeyUse, str]) -> None:
        self._pins = pins

    def new_pin(self, asked: PINAsked, ending: Ending) -> Secret[str]:
        """The PIN of the script."""
        return Secret(self._pins[asked.use])

    def pin(self, asked: PINAsked, ending: Ending) -> Secret[str]:
        """The PIN of the script."""
        return Secret(self._pins[asked.use])


@dataclass
class DemoCounter:
    """The office at work.

    Attributes:
        clerks: on duty, in the order of :data:`CLERKS`.
        cards: that were made here, with their labels.
    """

    platform: Platform
    folder: Path
    configuration: ManagerConfiguration
    keys: TerminalKeys
    clerks: list[Clerk] = field(default_factory=list)
    cards: list[HeldCard] = field(default_factory=list)

    def manager(self, reader: SoftwareReader, dialog: ManagerDialog) -> CardManager:
        """The terminal's manage program on a reader."""
        return CardManager(self.configuration, self.keys, reader, dialog, folder=self.folder)

    def blank(self) -> PivApplet:
        """A card as its maker delivers it to this instance: its number and keys, and PINs that nobody knows."""
        # A number that begins and ends with a letter is nobody's PIN, whatever the rest is.
        number = b"\xca" + random_bytes(14) + b"\x0d"
        secrets = self.platform.counter.card_secrets.of(number.hex())
        return PivApplet(
            signature_pin=random_bytes(8).hex(),
            authentication_pin=random_digits(4),
            unlock_key=secrets.unlock_key,
            management_key=base64url.decode(secrets.management_key),
            number=number,
        )

    async def make_card(
        self, clerk: Clerk, national_id: NationalID, pins: dict[KeyUse, str]
    ) -> tuple[Case, PivApplet]:
        """The five steps (JPKI-21), and the card in the person's hand."""
        cases, applet = self.platform.counter.cases, self.blank()
        case = await self.identified(clerk, CaseKind.ISSUE, national_id)
        with self.terminal(applet, pins) as manager:
            case = await self.do(clerk, case, CardAct.MAKE_KEYS, manager, applet)
            case = await cases.order(clerk, case.id)
            case = await self.do(clerk, case, CardAct.WRITE, manager, applet)
        await cases.pay(clerk, case.id, FEE)
        return await cases.hand_over(clerk, case.id), applet

    async def unlock(
        self, clerk: Clerk, national_id: NationalID, applet: PivApplet, pins: dict[KeyUse, str]
    ) -> Case:
        """Set the PINs of a card anew (JPKI-31, JPKI-33)."""
        case = await self.identified(clerk, CaseKind.PIN, national_id)
        with self.terminal(applet, pins) as manager:
            return await self.do(clerk, case, CardAct.UNLOCK, manager, applet)

    async def identified(self, clerk: Clerk, kind: CaseKind, national_id: NationalID) -> Case:
        """A case of a person who showed a card whose chip was read."""
        cases = self.platform.counter.cases
        case = await cases.open(clerk, kind, national_id)
        document = PhotoDocument(
            kind=DocumentKind.RESIDENT_CARD,
            number=Personal("RC00012345"),
            expires_on=(self.platform.clock.now() + timedelta(days=900)).date(),
            chip_read=True,
        )
        return await cases.identify(clerk, case.id, document, TERMS.version)

    async def report_lost(self, clerk: Clerk, national_id: NationalID) -> Case:
        """A person without the card reports that it is lost; the card's certificates end (JPKI-24)."""
        case = await self.identified(clerk, CaseKind.REVOKE, national_id)
        return await self.platform.counter.cases.revoke(clerk, case.id, ReportCause.LOST)

    @contextmanager
    def terminal(self, applet: PivApplet, pins: dict[KeyUse, str]) -> Iterator[CardManager]:
        """The terminal's program with a card in its reader and a person who types these PINs."""
        reader = SoftwareReader([HeldCard("card", "", applet)])
        reader.insert("card")
        manager = self.manager(reader, Script(pins))
        try:
            yield manager
        finally:
            manager.close()

    async def do(
        self, clerk: Clerk, case: Case, act: CardAct, manager: CardManager, applet: PivApplet
    ) -> Case:
        """What a page does: it carries the command there and the answer back."""
        commands, terminal = self.platform.counter.commands, self.configuration.terminal
        command = await commands.give(
            clerk, case.id, act, login=LOGIN, terminal=terminal, card=applet.number.hex()
        )
        answer = await asyncio.to_thread(manager.run, command, origin=self.configuration.origin)
        return await commands.take(clerk, case.id, answer, login=LOGIN)


async def found_counter(platform: Platform, folder: Path) -> DemoCounter:
    """Open the office: clerks on duty, each with a card that the other one made."""
    counter = platform.counter
    await asyncio.to_thread(folder.mkdir, parents=True, exist_ok=True, mode=0o700)
    await counter.offices.add_office(OFFICE, actor=OPERATOR)
    keys = TerminalKeys.generate()
    configuration = await counter.terminals.add(OFFICE.code, keys.public())
    made = DemoCounter(platform, folder, ManagerConfiguration(**configuration), keys)
    for part in CLERKS:
        made.clerks.append(await _clerk(platform, part))
    for part, colleague in zip(CLERKS, reversed(made.clerks), strict=True):
        number = parse_national_id(part.national_id)
        _, applet = await made.make_card(colleague, number, part.pins)
        label = f"{part.name} ({part.pins[KeyUse.AUTHENTICATION]}, {part.pins[KeyUse.SIGNATURE]})"
        made.cards.append(HeldCard(part.key, label, applet))
    return made


async def settle(platform: Platform, person: PersonID) -> None:
    """Record that a person of the country lives where the office is in charge."""
    await platform.counter.residents.record(
        person, Sex.UNSTATED, Personal(ADDRESS), OFFICE.municipality, OPERATOR
    )


async def _clerk(platform: Platform, part: ClerkPart) -> Clerk:
    identity = new_identity(
        name=part.name,
        birth_date=part.birth_date,
        national_id=parse_national_id(part.national_id),
    )
    person = await platform.people.register(identity, actor=OPERATOR)
    await settle(platform, person.id)
    account = await _account(platform, part)
    offices = platform.counter.offices
    await offices.add_clerk(account, person.id, OFFICE.code, actor=OPERATOR)
    return await offices.begin_shift(account)


async def _account(platform: Platform, part: ClerkPart) -> AccountID:
    """An account with a passkey that is thrown away: the card opens the counter."""
    accounts, settings = platform.accounts, platform.settings
    invited = await accounts.invite((Role.CLERK,), name=Personal(part.name), actor=OPERATOR)
    assert invited.link is not None
    code = invited.link.reveal().partition("#")[2]
    ceremony = await accounts.begin_acceptance(code)
    made = SoftwareAuthenticator(
        AuthenticatorState(), verify_user=lambda *_: True, attestation=Attestation.NONE
    ).create(
        CreationOptions(
            rp_id=settings.staff_rp_id,
            challenge=base64url.decode(ceremony.options["challenge"]),
            user_handle=base64url.decode(ceremony.options["user"]["id"]),
        ),
        origin=settings.origins.platform,
    )
    response = {
        "clientDataJSON": base64url.encode(made.client_data_json),
        "attestationObject": base64url.encode(made.attestation_object),
    }
    name = base64url.encode(made.credential_id)
    answer = {
        "id": name,
        "rawId": name,
        "type": "public-key",
        "response": response,
        "clientExtensionResults": {},
    }
    token = await accounts.accept(code, ceremony=ceremony.id, answer=msgspec.json.encode(answer))
    await accounts.log_out(token.token.reveal())
    return AccountID(token.login.account)
