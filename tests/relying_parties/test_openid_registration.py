"""Client metadata of a registration: what fits together, what is refused, what an instance keeps of it."""

from contextlib import suppress

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from inkan.crypto import jwk
from inkan.crypto.keys import KeySpec, generate
from inkan.relying_parties import SystemRegistration
from inkan.relying_parties.model import RegistrationWrong, ReturnOutsideDomain
from inkan.relying_parties.model.openid import OpenIDRegistration
from inkan.relying_parties.service.checking import check_registration, check_said
from inkan.relying_parties.service.openid_checking import CIBA, DEVICE, RULES
from inkan.relying_parties.service.register import Origin
from support.world import CLERK, PURPOSES

ISSUER = "https://id.example"
KEY = jwk.to_jwk(generate(KeySpec.P256).public_key())
FAPI = {
    "profile": "fapi2",
    "sender_constraint": "dpop",
    "id_token_signed_response_alg": "ES256",
}


def said(keys=(KEY,), doors=("redirect", "push"), **openid) -> SystemRegistration:
    texts = {"en": "Tax", "ja": "税", "zh-Hant": "稅"}
    return msgspec.convert(
        {
            "organisation": "tax-org",
            "organisation_name": texts,
            "sector": "government",
            "code": "tax-office",
            "name": "Tax",
            "domain": "tax.example",
            "doors": list(doors),
            "purposes": PURPOSES,
            "keys": list(keys),
            "openid": {
                "purpose": "login",
                "redirect_uris": ["https://tax.example/callback"],
                **openid,
            },
        },
        SystemRegistration,
    )


GOOD = [
    {},
    {"redirect_uris": ["https://app.tax.example/a?b=c", "https://tax.example/"]},
    {"grant_types": ["client_credentials"], "redirect_uris": []},
    {"grant_types": ["authorization_code", "refresh_token"]},
    {"grant_types": [CIBA], "redirect_uris": [], "backchannel_token_delivery_mode": "poll"},
    {
        "grant_types": [CIBA],
        "redirect_uris": [],
        "backchannel_token_delivery_mode": "ping",
        "backchannel_client_notification_endpoint": "https://hooks.example/ping",
    },
    {"grant_types": [DEVICE], "redirect_uris": []},
    {"approval_purposes": ["approve_payment"]},
    {"resources": ["https://api.example/ledger"]},
    {"token_endpoint_auth_method": "client_secret_basic"},
    {"token_endpoint_auth_method": "client_secret_post", "client_secret_sha256": "x" * 43},
    {"backchannel_logout_uri": "https://elsewhere.example/logout"},
    FAPI,
    {**FAPI, "profile": "fapi2_message_signing"},
    {
        **FAPI,
        "sender_constraint": "mtls",
        "token_endpoint_auth_method": "self_signed_tls_client_auth",
    },
    {"default_acr_values": ["urn:inkan:a", "b"]},
]


@pytest.mark.parametrize("openid", GOOD)
def test_what_fits(openid):
    check_registration(said(**openid), loopback=False, issuer=ISSUER)


BAD = [
    ("purpose", {"purpose": "unknown"}),
    ("purpose", {"purpose": "approve_payment"}),
    ("approval_purposes", {"approval_purposes": ["login"]}),
    ("approval_purposes", {"approval_purposes": ["nothing"]}),
    ("approval_purposes", {"approval_purposes": ["approve_payment"] * 2}),
    ("grant_types", {"grant_types": [], "redirect_uris": []}),
    ("grant_types", {"grant_types": ["authorization_code"] * 2}),
    ("grant_types", {"grant_types": ["refresh_token"], "redirect_uris": []}),
    (
        "grant_types",
        {"grant_types": ["client_credentials", "refresh_token"], "redirect_uris": []},
    ),
    ("grant_types", {"doors": ["qr", "push"]}),
    ("grant_types", {"doors": ["qr"], "grant_types": [DEVICE], "redirect_uris": []}),
    (
        "grant_types",
        {
            "doors": ["redirect"],
            "grant_types": [CIBA],
            "redirect_uris": [],
            "backchannel_token_delivery_mode": "poll",
        },
    ),
    ("grant_types", {**FAPI, "grant_types": ["authorization_code", DEVICE]}),
    ("redirect_uris", {"redirect_uris": []}),
    ("redirect_uris", {"redirect_uris": ["https://tax.example/a"] * 2}),
    ("redirect_uris", {"grant_types": ["client_credentials"]}),
    ("backchannel_token_delivery_mode", {"grant_types": [CIBA], "redirect_uris": []}),
    ("backchannel_token_delivery_mode", {"backchannel_token_delivery_mode": "poll"}),
    (
        "backchannel_client_notification_endpoint",
        {
            "grant_types": [CIBA],
            "redirect_uris": [],
            "backchannel_token_delivery_mode": "ping",
        },
    ),
    (
        "backchannel_client_notification_endpoint",
        {"backchannel_client_notification_endpoint": "https://tax.example/"},
    ),
    ("client_secret_sha256", {"client_secret_sha256": "x" * 43}),
    (
        "token_endpoint_auth_method",
        {**FAPI, "token_endpoint_auth_method": "client_secret_basic"},
    ),
    ("sender_constraint", {**FAPI, "sender_constraint": "none"}),
    ("id_token_signed_response_alg", {**FAPI, "id_token_signed_response_alg": "RS256"}),
    ("userinfo_signed_response_alg", {**FAPI, "userinfo_signed_response_alg": "RS256"}),
    ("resources", {"resources": ["https://api.example/"] * 2}),
    ("resources/0", {"resources": [f"{ISSUER}/userinfo"]}),
    ("resources/0", {"resources": [ISSUER + "/"]}),
    ("resources/0", {"resources": ["urn:x"]}),
    ("redirect_uris/0", {"redirect_uris": ["http://tax.example/"]}),
    ("redirect_uris/1", {"redirect_uris": ["https://tax.example/", "https://tax.example/#a"]}),
    ("redirect_uris/0", {"redirect_uris": ["com.example.app:/callback"]}),
    ("redirect_uris/0", {"redirect_uris": ["https://127.0.0.1/"]}),
    ("backchannel_logout_uri", {"backchannel_logout_uri": "https://169.254.169.254/"}),
    ("post_logout_redirect_uris/0", {"post_logout_redirect_uris": ["ftp://tax.example/"]}),
    ("default_acr_values", {"default_acr_values": ["a b"]}),
    ("default_acr_values", {"default_acr_values": ["a", "a"]}),
    ("default_acr_values", {"default_acr_values": [""]}),
]


@pytest.mark.parametrize(("where", "openid"), BAD)
def test_what_does_not_fit(where, openid):
    with pytest.raises(RegistrationWrong) as wrong:
        check_said(said(**openid), loopback=False, issuer=ISSUER)
    assert wrong.value.facts["where"] == f"/openid/{where}"


def test_every_rule_refuses_something():
    refused_at = {where.partition("/")[0] for where, _ in BAD}
    assert {rule.where for rule in RULES} <= refused_at
    assert all(rule.source for rule in RULES)


@pytest.mark.parametrize("name", ["redirect_uris", "post_logout_redirect_uris"])
def test_browsers_end_inside_the_domain(name):
    for url in ("https://evil.example/", "https://nottax.example/", "https://tax.example.evil/"):
        with pytest.raises(ReturnOutsideDomain):
            check_said(said(**{name: [url]}), loopback=False, issuer=ISSUER)


def test_rsa_keys_come_with_metadata_alone():
    rsa = jwk.to_jwk(generate(KeySpec.RSA2048).public_key())
    check_registration(said(keys=[KEY, rsa]), loopback=False, issuer=ISSUER)
    bare = msgspec.structs.replace(said(keys=[KEY, rsa]), openid=None)
    with pytest.raises(RegistrationWrong) as wrong:
        check_registration(bare, loopback=False, issuer=ISSUER)
    assert wrong.value.facts["where"] == "/keys/1"


def test_rsa_keys_that_are_weak():
    good = generate(KeySpec.RSA2048).public_key().public_numbers()
    small = {**jwk.to_jwk(good.public_key()), "e": "Aw"}  # exponent 3
    p384 = jwk.to_jwk(generate(KeySpec.P384).public_key())
    for key in (small, p384):
        with pytest.raises(RegistrationWrong):
            check_registration(said(keys=[key]), loopback=False, issuer=ISSUER)


@given(
    st.dictionaries(
        st.sampled_from(OpenIDRegistration.__struct_fields__), st.text() | st.lists(st.text())
    )
)
def test_whatever_is_sent_is_a_registration_or_a_refusal(members):
    try:
        made = said(**members)
    except msgspec.ValidationError:
        return
    with suppress(RegistrationWrong):
        check_said(made, loopback=True, issuer=ISSUER)


async def test_a_secret_is_drawn_once_and_kept_over_a_new_registration(world):
    parties = world.platform.relying_parties
    openid = {
        "purpose": "login",
        "redirect_uris": ["https://tax.example/callback"],
        "token_endpoint_auth_method": "client_secret_basic",
    }
    await world.agency("tax-office", imported=True, doors=["redirect"], openid=openid)
    assert await _secret_hash(world) == ""
    drawn = await parties.draw_secret("tax-office")
    kept = await _secret_hash(world)
    assert kept
    assert drawn != kept
    register = parties.register_of_systems
    again = await _again(world, openid)
    assert again == kept
    changed = {**openid, "token_endpoint_auth_method": "private_key_jwt"}
    assert await _again(world, changed) == ""
    with pytest.raises(RegistrationWrong):
        await parties.draw_secret("tax-office")
    assert register.issuer == world.origins.platform


async def _secret_hash(world):
    system, _, _ = await world.platform.relying_parties.registered("tax-office")
    return system.openid.client_secret_sha256


async def _again(world, openid):
    """Say the same system anew, as a later import does."""
    register = world.platform.relying_parties.register_of_systems
    system, _, _ = await world.platform.relying_parties.registered("tax-office")
    texts = dict.fromkeys(("en", "ja", "zh-Hant"), "tax-office")
    wanted = msgspec.structs.replace(
        said(**openid), organisation="tax-office-org", organisation_name=texts
    )
    origin = Origin(actor=CLERK, owner="tax-office-org", number="04595257")
    keys = register.check(wanted)
    await world.platform.db.transact(register.put, wanted, keys, origin)
    assert system.openid is not None
    return await _secret_hash(world)
