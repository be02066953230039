"""Bodies: framework handlers and bare endpoints read, answer and refuse alike."""

import pytest

from support.asgi import Client
from web.shelf import Shelf, Thing


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
