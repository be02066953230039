"""Signed request objects over HTTP (RFC 9101), negative rows first."""

from typing import Any
from urllib.parse import urlencode

import msgspec
import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from federation.clients import (
    FAPI2,
    MESSAGE_SIGNING,
    REDIRECT_URI,
    OpenIDClient,
    arrive,
    brought,
    openid_client,
    refused_page,
)
from inkan.crypto import aead, base64url
from inkan.crypto.keys import KeySpec, generate
from inkan.kernel.clock import to_seconds
from inkan.kernel.sensitive import Secret
from portal.browsers import Browser
from support.world import PLATFORM, World


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """One database: request objects reach none."""
    return sqlite_url


def signed(shop: OpenIDClient, request: str, **beside: str) -> str:
    """An address with a request object, and beside it what OpenID Connect wants there (Core §6.1)."""
    members = {"client_id": shop.code, "response_type": "code", "scope": "openid", **beside}
    return "/authorize?" + urlencode(members | {"request": request})


async def refused(shop: OpenIDClient, browser: Browser, request: str, **beside: str) -> None:
    """The request object does not hold, and the browser is led nowhere."""
    reply = await arrive(browser, signed(shop, request, redirect_uri=REDIRECT_URI, **beside))
    assert refused_page(reply) == "openid_request_object_refused"


def unsigned(shop: OpenIDClient, signature: bytes, **header: Any) -> str:
    """A request object of any header, under any signature."""
    now = to_seconds(shop.world.clock.wire_now())
    claims = {"iss": shop.code, "aud": PLATFORM, "nbf": now, "exp": now + 300, **shop.asked()}
    parts = [base64url.encode(msgspec.json.encode(each)) for each in (header, claims)]
    return ".".join([*parts, base64url.encode(signature)])


@pytest.mark.behaviour("JAR-1")
async def test_none_is_no_algorithm(shop: OpenIDClient, browser: Browser) -> None:
    for alg in ("none", "None", "NONE", ""):
        bare = unsigned(shop, b"", alg=alg, typ="oauth-authz-req+jwt")
        await refused(shop, browser, bare)
        await refused(shop, browser, bare + "AAAA")


@pytest.mark.behaviour("JAR-2")
async def test_a_public_key_is_no_secret(shop: OpenIDClient, browser: Browser) -> None:
    public = shop.key.public_key()
    for encoding, form in (
        (Encoding.PEM, PublicFormat.SubjectPublicKeyInfo),
        (Encoding.DER, PublicFormat.SubjectPublicKeyInfo),
        (Encoding.X962, PublicFormat.UncompressedPoint),
    ):
        head = unsigned(shop, b"x", alg="HS256", typ="JWT").rpartition(".")[0]
        mac = aead.mac(Secret(public.public_bytes(encoding, form)), head.encode())
        await refused(shop, browser, f"{head}.{base64url.encode(mac)}")


@pytest.mark.behaviour("JAR-3")
async def test_another_key_is_refused(shop: OpenIDClient, world: World, browser: Browser) -> None:
    other = await openid_client(world, "mart")
    for key in (other.key, generate(KeySpec.P256)):
        await refused(shop, browser, shop.request_object(key=key))
    rsa = generate(KeySpec.RSA2048)
    for alg in ("RS256", "PS256"):
        await refused(shop, browser, shop.request_object(key=rsa, alg=alg))


@pytest.mark.behaviour("JAR-4")
async def test_a_key_that_the_token_brings_is_refused(shop: OpenIDClient, browser: Browser) -> None:
    for member in ({"jwk": {"kty": "EC"}}, {"jku": "https://evil.example/"}, {"crit": ["exp"]}):
        await refused(shop, browser, unsigned(shop, b"x" * 64, alg="ES256", typ="JWT", **member))


@pytest.mark.behaviour("JAR-5")
async def test_another_type_of_token_is_refused(shop: OpenIDClient, browser: Browser) -> None:
    for typ in ("at+jwt", "dpop+jwt", "client-authentication+jwt", "logout+jwt"):
        await refused(shop, browser, shop.request_object(typ=typ))


@pytest.mark.behaviour("JAR-6")
async def test_another_audience_is_refused(shop: OpenIDClient, browser: Browser) -> None:
    for aud in (
        "https://elsewhere.example",
        f"{PLATFORM}/authorize",
        PLATFORM + "/",
        [PLATFORM, "https://elsewhere.example"],
        [],
        None,
    ):
        await refused(shop, browser, shop.request_object(aud=aud))


@pytest.mark.behaviour("JAR-7")
async def test_another_issuer_or_client_is_refused(
    shop: OpenIDClient, world: World, browser: Browser
) -> None:
    await openid_client(world, "mart")
    for bent in ({"iss": "mart"}, {"client_id": "mart"}, {"iss": None}, {"client_id": None}):
        await refused(shop, browser, shop.request_object(**bent))
    await refused(shop, browser, shop.request_object(), client_id="mart")


@pytest.mark.behaviour("JAR-8")
async def test_a_request_object_has_its_term(shop: OpenIDClient, browser: Browser) -> None:
    now = to_seconds(shop.world.clock.wire_now())
    for bent in (
        {"exp": now - 11},
        {"exp": None},
        {"exp": -1},
        {"exp": 10**18},
        {"exp": "soon"},
        {"nbf": now + 60},
        {"nbf": now - 4_000, "exp": now + 1},
        {"exp": now + 3_700},
    ):
        await refused(shop, browser, shop.request_object(**bent))


@pytest.mark.behaviour("JAR-9")
async def test_a_request_inside_of_a_request_is_refused(
    shop: OpenIDClient, browser: Browser
) -> None:
    for bent in ({"request": "e30.e30.e30"}, {"request_uri": "https://shop.example/r"}):
        await refused(shop, browser, shop.request_object(**bent))


@pytest.mark.behaviour("JAR-10")
async def test_an_address_outside_of_the_object_does_not_count(
    shop: OpenIDClient, browser: Browser
) -> None:
    request = shop.request_object(redirect_uri=None)
    reply = await arrive(browser, signed(shop, request, redirect_uri=REDIRECT_URI))
    assert refused_page(reply) == "openid_redirect_refused"
    evil = shop.request_object(redirect_uri="https://evil.example/")
    reply = await arrive(browser, signed(shop, evil, redirect_uri=REDIRECT_URI))
    assert refused_page(reply) == "openid_redirect_refused"


@pytest.mark.behaviour("JAR-11")
async def test_nothing_outside_of_the_object_counts(shop: OpenIDClient, browser: Browser) -> None:
    request = shop.request_object(prompt="none")
    reply = await arrive(browser, signed(shop, request, prompt="login", state="theirs"))
    answer = brought(reply)
    assert (answer["error"], answer["state"]) == ("login_required", "af0ifjsldkj")


@pytest.mark.behaviour("JAR-12")
async def test_members_of_other_types_are_refused(shop: OpenIDClient, browser: Browser) -> None:
    for bent in ({"scope": ["openid"]}, {"max_age": True}, {"state": {}}, {"nonce": 1.5}):
        await refused(shop, browser, shop.request_object(**bent))


@pytest.mark.behaviour("JAR-13")
async def test_what_is_no_token_is_refused(shop: OpenIDClient, browser: Browser) -> None:
    whole = shop.request_object()
    for broken in ("x", whole[:-2], whole + "A", whole.replace(".", ".."), "e30.e30.e30"):
        await refused(shop, browser, broken)


@pytest.mark.behaviour("JAR-14")
async def test_fapi_demands_the_beginning_of_its_term(world: World) -> None:
    bank = await openid_client(world, "bank", **FAPI2)
    reply = await bank.push({"request": bank.request_object(nbf=None)})
    assert reply.json()["error"] == "invalid_request_object"


@pytest.mark.behaviour("JAR-15")
async def test_message_signing_demands_a_signed_request(world: World) -> None:
    bank = await openid_client(world, "bank", **MESSAGE_SIGNING)
    reply = await bank.push()
    assert (reply.status, reply.json()["error"]) == (400, "invalid_request_object")
    reply = await bank.push({"request": bank.request_object()})
    assert reply.status == 201, reply.text


@pytest.mark.behaviour("JAR-16")
async def test_a_signed_request_begins_a_login(shop: OpenIDClient, browser: Browser) -> None:
    now = to_seconds(shop.world.clock.wire_now())
    for request in (
        shop.request_object(),
        shop.request_object(typ="JWT", aud=[PLATFORM], nbf=None),
        shop.request_object(max_age=30, claims={"id_token": None}, exp=now + 3_600),
    ):
        page = await shop.begin(browser, signed(shop, request))
        assert page.startswith("/identify/pg_")
