"""Cards of the test country in a reader: made at a counter here, or certified without one; and what they sign."""

from dataclasses import dataclass

from counter.desk import CHIP, OPERATOR, Desk, desk_in, identity_of, new_number
from inkan.client.piv_card import PivCard
from inkan.client.piv_layout import KeyUse
from inkan.counter.model import Case, CaseState
from inkan.counter.rules import FEE, PROFILES, TERMS
from inkan.crypto import base64url
from inkan.crypto.certificate_requests import parse_csr, verify_csr
from inkan.kernel.calendar import last_instant
from inkan.kernel.ids import new_id
from inkan.kernel.sensitive import Secret
from inkan.people import Person
from inkan.pki import CertificateOrder, IssuedCertificate, SubjectName
from inkan.schemes import get_scheme
from inkan.store.database import Step
from support.card_in_process import ReaderInProcess
from support.piv_applet import PivApplet
from support.world import SCHEME, World

PIN = Secret("Abc246")
AUTHENTICATION_PIN = Secret("1357")
MANAGEMENT_KEY = Secret(bytes(range(16)))
PINS = {KeyUse.SIGNATURE: PIN, KeyUse.AUTHENTICATION: AUTHENTICATION_PIN}


@dataclass(frozen=True)
class MadeCard:
    """A card with both certificates of this instance.

    Attributes:
        number: of a card that was made at a counter, else empty.
    """

    applet: PivApplet
    person: Person
    certificates: dict[str, IssuedCertificate]
    number: str = ""

    @property
    def signature(self) -> IssuedCertificate:
        return self.certificates["signature"]

    def sign(self, content: bytes, content_type: str, *, pin: Secret[str] = PIN) -> bytes:
        """What the signature key signs, without any agent."""
        with PivCard(ReaderInProcess(self.applet), KeyUse.SIGNATURE) as card:
            return card.sign_request(
                content, content_type=content_type, pin=pin, confirm=lambda _: ""
            )


async def make_card(world: World, key: str = "chen", *, years: int = 3) -> MadeCard:
    """A card whose keys are made inside, certified without a counter."""
    identity = identity_of(key)
    person = await world.platform.people.register(identity, actor=OPERATOR)
    end = last_instant(world.clock.now(), years=years, utc_offset=get_scheme(SCHEME).utc_offset)
    applet, owner = PivApplet(), new_id("card")
    issued = {
        use: await world.platform.pki.issue(
            CertificateOrder(
                order_key=f"{owner}:{use}",
                profile=PROFILES[use],
                owner=owner,
                subject=SubjectName(common_name=identity.name, serial_number=person.subject_serial),
                spki=verify_csr(parse_csr(csr)).spki,
                not_after=end,
            )
        )
        for use, csr in _make_keys(applet).items()
    }
    _write(world, applet, issued)
    return MadeCard(applet, person, issued)


async def counter_card(world: World) -> MadeCard:
    """The card of a resident, made by the five steps of a counter here."""
    desk = await desk_in(world)
    case = await desk.cases.identify(desk.first, (await desk.open()).id, CHIP, TERMS.version)
    applet, number = PivApplet(), new_number()
    requests = {use: base64url.encode(csr) for use, csr in _make_keys(applet).items()}
    keys = desk.cases.proven_keys(requests)
    await world.platform.db.transact(_keyed, desk, case.id, number, keys)
    case = await desk.cases.order(desk.first, case.id)
    issued = {
        use: await world.platform.pki.certificate(each) for use, each in case.certificates.items()
    }
    _write(world, applet, issued)
    await desk.write(case)
    await desk.cases.pay(desk.first, case.id, FEE)
    case = await desk.cases.hand_over(desk.first, case.id)
    assert case.state is CaseState.DONE
    return MadeCard(applet, desk.person, issued, number)


def _keyed(desk: Desk, case_id: str, number: str, keys: dict[str, bytes]) -> Step[Case]:
    row = yield from desk.cases.held(desk.first, case_id)
    return (yield from desk.cases.keys_made(row, number, keys))


def _make_keys(applet: PivApplet) -> dict[str, bytes]:
    requests = {}
    for use, pin in PINS.items():
        with PivCard(ReaderInProcess(applet), use) as card:
            requests[use.value] = card.make_key(pin=pin, management_key=MANAGEMENT_KEY)
    return requests


def _write(world: World, applet: PivApplet, issued: dict[str, IssuedCertificate]) -> None:
    """The certificates and their issuers, the self-signed one first."""
    for use, pin in PINS.items():
        certificate = issued[use.value]
        with PivCard(ReaderInProcess(applet), use) as card:
            card.put_certificate(
                certificate.der,
                issuers=[world.platform.pki.anchors()[0], *certificate.chain],
                pin=pin,
                management_key=MANAGEMENT_KEY,
            )
