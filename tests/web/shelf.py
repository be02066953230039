"""A shelf of things behind framework handlers and bare endpoints, as programs and as pages."""

from http import HTTPStatus
from typing import Annotated, Any

import msgspec
from litestar import get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody, QueryParameter, URLEncodedBody

from inkan.kernel.errors import Conflict
from inkan.web.exchange import Exchange, exchange_of
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
from inkan.web.routes import Bare, Group, Surface

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
