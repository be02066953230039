"""OpenAPI 3.1 documents, drawn from the route table.

One document per API (RP API, Phone API), by path prefix. Framework handlers and bare endpoints are
described alike; schemas are msgspec's JSON Schema 2020-12 of the very types that decode and encode, so
the document cannot differ from what is served.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, Final

import msgspec

from inkan.web.problems import PROBLEM
from inkan.web.routes import Operation, Route, Surface

_REFERENCE: Final = "#/components/schemas/{name}"


class FieldFault(msgspec.Struct, frozen=True):
    """One fault of a body."""

    pointer: str
    """JSON pointer (RFC 6901) into the body."""
    expected: str


class Problem(msgspec.Struct, frozen=True, omit_defaults=True):
    """A refusal (RFC 9457). ``code`` is stable; public facts of the refusal stand beside it."""

    type: str
    title: str
    status: int
    instance: str
    code: str
    text: str
    owner: str
    retry: str
    detail: str = ""
    errors: list[FieldFault] = []


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """One OpenAPI document and where it is served."""

    path: str
    """``/v1/openapi.json``."""
    prefix: str
    """``/v1/``: the routes that it describes."""
    title: str
    version: str = "1"
    description: str = ""
    security: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """Name to security scheme object (OpenAPI 3.1 §4.8.27)."""


def draw(document: Document, routes: Iterable[Route], *, origin: str) -> bytes:
    """Return the document of the API routes under its prefix, as JSON."""
    described = [
        (route, route.operation)
        for route in routes
        if route.operation is not None
        and route.group.surface is not Surface.PAGES
        and route.template.startswith(document.prefix)
    ]
    schemas, components = _schemas([operation for _, operation in described])
    paths: dict[str, dict[str, Any]] = {}
    for route, operation in described:
        path = route.template.replace(":path}", "}")
        paths.setdefault(path, {})[route.method.lower()] = _operation(route, operation, schemas)
    whole = {
        "openapi": "3.1.0",
        "info": {"title": document.title, "version": document.version},
        "servers": [{"url": origin}],
        "paths": {path: paths[path] for path in sorted(paths)},
        "components": {"schemas": components, "securitySchemes": dict(document.security)},
    }
    if document.description:
        whole["info"]["description"] = document.description  # type: ignore[index]
    if document.security:
        whole["security"] = [{name: []} for name in document.security]
    return msgspec.json.encode(whole)


def _schemas(operations: Sequence[Operation]) -> tuple[dict[int, Any], dict[str, Any]]:
    """Schemas by the identity of their type, and the components that they refer to."""
    types: list[Any] = [Problem]
    for operation in operations:
        types += [kind for kind in (operation.body, operation.answer) if kind is not None]
        types += [parameter.type for parameter in operation.query]
    drawn, components = msgspec.json.schema_components(types, ref_template=_REFERENCE)
    return {id(kind): schema for kind, schema in zip(types, drawn, strict=True)}, components


def _operation(route: Route, operation: Operation, schemas: Mapping[int, Any]) -> dict[str, Any]:
    drawn: dict[str, Any] = {"operationId": operation.name, "summary": operation.summary}
    if operation.description:
        drawn["description"] = operation.description
    if route.access.use_case is None:
        drawn["security"] = []
    parameters = [*_path_parameters(route.template), *_query_parameters(operation, schemas)]
    if parameters:
        drawn["parameters"] = parameters
    if operation.body is not None:
        content = {"application/json": {"schema": schemas[id(operation.body)]}}
        drawn["requestBody"] = {"required": True, "content": content}
    drawn["responses"] = _responses(operation, schemas)
    return drawn


def _responses(operation: Operation, schemas: Mapping[int, Any]) -> dict[str, Any]:
    done: dict[str, Any] = {"description": HTTPStatus(operation.status).phrase}
    if operation.answer is not None:
        done["content"] = {operation.media_type: {"schema": schemas[id(operation.answer)]}}
    refused = {
        "description": "A problem (RFC 9457)",
        "content": {PROBLEM: {"schema": schemas[id(Problem)]}},
    }
    return {str(int(operation.status)): done, "default": refused}


def _path_parameters(template: str) -> list[dict[str, Any]]:
    names = [part[1:-1].partition(":")[0] for part in template.split("/") if part.startswith("{")]
    return [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
        for name in names
    ]


def _query_parameters(operation: Operation, schemas: Mapping[int, Any]) -> list[dict[str, Any]]:
    return [
        {
            "name": parameter.name,
            "in": "query",
            "required": parameter.required,
            "schema": schemas[id(parameter.type)],
            **({"description": parameter.description} if parameter.description else {}),
        }
        for parameter in operation.query
    ]
