"""An office with two clerks whose cards log them in, residents before its counter, and a terminal."""

import asyncio
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from inkan.accounts import LoginToken, Role
from inkan.client.card_manager import TerminalKeys
from inkan.client.piv_card import PivCard
from inkan.client.piv_layout import KeyUse
from inkan.counter import Counter
from inkan.counter.model import Case, CaseKind, Clerk, DocumentKind, Office, PhotoDocument
from inkan.counter.rules import FEE, TERMS
from inkan.crypto.certificate_requests import parse_csr, verify_csr
from inkan.crypto.certificate_view import Sex
from inkan.crypto.keys import KeySpec
from inkan.kernel.calendar import last_instant
from inkan.kernel.identifiers import parse_national_id
from inkan.kernel.ids import PersonID
from inkan.kernel.sensitive import Personal, Secret
from inkan.people import Person, new_identity
from inkan.pki import CertificateOrder, IssuedCertificate, SubjectName
from inkan.schemes import get_scheme
from inkan.wire.card_command import CardAct
from relying_parties.applicants import hire_token
from support.card_in_process import ReaderInProcess
from support.piv_applet import PivApplet
from support.terminals import Terminal, new_card
from support.world import CLERK, SCHEME, World

OFFICE = "chiyoda-1"
TOWN = "chiyoda"
CLERK_PINS = {KeyUse.AUTHENTICATION: "2705", KeyUse.SIGNATURE: "Clerk77"}
RESIDENCE_CARD = PhotoDocument(
    kind=DocumentKind.RESIDENT_CARD,
    number=Personal("RC12345678"),
    expires_on=date(2031, 12, 31),
    chip_read=True,
)
MANAGEMENT_KEY = bytes(range(16))
UNLOCK_KEY = "87654321"
# key: (name, born, national ID)
PEOPLE = {
    "mei": ("陳美", date(1980, 2, 3), "B120033445"),
    "kenji": ("佐藤健二", date(1985, 6, 7), "C220055668"),
    "hanako": ("田中花子", date(1991, 7, 30), "A800000014"),
    "child": ("王小明", date(2001, 5, 5), "A123456789"),
}


@dataclass
class Colleague:
    """A clerk: the account, the person, the card in their pocket."""

    token: LoginToken
    person: Person
    applet: PivApplet
    certificate: IssuedCertificate

    def sign(self, content: bytes, content_type: str, *, pin: str = "2705") -> bytes:
        """What the card's authentication key makes of a content."""
        with PivCard(ReaderInProcess(self.applet), KeyUse.AUTHENTICATION) as card:
            return card.sign_request(
                content, content_type=content_type, pin=Secret(pin), confirm=lambda _: ""
            )


@dataclass
class Desk:
    """One office."""

    world: World
    office: Office
    clerks: dict[str, Colleague] = field(default_factory=dict)

    @property
    def counter(self) -> Counter:
        return self.world.platform.counter

    async def person(self, key: str) -> Person:
        name, born, number = PEOPLE[key]
        identity = new_identity(name=name, birth_date=born, national_id=parse_national_id(number))
        return await self.world.platform.people.register(identity, actor=CLERK)

    async def resident(self, key: str = "hanako") -> Person:
        """Somebody who lives here."""
        person = await self.person(key)
        address = Personal("千代田区丸の内一丁目1番")
        await self.counter.residents.record(PersonID(person.id), Sex.FEMALE, address, TOWN, CLERK)
        return person

    async def hire(self, key: str, *roles: Role) -> Colleague:
        """A clerk of this office, with a card of this instance's card authority."""
        person = await self.person(key)
        token = await hire_token(self.world.platform.accounts, *(roles or (Role.CLERK,)), name=key)
        await self.counter.offices.add_clerk(
            token.login.account, PersonID(person.id), OFFICE, actor=CLERK
        )
        applet = PivApplet(
            signature_pin=CLERK_PINS[KeyUse.SIGNATURE],
            authentication_pin=CLERK_PINS[KeyUse.AUTHENTICATION],
            unlock_key=UNLOCK_KEY,
            management_key=MANAGEMENT_KEY,
        )
        issued = await put_on_card(self.world, applet, person)
        self.clerks[key] = Colleague(token, person, applet, issued)
        return self.clerks[key]

    async def clerk(self, key: str) -> Clerk:
        """The clerk on duty."""
        account = self.clerks[key].token.login.account
        return await self.counter.offices.begin_shift(account)

    async def terminal(self, folder: Path, **options: object) -> Terminal:
        """A terminal of the office, with an empty reader."""
        keys = TerminalKeys.generate()
        configuration = await self.counter.terminals.add(OFFICE, keys.public())
        clock = self.world.clock
        return Terminal(folder, configuration=configuration, keys=keys, clock=clock, **options)

    def blank_card(self, number: str = "c0ffee00" * 4) -> PivApplet:
        """A card as its maker delivers it to this instance."""
        document = self.counter.card_secrets.of(number)
        return new_card(document)


async def put_on_card(
    world: World, applet: PivApplet, person: Person, *, profile: str = "card-auth"
) -> IssuedCertificate:
    """Make the authentication key in a card and certify it."""
    pin, management_key = Secret(CLERK_PINS[KeyUse.AUTHENTICATION]), Secret(MANAGEMENT_KEY)
    with PivCard(ReaderInProcess(applet), KeyUse.AUTHENTICATION) as card:
        request = card.make_key(KeySpec.P256, pin=pin, management_key=management_key)
        issued = await world.platform.pki.issue(
            CertificateOrder(
                order_key=f"card:{applet.number.hex()}:{profile}",
                profile=profile,
                owner=person.id,
                subject=SubjectName(
                    common_name=Personal(person.subject_serial),
                    serial_number=person.subject_serial,
                ),
                spki=verify_csr(parse_csr(request)).spki,
                not_after=last_instant(
                    world.clock.now(), years=3, utc_offset=get_scheme(SCHEME).utc_offset
                ),
            )
        )
        card.put_certificate(
            issued.der, issuers=list(issued.chain), pin=pin, management_key=management_key
        )
    return issued


async def desk_on(world: World) -> Desk:
    """An office of two clerks."""
    office = Office(
        code=OFFICE,
        name="千代田区役所 証明窓口",
        municipality=TOWN,
        authority="card",
        phone="+81 3 0000 0000",
    )
    await world.platform.counter.offices.add_office(office, actor=CLERK)
    desk = Desk(world, office)
    await desk.hire("mei")
    await desk.hire("kenji")
    return desk


async def issued(desk: Desk, terminal: Terminal, card: PivApplet) -> None:
    """Make and hand over a resident's card, without any page."""
    case = await written(desk, terminal, card, "hanako", by="mei")
    await hand_over(desk, case, by="mei")


async def hand_over(desk: Desk, case: Case, *, by: str) -> None:
    """The end of an issue."""
    clerk = await desk.clerk(by)
    await desk.counter.cases.pay(clerk, case.id, FEE)
    await desk.counter.cases.hand_over(clerk, case.id)


async def written(desk: Desk, terminal: Terminal, card: PivApplet, key: str, *, by: str) -> Case:
    """A case whose card holds its certificates and was not handed over yet."""
    login = desk.clerks[by].token.login.id
    clerk, counter = await desk.clerk(by), desk.counter
    case = await counter.cases.open(clerk, CaseKind.ISSUE, parse_national_id(PEOPLE[key][2]))
    await counter.cases.identify(clerk, case.id, RESIDENCE_CARD, TERMS.version)
    terminal.reader.insert(card)
    for act in (CardAct.MAKE_KEYS, CardAct.WRITE):
        command = await counter.commands.give(
            clerk,
            case.id,
            act,
            login=login,
            terminal=terminal.configuration.terminal,
            card=card.number.hex(),
        )
        answer = await asyncio.to_thread(terminal.run, command)
        case = await counter.commands.take(clerk, case.id, answer, login=login)
        if act is CardAct.MAKE_KEYS:
            await counter.cases.order(clerk, case.id)
    terminal.reader.pull()
    return case
