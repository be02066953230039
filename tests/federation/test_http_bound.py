"""What binds tokens to their client: DPoP and the connection's certificate; rows DPOP- and MTLS-."""

from datetime import timedelta

import httpx
import msgspec
import pytest

from federation.parties import (
    RESOURCE,
    Party,
    certificate_header,
    claims_of,
    refused,
    self_signed,
    x5t,
)
from inkan.composition.settings import Server
from inkan.crypto import base64url, jose, jwk
from inkan.crypto.jose import Algorithm
from inkan.crypto.keys import KeySpec, PrivateKey, generate
from relying_parties.hands import REQUEST
from support.world import PLATFORM, settings_for, world_on

on_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
BAD_PROOF = (400, "invalid_dpop_proof")
NEEDS_NONCE = (400, "use_dpop_nonce")
FAPI = {
    "profile": "fapi2",
    "sender_constraint": "dpop",
    "id_token_signed_response_alg": "ES256",
}
MTLS = {"token_endpoint_auth_method": "self_signed_tls_client_auth", "sender_constraint": "mtls"}


@pytest.fixture
async def bound(world):
    """A client whose tokens are bound by DPoP."""
    return await Party.joined(world, sender_constraint="dpop")


@pytest.fixture
async def bank(world):
    """A client of the FAPI 2.0 profile."""
    return await Party.joined(world, **FAPI)


@pytest.fixture
async def proxied(database, clock, tmp_path):
    """An instance behind a proxy that passes certificates on."""
    settings = msgspec.structs.replace(
        settings_for(tmp_path), server=Server(certificate_header=("127.0.0.0/8",))
    )
    async with world_on(database, clock, tmp_path, settings=settings) as made:
        yield made


def forged(key: PrivateKey, *, header: dict, alg: Algorithm = Algorithm.ES256, **claims) -> str:
    """A proof of any header."""
    payload = msgspec.json.encode(claims)
    return jose.sign_compact(payload, key, alg=alg, typ="dpop+jwt", header=header)


# --- DPoP -------------------------------------------------------------------------------------------------


@pytest.mark.behaviour("DPOP-1")
async def test_a_proof_binds_the_token_of_a_client_that_need_not_bring_one(world):
    party = await Party.joined(world, token_endpoint_auth_method="client_secret_basic")
    answer = await party.send(party.bare(), proof=party.proof(), authorization=party.basic())
    assert answer.json()["token_type"] == "DPoP"
    assert claims_of(answer)["cnf"] == {"jkt": jwk.thumbprint(party.dpop_key.public_key())}
    bare = await party.send(party.bare(), authorization=party.basic())
    assert "cnf" not in claims_of(bare)


@pytest.mark.behaviour("DPOP-2")
async def test_a_registered_constraint_is_demanded(bound):
    assert refused(await bound.send(bound.asserted())) == BAD_PROOF
    assert refused(await bound.send(bound.asserted(), proof="")) == BAD_PROOF
    assert (await bound.send(bound.asserted(), proof=bound.proof())).status_code == 200


@on_sqlite
@pytest.mark.behaviour("DPOP-3")
async def test_a_proof_is_for_this_request_now(bound, world):
    now = world.clock.wire_now()
    for bent in (
        {"method": "GET"},
        {"url": f"{PLATFORM}/par"},
        {"url": "http://evil.localhost:8480/token"},
        {"at": now - timedelta(seconds=66)},
        {"at": now + timedelta(seconds=61)},
        {"access_token": "a.b.c"},
    ):
        answer = await bound.send(bound.asserted(), proof=bound.proof(**bent))
        assert refused(answer) == BAD_PROOF, bent


@on_sqlite
@pytest.mark.behaviour("DPOP-4")
async def test_the_clock_of_a_client_may_be_a_little_fast(bound, world):
    late = bound.proof(at=world.clock.wire_now() + timedelta(seconds=5))
    assert (await bound.send(bound.asserted(), proof=late)).status_code == 200


@pytest.mark.behaviour("DPOP-5")
async def test_a_proof_is_used_once(bound):
    proof = bound.proof()
    assert (await bound.send(bound.asserted(), proof=proof)).status_code == 200
    assert refused(await bound.send(bound.asserted(), proof=proof)) == BAD_PROOF


@on_sqlite
@pytest.mark.behaviour("DPOP-6")
async def test_two_proofs_in_one_request(bound):
    headers = [
        ("content-type", "application/x-www-form-urlencoded"),
        ("dpop", bound.proof()),
        ("dpop", bound.proof()),
    ]
    async with bound.web as web:
        content = httpx.QueryParams(bound.asserted())
        answer = await web.post("/token", content=str(content), headers=headers)
    assert refused(answer) == (400, "invalid_request")


@on_sqlite
@pytest.mark.behaviour("DPOP-7")
async def test_keys_and_algorithms_that_prove_nothing(bound, world):
    key, rsa = generate(KeySpec.P256), generate(KeySpec.RSA2048)
    public = jwk.to_jwk(key.public_key())
    claims = {
        "jti": "x" * 20,
        "htm": "POST",
        "htu": f"{PLATFORM}/token",
        "iat": int(world.clock.wire_now().timestamp()),
    }
    private = {**public, "d": base64url.encode(b"1" * 32)}
    for proof in (
        forged(key, header={"jwk": private}, **claims),
        forged(key, header={"jwk": {"kty": "oct", "k": "AAAA"}}, **claims),
        forged(key, header={"jwk": public, "kid": "1"}, **claims),
        forged(generate(KeySpec.P256), header={"jwk": public}, **claims),
        forged(key, header={}, **claims),
        forged(rsa, header={"jwk": jwk.to_jwk(rsa.public_key())}, alg=Algorithm.RS256, **claims),
        "a.b.c",
        "x" * 9000,
    ):
        answer = await bound.send(bound.asserted(), proof=proof)
        assert refused(answer) == BAD_PROOF, proof[:80]


@on_sqlite
@pytest.mark.behaviour("DPOP-8")
async def test_an_rsa_key_proves_by_ps256(bound):
    key = generate(KeySpec.RSA2048)
    answer = await bound.send(bound.asserted(), proof=bound.proof(key=key))
    assert claims_of(answer)["cnf"] == {"jkt": jwk.thumbprint(key.public_key())}


@on_sqlite
@pytest.mark.behaviour("DPOP-9")
async def test_the_rp_api_takes_es256_alone(bound):
    form = bound.asserted()
    del form["resource"]
    key = generate(KeySpec.RSA2048)
    assert refused(await bound.send(form, proof=bound.proof(key=key))) == BAD_PROOF


@pytest.mark.behaviour("DPOP-10")
async def test_a_fapi_client_brings_the_nonce_that_it_was_handed(bank):
    first = await bank.send(bank.asserted(), proof=bank.proof())
    assert refused(first) == NEEDS_NONCE
    nonce = first.headers["dpop-nonce"]
    second = await bank.send(bank.asserted(), proof=bank.proof(nonce=nonce))
    assert claims_of(second)["cnf"] == {"jkt": jwk.thumbprint(bank.dpop_key.public_key())}
    assert second.headers["dpop-nonce"]


@on_sqlite
@pytest.mark.behaviour("DPOP-11")
async def test_a_nonce_ends_after_its_second_window(bank, world):
    world.clock.tick(120 - int(world.clock.wire_now().timestamp()) % 120)
    first = await bank.send(bank.asserted(), proof=bank.proof())
    nonce = first.headers["dpop-nonce"]
    world.clock.tick(239)
    answer = await bank.send(bank.asserted(), proof=bank.proof(nonce=nonce))
    assert answer.status_code == 200
    assert answer.headers["dpop-nonce"] != nonce
    world.clock.tick(1)
    again = await bank.send(bank.asserted(), proof=bank.proof(nonce=nonce))
    assert refused(again) == NEEDS_NONCE
    assert again.headers["dpop-nonce"] != nonce


@on_sqlite
@pytest.mark.behaviour("DPOP-12")
async def test_a_nonce_that_is_not_ours(bound):
    for nonce in ("", "x" * 43, "\u5370"):
        answer = await bound.send(bound.asserted(), proof=bound.proof(nonce=nonce))
        assert refused(answer) == NEEDS_NONCE, nonce
    answer = await bound.send(bound.asserted(), proof=bound.proof())
    ours = answer.headers["dpop-nonce"]
    assert (await bound.send(bound.asserted(), proof=bound.proof(nonce=ours))).status_code == 200


@on_sqlite
@pytest.mark.behaviour("DPOP-13")
async def test_every_process_of_an_instance_knows_the_nonce(bank, world, database, clock, tmp_path):
    first = await bank.send(bank.asserted(), proof=bank.proof())
    nonce = first.headers["dpop-nonce"]
    async with world_on(database, clock, tmp_path) as other:
        there = Party(other, bank.code, bank.key, bank.dpop_key)
        answer = await there.send(there.asserted(), proof=there.proof(nonce=nonce))
        assert answer.status_code == 200


# --- certificates -----------------------------------------------------------------------------------------


def of(party: Party, **more) -> dict[str, str]:
    """The header with a certificate of the client's key."""
    now = party.world.clock.wire_now()
    return {"client_cert": certificate_header(self_signed(party.key, now=now, **more))}


@pytest.mark.behaviour("MTLS-1")
async def test_a_certificate_of_a_registered_key_proves_a_client(proxied):
    party = await Party.joined(proxied, **MTLS)
    der = self_signed(party.key, now=proxied.clock.wire_now())
    form = party.bare(client_id="shop")
    answer = await party.send(form, client_cert=certificate_header(der))
    assert answer.json()["token_type"] == "Bearer"
    assert claims_of(answer)["cnf"] == {"x5t#S256": x5t(der)}


@on_sqlite
@pytest.mark.behaviour("MTLS-2")
async def test_an_rsa_key_in_a_certificate(proxied):
    party = await Party.joined(proxied, spec=KeySpec.RSA2048, **MTLS)
    assert (await party.send(party.bare(client_id="shop"), **of(party))).status_code == 200


@on_sqlite
@pytest.mark.behaviour("MTLS-3")
async def test_certificates_that_prove_nobody(proxied):
    party = await Party.joined(proxied, **MTLS)
    stranger = Party(proxied, "shop")
    form = party.bare(client_id="shop")
    for headers in (of(stranger), of(party, days=-0.5), {"client_cert": ":MIIB:"}, {}):
        assert refused(await party.send(form, **headers)) == (401, "invalid_client"), headers
    other = await Party.joined(proxied, "bank", **MTLS)
    assert refused(await party.send(form, **of(other))) == (401, "invalid_client")


@on_sqlite
@pytest.mark.behaviour("MTLS-4")
async def test_a_certificate_counts_only_where_the_registration_says(proxied):
    party = await Party.joined(proxied)
    form = party.bare(client_id="shop")
    assert refused(await party.send(form, **of(party))) == (401, "invalid_client")


@on_sqlite
@pytest.mark.behaviour("MTLS-5")
async def test_the_header_is_dropped_without_the_setting(world):
    party = await Party.joined(world, **MTLS)
    form = party.bare(client_id="shop")
    assert refused(await party.send(form, **of(party))) == (401, "invalid_client")


@on_sqlite
@pytest.mark.behaviour("MTLS-6")
async def test_the_header_is_dropped_from_everybody_but_the_proxy(proxied):
    party = await Party.joined(proxied, **MTLS)
    app = proxied.instance.application
    form = str(httpx.QueryParams(party.bare(client_id="shop")))
    headers = {"content-type": "application/x-www-form-urlencoded"}
    headers["client-cert"] = of(party)["client_cert"]
    for address, status in (("203.0.113.9", 401), ("::1", 401), ("127.0.0.9", 200)):
        transport = httpx.ASGITransport(app=app, client=(address, 40000))
        async with httpx.AsyncClient(transport=transport, base_url=PLATFORM) as web:
            answer = await web.post("/token", content=form, headers=headers)
        assert answer.status_code == status, address


@on_sqlite
@pytest.mark.behaviour("MTLS-7")
async def test_a_header_that_is_no_byte_sequence(proxied):
    party = await Party.joined(proxied, **MTLS)
    for value in (
        "",
        "MIIB",
        ":MIIB",
        ":M:",
        "::",
        ":!!!!:",
        ":MIIB:;a=1",
        ":" + "A" * 30000 + ":",
    ):
        answer = await party.send(party.bare(client_id="shop"), client_cert=value)
        assert refused(answer) == (400, "invalid_request"), value[:20]


@on_sqlite
@pytest.mark.behaviour("MTLS-8")
async def test_tokens_bound_to_a_certificate_are_not_issued_without_it(proxied):
    party = await Party.joined(proxied, sender_constraint="mtls")
    assert refused(await party.send(party.asserted())) == (400, "invalid_request")
    assert (await party.send(party.asserted(), **of(party))).status_code == 200


@on_sqlite
@pytest.mark.behaviour("MTLS-9")
async def test_a_certificate_that_the_registration_does_not_ask_for_binds_nothing(proxied):
    party = await Party.joined(proxied)
    assert "cnf" not in claims_of(await party.send(party.asserted(), **of(party)))


@on_sqlite
@pytest.mark.behaviour("MTLS-10")
async def test_a_token_of_a_certificate_opens_the_rp_api_by_that_certificate_alone(proxied):
    party = await Party.joined(proxied, **MTLS)
    ours = of(party)["client_cert"]
    form = {"grant_type": "client_credentials", "client_id": "shop"}
    answer = await party.send(form, client_cert=ours)
    token = answer.json()["access_token"]
    other = of(party)["client_cert"]  # the same key in another certificate
    async with party.web as web:
        for header, status in ((ours, 404), (other, 401), (None, 401)):
            headers = {"authorization": f"Bearer {token}"}
            if header is not None:
                headers["client-cert"] = header
            assert (await web.get(REQUEST, headers=headers)).status_code == status
        proof = party.proof(method="GET", url=PLATFORM + REQUEST, access_token=token)
        headers = {"authorization": f"DPoP {token}", "dpop": proof, "client-cert": ours}
        assert (await web.get(REQUEST, headers=headers)).status_code == 401


@on_sqlite
@pytest.mark.behaviour("MTLS-11")
async def test_a_resource_token_of_a_certificate_says_so(proxied):
    party = await Party.joined(proxied, **{**FAPI, **MTLS})
    answer = await party.send(party.bare(client_id="shop"), **of(party))
    claims = claims_of(answer)
    assert claims["aud"] == RESOURCE
    assert "jkt" not in claims["cnf"]
    assert "dpop-nonce" not in answer.headers


@on_sqlite
@pytest.mark.behaviour("MTLS-12")
async def test_a_token_bound_twice_wants_both(proxied):
    party = await Party.joined(proxied, **MTLS)
    ours = of(party)["client_cert"]
    form = {"grant_type": "client_credentials", "client_id": "shop"}
    answer = await party.send(form, proof=party.proof(), client_cert=ours)
    assert claims_of(answer)["cnf"].keys() == {"jkt", "x5t#S256"}
    token = answer.json()["access_token"]
    async with party.web as web:
        for scheme, certificate, status in (
            ("DPoP", ours, 404),
            ("DPoP", None, 401),
            ("DPoP", of(party)["client_cert"], 401),
            ("Bearer", ours, 401),
        ):
            proof = party.proof(method="GET", url=PLATFORM + REQUEST, access_token=token)
            headers = {"authorization": f"{scheme} {token}", "dpop": proof}
            if certificate is not None:
                headers["client-cert"] = certificate
            assert (await web.get(REQUEST, headers=headers)).status_code == status
