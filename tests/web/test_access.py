"""Access: who may call, how often, and from which origin, asked before every endpoint."""

from dataclasses import replace
from datetime import timedelta

import pytest
from litestar import get

from inkan.web.cors import CORS
from inkan.web.limits import RateLimit
from inkan.web.principal import Access
from inkan.web.routes import Bare, Group, Surface
from support.asgi import Client
from web.shelf import A_TEST, PERMISSIONS, api, look, nothing
from web.sites import ORIGIN, WALLET, Build, ClientOf

# --- who may ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/v1/known", "/v1/burn"])
@pytest.mark.parametrize(
    ("token", "status", "code"),
    [
        (None, 401, "login_required"),
        ("reader", 403, "role_missing"),
        ("maker PHISHING_RESISTANT", None, None),
    ],
)
async def test_the_matrix_stands_before_every_endpoint(
    site: Client, path: str, token: str | None, status: int | None, code: str | None
) -> None:
    sent = {} if token is None else {"authorization": token}
    reply = await site.post(path, headers=sent)
    if status is None:
        assert reply.status in {200, 201}
        assert "sy_maker" in reply.text
    else:
        assert (reply.status, reply.json()["code"]) == (status, code)


async def test_a_weaker_proof_is_not_enough(site: Client) -> None:
    assert (await site.post("/v1/known", headers={"authorization": "maker"})).status == 200
    reply = await site.post("/v1/burn", headers={"authorization": "maker"})
    assert (reply.status, reply.json()["needed"]) == (403, "phishing_resistant")


async def test_a_proof_that_stands_twice_is_refused(site: Client) -> None:
    twice = [("authorization", "maker"), ("Authorization", "reader")]
    reply = await site.post("/v1/known", headers=twice)
    assert (reply.status, reply.json()["where"]) == (400, "authorization")


async def test_the_body_is_not_read_before_the_matrix(site: Client) -> None:
    reply = await site.post("/v1/known", body=b"x" * 100_000)
    assert reply.status == 401


async def test_programs_never_bring_cookies(site: Client) -> None:
    site.cookies["__Host-inkan-login"] = "stolen"
    assert (await site.get("/v1/bare/a")).json()["cookie"] is None


def test_a_route_that_names_nobody_keeps_the_application_from_starting(build: Build) -> None:
    @get("/open")
    async def forgotten() -> None: ...

    with pytest.raises(ValueError, match="GET /open"):
        build(Group(surface=Surface.API, handlers=[forgotten]))
    unknown = Bare(endpoint=nothing, access=Access("no.such.use.case"))
    with pytest.raises(ValueError, match=r"no\.such\.use\.case"):
        build(Group(surface=Surface.API, bare={("GET", "/x"): unknown}))


def test_two_routes_for_one_place_keep_the_application_from_starting(build: Build) -> None:
    bare = {("GET", "/v1/things/{name}"): Bare(endpoint=look, access=A_TEST)}
    with pytest.raises(ValueError, match="twice"):
        build(api(), Group(surface=Surface.API, bare=bare), permissions=PERMISSIONS)


# --- rates -----------------------------------------------------------------------------------------


TWO = RateLimit(name="two", requests=2, window=timedelta(minutes=1))


async def test_a_rate_is_told_and_kept(client: ClientOf) -> None:
    site = client(api(limit=TWO), permissions=PERMISSIONS)
    first, second, third = [await site.get("/v1/bare/a") for _ in range(3)]
    assert first.header("ratelimit") == '"two";r=1;t=30'
    assert second.header("ratelimit-policy") == '"two";q=2;w=60'
    assert (third.status, third.json()["code"]) == (429, "rate_exceeded")
    assert int(third.header("retry-after") or 0) in {29, 30}
    elsewhere = Client(site.application, ORIGIN, address="192.0.2.8")
    assert (await elsewhere.get("/v1/bare/a")).status == 200


async def test_a_known_sender_is_counted_wherever_it_comes_from(client: ClientOf) -> None:
    site = client(api(limit=TWO), permissions=PERMISSIONS)
    statuses = []
    for address in ("192.0.2.1", "192.0.2.2", "192.0.2.3"):
        caller = Client(site.application, ORIGIN, address=address)
        reply = await caller.post("/v1/known", headers={"authorization": "maker"})
        statuses.append(reply.status)
    assert statuses == [200, 200, 429]


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("2001:db8:1:2::1", "2001:db8:1:2:ffff::9", True),
        ("2001:db8:1:2::1", "2001:db8:1:3::1", False),
        ("192.0.2.1", "192.0.2.2", False),
    ],
)
async def test_an_address_is_counted_by_its_network(
    client: ClientOf, one: str, other: str, same: bool
) -> None:
    limit = replace(TWO, requests=1)
    site = client(api(limit=limit), permissions=PERMISSIONS)
    await Client(site.application, ORIGIN, address=one).get("/v1/bare/a")
    reply = await Client(site.application, ORIGIN, address=other).get("/v1/bare/a")
    assert (reply.status == 429) is same


# --- other origins ---------------------------------------------------------------------------------


async def test_the_wallet_may_call_and_read(client: ClientOf) -> None:
    site = client(api(cors=CORS(frozenset({WALLET}))), permissions=PERMISSIONS)
    asked = {"origin": WALLET, "access-control-request-method": "POST"}
    preflight = await site.request("OPTIONS", "/v1/bare", headers=asked)
    assert preflight.status == 204
    assert preflight.header("access-control-allow-origin") == WALLET
    assert "POST" in (preflight.header("access-control-allow-methods") or "")
    for path in ("/v1/bare/a", "/v1/things/a", "/v1/things/conflict"):
        reply = await site.get(path, headers={"origin": WALLET})
        assert reply.header("access-control-allow-origin") == WALLET, path
        evil = await site.get(path, headers={"origin": "https://evil.example"})
        assert evil.header("access-control-allow-origin") is None
    refused = await site.request("OPTIONS", "/v1/bare", headers={"origin": "https://evil.example"})
    assert refused.header("access-control-allow-methods") is None


async def test_published_objects_are_readable_from_everywhere(client: ClientOf) -> None:
    crl = {("GET", "/crl"): Bare(endpoint=nothing, access=A_TEST)}
    site = client(Group(surface=Surface.PUBLIC, bare=crl))
    reply = await site.get("/crl", headers={"origin": "https://verifier.example"})
    assert reply.header("access-control-allow-origin") == "*"
    assert reply.header("cross-origin-resource-policy") == "cross-origin"
