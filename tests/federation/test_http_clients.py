"""How clients prove who they are at the OAuth endpoints: rows AUTH- of the behaviour table."""

import hashlib
import hmac

import msgspec
import pytest

from federation.parties import RESOURCE, Party, claims_of, refused
from inkan.composition.settings import Server
from inkan.crypto import base64url, jose, jwk
from inkan.crypto.jose import Algorithm
from inkan.crypto.keys import KeySpec, generate
from inkan.kernel.clock import to_seconds
from inkan.relying_parties import TokenAnswer
from inkan.relying_parties.service.authentication import _TRIES
from relying_parties.hands import REQUEST, System, unsigned
from support.world import PLATFORM, settings_for, world_on

on_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
INVALID = (401, "invalid_client")


@pytest.fixture
async def keyed(world):
    """A client that proves itself by its key."""
    return await Party.joined(world)


@pytest.fixture
async def secretive(world):
    """A client that proves itself by a secret in the header."""
    return await Party.joined(world, token_endpoint_auth_method="client_secret_basic")


@pytest.mark.behaviour("AUTH-1")
async def test_a_client_assertion_proves_a_client(keyed):
    claims = claims_of(await keyed.send(keyed.asserted()))
    assert (claims["client_id"], claims["sub"], claims["aud"]) == ("shop", "shop", RESOURCE)


@pytest.mark.behaviour("AUTH-2")
async def test_an_rsa_key_signs_assertions_by_ps256(world):
    party = await Party.joined(world, spec=KeySpec.RSA2048)
    assert claims_of(await party.send(party.asserted()))["client_id"] == "shop"


@on_sqlite
@pytest.mark.behaviour("AUTH-3")
async def test_rs256_proves_no_client(world):
    party = await Party.joined(world, spec=KeySpec.RSA2048)
    form = party.asserted(client_assertion=party.assertion(alg=Algorithm.RS256))
    assert refused(await party.send(form)) == INVALID


@on_sqlite
@pytest.mark.behaviour("AUTH-4")
async def test_the_audience_is_the_issuer_as_one_string(keyed):
    for aud in (
        [PLATFORM],
        [PLATFORM, f"{PLATFORM}/token"],
        f"{PLATFORM}/token",
        f"{PLATFORM}/par",
        f"{PLATFORM}/",
        "https://elsewhere.example",
        None,
    ):
        form = keyed.asserted(client_assertion=keyed.assertion(aud=aud))
        assert refused(await keyed.send(form)) == INVALID, aud


@pytest.mark.behaviour("AUTH-5")
async def test_an_assertion_is_used_once(keyed):
    form = keyed.asserted()
    assert (await keyed.send(form)).status_code == 200
    assert refused(await keyed.send(form)) == INVALID


@on_sqlite
@pytest.mark.behaviour("AUTH-6")
async def test_an_assertion_lives_for_a_minute(keyed, world):
    now = to_seconds(world.clock.wire_now())
    for bent in ({"exp": now + 61}, {"iat": now - 120, "exp": now - 60}, {"iat": now + 61}):
        form = keyed.asserted(client_assertion=keyed.assertion(**bent))
        assert refused(await keyed.send(form)) == INVALID, bent


@on_sqlite
@pytest.mark.behaviour("AUTH-7")
async def test_algorithms_that_are_none_or_confused(keyed):
    public = msgspec.json.encode(jwk.to_jwk(keyed.key.public_key()))
    header = base64url.encode(msgspec.json.encode({"alg": "HS256", "typ": "JWT"}))
    signed = f"{header}.{base64url.encode(msgspec.json.encode(keyed.claims()))}"
    keyed_by_public = base64url.encode(hmac.digest(public, signed.encode(), hashlib.sha256))
    assertion = keyed.assertion()
    head, payload, signature = assertion.split(".")
    turned = base64url.encode(msgspec.json.encode({"alg": "PS256", "typ": "JWT"}))
    for bad in (
        unsigned(keyed.claims(), alg="none", typ="JWT"),
        f"{signed}.{keyed_by_public}",
        f"{turned}.{payload}.{signature}",
        f"{head}.{payload}.{'A' * len(signature)}",
        keyed.assertion(key=generate(KeySpec.P256)),
        keyed.assertion(typ="dpop+jwt"),
    ):
        assert refused(await keyed.send(keyed.asserted(client_assertion=bad))) == INVALID


@pytest.mark.behaviour("AUTH-8")
async def test_a_secret_in_the_header_proves_a_client(secretive):
    answer = await secretive.send(secretive.bare(), authorization=secretive.basic())
    assert claims_of(answer)["client_id"] == "shop"
    assert answer.json()["token_type"] == "Bearer"


@pytest.mark.behaviour("AUTH-9")
async def test_a_secret_in_the_body_proves_a_client(world):
    party = await Party.joined(world, token_endpoint_auth_method="client_secret_post")
    form = party.bare(client_id="shop", client_secret=party.secret)
    assert claims_of(await party.send(form))["client_id"] == "shop"


@pytest.mark.behaviour("AUTH-10")
async def test_a_wrong_secret_is_challenged_for_the_same_scheme(secretive):
    for authorization in (
        secretive.basic("another"),
        secretive.basic(secretive.secret[:-1]),
        secretive.basic(code="nobody"),
        secretive.basic(code="tax\x00office"),
        "Basic",
        "Basic !!!!",
        "Basic c2hvcA==",
        "basic /////w==",
    ):
        answer = await secretive.send(secretive.bare(), authorization=authorization)
        assert refused(answer) == INVALID, authorization
        assert answer.headers["www-authenticate"].startswith("Basic ")


@on_sqlite
@pytest.mark.behaviour("AUTH-11")
async def test_a_secret_counts_only_where_the_registration_says(secretive, world):
    form = secretive.bare(client_id="shop", client_secret=secretive.secret)
    assert refused(await secretive.send(form)) == INVALID
    posted = await Party.joined(world, "bank", token_endpoint_auth_method="client_secret_post")
    assert refused(await posted.send(posted.bare(), authorization=posted.basic())) == INVALID
    keyed = await Party.joined(world, "post-office")
    assert refused(await keyed.send(keyed.bare(), authorization=keyed.basic())) == INVALID


@on_sqlite
@pytest.mark.behaviour("AUTH-12")
async def test_two_methods_in_one_request(secretive):
    for form in (
        secretive.asserted(),
        secretive.bare(client_id="shop", client_secret=secretive.secret),
    ):
        answer = await secretive.send(form, authorization=secretive.basic())
        assert refused(answer) == (400, "invalid_request")


@on_sqlite
@pytest.mark.behaviour("AUTH-13")
async def test_a_client_id_in_the_body_is_the_one_that_was_proved(secretive, world):
    await Party.joined(world, "bank")
    form = secretive.bare(client_id="bank")
    answer = await secretive.send(form, authorization=secretive.basic())
    assert refused(answer) == (400, "invalid_request")
    assert refused(await secretive.send(secretive.asserted(client_id="bank"))) == (
        400,
        "invalid_request",
    )
    assert (await secretive.send(secretive.asserted(client_id="shop"))).status_code == 200


@on_sqlite
@pytest.mark.behaviour("AUTH-14")
async def test_a_name_alone_proves_nobody(keyed):
    assert refused(await keyed.send(keyed.bare(client_id="shop"))) == INVALID
    assert refused(await keyed.send(keyed.bare())) == INVALID
    assert refused(await keyed.send(keyed.bare(client_id="shop", client_secret=""))) == INVALID


@on_sqlite
@pytest.mark.behaviour("AUTH-15")
async def test_a_client_without_a_drawn_secret_is_proved_by_none(world):
    party = await Party.joined(world)
    party.openid["token_endpoint_auth_method"] = "client_secret_post"
    other = Party(world, "bank", openid=party.openid)
    await world.agency("bank", openid=party.openid, doors=["redirect"])
    for secret in ("", "-" * 43, "anything"):
        form = other.bare(client_id="bank", client_secret=secret)
        assert refused(await other.send(form)) == INVALID


@pytest.mark.behaviour("AUTH-16")
async def test_a_drawn_secret_holds_and_ends_the_one_before(secretive, world):
    drawn = await world.platform.relying_parties.draw_secret("shop")
    assert len(drawn) == 43
    old = await secretive.send(secretive.bare(), authorization=secretive.basic())
    assert refused(old) == INVALID
    new = await secretive.send(secretive.bare(), authorization=secretive.basic(drawn))
    assert new.status_code == 200
    system, _, _ = await world.platform.relying_parties.registered("shop")
    assert drawn not in str(system)
    assert "relying_parties.client_secret_drawn" in await world.events()


@pytest.mark.behaviour("AUTH-17")
async def test_a_suspended_client_is_no_client(secretive, world):
    await world.platform.relying_parties.suspend("shop")
    answer = await secretive.send(secretive.bare(), authorization=secretive.basic())
    assert refused(answer) == INVALID
    assert refused(await secretive.send(secretive.asserted())) == INVALID


@on_sqlite
@pytest.mark.behaviour("AUTH-18")
async def test_a_secret_gives_no_token_for_the_rp_api(secretive):
    form = {"grant_type": "client_credentials"}
    answer = await secretive.send(form, proof=secretive.proof(), authorization=secretive.basic())
    assert refused(answer) == (400, "unauthorized_client")


@on_sqlite
@pytest.mark.behaviour("AUTH-19")
async def test_a_token_for_the_rp_api_is_always_bound(keyed):
    form = keyed.asserted(resource=None)
    del form["resource"]
    assert refused(await keyed.send(form)) == (400, "invalid_dpop_proof")
    form["client_assertion"] = keyed.assertion()
    answer = await keyed.send(form, proof=keyed.proof())
    assert claims_of(answer)["aud"] == PLATFORM
    assert (await keyed.call(answer.json()["access_token"])).status_code == 404


@on_sqlite
@pytest.mark.behaviour("AUTH-20")
async def test_a_token_for_a_resource_opens_nothing_here(keyed):
    answer = await keyed.send(keyed.asserted(), proof=keyed.proof())
    token = answer.json()["access_token"]
    assert (await keyed.call(token)).status_code == 401
    bearer = await keyed.send(keyed.asserted())
    async with keyed.web as web:
        headers = {"authorization": f"Bearer {bearer.json()['access_token']}"}
        assert (await web.get("/v1/sessions/ses_unknown", headers=headers)).status_code == 401


@on_sqlite
@pytest.mark.behaviour("AUTH-21")
async def test_resources_and_scopes_that_are_not_the_clients(keyed):
    for resource in ("https://elsewhere.example/", f"{RESOURCE}/", "", PLATFORM):
        form = keyed.asserted(resource=resource)
        assert refused(await keyed.send(form)) == (400, "invalid_target"), resource
    form = keyed.asserted(scope="openid")
    assert refused(await keyed.send(form)) == (400, "invalid_scope")


@on_sqlite
@pytest.mark.behaviour("AUTH-22")
async def test_a_grant_that_is_not_registered(world):
    party = await Party.joined(world, grant_types=["authorization_code"])
    assert refused(await party.send(party.asserted())) == (400, "unauthorized_client")
    machine = await Party.joined(
        world, "bank", grant_types=["client_credentials"], redirect_uris=[]
    )
    system = await System.registered(world)

    async def give(client, form):
        return TokenAnswer(access_token="x", token_type="Bearer", expires_in=1)

    world.platform.relying_parties.grants["urn:test"] = give
    for grant_type in ("authorization_code", "refresh_token", "urn:test"):
        more = {"grant_type": grant_type, "code": "x", "refresh_token": "x"}
        asked = await machine.send(machine.asserted(**more))
        assert refused(asked) == (400, "unauthorized_client")
        asked = await system.ask(system.form(**more))
        assert refused(asked) == (400, "unauthorized_client")
    form = party.asserted(grant_type="password", username="x", password="y")
    assert refused(await party.send(form)) == (400, "unsupported_grant_type")


@on_sqlite
@pytest.mark.behaviour("AUTH-23")
async def test_a_parameter_that_stands_twice(secretive):
    for name, value in (("grant_type", "client_credentials"), ("resource", RESOURCE)):
        pairs = [*secretive.bare().items(), (name, value)]
        answer = await secretive.send(pairs, authorization=secretive.basic())
        assert refused(answer) == (400, "invalid_request")


@on_sqlite
@pytest.mark.behaviour("AUTH-24")
async def test_other_methods_and_media_types(secretive):
    async with secretive.web as web:
        assert (await web.get("/token")).status_code == 405
        assert (await web.put("/token")).status_code == 405
        answer = await web.post("/token", json=secretive.bare())
        assert refused(answer) == (400, "invalid_request")
        answer = await web.post("/token?grant_type=client_credentials")
        assert answer.status_code == 400


@on_sqlite
@pytest.mark.behaviour("AUTH-25")
async def test_a_system_without_metadata_is_proved_by_its_key_and_dpop_alone(world):
    system = await System.registered(world)
    party = Party(world, system.code, system.key, system.dpop_key, secret="x" * 43)
    assert refused(await party.send(party.bare(), authorization=party.basic())) == INVALID
    form = system.form()
    assert refused(await party.send(form)) == (400, "invalid_dpop_proof")
    answer = await system.ask(system.form(scope="openid", resource=RESOURCE))
    assert claims_of(answer)["aud"] == PLATFORM
    assert "dpop-nonce" not in answer.headers
    assert set(answer.json()) == {"access_token", "token_type", "expires_in"}
    key = generate(KeySpec.RSA2048)
    with pytest.raises(Exception, match="not usable"):
        await world.platform.relying_parties.add_key("tax-office", jwk.to_jwk(key.public_key()))


@on_sqlite
@pytest.mark.behaviour("AUTH-26")
async def test_a_token_for_a_resource_names_the_key_that_verifies_it(keyed):
    answer = await keyed.send(keyed.asserted())
    token = answer.json()["access_token"]
    parsed = jose.parse_compact(token, typ="at+jwt", required=("kid",))
    async with keyed.web as web:
        [key] = [
            each
            for each in (await web.get("/openid/jwks")).json()["keys"]
            if each["kid"] == parsed.header["kid"]
        ]
        jose.verify_signature(parsed, jwk.load_jwk(key), algs=(Algorithm.ES256,))
        for path in ("/userinfo", REQUEST):
            answered = await web.get(path, headers={"authorization": f"Bearer {token}"})
            assert answered.status_code == 401
    claims = claims_of(answer)
    assert claims["exp"] - claims["iat"] == 600
    assert claims["jti"] != claims_of(await keyed.send(keyed.asserted()))["jti"]


@pytest.mark.behaviour("AUTH-27")
async def test_a_name_that_no_system_can_have(keyed):
    for name in ("a\x00b", "x" * 900, "\ud7ff", ""):
        assertion = keyed.assertion(iss=name, sub=name)
        form = keyed.asserted(client_assertion=assertion)
        assert refused(await keyed.send(form)) == INVALID
        form = keyed.bare(client_id=name, client_secret="x")
        assert refused(await keyed.send(form)) == INVALID


@on_sqlite
@pytest.mark.behaviour("AUTH-28")
@pytest.mark.parametrize("behind_a_proxy", [False, True])
async def test_the_metadata_say_the_methods_that_work(database, clock, tmp_path, behind_a_proxy):
    server = Server(certificate_header=("127.0.0.1",) if behind_a_proxy else ())
    settings = msgspec.structs.replace(settings_for(tmp_path), server=server)
    async with (
        world_on(database, clock, tmp_path, settings=settings) as world,
        Party(world).web as web,
    ):
        said = (await web.get("/.well-known/openid-configuration")).json()
    methods = set(said["token_endpoint_auth_methods_supported"])
    assert methods == set(_TRIES) - (set() if behind_a_proxy else {"self_signed_tls_client_auth"})
    bound = said.get("tls_client_certificate_bound_access_tokens", False)
    assert bound == behind_a_proxy
    assert said["token_endpoint_auth_signing_alg_values_supported"] == ["ES256", "PS256"]
    assert said["dpop_signing_alg_values_supported"] == ["ES256", "PS256"]
