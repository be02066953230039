"""Twenty counters at once: every card holds the certificates of the person who stands in front of it."""

import asyncio
from datetime import date

import pytest
from cryptography.x509.oid import NameOID

from counter.desk import ADDRESS, CHIP, HERE, OPERATOR
from counter.terminals import Page, blank_card, terminal_at
from inkan.client.piv_card import PivCard
from inkan.client.piv_layout import KeyUse
from inkan.counter.model import CaseKind
from inkan.counter.rules import TERMS
from inkan.crypto.certificate_view import Sex
from inkan.crypto.certificates import parse_certificate
from inkan.kernel.errors import InkanError
from inkan.kernel.identifiers import national_id_check_digit, parse_national_id
from inkan.people import new_identity
from inkan.wire.card_command import CardAct

TERMINALS = 20


async def identified(desk, number: int):
    """A resident whose case stands at the making of keys."""
    prefix = f"A2{number:07}"
    national_id = parse_national_id(prefix + national_id_check_digit(prefix))
    identity = new_identity(
        name=f"居民{number}", birth_date=date(1990, 1, 1), national_id=national_id
    )
    person = await desk.world.platform.people.register(identity, actor=OPERATOR)
    await desk.counter.residents.record(person.id, Sex.FEMALE, ADDRESS, HERE, OPERATOR)
    case = await desk.cases.open(desk.first, CaseKind.ISSUE, national_id)
    return person, await desk.cases.identify(desk.first, case.id, CHIP, TERMS.version)


async def page_of(desk, folder, number: int) -> Page:
    terminal = await terminal_at(desk, folder / str(number))
    terminal.reader.insert(blank_card(desk))
    page = Page(desk, terminal)
    page.login = f"login-{number}"
    return page


def subject_of(page: Page, use: KeyUse) -> str:
    page.terminal.manager.close()
    with PivCard(page.terminal.reader, use) as card:
        subject = parse_certificate(card.certificates()[0].der).subject
    [number] = subject.get_attributes_for_oid(NameOID.SERIAL_NUMBER)
    return str(number.value)


@pytest.mark.race
async def test_no_card_gets_the_certificates_of_somebody_else(desk, tmp_path) -> None:
    visits = [await identified(desk, number) for number in range(TERMINALS)]
    pages = [await page_of(desk, tmp_path, number) for number in range(TERMINALS)]
    cases = await asyncio.gather(
        *(page.issue(case) for page, (_, case) in zip(pages, visits, strict=True))
    )
    for page, case, (person, _) in zip(pages, cases, visits, strict=True):
        assert case.state == "written"
        assert case.card == page.terminal.reader.applet.number.hex()
        assert {subject_of(page, use) for use in KeyUse} == {person.subject_serial}


@pytest.mark.race
async def test_answers_that_are_carried_to_the_wrong_place_change_nothing(desk, tmp_path) -> None:
    """Every page hands its neighbours' answers in before its own, and runs its neighbour's command."""
    count = 5
    visits = [await identified(desk, number) for number in range(count)]
    pages = [await page_of(desk, tmp_path, number) for number in range(count)]
    pairs = list(zip(pages, [case for _, case in visits], strict=True))
    commands = [await page.give(case, CardAct.MAKE_KEYS) for page, case in pairs]
    for page, command in zip(pages, commands[1:] + commands[:1], strict=True):
        with pytest.raises(InkanError) as refusal:
            page.terminal.run(command)
        assert refusal.value.code == "card_command_not_admitted"
        assert not page.terminal.reader.applet.keys
    answers = [await page.run(command) for page, command in zip(pages, commands, strict=True)]

    async def hand_in(page: Page, case) -> list[str]:
        codes = []
        for answer in answers:
            try:
                await page.take(case, answer)
                codes.append("")
            except InkanError as refused:
                codes.append(refused.code)
        return codes

    found = await asyncio.gather(*(hand_in(page, case) for page, case in pairs))
    for own, codes in enumerate(found):
        assert codes[own] == ""
        assert set(codes[:own] + codes[own + 1 :]) == {"card_answer_refused"}
