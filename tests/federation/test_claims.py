"""What a request asks of the person, and what of the answer goes where."""

from typing import Any

import pytest

from federation.asking import ADDRESS, DIGEST, GIVEN, answered, asked, grant, system
from inkan.federation.model.refusals import ClientUnauthorized, RequestRefused
from inkan.federation.rules.claims import CLAIM_ROWS, CLAIMS_OF_SCOPE, SCOPES
from inkan.federation.service.claims import (
    claims_for,
    essential_acr,
    order_for,
    order_members,
    wanted_sub,
)
from inkan.wire.binding import BindingLevel
from inkan.wire.claims import Claim
from inkan.wire.session import Kind

APPROVAL = {
    "type": "urn:inkan:authorization:approve",
    "purpose": "approve_payment",
    "contents": [{"id": "c1", "name": "Payment", "digest": DIGEST, "alg": "sha-256"}],
}


def test_every_attribute_has_one_claim_and_every_claim_a_scope():
    assert sorted(row.attribute for row in CLAIM_ROWS.values()) == sorted(Claim)
    assert all(row.scopes and row.source for row in CLAIM_ROWS.values())
    assert set(SCOPES) == {"openid", "offline_access", *CLAIMS_OF_SCOPE}


def test_a_login_asks_what_scopes_name_and_the_purpose_registers():
    order = order_for(asked("openid profile occupation"), system())
    assert order == (Kind.IDENTIFY, "login", ["name", "birth_date"], [])


def test_no_claims_without_openid():
    assert order_for(asked("profile"), system()).claims == []
    assert claims_for(grant(asked("profile")), answered(), "userinfo") == {}


def test_wishes_of_both_places_are_asked_once():
    claims = {
        "id_token": {"name": None, "credit_card": None},
        "userinfo": {
            "name": {"essential": True},
            "verified_claims": {
                "verification": {"trust_framework": None},
                "claims": {"address": None},
            },
        },
    }
    assert order_for(asked(claims=claims), system()).claims == ["name", "address"]


def test_details_are_asked_under_their_purpose():
    request = asked("openid profile", authorization_details=[APPROVAL])
    order = order_for(request, system())
    assert (order.kind, order.purpose, order.claims) == (
        Kind.APPROVE,
        "approve_payment",
        ["name"],
    )
    assert [(each.name, each.digest) for each in order.contents] == [("Payment", DIGEST)]


def test_the_members_of_the_session_order():
    members = order_members(
        asked(essential_acr=["urn:inkan:acr:uv:paired"], authorization_details=[APPROVAL]),
        system(),
    )
    assert members["binding_min"] is BindingLevel.PAIRED
    assert (members["documents"], members["batch"]) == ([], None)
    assert "binding_min" not in order_members(asked(), system())


@pytest.mark.parametrize("gone", ["no client", "no purpose", "another kind"])
def test_what_is_not_registered_any_more_is_refused(gone: str):
    registered = system(
        purpose={"no purpose": "gone", "another kind": "sign_contract"}.get(gone, "login")
    )
    if gone == "no client":
        registered = type(registered)(
            **{name: getattr(registered, name) for name in registered.__struct_fields__}
            | {"openid": None}
        )
    with pytest.raises(ClientUnauthorized):
        order_for(asked(), registered)


def test_scopes_go_to_userinfo_alone():
    made = grant(asked("openid profile address"))
    assert claims_for(made, answered(), "id_token") == {}
    assert claims_for(made, answered(), "userinfo") == {
        "name": "陳怡君",
        "birthdate": "1988-03-14",
        "address": {"formatted": ADDRESS},
    }


def test_wishes_go_where_they_were_made():
    made = grant(asked(claims={"id_token": {"age_over_18": None}, "userinfo": {"name": None}}))
    assert claims_for(made, answered(), "id_token") == {"age_over_18": True}
    assert claims_for(made, answered(), "userinfo") == {"name": "陳怡君"}


def test_a_narrower_token_gives_less():
    made = grant(asked("openid profile address"), scope=["openid", "address"])
    assert set(claims_for(made, answered(), "userinfo")) == {"address"}


def test_what_is_missing_is_left_out_essential_or_not():
    made = grant(asked("openid address", claims={"userinfo": {"name": {"essential": True}}}))
    given = {"birth_date": GIVEN["birth_date"]}
    assert claims_for(made, answered(given), "userinfo") == {}


@pytest.mark.parametrize(
    ("wish", "shown"),
    [
        ({"value": True}, True),
        ({"values": [False, True]}, True),
        ({"value": False}, False),
        ({"value": 1}, False),
    ],
)
def test_another_value_than_wished_is_not_given(wish: dict[str, Any], shown: bool):
    made = grant(asked(claims={"userinfo": {"age_over_18": wish}}))
    assert ("age_over_18" in claims_for(made, answered(), "userinfo")) is shown


def test_the_answer_itself_tells_door_level_and_back_end():
    made = grant(asked(claims={"id_token": {"inkan_answer": None}}))
    told = claims_for(made, answered(), "id_token")["inkan_answer"]
    assert told["door"] == "redirect/push"
    assert told["binding"]["level"] == "matched"
    assert (told["back_end"], told["attested"]) == ("A", False)
    assert claims_for(made, answered(), "userinfo") == {}


def test_one_sub_may_be_demanded():
    assert wanted_sub(asked()) is None
    assert wanted_sub(asked(claims={"id_token": {"sub": None}})) is None
    both = {"id_token": {"sub": {"value": "a"}}, "userinfo": {"sub": {"value": "a"}}}
    assert wanted_sub(asked(claims=both)) == "a"


@pytest.mark.parametrize("values", [["a", "b"], [1], [True]])
def test_no_two_and_no_other_type(values: list[Any]):
    with pytest.raises(RequestRefused):
        wanted_sub(asked(claims={"id_token": {"sub": {"values": values}}}))


def test_only_an_essential_acr_obliges():
    wish = {"values": ["urn:inkan:acr:uv:paired"]}
    plain = asked(claims={"id_token": {"acr": wish}})
    hard = asked(claims={"id_token": {"acr": wish | {"essential": True}}})
    assert essential_acr(plain.id_token_claims) == []
    assert essential_acr(hard.id_token_claims) == ["urn:inkan:acr:uv:paired"]
    bad = asked(claims={"id_token": {"acr": {"essential": True, "values": [3]}}})
    with pytest.raises(RequestRefused):
        essential_acr(bad.id_token_claims)
