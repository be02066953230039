"""A card made at the counter, as scenes of the story: the five steps, what is refused, and the card at work."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from datetime import timedelta
from typing import Final

import msgspec

from inkan.client.card import PIN_TRIES, PINLocked, WrongPIN
from inkan.client.piv_card import PivCard
from inkan.client.piv_layout import KeyUse
from inkan.counter import TERMS, CaseKind, DocumentKind, PhotoDocument
from inkan.crypto.certificate_view import Sex
from inkan.crypto.certificates import parse_certificate
from inkan.crypto.workers.certificate_reader import read_certificate
from inkan.demo.counter import CLERKS, OPERATOR, DemoCounter, found_counter, settle
from inkan.demo.country import Citizen, Country
from inkan.demo.software_reader import HeldCard, SoftwareReader
from inkan.demo.steps import Step, refused
from inkan.demo.test_card import PivApplet
from inkan.kernel.identifiers import parse_national_id
from inkan.kernel.sensitive import Personal, Secret
from inkan.pki import CertificateState
from inkan.wire.card_command import CardAct

HOLDER: Final = "tanaka"
STRANGER: Final = "lin"
PINS: Final = {KeyUse.SIGNATURE: "Tanaka91", KeyUse.AUTHENTICATION: "7309"}


class Visit:
    """What the scenes hand on to each other.

    Attributes:
        country: in which the counter is.
        counter: open from the first scene on.
        applet: the new card.
    """

    def __init__(self, country: Country) -> None:
        self.country = country
        self.counter: DemoCounter
        self.applet: PivApplet

    @property
    def national_id(self) -> str:
        """Of whoever gets the card."""
        return self.country.citizens[HOLDER].part.national_id


Scene = Callable[[Visit, Step], Awaitable[None]]


async def _open(visit: Visit, step: Step) -> None:
    country = visit.country
    platform = country.instance.platform
    visit.counter = await found_counter(platform, country.folder / "terminal")
    counter = platform.counter
    step.check("two clerks on duty, each with a card of the other", len(visit.counter.cards) == 2)
    await settle(platform, country.citizens[HOLDER].person.id)
    stranger = country.citizens[STRANGER]
    await counter.residents.record(
        stranger.person.id, Sex.UNSTATED, Personal("臺南市東區測試街二號"), "tainan-east", OPERATOR
    )
    clerk = visit.counter.clerks[0]
    number = parse_national_id(stranger.part.national_id)
    await refused(counter.cases.open(clerk, CaseKind.ISSUE, number), "outside_jurisdiction", step)


async def _log_in(visit: Visit, step: Step) -> None:
    """What a browser does with the card agent: it has the platform's challenge signed, under its own origin."""
    logins, applet = visit.counter.platform.counter.logins, visit.counter.cards[0].applet
    challenge = await logins.begin()
    pin = Secret(CLERKS[0].pins[KeyUse.AUTHENTICATION])

    def sign() -> bytes:
        with PivCard(_reader_with(applet), KeyUse.AUTHENTICATION) as card:
            return card.sign_request(
                challenge.content,
                content_type=challenge.content_type,
                pin=pin,
                confirm=lambda _: "",
            )

    cms = await asyncio.to_thread(sign)
    stolen = logins.finish(challenge.id, cms=cms, browser="another browser", replaces=None)
    await refused(stolen, "card_challenge_ended", step)
    browser = challenge.browser.reveal()
    token = await logins.finish(challenge.id, cms=cms, browser=browser, replaces=None)
    step.check("the clerk is logged in", token.login.account == visit.counter.clerks[0].account)
    again = logins.finish(challenge.id, cms=cms, browser=browser, replaces=None)
    await refused(again, "card_challenge_ended", step)


async def _alone(visit: Visit, step: Step) -> None:
    """A passport has no chip that this counter reads."""
    platform, clerk = visit.country.instance.platform, visit.counter.clerks[0]
    counter, number = platform.counter, parse_national_id(visit.national_id)
    case = await counter.cases.open(clerk, CaseKind.ISSUE, number)
    await refused(counter.cases.open(clerk, CaseKind.ISSUE, number), "case_open_elsewhere", step)
    passport = PhotoDocument(
        kind=DocumentKind.PASSPORT,
        number=Personal("AB1234567"),
        expires_on=(platform.clock.now() + timedelta(days=900)).date(),
    )
    await counter.cases.identify(clerk, case.id, passport, TERMS.version)
    blank = visit.counter.blank()
    with visit.counter.terminal(blank, PINS) as manager:
        keys = visit.counter.do(clerk, case, CardAct.MAKE_KEYS, manager, blank)
        await refused(keys, "second_clerk_needed", step)
    await refused(counter.cases.confirm(clerk, case.id), "same_clerk", step)
    await counter.cases.withdraw(clerk, case.id)


async def _make(visit: Visit, step: Step) -> None:
    counter, clerk = visit.counter, visit.counter.clerks[0]
    number = parse_national_id(visit.national_id)
    case, visit.applet = await counter.make_card(clerk, number, PINS)
    step.check("opened, identified, keyed, written, handed over", case.state == "done")
    step.check("the fee stands in the case", case.paid == 500)
    with PivCard(_reader_with(visit.applet)) as card:
        (held,) = card.certificates()
        issuers = card.issuer_certificates()
    shown = await asyncio.to_thread(read_certificate, held.der)
    part = visit.country.citizens[HOLDER].part
    step.check("the certificate in the card names the person", shown.holder.name == part.name)
    step.check("birth date and address too", shown.holder.birth_date and shown.holder.address)
    step.check("and no national ID", visit.national_id.encode() not in held.der)
    step.check(
        "the authority's own certificate lies beside it", issuers[0] in visit.country.anchors
    )


async def _guess(visit: Visit, step: Step) -> None:
    """Five wrong PINs lock a card; only a counter opens it again."""
    left = await asyncio.to_thread(_guess_five_times, visit.applet)
    step.check("after five wrong PINs no try is left", left == 0)
    clerk, number = visit.counter.clerks[1], parse_national_id(visit.national_id)
    case = await visit.counter.unlock(clerk, number, visit.applet, PINS)
    step.check("the counter sets a new one", case.state == "done")
    with PivCard(_reader_with(visit.applet)) as card:
        step.check("and the card forgives again", card.tries_left() == PIN_TRIES)
        (held,) = card.certificates()
    citizen = visit.country.citizens[HOLDER]
    part = msgspec.structs.replace(citizen.part, pin=PINS[KeyUse.SIGNATURE])
    visit.country.citizens[HOLDER] = Citizen(
        part=part,
        person=citizen.person,
        card=PivCard(_reader_with(visit.applet)),
        certificate=held.der,
    )


async def report_lost(visit: Visit, step: Step) -> None:
    """The card ends at once; what was bound with it shortly before waits until its holder has spoken."""
    platform, citizen = visit.country.instance.platform, visit.country.citizens[HOLDER]
    held = parse_certificate(citizen.certificate)
    await visit.counter.report_lost(visit.counter.clerks[1], parse_national_id(visit.national_id))
    ended = await platform.pki.find_by_serial("card", f"{held.serial:x}")
    step.check("its certificate is revoked", ended and ended.state is CertificateState.REVOKED)
    await visit.country.instance.catch_up()
    (phone,) = await platform.enrolment.phones(citizen.person.id)
    step.check("the phone that it bound is suspended", phone.state == "suspended")


def _guess_five_times(applet: PivApplet) -> int:
    with PivCard(_reader_with(applet)) as card:
        for _ in range(PIN_TRIES):
            with suppress(WrongPIN, PINLocked):
                card.verify_pin(Secret("000000"))
        return card.tries_left()


def _reader_with(applet: PivApplet) -> SoftwareReader:
    reader = SoftwareReader([HeldCard("card", "", applet)])
    reader.insert("card")
    return reader


SCENES: Mapping[str, Scene] = {
    "a counter opens, and sends strangers on": _open,
    "a clerk logs in by card": _log_in,
    "a passport needs a second clerk": _alone,
    "a card is made at the counter": _make,
    "the card is locked, and unlocked at the counter": _guess,
}
"""What the scenes are called, in their order; afterwards the citizen's card is the one of the counter."""
