"""From the register over the card's certificate to the paper: the same four facts everywhere (JPKI-09, JPKI-21, JPKI-22)."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from counter.desk import ADDRESS, CITIZENS, ELSEWHERE, OFFICE, Desk, new_number, on_sqlite
from inkan.counter.model import CaseKind, CounterEntryMalformed, ReportCause
from inkan.counter.rules.texts import ENTRY_LIMIT, verify_entry
from inkan.crypto.certificate_view import Holder, Sex
from inkan.crypto.holder_attributes import LINE_LENGTH, MAX_LINES, encode_holder_attributes
from inkan.crypto.workers.certificate_reader import read_certificate
from inkan.web.languages import Language
from support.printed import Printed, paper_font


@pytest.fixture(autouse=True)
def font() -> str:
    return paper_font()


async def printed(desk: Desk, name: str, case, language: Language = Language.JA) -> Printed:
    write = getattr(desk.counter.papers, name)
    at = desk.world.clock.now()
    return Printed(await write(desk.first, case, office=OFFICE, language=language, at=at))


@on_sqlite
@pytest.mark.req("JPKI-09", "JPKI-21", "JPKI-22", "WAT-59")
async def test_a_card_made_at_the_counter_and_its_copy_say_what_the_register_says(desk: Desk):
    case = await desk.at("done")
    name, born, _ = CITIZENS["chen"]
    pki = desk.world.platform.pki
    signature = await pki.certificate(case.certificates["signature"])
    assert read_certificate(signature.der).holder == Holder(
        name=name, birth_date=born, sex=Sex.FEMALE, address=ADDRESS.reveal()
    )
    authentication = await pki.certificate(case.certificates["authentication"])
    assert read_certificate(authentication.der).holder == Holder()
    copy = await printed(desk, "copy", case)
    for text in (name, "女", ADDRESS.reveal(), signature.serial.upper()):
        assert text in copy.lines
    assert copy.barcode == signature.serial.upper()
    handbook = await printed(desk, "handbook", case)
    assert OFFICE.phone in handbook.text


@on_sqlite
@pytest.mark.req("JPKI-25")
async def test_the_notice_after_a_real_revocation(desk: Desk):
    made = await desk.at("done", number=new_number())
    case = await desk.identified(CaseKind.REVOKE)
    case = await desk.cases.revoke(desk.first, case.id, ReportCause.LOST)
    notice = await printed(desk, "acceptance_notice", case)
    assert {state for state, _ in await desk.states(made)} == {"revoked"}
    for certificate in made.certificates.values():
        serial = (await desk.world.platform.pki.certificate(certificate)).serial.upper()
        assert serial in notice.lines
    assert CITIZENS["chen"][0] in notice.lines
    assert "カードの紛失" in notice.lines
    assert ELSEWHERE.phone not in notice.text


def test_the_register_takes_no_longer_address_than_a_certificate() -> None:
    assert ENTRY_LIMIT == LINE_LENGTH * MAX_LINES


@given(st.text(min_size=1, max_size=200))
def test_what_the_register_takes_stands_in_a_certificate(address: str) -> None:
    """Else keys would be made in a card for which no certificate can be issued."""
    with contextlib.suppress(CounterEntryMalformed):
        verify_entry(address, where="address")
        encode_holder_attributes(CITIZENS["chen"][1], Sex.FEMALE, address)
