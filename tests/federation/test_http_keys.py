"""The JWKS, the metadata, and rotation: what stands where for how long."""

import asyncio
import json
from datetime import timedelta

import msgspec
import pytest
from joserfc import jwt
from joserfc.jwk import KeySet

from federation.token_clients import TokenClient
from inkan.composition.platform import assemble
from inkan.crypto import jose
from inkan.crypto.key_guard import SigningRefused
from inkan.federation.service.discovery import ENDPOINTS
from support.inline_workers import InlineWorkers
from support.world import PLATFORM

sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
row = pytest.mark.behaviour
METADATA = ("/.well-known/openid-configuration", "/.well-known/oauth-authorization-server")


@pytest.fixture
async def client(world):
    return await TokenClient.made(world)


@pytest.fixture
def ring(world):
    return world.platform.openid.tokens.keys


async def get(client, path, **headers):
    async with client.web as web:
        return await web.get(path, headers=headers)


async def rings(client):
    """The ``kid`` of each published key."""
    return set(await client.jwks())


async def kid_of_next(client):
    body = await client.tokens()
    header = jose.parse_compact(body["access_token"], typ="at+jwt", required=("kid",)).header
    return header["kid"], body["access_token"]


# --- the JWKS -----------------------------------------------------------------------------------------


@row("KEY-1")
async def test_the_jwks_holds_public_keys_and_nothing_else(client):
    answer = await get(client, "/openid/jwks")
    assert answer.headers["content-type"] == "application/jwk-set+json"
    assert answer.headers["access-control-allow-origin"] == "*"
    assert answer.json().keys() == {"keys"}
    keys = {key["alg"]: key for key in answer.json()["keys"]}
    assert keys["ES256"].keys() == {"alg", "crv", "kid", "kty", "use", "x", "y"}
    assert keys["RS256"].keys() == {"alg", "e", "kid", "kty", "n", "use"}
    assert {key["use"] for key in keys.values()} == {"sig"}


@sqlite
@row("KEY-2")
@pytest.mark.parametrize("path", ["/openid/jwks", *METADATA])
async def test_what_did_not_change_is_not_sent_again(client, path):
    first = await get(client, path)
    tag = first.headers["etag"]
    assert "max-age" in first.headers["cache-control"]
    for sent in (tag, f"W/{tag}", f'"x", {tag}'):
        again = await get(client, path, **{"if-none-match": sent})
        assert (again.status_code, again.content) == (304, b"")
        assert again.headers["etag"] == tag
    assert (await get(client, path, **{"if-none-match": '"x"'})).content == first.content


@sqlite
@row("KEY-3")
async def test_a_stock_library_verifies_by_the_jwks(client):
    body = await client.tokens()
    keys = KeySet.import_key_set((await get(client, "/openid/jwks")).json())
    token = jwt.decode(body["id_token"], keys, algorithms=["RS256"])
    assert token.claims["aud"] == "tax-office"
    token = jwt.decode(body["access_token"], keys, algorithms=["ES256"])
    assert token.header["typ"] == "at+jwt"


@row("KEY-4")
async def test_a_new_instance_makes_its_keys_once(world, client, ring):
    first = await client.jwks()
    other = assemble(
        world.platform.settings,
        clock=world.clock,
        db=world.platform.db,
        keys=world.platform.keys,
        workers=InlineWorkers(),
    )
    published = msgspec.json.decode((await other.openid.tokens.keys.jwks()).body)
    assert {key["kid"] for key in published["keys"]} == set(first)


@row("KEY-5")
@pytest.mark.race
async def test_two_processes_that_begin_at_once_have_one_ring(world, client, ring):
    others = [
        assemble(
            world.platform.settings,
            clock=world.clock,
            db=world.platform.db,
            keys=world.platform.keys,
            workers=InlineWorkers(),
        ).openid.tokens.keys
        for _ in range(3)
    ]
    published = await asyncio.gather(*(each.jwks() for each in [ring, *others]))
    assert len({each.body for each in published}) == 1
    assert len(msgspec.json.decode(published[0].body)["keys"]) == 2


@sqlite
@row("KEY-6")
async def test_the_ring_signs_no_other_kind_of_token(ring):
    for typ in ("inkan-receipt+jwt", "dpop+jwt", "oauth-authz-req+jwt", "x"):
        with pytest.raises(SigningRefused):
            await ring.sign(b"{}", typ=typ)


# --- rotation ---------------------------------------------------------------------------------------------


@row("KEY-10")
async def test_a_rotation_overlaps(world, client, ring):
    before, _ = await kid_of_next(client)
    made = await ring.rotate()
    # published at once, and not yet used
    published = await client.jwks()
    assert {before, *made} <= set(published)
    world.clock.tick(timedelta(minutes=59))
    assert (await kid_of_next(client))[0] == before
    world.clock.tick(timedelta(minutes=1))
    after, _ = await kid_of_next(client)
    assert after in made
    # what the key before has signed holds on
    assert before in await client.jwks()
    world.clock.tick(timedelta(days=1))
    await ring.refresh()
    assert await rings(client) == set(made)


@row("KEY-11")
async def test_a_token_of_the_key_before_holds_to_its_end(world, client, ring):
    await ring.rotate()
    world.clock.tick(timedelta(minutes=59))
    before, token = await kid_of_next(client)
    world.clock.tick(timedelta(minutes=2))
    assert (await kid_of_next(client))[0] != before
    world.platform.openid.tokens.verifying._verified.clear()
    assert await client.is_alive(token)


@row("KEY-12")
async def test_a_compromised_key_is_believed_no_more(world, client, ring):
    _, token = await kid_of_next(client)
    assert await client.is_alive(token)
    made = await ring.rotate(compromised=True)
    assert await rings(client) == set(made)
    assert not await client.is_alive(token)
    after, fresh = await kid_of_next(client)
    assert after in made
    assert await client.is_alive(fresh)


@sqlite
@row("KEY-13")
async def test_a_compromise_takes_a_key_that_was_to_follow_too(world, client, ring):
    waiting = await ring.rotate()
    made = await ring.rotate(compromised=True)
    assert await rings(client) == set(made)
    assert not set(made) & set(waiting)


@row("KEY-14")
async def test_another_process_hears_of_a_rotation(world, client, ring):
    other = assemble(
        world.platform.settings,
        clock=world.clock,
        db=world.platform.db,
        keys=world.platform.keys,
        workers=InlineWorkers(),
    ).openid.tokens.keys
    await other.jwks()
    first = (await get(client, "/openid/jwks")).headers["etag"]
    made = await other.rotate()
    assert (await get(client, "/openid/jwks")).headers["etag"] != first
    assert set(made) <= set(await client.jwks())


@row("KEY-15")
async def test_rotations_stand_in_the_audit(world, client, ring):
    await client.jwks()
    await ring.rotate()
    assert (await world.events()).count("federation.key_added") == 4


@sqlite
async def test_a_rotation_that_died_half_way_leaves_no_trace(world, client, ring):
    """A key pair without a row: the next rotation takes the next label."""
    from inkan.crypto.key_providers import KeyPurpose
    from inkan.crypto.keys import KeySpec

    await client.jwks()
    world.platform.keys.generate("openid-es256-2", KeySpec.P256, {KeyPurpose.OPENID})
    made = await ring.rotate()
    labels = {key.label for key in await ring.listed() if key.kid in made}
    assert labels == {"openid-es256-3", "openid-rs256-2"}


# --- metadata -----------------------------------------------------------------------------------------------


@sqlite
@row("KEY-20")
async def test_both_documents_say_the_same_of_this_issuer(client):
    first, second = [await get(client, path) for path in METADATA]
    assert first.headers["content-type"] == "application/json"
    assert first.content == second.content
    told = first.json()
    assert told["issuer"] == PLATFORM
    assert told["jwks_uri"] == f"{PLATFORM}/openid/jwks"
    assert told["subject_types_supported"] == ["pairwise"]
    assert "RS256" in told["id_token_signing_alg_values_supported"]


@sqlite
@row("KEY-21")
async def test_every_endpoint_of_the_metadata_answers(client):
    told = (await get(client, METADATA[0])).json()
    async with client.web as web:
        for member in ENDPOINTS:
            path = told[member].removeprefix(PLATFORM)
            statuses = {(await web.request(method, path)).status_code for method in ("GET", "POST")}
            assert statuses != {404}, member


@sqlite
@row("KEY-22")
async def test_nothing_that_is_not_built_is_offered(client):
    told = (await get(client, METADATA[0])).json()
    text = json.dumps(told)
    for member, values in told.items():
        assert "alg_values" not in member or "none" not in values, member
    for never in ("HS256", "implicit", "password", '"plain"', "id_token token", '"public"'):
        assert never not in text, never
    # nobody passes on certificates here
    assert told["tls_client_certificate_bound_access_tokens"] is False
    assert "self_signed_tls_client_auth" not in told["token_endpoint_auth_methods_supported"]
    assert told["request_uri_parameter_supported"] is False


@sqlite
@row("KEY-24")
async def test_what_is_offered_is_what_a_client_may_register(client):
    told = (await get(client, METADATA[0])).json()
    for grant_type in told["grant_types_supported"]:
        members = {"grant_type": grant_type}
        answer = await client.ask(client.form(**members), proof=None)
        assert answer.json()["error"] != "unsupported_grant_type", grant_type
    for member in ("acr_values", "scopes", "claims", "trust_frameworks", "evidence"):
        assert told[f"{member}_supported"], member
    assert told["response_types_supported"] == ["code"]
    assert told["code_challenge_methods_supported"] == ["S256"]


@sqlite
@row("KEY-23")
async def test_published_documents_take_get_alone(client):
    async with client.web as web:
        for path in ("/openid/jwks", *METADATA):
            assert (await web.post(path)).status_code == 405
            assert (await web.head(path)).status_code == 200
