"""The userinfo endpoint: what it gives, and every token that gets nothing there."""

import hashlib
import hmac
from datetime import timedelta

import msgspec
import pytest

from federation.token_clients import (
    RESOURCE,
    SUB,
    TOLD,
    USERINFO,
    TokenClient,
    refused,
)
from inkan.crypto import base64url, dpop, jose, jwk
from inkan.crypto.jose import Algorithm
from inkan.crypto.keys import KeySpec, generate
from relying_parties.hands import unsigned
from support.world import PLATFORM

sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
row = pytest.mark.behaviour
INVALID_TOKEN = (401, "invalid_token")


@pytest.fixture
async def client(world):
    return await TokenClient.made(world)


@pytest.fixture
async def bank(world):
    return await TokenClient.made(world, "bank", fapi=True)


@pytest.fixture
async def token(client):
    return (await client.tokens(scope=["openid", "profile"]))["access_token"]


# --- what it gives -----------------------------------------------------------------------------------


@row("UI-1")
async def test_get_gives_the_claims(client, token):
    answer = await client.userinfo(token)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["cache-control"] == "no-store"
    assert answer.json() == {**TOLD, "sub": SUB}


@sqlite
@row("UI-2")
async def test_post_gives_the_same(client, token):
    assert (await client.userinfo(token, method="POST")).json() == {**TOLD, "sub": SUB}


@sqlite
@row("UI-3")
async def test_post_takes_the_token_in_a_form(client, token):
    async with client.web as web:
        answer = await web.post("/userinfo", data={"access_token": token})
    assert answer.json()["sub"] == SUB


@sqlite
@row("UI-4")
async def test_the_sub_is_the_one_of_the_id_token(client):
    body = await client.tokens()
    _, claims = await client.read(body["id_token"], typ="JWT")
    assert (await client.userinfo(body["access_token"])).json()["sub"] == claims["sub"]


@sqlite
@row("UI-5")
@pytest.mark.parametrize("alg", ["RS256", "ES256"])
async def test_signed_userinfo(world, alg):
    client = await TokenClient.made(world, "signed", userinfo_signed_response_alg=alg)
    body = await client.tokens(scope=["openid", "profile"])
    answer = await client.userinfo(body["access_token"])
    assert answer.headers["content-type"] == "application/jwt"
    header, claims = await client.read(answer.text, typ="JWT")
    assert header["alg"] == alg
    assert claims == {**TOLD, "sub": SUB, "iss": PLATFORM, "aud": "signed"}


@sqlite
@row("UI-6")
async def test_the_scheme_is_read_in_any_case(client, token):
    for scheme in ("bearer", "BEARER", "Bearer"):
        assert (await client.userinfo(token, scheme=scheme)).status_code == 200


@sqlite
@row("UI-7")
async def test_pages_of_other_origins_may_read_it(client, token):
    answer = await client.userinfo(token, origin="https://app.example")
    assert answer.headers["access-control-allow-origin"] == "*"
    async with client.web as web:
        preflight = await web.options("/userinfo", headers={"origin": "https://app.example"})
    assert "authorization" in preflight.headers["access-control-allow-headers"]


@row("UI-8")
async def test_it_writes_nothing(world, client, token):
    before = await world.events()
    for _ in range(3):
        assert await client.is_alive(token)
    assert await world.events() == before


# --- no token, two tokens ------------------------------------------------------------------------------


@sqlite
@row("UI-10")
@pytest.mark.parametrize("authorization", [None, "Bearer", "Basic dGF4OnNlY3JldA==", "x"])
async def test_without_a_token_the_challenge_names_no_error(client, authorization):
    headers = {} if authorization is None else {"authorization": authorization}
    answer = await client.userinfo(None, **headers)
    assert answer.status_code == 401
    challenges = answer.headers.get_list("www-authenticate")
    assert challenges == ["Bearer", 'DPoP algs="ES256"']
    assert "error" not in answer.text


@sqlite
@row("UI-11")
async def test_a_token_in_the_address_is_not_read(client, token):
    async with client.web as web:
        assert (await web.get(f"/userinfo?access_token={token}")).status_code == 401


@sqlite
@row("UI-12")
async def test_a_token_in_two_places(client, token):
    async with client.web as web:
        answer = await web.post(
            "/userinfo",
            data={"access_token": token},
            headers={"authorization": f"Bearer {token}"},
        )
    assert refused(answer) == (400, "invalid_request")


@sqlite
@row("UI-13")
async def test_other_methods_and_bodies(client, token):
    lines = {"authorization": f"Bearer {token}"}
    async with client.web as web:
        for method in ("PUT", "DELETE", "PATCH"):
            assert (await web.request(method, "/userinfo", headers=lines)).status_code == 405
        answer = await web.post("/userinfo", json={"access_token": token})
        assert refused(answer) == (400, "invalid_request")
        twice = [("authorization", f"Bearer {token}")] * 2
        assert refused(await web.get("/userinfo", headers=twice)) == (400, "invalid_request")


# --- tokens of another kind ------------------------------------------------------------------------------


@sqlite
@row("UI-20")
async def test_an_id_token_is_no_access_token(world, client):
    body = await client.tokens()
    assert refused(await client.userinfo(body["id_token"])) == INVALID_TOKEN
    # its type alone says so, whatever it says besides
    _, claims = await client.read(body["access_token"], typ="at+jwt")
    keys = world.platform.openid.tokens.keys
    dressed = await keys.sign(msgspec.json.encode(claims), typ="JWT")
    assert refused(await client.userinfo(dressed)) == INVALID_TOKEN
    other = await client.tokens(scope=["openid", "offline_access"])
    assert refused(await client.userinfo(other["refresh_token"])) == INVALID_TOKEN


@sqlite
@row("UI-21")
async def test_a_token_of_the_rp_api_opens_nothing_here(world):
    machine = await TokenClient.made(world, "machine", fapi=True, resources=[RESOURCE])
    for_resource = (await machine.ask(machine.form(resource=RESOURCE))).json()["access_token"]
    # that one is signed by a published key: published is not believed
    assert (await machine.read(for_resource, typ="at+jwt"))[1]["aud"] == RESOURCE
    for token in (await machine.token(), for_resource):
        answer = await machine.userinfo(token, scheme="DPoP", dpop=machine.proof_for(token))
        assert refused(answer) == INVALID_TOKEN
        assert await machine.introspect(token) == {"active": False}


@sqlite
@row("UI-22")
async def test_a_token_from_here_opens_nothing_at_the_rp_api(bank):
    token = (await bank.tokens(proof="own"))["access_token"]
    answer = await bank.call(token)
    assert answer.status_code == 401


@sqlite
@row("UI-23")
async def test_alg_confusion(client, token):
    header, claims = await client.read(token, typ="at+jwt")
    keys = await client.jwks()
    payload = msgspec.json.encode(claims)
    public = msgspec.json.encode(keys[header["kid"]])
    rsa = next(key for key in keys.values() if key["alg"] == "RS256")
    own = generate(KeySpec.P256)

    def signed(key, **more):
        return jose.sign_compact(
            payload, key, alg=Algorithm.ES256, typ="at+jwt", header={"kid": header["kid"], **more}
        )

    def symmetric(secret, kid):
        head = base64url.encode(msgspec.json.encode({"alg": "HS256", "typ": "at+jwt", "kid": kid}))
        body = f"{head}.{base64url.encode(payload)}"
        mac = hmac.digest(secret, body.encode(), hashlib.sha256)
        return f"{body}.{base64url.encode(mac)}"

    head, body, signature = token.split(".")
    kid = {"kid": header["kid"]}
    corpus = {
        "none": unsigned(claims, alg="none", typ="at+jwt", **kid),
        "None": unsigned(claims, alg="None", typ="at+jwt", **kid),
        "none with a signature": unsigned(claims, alg="none", typ="at+jwt", **kid) + signature,
        "ES256 unsigned": unsigned(claims, alg="ES256", typ="at+jwt", **kid),
        "HS256 with the public key": symmetric(public, header["kid"]),
        "HS256 with the RSA key": symmetric(msgspec.json.encode(rsa), rsa["kid"]),
        "own key, our kid": signed(own),
        "own key in the header": signed(own, jwk=jwk.to_jwk(own.public_key())),
        "own key behind a link": signed(own, jku="https://evil.example/jwks"),
        "own certificate": signed(own, x5u="https://evil.example/cert"),
        "kid of the RSA key": base64url.encode(
            msgspec.json.encode({"alg": "ES256", "typ": "at+jwt", "kid": rsa["kid"]})
        )
        + f".{body}.{signature}",
        "alg of the RSA key": base64url.encode(
            msgspec.json.encode({"alg": "RS256", "typ": "at+jwt", **kid})
        )
        + f".{body}.{signature}",
        "no kid": base64url.encode(msgspec.json.encode({"alg": "ES256", "typ": "at+jwt"}))
        + f".{body}.{signature}",
        "no typ": base64url.encode(msgspec.json.encode({"alg": "ES256", **kid}))
        + f".{body}.{signature}",
        "another sub": head
        + "."
        + base64url.encode(msgspec.json.encode(claims | {"sub": "other"}))
        + f".{signature}",
        "r and s of zero": f"{head}.{body}.{base64url.encode(bytes(64))}",
        "der signature": f"{head}.{body}.{base64url.encode(b'0' * 70)}",
        "second spelling": f"{head}.{body}.{signature}=",
        "four parts": f"{token}.{signature}",
        "json": '{"payload":"","signatures":[]}',
        "long": "x" * 9000,
    }
    for name, forged in corpus.items():
        assert refused(await client.userinfo(forged)) == INVALID_TOKEN, name
    assert await client.is_alive(token)


@sqlite
@row("UI-24")
async def test_rs256_is_no_algorithm_of_access_tokens(world, client, token):
    _, claims = await client.read(token, typ="at+jwt")
    keys = world.platform.openid.tokens.keys
    forged = await keys.sign(msgspec.json.encode(claims), typ="at+jwt", alg=Algorithm.RS256)
    assert refused(await client.userinfo(forged)) == INVALID_TOKEN


@sqlite
@row("UI-25")
@pytest.mark.parametrize(
    ("bent", "error"),
    [
        ({"iss": "https://elsewhere.example"}, INVALID_TOKEN),
        ({"aud": PLATFORM}, INVALID_TOKEN),
        ({"aud": f"{USERINFO}/"}, INVALID_TOKEN),
        ({"aud": []}, INVALID_TOKEN),
        ({"jti": "gr_unknown.x"}, INVALID_TOKEN),
        ({"exp": 1}, INVALID_TOKEN),
        ({"exp": "never"}, INVALID_TOKEN),
        ({"scope": "profile"}, (403, "insufficient_scope")),
        ({"scope": "openid2 xopenid"}, (403, "insufficient_scope")),
    ],
)
async def test_claims_of_our_own_key_that_do_not_fit(world, client, token, bent, error):
    _, claims = await client.read(token, typ="at+jwt")
    keys = world.platform.openid.tokens.keys
    forged = await keys.sign(msgspec.json.encode(claims | bent), typ="at+jwt")
    assert refused(await client.userinfo(forged)) == error


# --- time and revocation -----------------------------------------------------------------------------------


@row("UI-30")
async def test_a_token_lives_for_ten_minutes(world, client, token):
    world.clock.tick(599)
    assert await client.is_alive(token)
    world.clock.tick(1)
    assert refused(await client.userinfo(token)) == INVALID_TOKEN


@sqlite
@row("UI-31")
async def test_a_token_verified_elsewhere_is_verified_here_too(world, client, token):
    """What this process did not make itself is checked against the ring, and then known."""
    world.platform.openid.tokens.verifying._verified.clear()
    assert await client.is_alive(token)
    assert len(world.platform.openid.tokens.verifying._verified) == 1
    world.clock.tick(600)
    assert not await client.is_alive(token)


@row("UI-32")
async def test_a_suspended_client_reads_nothing(world, client, token):
    await world.platform.relying_parties.suspend("tax-office")
    assert refused(await client.userinfo(token)) == INVALID_TOKEN
    await world.platform.relying_parties.resume("tax-office")
    assert await client.is_alive(token)


# --- keys --------------------------------------------------------------------------------------------------


@sqlite
@row("UI-40")
async def test_a_bound_token_needs_its_proof(world, bank):
    token = (await bank.tokens(proof="own"))["access_token"]
    good = await bank.userinfo(token, scheme="DPoP", dpop=bank.proof_for(token))
    assert good.status_code == 200
    now = world.clock.wire_now()
    other = (await bank.tokens(proof="own"))["access_token"]
    table = {
        "none": None,
        "junk": "a.b.c",
        "of the token endpoint": bank.proof(),
        "another method": bank.proof_for(token, method="POST"),
        "another address": bank.proof_for(token, url=f"{PLATFORM}/userinfo2"),
        "no token": dpop.build_proof(bank.dpop_key, method="GET", url=USERINFO, at=now),
        "another token": bank.proof_for(other),
        "old": bank.proof_for(token, at=now - timedelta(seconds=66)),
        "future": bank.proof_for(token, at=now + timedelta(seconds=6)),
    }
    for name, proof in table.items():
        headers = {} if proof is None else {"dpop": proof}
        answer = await bank.userinfo(token, scheme="DPoP", **headers)
        assert refused(answer) == (401, "invalid_dpop_proof"), name
        assert answer.headers["www-authenticate"].startswith("DPoP ")


@sqlite
@row("UI-41")
async def test_a_proof_of_another_key(bank):
    token = (await bank.tokens(proof="own"))["access_token"]
    proof = bank.proof_for(token, key=generate(KeySpec.P256))
    answer = await bank.userinfo(token, scheme="DPoP", dpop=proof)
    assert refused(answer) == INVALID_TOKEN


@sqlite
@row("UI-42")
async def test_a_bound_token_is_no_bearers(bank):
    token = (await bank.tokens(proof="own"))["access_token"]
    assert refused(await bank.userinfo(token)) == INVALID_TOKEN
    assert refused(await bank.userinfo(token, dpop=bank.proof_for(token))) == INVALID_TOKEN


@sqlite
@row("UI-43")
async def test_a_bearers_token_is_not_presented_as_a_bound_one(client, token):
    answer = await client.userinfo(token, scheme="DPoP", dpop=client.proof_for(token))
    assert refused(answer) == INVALID_TOKEN


@sqlite
@row("UI-44")
async def test_a_proof_is_used_once(bank):
    token = (await bank.tokens(proof="own"))["access_token"]
    proof = bank.proof_for(token)
    assert (await bank.userinfo(token, scheme="DPoP", dpop=proof)).status_code == 200
    answer = await bank.userinfo(token, scheme="DPoP", dpop=proof)
    assert refused(answer) == (401, "invalid_dpop_proof")
