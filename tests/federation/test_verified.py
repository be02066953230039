"""``verified_claims``: what fulfils every constraint is told with how it was verified; else there is nothing."""

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from federation.asking import ADDRESS, GIVEN, NOW, answered, asked, grant, value
from federation.ida_schema import VERIFIED_CLAIMS
from inkan.federation.rules.claims import TRUST_ROWS
from inkan.federation.service.claims import claims_for
from inkan.federation.service.verified import meets_constraints, verification_of

CARD_TYPE = "urn:inkan:document:certificate-card"
CARD, REGISTER = TRUST_ROWS["card"].framework, TRUST_ROWS["authority"].framework
EVERYTHING = {"trust_framework": None, "assurance_level": None, "time": None, "evidence": None}


def told(
    verification: dict[str, Any],
    *names: str,
    given: dict[str, Any] | None = None,
    **wishes: Any,
) -> Any:
    claims = {**dict.fromkeys(names), **wishes}
    wish = {"verification": verification, "claims": claims}
    made = grant(asked(claims={"userinfo": {"verified_claims": wish}}))
    shown = claims_for(made, answered(given), "userinfo").get("verified_claims")
    if shown is not None:
        Draft202012Validator(VERIFIED_CLAIMS).validate(shown)
    return shown


def test_the_card_is_the_evidence_of_what_it_proved():
    assert told(EVERYTHING, "name", "birthdate") == {
        "verification": {
            "trust_framework": CARD,
            # The older of the two: nothing is told to be fresher than it is.
            "time": "2026-11-20T08:00:00Z",
            "evidence": [
                {
                    "type": "document",
                    "check_details": [{"check_method": "vcrypt"}],
                    "document_details": {"type": CARD_TYPE},
                }
            ],
        },
        "claims": {"name": "陳怡君", "birthdate": "1988-03-14"},
    }


def test_a_register_tells_its_own_level():
    assert told(EVERYTHING, "address") == {
        "verification": {
            "trust_framework": REGISTER,
            "assurance_level": "2",
            "time": "2026-11-22T11:00:00Z",
            "evidence": [
                {
                    "type": "electronic_record",
                    "record": {"type": "public_register", "source": {"name": "moi"}},
                }
            ],
        },
        "claims": {"address": {"formatted": ADDRESS}},
    }


def test_two_sources_are_two_elements():
    shown = told({"trust_framework": None}, "name", "address")
    assert [set(each["claims"]) for each in shown] == [{"address"}, {"name"}]
    assert [each["verification"] for each in shown] == [
        {"trust_framework": REGISTER},
        {"trust_framework": CARD},
    ]


def test_several_wishes_are_answered_each():
    wish = {"verification": {"trust_framework": None}}
    wishes = [{**wish, "claims": {"name": None}}, {**wish, "claims": {"birthdate": None}}]
    made = grant(asked(claims={"id_token": {"verified_claims": wishes}}))
    shown = claims_for(made, answered(), "id_token")["verified_claims"]
    assert [each["claims"] for each in shown] == [{"name": "陳怡君"}, {"birthdate": "1988-03-14"}]
    assert "verified_claims" not in claims_for(made, answered(), "userinfo")


@pytest.mark.parametrize(
    "verification",
    [
        {"trust_framework": {"value": "eidas"}},
        {"trust_framework": {"values": ["eidas", "de_aml"]}},
        {"trust_framework": {"value": "eidas", "essential": True}},
        {"trust_framework": None, "assurance_level": {"value": "high"}},
        {"trust_framework": None, "assurance_level": {"value": "3"}},
        {"trust_framework": None, "time": {"max_age": 60}},
        {"trust_framework": None, "evidence": [{"type": {"value": "vouch"}}]},
        {"trust_framework": None, "evidence": [{"type": {"value": "electronic_record"}}]},
        {
            "trust_framework": None,
            "evidence": [
                {
                    "type": {"value": "document"},
                    "check_details": [{"check_method": {"value": "vpip"}}],
                }
            ],
        },
        {
            "trust_framework": None,
            "evidence": [
                {
                    "type": {"value": "document"},
                    "document_details": {"document_number": {"value": "1"}},
                }
            ],
        },
        {"trust_framework": None, "assurance_process": {"policy": {"value": "gpg45"}}},
        {"trust_framework": None, "verification_process": {"value": "x"}},
        {"trust_framework": "eidas"},
    ],
)
def test_what_cannot_be_fulfilled_leaves_all_out(verification: dict[str, Any]):
    assert told(verification, "name", "birthdate") is None


@pytest.mark.parametrize(
    "verification",
    [
        {"trust_framework": {"value": CARD}},
        {"trust_framework": {"values": ["eidas", CARD]}},
        {"trust_framework": None, "time": {"max_age": 3600}},
        {
            "trust_framework": None,
            "evidence": [
                {
                    "type": {"value": "document"},
                    "check_details": [{"check_method": {"values": ["vpip", "vcrypt"]}}],
                    "document_details": {"type": {"value": CARD_TYPE}, "document_number": None},
                }
            ],
        },
        {"trust_framework": None, "assurance_process": None},
    ],
)
def test_what_can_be_is_told(verification: dict[str, Any]):
    shown = told(verification, "name")
    assert shown["claims"] == {"name": "陳怡君"}
    assert set(shown["verification"]) <= set(verification)


def test_the_card_tells_no_level_though_its_scheme_was_built_for_one():
    assert "assurance_level" not in (verification_of(GIVEN["name"]) or {})


def test_only_claims_whose_verification_is_fresh_enough():
    shown = told({"trust_framework": None, "time": {"max_age": 7200}}, "name", "birthdate")
    assert shown["claims"] == {"name": "陳怡君"}


def test_no_claim_of_a_source_that_nobody_knows():
    given = {"name": value("陳怡君", "self")}
    assert told({"trust_framework": None}, "name", given=given) is None


def test_another_value_is_left_out():
    assert told({"trust_framework": None}, age_over_18={"value": False}) is None
    assert told({"trust_framework": None}, age_over_18={"value": True}) is not None


def test_a_claim_that_was_not_given_is_in_no_element():
    shown = told({"trust_framework": None}, "name", "birthdate", given={"name": GIVEN["name"]})
    assert shown["claims"] == {"name": "陳怡君"}
    assert told({"trust_framework": None}, "name", given={}) is None


KNOWN = {"type": "document", "check_details": [{"check_method": "vcrypt"}], "n": 1}
CONSTRAINTS = st.recursive(
    st.none() | st.booleans() | st.text(max_size=4) | st.fixed_dictionaries({"value": st.text()}),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["type", "check_details", "check_method", "x"]), inner)
    ),
    max_leaves=8,
)


@given(CONSTRAINTS)
def test_a_judgement_for_every_constraint(wanted: Any):
    assert meets_constraints(wanted, KNOWN, at=NOW) in {True, False}


@given(st.text().filter(lambda text: text != "document"))
def test_no_other_value_fulfils(text: str):
    assert not meets_constraints({"type": {"value": text}}, KNOWN, at=NOW)


def test_an_age_needs_a_moment():
    assert not meets_constraints({"time": {"max_age": 5}}, {}, at=NOW)
    fresh = {"time": (NOW - timedelta(seconds=5)).isoformat()}
    assert meets_constraints({"time": {"max_age": 5}}, fresh, at=NOW)
