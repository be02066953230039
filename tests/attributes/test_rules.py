"""The table of attributes: total, and no value but one of its form passes."""

from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inkan.attributes.model import AttributeUnknown, AttributeValueWrong, Facts, Form, SourceKind
from inkan.attributes.rules import (
    ROWS,
    mask,
    texts_of,
    verify_codes,
    verify_source,
    verify_value,
)
from inkan.kernel.errors import InkanError, Malformed
from inkan.kernel.identifiers import Residence
from inkan.kernel.sensitive import Personal
from inkan.wire.claims import Claim

RECORDED = [claim for claim in Claim if ROWS[claim].derive is None]
GOOD: dict[Claim, Any] = {
    Claim.ADDRESS: "臺北市中正區重慶南路一段122號",
    Claim.OCCUPATION: "公務員",
    Claim.HEALTH_PROFESSION: "physician",
    Claim.MEMBERSHIP_CARD: {"number": "M0012345", "name": "陳怡君", "valid_until": "2027-12-31"},
    Claim.CREDIT_CARD: {"number": "4111111111111111", "name": "CHEN", "valid_until": "2027-12-31"},
    Claim.CASH_CARD: {"branch": "012", "account": "0012345678", "name": "陳怡君"},
}
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=30),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=12), inner),
    max_leaves=8,
)


def facts(born: date, today: date) -> Facts:
    return Facts(Personal("陳怡君"), born, Residence.NATIONAL, today)


def derived(claim: Claim, born: date, today: date) -> Any:
    derive = ROWS[claim].derive
    assert derive is not None
    return derive(facts(born, today))


def test_every_row_is_whole() -> None:
    assert set(ROWS) == set(Claim)
    for claim, row in ROWS.items():
        assert row.source, claim
        assert row.sources, claim
        assert (row.derive is not None) == (row.sources == {SourceKind.CARD})
        assert bool(row.members) == (row.form is Form.RECORD)
        assert bool(row.choices) == (row.form is Form.CHOICE)
    assert set(GOOD) == set(RECORDED)


@pytest.mark.req("WAT-42")
def test_a_cash_card_has_branch_account_and_name() -> None:
    assert set(ROWS[Claim.CASH_CARD].members) == {"branch", "account", "name"}


@pytest.mark.req("TW-68")
@pytest.mark.parametrize(
    ("born", "today", "over_18", "over_20"),
    [
        (date(2008, 11, 22), date(2026, 11, 21), False, False),
        (date(2008, 11, 22), date(2026, 11, 22), True, False),
        (date(2006, 11, 22), date(2026, 11, 22), True, True),
        (date(2008, 2, 29), date(2026, 2, 28), False, False),
        (date(2008, 2, 29), date(2026, 3, 1), True, False),
    ],
)
def test_an_age_is_a_yes_or_no_of_that_day(born, today, over_18, over_20) -> None:
    assert derived(Claim.AGE_OVER_18, born, today) is over_18
    assert derived(Claim.AGE_OVER_20, born, today) is over_20


@given(st.dates(date(1900, 1, 1), date(2025, 1, 1)), st.dates(date(2025, 1, 1), date(2090, 1, 1)))
def test_what_is_derived_has_the_form_of_its_row(born: date, today: date) -> None:
    for claim, row in ROWS.items():
        if row.derive is not None:
            value = derived(claim, born, today)
            assert verify_value(claim, value) == value
    assert isinstance(derived(Claim.AGE_OVER_18, born, today), bool)


@pytest.mark.parametrize("claim", RECORDED)
def test_a_good_value_passes_unchanged(claim: Claim) -> None:
    assert verify_value(claim, GOOD[claim]) == GOOD[claim]


@pytest.mark.parametrize(
    ("claim", "value", "where"),
    [
        *((Claim.ADDRESS, bad, "value") for bad in ("", " x", "x ", "a\nb", "a\u202eb", "x" * 201)),
        *((Claim.ADDRESS, bad, "value") for bad in ("e\u0301", None, 1, True, ["x"], {"x": "y"})),
        *((Claim.BIRTH_DATE, bad, "value") for bad in ("1988-02-30", "19880314", "１９８８-03-14")),
        *((Claim.AGE_OVER_18, bad, "value") for bad in (1, "true", None)),
        *((Claim.RESIDENCE, bad, "value") for bad in ("tourist", None, [])),
        (Claim.CASH_CARD, {"branch": "012", "account": "1"}, "value"),
        (Claim.CASH_CARD, GOOD[Claim.CASH_CARD] | {"pin": "1234"}, "value"),
        (Claim.CASH_CARD, GOOD[Claim.CASH_CARD] | {"account": "００１２"}, "account"),
        (Claim.CASH_CARD, GOOD[Claim.CASH_CARD] | {"account": "1234-5678-9018"}, "account"),
        (Claim.CASH_CARD, GOOD[Claim.CASH_CARD] | {"name": {}}, "name"),
        (Claim.CREDIT_CARD, GOOD[Claim.CREDIT_CARD] | {"valid_until": "12/27"}, "valid_until"),
        (Claim.CREDIT_CARD, "4111111111111111", "value"),
    ],
)
def test_a_value_of_another_form_is_refused(claim: Claim, value: Any, where: str) -> None:
    with pytest.raises(AttributeValueWrong) as refused:
        verify_value(claim, value)
    assert refused.value.facts["where"] == where


@given(st.sampled_from(Claim), JSON)
def test_whatever_comes_passes_whole_or_is_refused(claim: Claim, value: Any) -> None:
    try:
        kept = verify_value(claim, value)
    except InkanError:
        return
    assert kept == value
    for text in texts_of(kept):
        assert text.isprintable()
    assert mask(claim, kept) is not None


@pytest.mark.parametrize("claim", RECORDED)
def test_only_its_own_kind_of_source_records_an_attribute(claim: Claim) -> None:
    for kind in SourceKind:
        if kind in ROWS[claim].sources:
            verify_source(claim, kind, "moi")
            for name in ("", "MOI", "a/b", "内政部", "x" * 64, "moi\n"):
                with pytest.raises(AttributeValueWrong):
                    verify_source(claim, kind, name)
        else:
            with pytest.raises(AttributeValueWrong):
                verify_source(claim, kind, "moi")


@pytest.mark.parametrize("claim", [claim for claim in Claim if ROWS[claim].derive])
def test_nobody_records_what_the_card_says(claim: Claim) -> None:
    for kind in SourceKind:
        with pytest.raises(AttributeValueWrong):
            verify_source(claim, kind, "moi")


def test_codes_are_known_and_stand_once() -> None:
    assert verify_codes(["name", "address"]) == (Claim.NAME, Claim.ADDRESS)
    assert verify_codes([]) == ()
    with pytest.raises(AttributeUnknown) as refused:
        verify_codes(["name", "national_id"])
    assert refused.value.public_facts == {"attribute": "national_id"}
    with pytest.raises(Malformed):
        verify_codes(["name", "name"])
    with pytest.raises(Malformed):
        verify_codes([f"c{n}" for n in range(33)])


@pytest.mark.req("HCA-48")
def test_masks_keep_little() -> None:
    assert mask(Claim.NAME, "王小明") == "王○明"
    assert mask(Claim.BIRTH_DATE, "1988-03-14") == "1988-**-**"
    assert mask(Claim.CASH_CARD, GOOD[Claim.CASH_CARD]) == {
        "branch": "***",
        "account": "******5678",
        "name": "陳○君",
    }
    assert mask(Claim.CREDIT_CARD, GOOD[Claim.CREDIT_CARD])["number"] == "*" * 12 + "1111"


@given(st.sampled_from([Claim.ADDRESS, Claim.OCCUPATION]), st.text(min_size=4, max_size=60))
def test_a_masked_text_shows_two_characters_at_most(claim: Claim, text: str) -> None:
    shown = mask(claim, text)
    assert len(shown) == len(text)
    assert sum(character != "○" for character in shown) <= 2
