"""What ends by itself: cards whose certificate an officer revoked, and what is kept of photo documents."""

from datetime import timedelta

import pytest

from counter.desk import CHIP, OPERATOR, new_number, on_sqlite, rows
from inkan.counter.model import CaseKind
from inkan.counter.rules import DOCUMENT_LIFE, PURGE_EVERY
from inkan.counter.store import tables
from inkan.pki import CertificateRevoked, RevocationReason

KEYS = ("signature", "authentication")


async def by_officer(desk, certificate, reason=RevocationReason.KEY_COMPROMISE):
    """What an officer of the authority does, who knows of no card."""
    platform = desk.world.platform
    await platform.db.transact(
        lambda: platform.pki.revoke(certificate, reason=reason, actor=OPERATOR)
    )
    await desk.world.instance.outbox.run_due()


@pytest.mark.parametrize("key", KEYS)
async def test_a_card_ends_with_the_certificate_that_an_officer_revoked(desk, key):
    case = await desk.at("done")
    await by_officer(desk, case.certificates[key])
    assert (await desk.card(case.card)).state == "ended"
    # The other certificate of the card too, for the same reason.
    assert await desk.states(case) == {("revoked", "keyCompromise")}
    assert "card_ended" in await desk.told(desk.person.id)
    # Delivered twice: the second time there is nothing to end.
    before = (await desk.world.events()).count("counter.card_ended")
    await desk.world.platform.counter.cases.on_certificate_revoked(
        CertificateRevoked(case.certificates[key], f"card:{case.card}", "keyCompromise")
    )
    assert (await desk.world.events()).count("counter.card_ended") == before == 1


@pytest.mark.parametrize("state", ["ordered", "written", "paid"])
async def test_an_issue_under_way_is_withdrawn_with_its_certificate(desk, state):
    case = await desk.at(state)
    await by_officer(desk, case.certificates["signature"])
    assert (await desk.cases.get(desk.first, case.id)).state == "withdrawn"
    assert (await desk.card(case.card)).state == "ended"
    assert {each for each, _ in await desk.states(case)} == {"revoked"}


@on_sqlite
async def test_a_case_of_another_kind_goes_on(desk):
    card = await desk.at("done")
    case = await desk.identified(CaseKind.PIN)
    await by_officer(desk, card.certificates["signature"])
    assert (await desk.cases.get(desk.first, case.id)).state == "identified"
    assert (await desk.card(card.card)).state == "ended"


@on_sqlite
async def test_a_certificate_on_hold_ends_no_card(desk):
    case = await desk.at("done")
    await desk.cases.on_certificate_revoked(
        CertificateRevoked(case.certificates["signature"], f"card:{case.card}", "certificateHold")
    )
    assert (await desk.card(case.card)).state == "live"
    assert await desk.states(case) == {("valid", None)}


@on_sqlite
async def test_late_news_of_a_cards_former_certificate_end_nothing(desk):
    number = new_number()
    former = await desk.at("ordered", number=number)
    await desk.cases.withdraw(desk.first, former.id)
    case = await desk.at("done", number=number, start=20)
    # Only now is the event of the withdrawn certificates delivered.
    await desk.world.instance.outbox.run_due()
    assert (await desk.card(number)).state == "live"
    assert await desk.states(case) == {("valid", None)}


@on_sqlite
@pytest.mark.parametrize("owner", ["card:" + "0" * 32, "card:", "person", "ps_card:x"])
async def test_certificates_of_others_are_no_cards(desk, owner):
    await desk.cases.on_certificate_revoked(
        CertificateRevoked("cert_x", owner, RevocationReason.KEY_COMPROMISE.value)
    )


# --- photo documents -----------------------------------------------------------------------------


@pytest.mark.parametrize("ends", ["done", "withdrawn"])
async def test_a_photo_document_is_deleted_a_month_after_its_case_was_closed(desk, ends):
    case = await desk.at("done" if ends == "done" else "identified")
    if ends == "withdrawn":
        await desk.cases.withdraw(desk.first, case.id)
    desk.world.clock.tick((DOCUMENT_LIFE - timedelta(minutes=1)).total_seconds())
    await desk.cases.purge()
    assert await kept(desk) == 1
    desk.world.clock.tick(PURGE_EVERY.total_seconds())
    for _ in range(2):
        await desk.cases.purge()
    assert await kept(desk) == 0
    (row,) = await rows(desk.world, tables.case)
    assert (row.state, row.terms_version is None) == (ends, False)


@on_sqlite
async def test_an_open_case_keeps_its_document(desk):
    case = await desk.at("identified")
    desk.world.clock.tick(2 * DOCUMENT_LIFE.total_seconds())
    await desk.cases.purge()
    assert await kept(desk) == 1
    assert (await desk.cases.get(desk.first, case.id)).document.number == CHIP.number


async def kept(desk) -> int:
    return sum(row.document is not None for row in await rows(desk.world, tables.case))
