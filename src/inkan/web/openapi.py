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

from inkan.web.openapi_refusals import RATE_HEADERS, headers_of, refused_by_status
from inkan.web.problems import PROBLEM
from inkan.web.response import JSON
from inkan.web.routes import Link, Operation, Route, Surface
from inkan.web.sse import EVENT_STREAM

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
    help: str = ""
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
        drawn = _operation(route, operation, schemas, document)
        paths.setdefault(path, {})[route.method.lower()] = drawn
    whole = {
        "openapi": "3.1.0",
        "info": {"title": document.title, "version": document.version},
        "servers": [{"url": origin}],
        "paths": {path: paths[path] for path in sorted(paths)},
        "components": {
            "schemas": components,
            "headers": RATE_HEADERS,
            "securitySchemes": dict(document.security),
        },
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
    schemas = {id(kind): _portable(schema) for kind, schema in zip(types, drawn, strict=True)}
    return schemas, _portable(components)


def _portable(node: Any) -> Any:
    """Patterns as ECMAScript has them: ``$`` ends the text there, and Python has another sign for it."""
    if isinstance(node, list):
        return [_portable(each) for each in node]
    if not isinstance(node, dict):
        return node
    return {
        name: value.removesuffix(r"\Z") + "$"
        if name == "pattern" and isinstance(value, str) and value.endswith(r"\Z")
        else _portable(value)
        for name, value in node.items()
    }


def _operation(
    route: Route, operation: Operation, schemas: Mapping[int, Any], document: Document
) -> dict[str, Any]:
    drawn: dict[str, Any] = {"operationId": operation.name, "summary": operation.summary}
    if operation.description:
        drawn["description"] = operation.description
    if route.access.use_case is None:
        # Open to all; where the group has an authenticator, whoever proves himself may be told more.
        named: list[dict[str, Any]] = [{name: []} for name in document.security]
        drawn["security"] = [{}, *named] if named and route.group.challenge else []
    parameters = [
        *_path_parameters(route.template),
        *_query_parameters(operation, schemas),
        *_header_parameters(operation),
    ]
    if parameters:
        drawn["parameters"] = parameters
    if operation.body is not None:
        content = {"schema": schemas[id(operation.body)], **_example(operation.body_example)}
        drawn["requestBody"] = {"required": True, "content": {JSON: content}}
    drawn["responses"] = _responses(route, operation, schemas)
    return drawn


def _example(example: Any) -> dict[str, Any]:
    return {} if example is None else {"example": example}


def _responses(route: Route, operation: Operation, schemas: Mapping[int, Any]) -> dict[str, Any]:
    problem = {PROBLEM: {"schema": schemas[id(Problem)]}}
    drawn = {str(int(operation.status)): _success(route, operation, schemas)}
    if operation.refusals is None:
        return drawn | {"default": {"description": "A problem (RFC 9457)", "content": problem}}
    for status, codes in refused_by_status(route, operation.refusals).items():
        drawn[str(status)] = {
            "description": f"A problem (RFC 9457): {', '.join(codes)}",
            "headers": headers_of(route, status),
            "content": problem,
        }
    return drawn


def _success(route: Route, operation: Operation, schemas: Mapping[int, Any]) -> dict[str, Any]:
    done: dict[str, Any] = {"description": HTTPStatus(operation.status).phrase}
    if operation.answer is not None:
        content = {"schema": schemas[id(operation.answer)], **_example(operation.example)}
        done["content"] = {operation.media_type: content}
    elif operation.media_type != JSON:
        # A schema of a stream would be one of each event (OpenAPI 3.2 has a word for that, 3.1 has none).
        schema = {} if operation.media_type == EVENT_STREAM else {"schema": {"type": "string"}}
        content = {**schema, **_example(operation.example)}
        done["content"] = {operation.media_type: content}
    if headers := headers_of(route, operation.status):
        done["headers"] = headers
    if operation.links:
        done["links"] = {name: _link(link) for name, link in operation.links.items()}
    return done


def _link(link: Link) -> dict[str, Any]:
    described = {"description": link.description} if link.description else {}
    return {"operationId": link.operation, "parameters": dict(link.parameters), **described}


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


def _header_parameters(operation: Operation) -> list[dict[str, Any]]:
    return [
        {
            "name": header.name,
            "in": "header",
            "required": header.required,
            "schema": {"type": "string", "pattern": header.pattern},
            **({"description": header.description} if header.description else {}),
        }
        for header in operation.headers
    ]
