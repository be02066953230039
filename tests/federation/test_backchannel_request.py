"""The checks of authentication requests by themselves: anything that a stranger sends is a request or one refusal."""

from datetime import timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from federation.backchannel import registration
from inkan.crypto import jose, jwk
from inkan.crypto.jose import Algorithm
from inkan.crypto.keys import KeySpec, generate
from inkan.federation.model.backchannel import Hint
from inkan.federation.service.backchannel import MESSAGE, amended
from inkan.federation.service.backchannel_request import CHECKS, validate_backchannel
from inkan.federation.service.devices import draw_user_code, grouped, plain
from inkan.federation.service.signed_requests import open_request
from inkan.kernel.ids import RelyingPartyID, SystemID
from inkan.relying_parties import OpenIDRegistration, Purpose, System
from inkan.wire.binding import Door
from inkan.wire.oauth import OAuthError
from inkan.wire.shown import Language
from support.clock import START

NAMES = (
    "scope",
    "login_hint",
    "id_token_hint",
    "login_hint_token",
    "binding_message",
    "client_notification_token",
    "requested_expiry",
    "user_code",
    "acr_values",
    "request_uri",
    "authorization_details",
)
PURPOSE = Purpose(
    code="login", kinds=["identify"], text={"en": "Log in", "ja": "J", "zh-Hant": "Z"}
)


def system(**openid: Any) -> System:
    """A client as the register keeps it."""
    return System(
        id=SystemID("sys_x"),
        organisation=RelyingPartyID("rp_x"),
        organisation_name={},
        code="bank",
        name="Bank",
        domain="bank.example",
        doors=frozenset(Door),
        purposes={"login": PURPOSE},
        internal=False,
        binding_min=None,
        sector="x",
        openid=msgspec.convert(registration(**openid)["openid"], OpenIDRegistration),
    )


TEXTS = st.one_of(
    st.text(max_size=80),
    st.sampled_from(["openid", "person_ref:abc", "national_id:A1", "600", "K7", "a" * 30, ""]),
)


@given(
    parameters=st.dictionaries(st.sampled_from(NAMES), TEXTS),
    openid=st.sampled_from(
        [
            {},
            {"profile": "fapi2"},
            {"backchannel_token_delivery_mode": "ping"},
            {"backchannel_token_delivery_mode": ""},
            {"inkan_code": False, "profile": "fapi2_message_signing"},
        ]
    ),
    is_signed=st.booleans(),
)
def test_anything_is_a_request_or_one_refusal_of_oauth(
    parameters: dict[str, str], openid: dict[str, Any], is_signed: bool
) -> None:
    try:
        asked = validate_backchannel(parameters, system(**openid), is_signed=is_signed)
    except OAuthError:
        return
    assert "openid" in asked.asked.scope
    assert 30 <= asked.expires_in <= 600
    assert len(asked.binding_message) <= 64
    # A typed number goes no further than the hint.
    assert asked.asked.login_hint == ""


def test_every_check_names_its_source() -> None:
    assert all(check.source for check in CHECKS)


def test_a_hint_does_not_print_its_value() -> None:
    assert "A234567893" not in repr(Hint("national_id", "A234567893"))


def test_the_message_ends_the_purpose_in_every_language() -> None:
    bank = system()
    assert bank.openid is not None
    text = amended(bank, bank.openid, "K7").purposes["login"].text
    assert set(text) == set(MESSAGE) == {each.value for each in Language}
    assert all("K7" in line and line != "K7" for line in text.values())
    assert text["en"] == "Log in (both screens show “K7”)"
    assert amended(bank, bank.openid, "").purposes == bank.purposes


@pytest.mark.parametrize(("shows", "is_tap"), [(True, False), (False, True)])
def test_who_shows_no_code_asks_by_tap(shows: bool, is_tap: bool) -> None:
    bank = system(inkan_code=shows)
    assert bank.openid is not None
    assert amended(bank, bank.openid, "").tap_only is is_tap


@given(request=st.one_of(st.text(max_size=200), st.binary(max_size=120).map(repr)))
def test_any_request_object_is_opened_or_refused(request: str) -> None:
    with pytest.raises(OAuthError):
        open_request(
            {"request": request},
            client_id="bank",
            issuer="https://id.example",
            keys=[],
            now=START,
        )


KEY = generate(KeySpec.P256)


@given(
    members=st.dictionaries(
        st.sampled_from(["iss", "aud", "iat", "nbf", "exp", "jti", *NAMES]),
        st.recursive(
            st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=20),
            lambda inner: st.lists(inner, max_size=2),
            max_leaves=3,
        ),
    )
)
def test_any_signed_members_are_parameters_or_refused(members: dict[str, Any]) -> None:
    token = jose.sign_compact(msgspec.json.encode(members), KEY, alg=Algorithm.ES256, typ="JWT")
    try:
        opened = open_request(
            {"request": token},
            client_id="bank",
            issuer="https://id.example",
            keys=[dict(jwk.to_jwk(KEY.public_key()))],
            now=START + timedelta(0),
        )
    except OAuthError:
        return
    assert all(isinstance(value, str) for value in opened.parameters.values())


@given(typed=st.text(max_size=40))
def test_what_is_typed_as_a_code_has_one_spelling(typed: str) -> None:
    found = plain(typed)
    assert plain(found) == plain(found.lower()) == plain(grouped(found)) == found
    assert len(found) <= 9


def test_drawn_codes_are_eight_letters_without_vowels() -> None:
    drawn = {draw_user_code() for _ in range(200)}
    assert len(drawn) == 200
    assert not set("".join(drawn)) & set("AEIOUY0123456789")
    assert {len(code) for code in drawn} == {8}
