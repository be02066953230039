"""The whole way of a request, for framework handlers and bare endpoints alike."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from http import HTTPStatus
from typing import Annotated, Any

import msgspec
import pytest
from litestar import get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody, QueryParameter, URLEncodedBody

from inkan.kernel.errors import Conflict
from inkan.web import headers
from inkan.web.app import Application, Equipment, Site, build_app
from inkan.web.cors import CORS
from inkan.web.exchange import Exchange, MenuItem, exchange_of
from inkan.web.limits import RateLimit
from inkan.web.principal import (
    Access,
    Assurance,
    Permission,
    Principal,
    PrincipalKind,
    open_to_all,
    public,
    requires,
)
from inkan.web.response import Response, created, no_content, ok, see_other
from inkan.web.routes import Bare, Group, Route, Surface
from support.asgi import Client
from support.walks import every_route, walk_csrf, walk_headers

ClientOf = Callable[..., Client]
Build = Callable[..., Application]
ORIGIN = "https://id.example"
PERMISSIONS = [
    Permission(use_case="things.make", roles=frozenset({"maker"}), source="a test"),
    Permission(
        use_case="things.burn",
        roles=frozenset({"maker"}),
        source="a test",
        assurance=Assurance.PHISHING_RESISTANT,
    ),
]


class Thing(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    name: str
    size: int = 1


class Shelf:
    """A service that handlers ask for by name."""

    def __init__(self) -> None:
        self.things: list[Thing] = []

    def put(self, thing: Thing) -> None:
        self.things.append(thing)


@post("/v1/things", opt=public("a test"))
async def make(
    data: JSONBody[Thing], shelf: NamedDependency[Shelf], exchange: NamedDependency[Exchange]
) -> Thing:
    """Put a thing onto the shelf."""
    shelf.put(data)
    assert exchange_of(exchange.scope) is exchange
    return data


@get("/v1/things/{name:str}", opt=public("a test"))
async def read(
    name: FromPath[str],
    size: FromQuery[int] = 1,
    tag: Annotated[str | None, QueryParameter(name="t")] = None,
) -> Thing:
    """Take a thing from the shelf."""
    if name == "broken":
        raise ZeroDivisionError("SECRET")
    if name == "conflict":
        raise Conflict("it moves")
    return Thing(f"{name}{tag or ''}", size)


@post("/page", opt=public("a test"), status_code=HTTPStatus.SEE_OTHER)
async def submit(data: URLEncodedBody[Thing], shelf: NamedDependency[Shelf]) -> Response:
    shelf.put(data)
    return see_other("/page")


@get("/page", opt=public("a test"))
async def page(exchange: NamedDependency[Exchange]) -> Response:
    return Response(HTTPStatus.OK, exchange.csrf_token.encode())


@post("/v1/burn", opt=requires("things.burn"))
async def burn(exchange: NamedDependency[Exchange]) -> Thing:
    principal = await exchange.get_principal()
    return Thing(principal.id)


async def echo(exchange: Exchange) -> Response:
    thing = await exchange.json(Thing)
    return created(thing, location=f"/v1/bare/{thing.name}")


async def look(exchange: Exchange) -> Response:
    cookie = exchange.cookie("__Host-inkan-login")
    return ok({"parameters": exchange.parameters, "cookie": cookie, "url": exchange.url})


async def who(exchange: Exchange) -> Principal | None:
    token = exchange.header("authorization")
    if token is None:
        return None
    role, _, strength = token.partition(" ")
    return Principal(
        kind=PrincipalKind.SYSTEM,
        id=f"sy_{role}",
        roles=frozenset({role}),
        assurance=Assurance[strength or "POSSESSION"],
    )


async def make_known(exchange: Exchange) -> Response:
    return ok({"id": (await exchange.get_principal()).id})


async def nothing(_: Exchange) -> Response:
    return no_content()


A_TEST = open_to_all("a test")


def api(shelf: Shelf | None = None, **facts: Any) -> Group:
    return Group(
        surface=Surface.API,
        handlers=[make, read, burn],
        services={"shelf": shelf or Shelf()},
        authenticator=who,
        bare={
            ("POST", "/v1/bare"): Bare(endpoint=echo, access=A_TEST, body_limit=100),
            ("GET", "/v1/bare/{name}"): Bare(endpoint=look, access=A_TEST),
            ("DELETE", "/v1/bare/{name}"): Bare(endpoint=nothing, access=A_TEST),
            ("POST", "/v1/known"): Bare(endpoint=make_known, access=Access("things.make")),
        },
        **facts,
    )


def pages(shelf: Shelf | None = None, **facts: Any) -> Group:
    return Group(
        surface=Surface.PAGES,
        handlers=[page, submit],
        services={"shelf": shelf or Shelf()},
        **facts,
    )


@pytest.fixture
def shelf() -> Shelf:
    return Shelf()


@pytest.fixture
def site(client: ClientOf, shelf: Shelf) -> Client:
    return client(api(shelf), pages(shelf), permissions=PERMISSIONS)


# --- hosts and paths --------------------------------------------------------------------------------


@pytest.mark.parametrize("host", ["id.example", "ID.example", "id.example:443"])
async def test_a_site_is_found_by_its_host(site: Client, host: str) -> None:
    assert (await site.get("/v1/bare/a", host=host)).status == 200


@pytest.mark.parametrize(
    "host",
    ["", "evil.example", "id.example:444", "id.example.", "wallet.example:80", "id.example.evil", "127.0.0.1", "id.example, x"],
)  # fmt: skip
async def test_an_unknown_host_is_refused(site: Client, host: str) -> None:
    reply = await site.get("/v1/bare/a", host=host)
    assert (reply.status, reply.json()["code"]) == (421, "host_unknown")
    assert reply.header("x-content-type-options") == "nosniff"


async def test_a_host_that_stands_twice_is_refused(site: Client) -> None:
    reply = await site.get("/v1/bare/a", headers={"host": "evil.example"})
    assert (reply.status, reply.json()["code"]) == (400, "header_repeated")


async def test_sites_do_not_share_routes(site: Client) -> None:
    wallet = Client(site.application, "https://wallet.example")
    assert (await wallet.get("/v1/bare/a")).status == 404


async def test_an_address_is_of_the_site_and_never_of_the_request(site: Client) -> None:
    reply = await site.get("/v1/bare/a?x=y", headers={"x-forwarded-host": "evil.example"})
    assert reply.json()["url"] == "https://id.example/v1/bare/a"


@pytest.mark.parametrize(
    "path", ["/nosuch", "/v1/bare/a/", "//v1/bare/a", "/v1//things/a", "/v1/things/a/"]
)
async def test_an_unknown_path_is_refused(site: Client, path: str) -> None:
    reply = await site.get(path)
    assert (reply.status, reply.json()["code"]) == (404, "not_found")


@pytest.mark.parametrize(
    ("method", "path", "allow"),
    [
        ("PUT", "/v1/bare/a", "DELETE, GET, HEAD, OPTIONS"),
        ("GET", "/v1/bare", "OPTIONS, POST"),
        ("DELETE", "/v1/things/a", "GET, HEAD, OPTIONS"),
        ("TRACE", "/v1/things", "OPTIONS, POST"),
    ],
)
async def test_another_method_is_refused(site: Client, method: str, path: str, allow: str) -> None:
    reply = await site.request(method, path)
    assert (reply.status, reply.json()["code"]) == (405, "method_refused")
    assert reply.header("allow") == allow


async def test_options_lists_the_methods(site: Client) -> None:
    reply = await site.request("OPTIONS", "/v1/bare/a")
    assert (reply.status, reply.header("allow")) == (204, "DELETE, GET, HEAD, OPTIONS")


@pytest.mark.parametrize("path", ["/v1/bare/a", "/v1/things/a"])
async def test_head_is_get_without_its_body(site: Client, path: str) -> None:
    full, head = await site.get(path), await site.request("HEAD", path)
    assert (head.status, head.body) == (200, b"")
    assert head.header("content-length") == full.header("content-length") == str(len(full.body))


async def test_a_scope_that_is_not_http_is_not_spoken(site: Client) -> None:
    with pytest.raises(NotImplementedError):
        await site.application({"type": "websocket"}, None, None)


# --- bodies -----------------------------------------------------------------------------------------


async def test_a_framework_handler_reads_and_answers(site: Client, shelf: Shelf) -> None:
    reply = await site.post("/v1/things", json={"name": "cup", "size": 2})
    assert (reply.status, reply.json()) == (201, {"name": "cup", "size": 2})
    assert shelf.things == [Thing("cup", 2)]
    assert (await site.get("/v1/things/cup?size=3&t=!")).json() == {"name": "cup!", "size": 3}


async def test_a_bare_endpoint_reads_and_answers(site: Client) -> None:
    reply = await site.post("/v1/bare", json={"name": "cup"})
    assert (reply.status, reply.json()) == (201, {"name": "cup", "size": 1})
    assert reply.header("location") == "/v1/bare/cup"
    assert reply.header("content-type") == "application/json"


@pytest.mark.parametrize("path", ["/v1/things", "/v1/bare"])
@pytest.mark.parametrize(
    ("body", "status", "code", "pointer"),
    [
        (b'{"name": 1}', 400, "malformed", "/name"),
        (b'{"name": "a", "size": "1"}', 400, "malformed", "/size"),
        (b'{"name": "a", "colour": "red"}', 400, "malformed", "/colour"),
        (b'{"name": "a", "name": "b"}', 400, "name_repeated", None),
        (b"{", 400, "malformed", ""),
        (b"", 400, "malformed", ""),
        (b'{"name": "' + b"a" * 20_000 + b'"}', 413, "too_large", None),
    ],
)
async def test_both_kinds_refuse_alike(
    site: Client, path: str, body: bytes, status: int, code: str, pointer: str | None, shelf: Shelf
) -> None:
    reply = await site.post(path, body=body, headers={"content-type": "application/json"})
    assert (reply.status, reply.json()["code"]) == (status, code)
    if pointer is not None:
        assert [fault["pointer"] for fault in reply.json()["errors"]] == [pointer]
    assert shelf.things == []


@pytest.mark.parametrize("path", ["/v1/things", "/v1/bare"])
@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", ""])
async def test_a_body_of_another_kind_is_refused(site: Client, path: str, kind: str) -> None:
    reply = await site.post(path, body=b'{"name": "a"}', headers={"content-type": kind})
    assert (reply.status, reply.json()["code"]) == (415, "media_type_refused")


async def test_a_limit_counts_what_arrives_and_what_is_declared(site: Client) -> None:
    kind = {"content-type": "application/json"}
    pieces = [b'{"name": "', b"a" * 60, b"a" * 60, b'"}']
    arrived = await site.post("/v1/bare", pieces=pieces, headers=kind)
    declared = await site.post("/v1/bare", headers={**kind, "content-length": "101"}, leave=True)
    absurd = await site.post("/v1/bare", headers={**kind, "content-length": "9" * 5000}, leave=True)
    for reply in (arrived, declared, absurd):
        assert (reply.status, reply.json()["limit_bytes"]) == (413, 100)
    fits = await site.post("/v1/bare", pieces=[b'{"name": "', b"a" * 60, b'"}'], headers=kind)
    assert fits.status == 201


@pytest.mark.parametrize("path", ["/v1/bare", "/v1/things"])
async def test_who_leaves_hears_nothing(site: Client, path: str, shelf: Shelf) -> None:
    reply = await site.post(path, body=b'{"name":', leave=True)
    assert reply.status == 0
    assert shelf.things == []


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("/v1/things/broken", 500, "internal"),
        ("/v1/things/conflict", 409, "conflict"),
        ("/v1/things/a?size=SECRET", 400, "parameter_wrong"),
    ],
)
async def test_a_handler_that_fails_is_answered(
    site: Client, path: str, status: int, code: str
) -> None:
    reply = await site.get(path)
    assert (reply.status, reply.json()["code"]) == (status, code)
    assert "SECRET" not in reply.text
    assert reply.header("content-type") == "application/problem+json"


# --- who may ----------------------------------------------------------------------------------------


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


# --- rates ------------------------------------------------------------------------------------------

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


# --- other origins ----------------------------------------------------------------------------------

WALLET = "https://wallet.example"


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


# --- pages ------------------------------------------------------------------------------------------


async def test_a_form_of_our_own_page_is_taken(site: Client, shelf: Shelf) -> None:
    token = (await site.get("/page")).text
    own = {"origin": ORIGIN, "sec-fetch-site": "same-origin"}
    reply = await site.post("/page", form={"name": "印", "csrf_token": token}, headers=own)
    assert (reply.status, reply.header("location")) == (303, "/page")
    assert shelf.things == [Thing("印")]
    by_header = await site.post("/page", form={"name": "b"}, headers={**own, "x-csrf-token": token})
    assert by_header.status == 303


async def test_the_token_is_stable_for_one_browser(site: Client) -> None:
    first = await site.get("/page")
    assert len(first.all("set-cookie")) == 1
    second = await site.get("/page")
    assert second.all("set-cookie") == []
    assert first.text == second.text
    other = Client(site.application, ORIGIN)
    assert (await other.get("/page")).text != first.text


async def test_the_language_is_remembered(client: ClientOf) -> None:
    async def which(exchange: Exchange) -> Response:
        return ok([exchange.language, exchange.in_language(exchange.language)])

    bare = {("GET", "/which"): Bare(endpoint=which, access=A_TEST)}
    site = client(Group(surface=Surface.PAGES, bare=bare))
    japanese = {"accept-language": "ja"}
    assert (await site.get("/which", headers=japanese)).json()[0] == "ja"
    chosen = await site.get("/which?a=b&lang=zh-Hant", headers=japanese)
    assert chosen.json() == ["zh-Hant", "?a=b&lang=zh-Hant"]
    assert (await site.get("/which", headers=japanese)).json()[0] == "zh-Hant"
    assert (await site.get("/which?lang=de", headers=japanese)).json()[0] == "zh-Hant"


async def test_a_page_may_end_at_its_registered_return_address(client: ClientOf) -> None:
    async def returning(exchange: Exchange) -> Response:
        exchange.allow_form_to("https://rp.example")
        return exchange.page("web/layout.html")

    bare = {("GET", "/return"): Bare(endpoint=returning, access=A_TEST)}
    site = client(Group(surface=Surface.PAGES, bare=bare))
    csp = (await site.get("/return")).header("content-security-policy") or ""
    assert "form-action 'self' https://rp.example;" in csp
    assert "https://rp.example" not in (
        (await site.get("/nosuch")).header("content-security-policy") or ""
    )


async def test_a_page_is_relaxed_by_its_template(client: ClientOf) -> None:
    scan = headers.PAGES.granting("camera")
    bare = {
        ("GET", path): Bare(endpoint=nothing, access=A_TEST) for path in ("/scan/{id}", "/other")
    }
    site = client(Group(surface=Surface.PAGES, bare=bare, relax={"/scan/{id}": scan}))
    assert "camera=(self)" in ((await site.get("/scan/a")).header("permissions-policy") or "")
    assert "camera=()" in ((await site.get("/other")).header("permissions-policy") or "")


async def test_the_menu_shows_what_the_reader_may(client: ClientOf) -> None:
    async def shown(exchange: Exchange) -> Response:
        await exchange.find_principal()
        return ok([item.path for item in exchange.menu()])

    bare = {("GET", "/menu"): Bare(endpoint=shown, access=A_TEST)}
    menu = (
        MenuItem(text="Menu", path="/"),
        MenuItem(text="Menu", path="/console", roles=frozenset({"officer"})),
    )
    site = client(Group(surface=Surface.PAGES, bare=bare, authenticator=who), menu=menu)
    assert (await site.get("/menu")).json() == ["/"]
    officer = {"authorization": "officer"}
    assert (await site.get("/menu", headers=officer)).json() == ["/", "/console"]


async def test_static_files_are_on_every_site(site: Client) -> None:
    url = site.application._nowhere.templates.assets.url("web/base.css")
    for origin in (ORIGIN, WALLET):
        reply = await Client(site.application, origin).get(url)
        assert reply.header("content-type") == "text/css; charset=utf-8"
        assert "immutable" in (reply.header("cache-control") or "")


# --- lifespan ---------------------------------------------------------------------------------------


async def test_what_runs_beside_is_entered_in_order_and_left_in_reverse(build: Build) -> None:
    seen: list[str] = []

    def part(name: str) -> Any:
        @asynccontextmanager
        async def running() -> AsyncIterator[None]:
            seen.append(f"+{name}")
            yield
            seen.append(f"-{name}")

        return running

    application = build(lifespan=[part("store"), part("outbox")])
    async with application.running():
        assert seen == ["+store", "+outbox"]
    assert seen == ["+store", "+outbox", "-outbox", "-store"]


async def test_the_asgi_lifespan_tells_a_failed_start(build: Build) -> None:
    @asynccontextmanager
    async def failing() -> AsyncIterator[None]:
        raise RuntimeError("SECRET")
        yield

    sent: list[Any] = []

    async def receive() -> dict[str, Any]:
        return {"type": "lifespan.startup"}

    async def send(message: Any) -> None:
        sent.append(message)

    with pytest.raises(RuntimeError):
        await build(lifespan=[failing])({"type": "lifespan"}, receive, send)
    assert sent == [{"type": "lifespan.startup.failed", "message": ""}]
    sent.clear()
    await build()({"type": "lifespan"}, receive, send)
    assert [message["type"] for message in sent] == [
        "lifespan.startup.complete",
        "lifespan.shutdown.complete",
    ]


@pytest.mark.parametrize(
    "origin",
    ["id.example", "https://id.example/", "https://", "ftp://a.example", "https://a.example/x"],
)
def test_an_origin_is_an_origin(build: Build, origin: str) -> None:
    with pytest.raises(ValueError, match="origin"):
        build(origin=origin)


# --- walks ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("origin", [ORIGIN, "http://id.localhost:8480"])
async def test_every_answer_carries_the_headers(build: Build, origin: str) -> None:
    application = build(api(), pages(), origin=origin, permissions=PERMISSIONS)
    assert await walk_headers(application) > 20


async def test_every_unsafe_page_refuses_foreign_forms(build: Build, shelf: Shelf) -> None:
    assert await walk_csrf(build(api(), pages(shelf), permissions=PERMISSIONS)) == 1
    assert shelf.things == []


@pytest.mark.parametrize("weak", ["script-src", "default-src", "frame-ancestors"])
async def test_the_walk_finds_a_loosened_page(build: Build, weak: str) -> None:
    loose = headers.PAGES.allowing(weak, "'unsafe-inline'")
    with pytest.raises(AssertionError):
        await walk_headers(build(pages(policy=loose)))


async def test_the_walk_finds_a_page_that_takes_anything(build: Build) -> None:
    class Careless(Route):
        @property
        def checks_csrf(self) -> bool:
            return False

    application = build(pages())
    table = application._sites["id.example"].table
    for route in application.routes[ORIGIN]:
        if route.template == "/page" and route.method == "POST":
            facts = {name: getattr(route, name) for name in route.__slots__}
            table._exact["/page"]["POST"] = Careless(**facts)
    with pytest.raises(AssertionError, match="no headers, no token"):
        await walk_csrf(application)


def test_the_walks_see_every_route(build: Build) -> None:
    application = build(api(), pages(), permissions=PERMISSIONS)
    seen = {(route.method, route.template) for _, route in every_route(application)}
    assert {("POST", "/page"), ("DELETE", "/v1/bare/{name}"), ("GET", "/v1/things/{name}")} <= seen


def test_the_application_is_built_of_its_parts_alone(clock: Any) -> None:
    from inkan.kernel.sensitive import Secret

    site = Site(name="Inkan", origin=ORIGIN, groups=[])
    built = build_app([site], Equipment(clock=clock, csrf_key=Secret(b"k" * 32)))
    assert built.authorities == {"id.example", "id.example:443"}
