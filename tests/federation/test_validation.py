"""The pure checks of authorization requests: whatever comes, an answer or a refusal in OAuth's language."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from federation.clients import CHALLENGE, REDIRECT_URI
from inkan.crypto import base64url, jose, jwk
from inkan.crypto.jose import Algorithm
from inkan.crypto.keys import KeySpec, generate
from inkan.federation.model.refusals import (
    RedirectRefused,
    RequestObjectRefused,
    RequestRefused,
)
from inkan.federation.model.request import Asked
from inkan.federation.service.modes import MODES, default_mode, modes_of
from inkan.federation.service.parameters import Parameters, parameters_of, read_parameters
from inkan.federation.service.request_objects import read_request_object
from inkan.federation.service.validation import (
    ROWS,
    usable_mode,
    usable_state,
    validate_authorization,
)
from inkan.kernel.clock import from_seconds
from inkan.kernel.ids import RelyingPartyID, SystemID
from inkan.relying_parties import OpenIDRegistration, System
from inkan.wire.oauth import OAuthError

GOOD = {
    "client_id": "shop",
    "response_type": "code",
    "redirect_uri": REDIRECT_URI,
    "scope": "openid offline_access",
    "state": "s",
    "nonce": "n",
    "code_challenge": CHALLENGE,
    "code_challenge_method": "S256",
}
BASIC = OpenIDRegistration(purpose="login", redirect_uris=[REDIRECT_URI])
FAPI = msgspec.structs.replace(BASIC, profile="fapi2")
SIGNING = msgspec.structs.replace(BASIC, profile="fapi2_message_signing")
NOW = from_seconds(1_775_000_000)
KEY = generate(KeySpec.P256)
SYSTEM = System(
    id=SystemID("sys_a"),
    organisation=RelyingPartyID("org_a"),
    organisation_name={},
    code="shop",
    name="Shop",
    domain="shop.example",
    doors=frozenset(),
    purposes={},
    internal=False,
    binding_min=None,
    sector="org_a",
    openid=BASIC,
)

MORE = (
    "acr_values authorization_details claims dpop_jkt login_hint max_age prompt registration request resource"
    " response_mode ui_locales"
)
NAMES = st.sampled_from([*GOOD, *MORE.split()])
TEXTS = st.one_of(
    st.text(max_size=60),
    st.sampled_from([*GOOD.values(), "none", "login", "{}", "[]", "0", "jwt", "plain", "S256"]),
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=5),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(st.sampled_from(["id_token", "acr", "values"]), inner, max_size=3)
        ),
        max_leaves=6,
    ).map(lambda value: msgspec.json.encode(value).decode()),
)


@given(
    bent=st.dictionaries(NAMES, TEXTS, max_size=4), client=st.sampled_from([BASIC, FAPI, SIGNING])
)
def test_whatever_is_asked_has_one_answer(bent: dict[str, str], client: OpenIDRegistration) -> None:
    members = {name: value for name, value in (GOOD | bent).items() if value}
    resource = [members.pop("resource")] if "resource" in members else []
    parameters = Parameters(values=members, resource=resource)
    assert usable_mode(parameters, client) in modes_of(client)
    state = usable_state(parameters)
    assert state is None or state.isascii()
    try:
        asked = validate_authorization(parameters, client, system=SYSTEM, is_pushed=True)
    except OAuthError:
        return
    assert asked.redirect_uri in client.redirect_uris
    assert asked.response_mode in modes_of(client)
    assert asked.code_challenge or (asked.nonce and not client.is_fapi)
    assert msgspec.convert(msgspec.to_builtins(asked), Asked) == asked


@given(st.binary(max_size=200))
def test_whatever_comes_is_parameters_or_a_refusal(raw: bytes) -> None:
    try:
        found = read_parameters(raw)
    except RequestRefused:
        return
    assert all(found.values.values())


@given(st.dictionaries(NAMES, st.none() | st.booleans() | st.integers() | TEXTS | st.lists(TEXTS)))
def test_whatever_a_request_object_holds_is_parameters_or_a_refusal(members: Any) -> None:
    try:
        found = parameters_of(members)
    except RequestRefused:
        return
    assert all(isinstance(value, str) for value in found.values.values())


@given(st.text(max_size=300) | st.binary(max_size=200).map(base64url.encode))
def test_what_nobody_signed_is_no_request_object(text: str) -> None:
    with pytest.raises(RequestObjectRefused):
        read(text)


@given(st.dictionaries(st.sampled_from(["iss", "aud", "exp", "nbf", "client_id", "x"]), TEXTS))
def test_a_signed_object_without_its_claims_is_refused(claims: dict[str, Any]) -> None:
    with pytest.raises(RequestObjectRefused):
        read(jose.sign_compact(msgspec.json.encode(claims), KEY, alg=Algorithm.ES256, typ="JWT"))


@given(at=st.integers(0, 400), letter=st.sampled_from("AZaz09-_."))
def test_every_letter_of_a_request_object_counts(at: int, letter: str) -> None:
    whole = _signed()
    at %= len(whole)
    if whole[at] == letter:
        assert read(whole).get("client_id") == "shop"
        return
    with pytest.raises(RequestObjectRefused):
        read(whole[:at] + letter + whole[at + 1 :])


_KEPT: list[str] = []


def _signed() -> str:
    if not _KEPT:
        claims = {**GOOD, "iss": "shop", "aud": "https://id.example", "exp": 1_775_000_300}
        payload = msgspec.json.encode(claims)
        _KEPT.append(jose.sign_compact(payload, KEY, alg=Algorithm.ES256, typ="JWT"))
    return _KEPT[0]


def read(text: str) -> Parameters:
    keys = [jwk.to_jwk(KEY.public_key())]
    return read_request_object(text, SYSTEM, keys, issuer="https://id.example", now=NOW)


def test_rsa_keys_sign_with_pss_only() -> None:
    rsa = generate(KeySpec.RSA2048)
    keys = [jwk.to_jwk(rsa.public_key())]
    claims = {**GOOD, "iss": "shop", "aud": "https://id.example", "exp": 1_775_000_300}
    payload = msgspec.json.encode(claims)
    options: dict[str, Any] = {"issuer": "https://id.example", "now": NOW}
    held = jose.sign_compact(payload, rsa, alg=Algorithm.PS256, typ="oauth-authz-req+jwt")
    assert read_request_object(held, SYSTEM, keys, **options).get("scope") == GOOD["scope"]
    old = jose.sign_compact(payload, rsa, alg=Algorithm.RS256, typ="oauth-authz-req+jwt")
    with pytest.raises(RequestObjectRefused):
        read_request_object(old, SYSTEM, keys, **options)


def test_offline_access_is_for_clients_that_refresh() -> None:
    asked = validate_authorization(Parameters(values=GOOD), BASIC, system=SYSTEM, is_pushed=False)
    assert asked.scope == ["openid"]
    refreshing = msgspec.structs.replace(BASIC, grant_types=["authorization_code", "refresh_token"])
    asked = validate_authorization(
        Parameters(values=GOOD), refreshing, system=SYSTEM, is_pushed=False
    )
    assert asked.scope == ["openid", "offline_access"]


def test_registered_resources_are_taken_each_once() -> None:
    api = "https://api.shop.example/"
    client = msgspec.structs.replace(BASIC, resources=[api])
    parameters = read_parameters(b"resource=https://api.shop.example/&resource=" + api.encode())
    asked = validate_authorization(
        msgspec.structs.replace(parameters, values=GOOD), client, system=SYSTEM, is_pushed=False
    )
    assert asked.resource == [api]


def test_default_levels_stand_in_for_a_wish() -> None:
    client = msgspec.structs.replace(BASIC, default_acr_values=["urn:a", "urn:b"])
    asked = validate_authorization(Parameters(values=GOOD), client, system=SYSTEM, is_pushed=False)
    assert asked.acr_values == ["urn:a", "urn:b"]
    wished = Parameters(values=GOOD | {"acr_values": "urn:c"})
    assert validate_authorization(wished, client, system=SYSTEM, is_pushed=False).acr_values == [
        "urn:c"
    ]


def test_the_address_comes_before_everything_else() -> None:
    parameters = Parameters(values={"redirect_uri": "https://evil.example/"})
    with pytest.raises(RedirectRefused):
        validate_authorization(parameters, BASIC, system=SYSTEM, is_pushed=False)


def test_every_row_names_its_source() -> None:
    assert all(row.source for row in ROWS)
    assert len({row.read for row in ROWS}) == len(ROWS)
    assert all(mode.source for mode in MODES.values())
    assert {default_mode(each) for each in (BASIC, FAPI, SIGNING)} == {"query", "jwt"}
