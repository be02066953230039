"""The document describes what is served: framework handlers and bare endpoints alike, and no page."""

from collections.abc import Callable
from http import HTTPStatus
from typing import Annotated, Any

import msgspec
import pytest
from litestar import get, post
from litestar.params import FromPath, FromQuery, JSONBody
from litestar.params import QueryParameter as Query

from inkan.web.exchange import Exchange
from inkan.web.openapi import Document
from inkan.web.principal import Permission, open_to_all, public, requires
from inkan.web.response import Response, ok
from inkan.web.routes import Bare, Group, Operation, QueryParameter, Surface
from support.asgi import Client


class Order(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is asked for."""

    purpose: Annotated[str, msgspec.Meta(description="Registered purpose.", max_length=64)]
    count: int = 1


class Session(msgspec.Struct, frozen=True):
    id: str
    orders: list[Order] = []


@post("/v1/sessions", opt=requires("sessions.create"))
async def create(data: JSONBody[Order]) -> Session:
    """Open a session.

    The phone hears of it
    by one of five doors.
    """
    return Session("se_1", [data])


@get("/v1/sessions/{id:str}", opt=public("a test"))
async def read(
    id: FromPath[str],  # noqa: A002
    wait: FromQuery[int] = 0,
    known: Annotated[str | None, Query(name="etag", description="What is known.")] = None,
) -> Session:
    """Read a session."""
    return Session(id)


@get("/page", opt=public("a test"))
async def page() -> None:
    """A page."""


async def decide(_: Exchange) -> Response:
    return ok(None)


OPERATION = Operation(
    name="decide",
    summary="Decide.",
    body=Order,
    answer=Session,
    query=(QueryParameter(name="dry", type=bool, description="Only check."),),
)
ACCESS = open_to_all("a test")
DOCUMENTS = [
    Document(
        path="/v1/openapi.json",
        prefix="/v1/",
        title="RP API",
        version="1.2",
        description="For relying parties.",
        security={"dpop": {"type": "http", "scheme": "dpop"}},
    ),
    Document(path="/phone/v1/openapi.json", prefix="/phone/v1/", title="Phone API"),
]
GROUPS = (
    Group(surface=Surface.API, handlers=[create, read]),
    Group(
        surface=Surface.API,
        bare={
            ("POST", "/phone/v1/approvals/{id}/decide"): Bare(
                endpoint=decide, access=ACCESS, operation=OPERATION
            ),
            ("GET", "/phone/v1/undescribed"): Bare(endpoint=decide, access=ACCESS),
        },
    ),
    Group(surface=Surface.PAGES, handlers=[page]),
)
ROWS = [Permission(use_case="sessions.create", roles=frozenset({"system"}), source="a test")]


@pytest.fixture
async def documents(client: Callable[..., Client]) -> dict[str, Any]:
    site = client(*GROUPS, documents=DOCUMENTS, permissions=ROWS)
    return {document.title: (await site.get(document.path)).json() for document in DOCUMENTS}


async def test_each_api_has_its_document(documents: dict[str, Any]) -> None:
    assert sorted(documents["RP API"]["paths"]) == ["/v1/sessions", "/v1/sessions/{id}"]
    assert list(documents["Phone API"]["paths"]) == ["/phone/v1/approvals/{id}/decide"]
    assert documents["RP API"]["openapi"] == "3.1.0"
    assert documents["RP API"]["servers"] == [{"url": "https://id.example"}]
    assert documents["RP API"]["info"] == {
        "title": "RP API",
        "version": "1.2",
        "description": "For relying parties.",
    }


async def test_a_handler_is_described_by_itself(documents: dict[str, Any]) -> None:
    described = documents["RP API"]["paths"]["/v1/sessions"]["post"]
    assert described["operationId"] == "create"
    assert described["summary"] == "Open a session."
    assert described["description"] == "The phone hears of it\nby one of five doors."
    body = described["requestBody"]["content"]["application/json"]["schema"]
    assert body == {"$ref": "#/components/schemas/Order"}
    assert set(described["responses"]) == {"201", "default"}
    problem = described["responses"]["default"]["content"]["application/problem+json"]
    assert problem == {"schema": {"$ref": "#/components/schemas/Problem"}}
    assert "security" not in described


async def test_schemas_are_those_of_the_decoder(documents: dict[str, Any]) -> None:
    order = documents["RP API"]["components"]["schemas"]["Order"]
    assert order["additionalProperties"] is False
    assert order["required"] == ["purpose"]
    assert order["properties"]["purpose"] == {
        "type": "string",
        "description": "Registered purpose.",
        "maxLength": 64,
    }


async def test_parameters_are_described(documents: dict[str, Any]) -> None:
    described = documents["RP API"]["paths"]["/v1/sessions/{id}"]["get"]
    assert described["security"] == []
    assert described["parameters"] == [
        {"name": "id", "in": "path", "required": True, "schema": {"type": "string"}},
        {"name": "wait", "in": "query", "required": False, "schema": {"type": "integer"}},
        {
            "name": "etag",
            "in": "query",
            "required": False,
            "schema": {"anyOf": [{"type": "string"}, {"type": "null"}]},
            "description": "What is known.",
        },
    ]


async def test_a_bare_endpoint_is_described_as_it_says(documents: dict[str, Any]) -> None:
    described = documents["Phone API"]["paths"]["/phone/v1/approvals/{id}/decide"]["post"]
    assert described["operationId"] == "decide"
    assert [parameter["name"] for parameter in described["parameters"]] == ["id", "dry"]
    answer = described["responses"][str(int(HTTPStatus.OK))]["content"]["application/json"]
    assert answer == {"schema": {"$ref": "#/components/schemas/Session"}}


async def test_every_reference_leads_somewhere(documents: dict[str, Any]) -> None:
    def references(value: Any) -> set[str]:
        if isinstance(value, dict):
            own = {value["$ref"]} if "$ref" in value else set()
            return own.union(*map(references, value.values()))
        return set().union(*map(references, value)) if isinstance(value, list) else set()

    for document in documents.values():
        schemas = document["components"]["schemas"]
        for reference in references(document):
            assert reference.removeprefix("#/components/schemas/") in schemas
