"""Walks over every route of the whole platform and of the tax office."""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, cast

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from jsonschema import Draft202012Validator
from msgspec.structs import replace

from inkan.apps.showcase.tax_office import tax_office
from inkan.client import SystemCredentials
from inkan.composition.platform import Platform
from inkan.composition.routes import camera_groups
from inkan.composition.settings import Environment
from inkan.crypto.keys import KeySpec, generate
from inkan.web.app import Application
from inkan.web.cors import CORS
from inkan.web.routes import Surface
from support.asgi import Client
from support.clock import StandingClock
from support.logins import person_login, staff_login
from support.walks import every_route, walk_csrf, walk_headers
from support.world import PLATFORM, WALLET, World

OFFICE = "http://taxoffice.localhost:8481"
DOCUMENTS = {"/v1/": 14, "/phone/v1/": 10, "/enrol/v1/": 3}


def office(clock: StandingClock) -> Application:
    key = generate(KeySpec.P256)
    assert isinstance(key, EllipticCurvePrivateKey)
    credentials = SystemCredentials(issuer=PLATFORM, code="office", key=key)
    return tax_office(origin=OFFICE, credentials=credentials, anchors=[], clock=clock)


@pytest.fixture(params=["platform", "tax office"])
def application(request: pytest.FixtureRequest, clock: StandingClock) -> Application:
    if request.param == "tax office":
        return office(clock)
    world: World = request.getfixturevalue("world")
    return world.instance.application


async def test_every_answer_carries_the_security_headers(application: Application) -> None:
    routes = len(list(every_route(application)))
    assert await walk_headers(application) >= 2 * routes


async def test_no_page_can_be_posted_to_from_elsewhere(
    request: pytest.FixtureRequest, application: Application
) -> None:
    logins: list[dict[str, str]] = [{}]
    if application.routes.keys() >= {PLATFORM}:
        world: World = request.getfixturevalue("world")
        logins += [await person_login(world), await staff_login(world)]
    assert await walk_csrf(application, *logins) >= 1


async def test_every_route_names_who_may_call_it(application: Application) -> None:
    for origin, route in every_route(application):
        named = route.access.use_case or route.access.reason
        assert named, f"{route.method} {origin}{route.template}"


async def test_the_platform_answers_on_its_own_host_alone(world: World) -> None:
    application = world.instance.application
    assert set(application.routes) >= {PLATFORM}
    reply = await Client(application, PLATFORM).get("/v1/openapi.json", host="evil.example")
    assert reply.status in {404, 421}


async def test_the_phone_api_admits_the_wallets_origin_alone(world: World) -> None:
    client = Client(world.instance.application, PLATFORM)
    for origin, expected in ((WALLET, WALLET), ("https://evil.example", None)):
        headers = {"origin": origin, "access-control-request-method": "POST"}
        reply = await client.request("OPTIONS", "/phone/v1/approvals/open", headers=headers)
        assert reply.header("access-control-allow-origin") == expected


@pytest.mark.parametrize("prefix", DOCUMENTS)
async def test_the_document_of_an_api_lists_every_route_of_it(world: World, prefix: str) -> None:
    application = world.instance.application
    document = (await Client(application, PLATFORM).get(f"{prefix}openapi.json")).json()
    served = {
        (route.method.lower(), route.template.replace(":path}", "}"))
        for _, route in every_route(application)
        if route.template.startswith(prefix)
        and route.group.surface is not Surface.PAGES
        and not route.template.endswith("/openapi.json")
    }
    listed = {(method, path) for path, item in document["paths"].items() for method in item}
    assert served - listed == set()
    assert listed - served == set()
    assert len(listed) >= DOCUMENTS[prefix]


@pytest.mark.parametrize("prefix", DOCUMENTS)
async def test_the_document_of_an_api_is_valid(world: World, prefix: str) -> None:
    client = Client(world.instance.application, PLATFORM)
    document = (await client.get(f"{prefix}openapi.json")).json()
    assert document["openapi"].startswith("3.1.")
    assert document["servers"] == [{"url": PLATFORM}]
    for schema in document["components"]["schemas"].values():
        Draft202012Validator.check_schema(schema)
    _walk(document, lambda node: _verify_reference(document, node))
    names = [operation["operationId"] for _, operation in _operations(document)]
    assert len(names) == len(set(names))
    for path, operation in _operations(document):
        declared = {p["name"] for p in operation.get("parameters", []) if p["in"] == "path"}
        assert declared == {part[1:-1] for part in path.split("/") if part.startswith("{")}
        assert operation["summary"]
        assert operation["responses"]


def _operations(document: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    return [
        (path, operation) for path, item in document["paths"].items() for operation in item.values()
    ]


def _walk(node: Any, visit: Callable[[dict[str, Any]], None]) -> None:
    if isinstance(node, dict):
        visit(node)
        node = list(node.values())
    if isinstance(node, list):
        for each in node:
            _walk(each, visit)


def _verify_reference(document: dict[str, Any], node: dict[str, Any]) -> None:
    reference = node.get("$ref")
    if reference is None:
        return
    assert reference.startswith("#/"), reference
    place: Any = document
    for step in reference[2:].split("/"):
        assert step in place, reference
        place = place[step]


def test_production_gives_no_code_as_text(world: World) -> None:
    given = world.instance.platform
    in_production = replace(given.settings, environment=Environment.PRODUCTION)
    platform = cast(Platform, SimpleNamespace(**{**vars(given), "settings": in_production}))
    cors = CORS(frozenset({WALLET}))
    assert len(camera_groups(given, cors=cors)) == 2
    assert camera_groups(platform, cors=cors) == []


@pytest.mark.parametrize("origin", [WALLET, "https://elsewhere.example"])
async def test_only_the_wallet_reads_the_platforms_codes_from_a_browser(
    world: World, origin: str
) -> None:
    for path in ("/enrol/camera/x", "/login/camera/x"):
        reply = await Client(world.instance.application, PLATFORM).get(
            path, headers={"origin": origin}
        )
        allowed = reply.header("access-control-allow-origin")
        assert allowed == (WALLET if origin == WALLET else None), path
