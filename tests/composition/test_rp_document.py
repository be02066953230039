"""The OpenAPI document of the RP API, held against OpenAPI 3.1 itself and against what is served.

schemathesis draws requests from the served document, right ones and wrong ones, and sends them with a true token:
no answer is a server error, and none has a status, type, header or body that the document does not name.
"""

import asyncio
import itertools
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from typing import Any

import httpx
import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from jsonschema import Draft202012Validator
from openapi_spec_validator import OpenAPIV31SpecValidator
from schemathesis import GenerationMode, checks
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from identification.callers import SystemCaller, WebClient
from support.clock import StandingClock
from support.world import PLATFORM, World

PATH = "/v1/openapi.json"
EXAMPLES = 25
OPERATIONS = [
    "cancelSession",
    "createBatch",
    "createDocument",
    "createSession",
    "followSession",
    "getBatch",
    "getDocument",
    "getError",
    "getEvidence",
    "getLimits",
    "getReceipt",
    "getSession",
    "getStatus",
    "getWebhookKeys",
    "listErrors",
    "openAppLinkDoor",
    "openPushDoor",
    "openQRDoor",
    "openRedirectDoor",
    "openWebLinkDoor",
    "redeemSession",
    "streamQRFrames",
    "verifyReceipt",
]
CHECKS = [
    checks.not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]


@pytest.fixture
async def system(world: World, clock: StandingClock) -> SystemCaller:
    web = WebClient(world.instance.application)
    caller = await SystemCaller.registered(world, web, clock)
    await caller.fetch_token()
    return caller


@pytest.fixture
async def document(system: SystemCaller) -> dict[str, Any]:
    found: dict[str, Any] = (await system.web.get(PATH)).json()
    return found


def operations_of(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, item in document["paths"].items():
        for method, operation in item.items():
            yield method, path, operation


def test_the_document_is_openapi_3_1(document: dict[str, Any]) -> None:
    assert [str(error) for error in OpenAPIV31SpecValidator(document).iter_errors()] == []


def test_every_operation_is_run(document: dict[str, Any]) -> None:
    names = {operation["operationId"] for _, _, operation in operations_of(document)}
    assert set(OPERATIONS) <= names
    described = {
        operation["operationId"]
        for _, _, operation in operations_of(document)
        if "default" not in operation["responses"]
    }
    assert described == set(OPERATIONS), "an operation that names its statuses is run below"


def test_examples_are_what_their_schemas_say(document: dict[str, Any]) -> None:
    seen = 0
    for node, schema, example in _examples(document):
        whole = {**schema, "components": document["components"]}
        errors = [error.message for error in Draft202012Validator(whole).iter_errors(example)]
        assert errors == [], node
        seen += 1
    assert seen >= 8


def _examples(document: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any], Any]]:
    for _, _, operation in operations_of(document):
        body = operation.get("requestBody", {}).get("content", {})
        answers = [answer.get("content", {}) for answer in operation["responses"].values()]
        for content in (body, *answers):
            for media in content.values():
                if "example" in media and "schema" in media:
                    yield operation["operationId"], media["schema"], media["example"]


def test_links_lead_from_call_to_call(document: dict[str, Any]) -> None:
    known = {
        operation["operationId"]: {each["name"] for each in operation.get("parameters", [])}
        for _, _, operation in operations_of(document)
    }
    links = [
        link
        for _, _, operation in operations_of(document)
        for answer in operation["responses"].values()
        for link in answer.get("links", {}).values()
    ]
    assert len(links) >= 10
    for link in links:
        assert set(link["parameters"]) <= known[link["operationId"]], link
    created = document["paths"]["/v1/sessions"]["post"]["responses"]["201"]["links"]
    assert {link["operationId"] for link in created.values()} >= {"getSession", "followSession"}


def test_patterns_are_those_of_ecmascript(document: dict[str, Any]) -> None:
    def patterns(node: Any) -> Iterator[str]:
        if isinstance(node, dict):
            if isinstance(node.get("pattern"), str):
                yield node["pattern"]
            node = list(node.values())
        if isinstance(node, list):
            for each in node:
                yield from patterns(each)

    found = list(patterns(document))
    assert found
    assert [each for each in found if "\\Z" in each] == []


# Operations of which something can be wrong besides a name in the path.
BENDABLE = {
    "createBatch",
    "createDocument",
    "createSession",
    "getSession",
    "redeemSession",
    "verifyReceipt",
}


@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE])
async def test_what_is_served_is_what_is_described(
    system: SystemCaller, document: dict[str, Any], mode: GenerationMode
) -> None:
    loop = asyncio.get_running_loop()
    statuses: dict[str, set[int]] = {name: set() for name in OPERATIONS}

    ids = [(await system.created())["session"]["id"] for _ in range(2)]
    await system.call("POST", f"/v1/sessions/{ids[0]}/cancel")
    drawn = itertools.count()

    def send(name: str, case: Any) -> None:
        _aim(case, name, ids, next(drawn))
        answer = asyncio.run_coroutine_threadsafe(call(system, case), loop).result(timeout=30)
        statuses[name].add(answer.status_code)
        case.validate_response(answer, checks=CHECKS)

    for name in OPERATIONS:
        await asyncio.to_thread(_draw, document, name, mode, partial(send, name))
    sent = {name for name, found in statuses.items() if found}
    assert sent >= (BENDABLE if mode is GenerationMode.NEGATIVE else set(OPERATIONS))
    assert max(status for found in statuses.values() for status in found) < 500
    if mode is GenerationMode.POSITIVE:
        assert statuses["createSession"] >= {201, 401}
        assert statuses["getSession"] >= {200, 401, 404}
        assert statuses["cancelSession"] >= {200, 404}


def _aim(case: Any, name: str, ids: list[str], number: int) -> None:
    """Let every other request name a session that is there, and every fifth come with a drawn proof alone."""
    if number % 5 == 0:
        case.headers.setdefault("Authorization", "DPoP x")
    else:
        case.headers.pop("Authorization", None)
    if "id" in (case.path_parameters or {}) and number % 2:
        case.path_parameters["id"] = ids[number % 4 // 2 if name in ENDING else 0]


# Operations that answer at once whatever the state; a stream or a long poll of an open session would not.
ENDING = {
    "getReceipt",
    "getEvidence",
    "openQRDoor",
    "openPushDoor",
    "openWebLinkDoor",
    "openAppLinkDoor",
    "openRedirectDoor",
    "redeemSession",
}


def _draw(
    document: dict[str, Any], name: str, mode: GenerationMode, send: Callable[[Any], None]
) -> None:
    operation = schemathesis.openapi.from_dict(document).find_operation_by_id(name)

    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        derandomize=True,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(generation_mode=mode))
    def run(case: Any) -> None:
        send(case)

    # Where nothing can be wrong, nothing wrong can be drawn; the caller counts what was sent.
    with suppress(Unsatisfiable):
        run()


async def call(system: SystemCaller, case: Any) -> httpx.Response:
    """Send a drawn request with a proof made for it, in this process."""
    sent = case.as_transport_kwargs(base_url=PLATFORM)
    prepared = requests.Request(
        method=sent["method"],
        url=sent["url"],
        headers=sent.get("headers"),
        params=sent.get("params"),
        data=sent.get("data"),
        json=sent.get("json"),
    ).prepare()
    target = prepared.path_url
    path = target.partition("?")[0]
    headers = dict(prepared.headers.items())
    if "Authorization" not in headers:
        headers["authorization"] = f"DPoP {system.token}"
        headers["dpop"] = system.proof(prepared.method or "GET", path)
    return await system.web.request(
        prepared.method or "GET", prepared.url or "", content=prepared.body, headers=headers
    )
