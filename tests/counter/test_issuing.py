"""A card is made at a counter: the five steps (JPKI-21), and what may not be left out or changed in between."""

from collections import Counter
from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from counter.desk import (
    CHIP,
    OPERATOR,
    PASSPORT,
    identity_of,
    new_number,
    on_sqlite,
    refused,
    requests,
    rows,
)
from inkan.counter.model import CaseKind, ReportCause
from inkan.counter.rules import FEE, TERMS
from inkan.counter.store import tables
from inkan.crypto import base64url
from inkan.crypto.certificate_requests import build_csr
from inkan.pki import RevocationReason
from support.keyring import ec_key


@pytest.mark.req("JPKI-21")
async def test_a_card_goes_through_the_five_steps(desk):
    number = new_number()
    case = await desk.open()
    assert (case.kind, case.state, case.office) == ("issue", "opened", "chiyoda-1")
    case = await desk.cases.identify(desk.first, case.id, PASSPORT, TERMS.version)
    case = await desk.cases.confirm(desk.second, case.id)
    case = await desk.make_keys(case, number)
    assert (case.state, case.card) == ("keyed", number)
    case = await desk.cases.order(desk.first, case.id)
    assert await desk.states(case) == {("valid", None)}
    case = await desk.write(case)
    case = await desk.cases.pay(desk.first, case.id, FEE)
    case = await desk.cases.hand_over(desk.first, case.id)
    assert (case.state, case.paid, case.terms_version) == ("done", 500, TERMS.version)
    assert (await desk.card(number)).state == "live"
    events = Counter(await desk.world.events())
    for name in (
        "case_opened",
        "person_identified",
        "person_confirmed",
        "card_keyed",
        "certificates_issued",
        "card_written",
        "fee_paid",
        "card_handed_over",
    ):
        assert events[f"counter.{name}"] == 1, name


@pytest.mark.req("JPKI-11")
@pytest.mark.req("JPKI-16")
@on_sqlite
async def test_the_certificates_last_three_years_to_the_end_of_the_day_before_the_anniversary(desk):
    case = await desk.at("ordered")
    for certificate in case.certificates.values():
        issued = await desk.world.platform.pki.certificate(certificate)
        local = desk.world.clock.now() + timedelta(hours=8)
        last = datetime(local.year + 3, local.month, local.day, tzinfo=UTC) - timedelta(seconds=1)
        assert issued.not_after == last - timedelta(hours=8)


@on_sqlite
async def test_each_key_gets_the_profile_of_its_use(desk):
    case = await desk.at("ordered")
    issued = {
        key: (await desk.world.platform.pki.certificate(each)).profile
        for key, each in case.certificates.items()
    }
    assert issued == {"signature": "card-sign", "authentication": "card-auth"}


@pytest.mark.req("JPKI-20")
async def test_a_photo_document_is_kept_sealed(desk):
    case = await desk.identified(document=PASSPORT)
    again = await desk.cases.get(desk.first, case.id)
    assert again.document == PASSPORT
    (row,) = await rows(desk.world, tables.case)
    assert b"TK1234567" not in row.document


@on_sqlite
async def test_without_evidence_from_a_chip_a_second_clerk_is_needed(desk):
    case = await desk.identified(document=PASSPORT)
    assert await refused(desk.make_keys(case, new_number())) == "second_clerk_needed"
    assert await refused(desk.cases.confirm(desk.first, case.id)) == "same_clerk"
    assert await refused(desk.cases.confirm(desk.other, case.id)) == "case_unknown"
    case = await desk.cases.confirm(desk.second, case.id)
    assert case.confirmed_by == desk.second.account
    assert (await desk.make_keys(case, new_number())).state == "keyed"


@on_sqlite
async def test_a_chip_that_a_passport_has_is_no_card_evidence_here(desk):
    case = await desk.identified(document=msgspec.structs.replace(PASSPORT, chip_read=True))
    assert await refused(desk.make_keys(case, new_number())) == "second_clerk_needed"


@on_sqlite
async def test_a_second_look_is_not_asked_where_a_chip_was_read(desk):
    case = await desk.identified(document=CHIP)
    assert await refused(desk.cases.confirm(desk.second, case.id)) == "case_out_of_order"


@pytest.mark.req("JPKI-19")
@on_sqlite
async def test_nothing_is_handed_over_before_the_fee_is_paid(desk):
    case = await desk.at("written")
    assert await refused(desk.cases.hand_over(desk.first, case.id)) == "fee_missing"
    assert await refused(desk.cases.pay(desk.first, case.id, FEE - 1)) == "fee_missing"
    await desk.cases.pay(desk.first, case.id, FEE)
    assert await refused(desk.cases.pay(desk.first, case.id, FEE)) == "case_out_of_order"
    assert (await desk.cases.hand_over(desk.first, case.id)).state == "done"


@pytest.mark.req("JPKI-07")
@on_sqlite
@pytest.mark.parametrize("version", [None, "", "2025-1"])
async def test_the_present_terms_are_accepted_first(desk, version):
    case = await desk.open()
    call = desk.cases.identify(desk.first, case.id, CHIP, version)
    assert await refused(call) == "counter_terms_not_accepted"


@on_sqlite
async def test_a_step_out_of_turn_changes_nothing(desk):
    case = await desk.open()
    assert await refused(desk.make_keys(case, new_number())) == "case_out_of_order"
    assert await refused(desk.cases.order(desk.first, case.id)) == "case_out_of_order"
    assert await refused(desk.cases.hand_over(desk.first, case.id)) == "case_out_of_order"
    assert (
        await refused(desk.cases.revoke(desk.first, case.id, ReportCause.LOST))
        == "case_out_of_order"
    )
    assert (await desk.cases.get(desk.first, case.id)).version == case.version


@on_sqlite
async def test_a_closed_case_takes_no_step(desk):
    case = await desk.at("done")
    assert await refused(desk.cases.withdraw(desk.first, case.id)) == "case_out_of_order"
    assert await refused(desk.cases.hand_over(desk.first, case.id)) == "case_out_of_order"


# --- the card ------------------------------------------------------------------------------------


@on_sqlite
async def test_the_answer_of_the_card_is_compared_with_what_was_issued(desk):
    case = await desk.at("ordered")
    assert await refused(desk.write(case, new_number())) == "card_answer_refused"
    other = await desk.digest_of(case.certificates["signature"])
    assert await refused(desk.write(case, authentication=other)) == "card_answer_refused"
    assert await refused(desk.write(case, third=other)) == "card_answer_refused"
    assert (await desk.write(case)).state == "written"


@on_sqlite
async def test_keys_are_proved_one_for_each_use(desk):
    proven = desk.cases.proven_keys
    good = requests()
    assert set(proven(good)) == {"signature", "authentication"}
    for wrong in (
        {},
        {"signature": good["signature"]},
        {**good, "third": good["signature"]},
        {"signature": good["signature"], "authentication": good["signature"]},
    ):
        with pytest.raises(Exception) as caught:
            proven(wrong)
        assert caught.value.code == "card_answer_refused"
    bent = bytearray(build_csr(ec_key(10)))
    bent[-1] ^= 1
    with pytest.raises(Exception) as caught:
        proven({**good, "signature": base64url.encode(bytes(bent))})
    assert caught.value.code in {"csr_signature_wrong", "csr_malformed"}


@pytest.mark.req("JPKI-13")
async def test_a_card_belongs_to_one_person_for_ever(desk):
    number = new_number()
    await desk.at("done", number=number)
    others = await desk.cases.open(desk.first, CaseKind.ISSUE, identity_of("tanaka").national_id)
    others = await desk.cases.identify(desk.first, others.id, CHIP, TERMS.version)
    assert await refused(desk.make_keys(others, number, start=20)) == "card_taken"
    ending = await desk.identified(CaseKind.REVOKE)
    await desk.cases.revoke(desk.first, ending.id, ReportCause.DAMAGED)
    assert await refused(desk.make_keys(others, number, start=20)) == "card_taken"
    assert (await desk.make_keys(others, new_number(), start=20)).state == "keyed"


@on_sqlite
async def test_a_card_with_good_certificates_is_not_written_again_before_they_end(desk):
    number = new_number()
    await desk.at("done", number=number)
    again = await desk.identified()
    assert await refused(desk.make_keys(again, number, start=20)) == "card_taken"
    await desk.cases.withdraw(desk.first, again.id)
    ending = await desk.identified(CaseKind.REVOKE)
    await desk.cases.revoke(desk.first, ending.id, ReportCause.DAMAGED)
    renewed = await desk.at("done", number=number, start=20)
    assert await desk.states(renewed) == {("valid", None)}
    assert (await desk.card(number)).state == "live"


@on_sqlite
async def test_a_card_whose_term_is_over_is_written_again(desk):
    number = new_number()
    old = await desk.at("done", number=number)
    (last,) = {(await desk.status(each)).not_after for each in old.certificates.values()}
    desk.world.clock.advance(last - desk.world.clock.now())
    again = await desk.identified()
    assert await refused(desk.make_keys(again, number, start=20)) == "card_taken"
    desk.world.clock.advance(timedelta(seconds=1))
    assert (await desk.make_keys(again, number, start=20)).state == "keyed"


async def test_a_new_card_ends_the_older_one(desk):
    old = await desk.at("done")
    new = await desk.at("written", start=20)
    assert await desk.states(old) == {("valid", None)}
    await desk.cases.pay(desk.first, new.id, FEE)
    await desk.cases.hand_over(desk.first, new.id)
    assert await desk.states(old) == {("revoked", "superseded")}
    assert await desk.states(new) == {("valid", None)}
    assert (await desk.card(old.card)).state == "ended"


@on_sqlite
async def test_a_certificate_that_was_revoked_before_is_not_handed_over(desk):
    case = await desk.at("paid")
    pki = desk.world.platform.pki

    def end():
        return (
            yield from pki.revoke(
                case.certificates["signature"],
                reason=RevocationReason.PRIVILEGE_WITHDRAWN,
                actor=OPERATOR,
            )
        )

    await desk.world.platform.db.transact(end)
    assert await refused(desk.cases.hand_over(desk.first, case.id)) == "case_out_of_order"


async def test_the_holder_hears_of_the_card(desk):
    await desk.at("done")
    told = await desk.told(desk.person.id)
    assert told == ["card_handed_over"]


@on_sqlite
@pytest.mark.req("JPKI-20")
async def test_who_looked_at_the_document_is_not_the_second_clerk(desk):
    """A colleague who only opened the case has seen nobody: the two pairs of eyes are those that looked."""
    case = await desk.open(clerk=desk.first)
    case = await desk.cases.identify(desk.second, case.id, PASSPORT, TERMS.version)
    assert await refused(desk.cases.confirm(desk.second, case.id)) == "same_clerk"
    case = await desk.cases.confirm(desk.first, case.id)
    assert (case.clerk, case.confirmed_by) == (desk.second.account, desk.first.account)
