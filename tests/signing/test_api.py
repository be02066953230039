"""Documents and batches over HTTP: every hostile body gets one clear refusal."""

import json
import secrets
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from identification.callers import SystemCaller, WebClient, code_of
from inkan.store.database import Database
from signing.test_service import digest
from support.clock import StandingClock
from support.world import World, world_on

DOCUMENT = {"name": "契約書.pdf", "digest": digest(1)}
BATCH = {"name": "十一月", "items": [DOCUMENT, DOCUMENT]}
KEY = "a-key-of-16-or-more"


@pytest.fixture
async def world(database: Database, clock: StandingClock, tmp_path: Path) -> AsyncIterator[World]:
    async with world_on(database, clock, tmp_path) as made:
        yield made


@pytest.fixture
async def web(world: World) -> AsyncIterator[WebClient]:
    client = WebClient(world.instance.application)
    yield client
    await client.aclose()


@pytest.fixture
async def system(world: World, web: WebClient, clock: StandingClock) -> SystemCaller:
    return await SystemCaller.registered(world, web, clock)


async def post(system: SystemCaller, path: str, body: Any, key: str = "") -> Any:
    key = key or secrets.token_urlsafe(16)
    return await system.call("POST", path, body=body, idempotency_key=key)


async def test_from_a_digest_to_its_result(system: SystemCaller) -> None:
    made = await post(system, "/v1/documents", DOCUMENT)
    assert made.status_code == 201
    document = made.json()
    assert made.headers["location"] == f"/v1/documents/{document['id']}"
    assert document["name"] == "契約書.pdf"
    assert (document["alg"], document["result"], document["sessions"]) == ("sha-256", "pending", [])
    batch = await post(system, "/v1/batches", {"name": "x", "items": [document["id"], DOCUMENT]})
    assert batch.status_code == 201
    read = await system.call("GET", batch.headers["location"])
    assert (read.status_code, read.json()) == (200, batch.json())
    assert [item["digest"] for item in read.json()["items"]] == [digest(1)] * 2
    assert (await system.call("GET", made.headers["location"])).json() == document


@pytest.mark.parametrize(("path", "body"), [("/v1/documents", DOCUMENT), ("/v1/batches", BATCH)])
async def test_the_same_key_gives_the_same_answer(system: SystemCaller, path: str, body: Any):
    first = await post(system, path, body, KEY)
    assert (await post(system, path, body, KEY)).json() == first.json()
    other = await post(system, path, body | {"name": "another"}, KEY)
    assert code_of(other) == (409, "idempotency_conflict")
    for key in ("short", "x" * 65, "a key with blanks in it"):
        assert code_of(await post(system, path, body, key)) == (400, "idempotency_key_missing")
    assert code_of(await system.call("POST", path, body=body)) == (400, "idempotency_key_missing")


async def test_another_system_sees_nothing(
    world: World, web: WebClient, clock: StandingClock, system: SystemCaller
) -> None:
    other = await SystemCaller.registered(world, web, clock, "clinic")
    document = (await post(system, "/v1/documents", DOCUMENT)).json()["id"]
    batch = (await post(system, "/v1/batches", BATCH)).json()["id"]
    for path, code in (
        (f"/v1/documents/{document}", "document_not_found"),
        (f"/v1/batches/{batch}", "batch_not_found"),
    ):
        theirs, nobodys = await other.call("GET", path), await other.call("GET", path[:-4] + "aaaa")
        assert code_of(theirs) == code_of(nobodys) == (404, code)
    taken = await post(other, "/v1/batches", {"name": "x", "items": [document]})
    assert code_of(taken) == (404, "document_not_found")


@pytest.mark.parametrize("path", ["/v1/documents", "/v1/batches"])
async def test_nobody_registers_without_a_token(web: WebClient, path: str) -> None:
    answer = await web.post(path, json=DOCUMENT, headers={"idempotency-key": KEY})
    assert code_of(answer)[0] == 401
    assert code_of(await web.get(f"{path}/doc_x"))[0] == 401


BAD_DOCUMENTS: list[Any] = [
    {},
    [],
    None,
    DOCUMENT | {"raw": "AAAA"},
    DOCUMENT | {"name": ""},
    DOCUMENT | {"name": "a\nb"},
    DOCUMENT | {"name": "a\u202eb"},
    DOCUMENT | {"name": "\u200b"},
    DOCUMENT | {"name": "x" * 201},
    DOCUMENT | {"name": 1},
    DOCUMENT | {"digest": ""},
    DOCUMENT | {"digest": digest(1) + "="},
    DOCUMENT | {"digest": digest(1)[:-1] + "B"},
    DOCUMENT | {"digest": "+" * 43},
    DOCUMENT | {"digest": "A" * 44},
    DOCUMENT | {"alg": "sha-1"},
    DOCUMENT | {"alg": "md5"},
    DOCUMENT | {"alg": "none"},
    DOCUMENT | {"alg": "sha-512"},
    DOCUMENT | {"alg": "SHA-256"},
    DOCUMENT | {"name": "申告123456789018.pdf"},
]


@pytest.mark.parametrize("body", BAD_DOCUMENTS, ids=lambda body: json.dumps(body)[:60])
async def test_a_bad_document_is_refused_alone_and_in_a_batch(system: SystemCaller, body: Any):
    assert code_of(await post(system, "/v1/documents", json.dumps(body).encode()))[0] == 400
    batch = {"name": "x", "items": [DOCUMENT, body]}
    assert code_of(await post(system, "/v1/batches", json.dumps(batch).encode()))[0] == 400


@pytest.mark.parametrize(
    "body",
    [
        {"name": "x", "items": []},
        {"name": "x", "items": [DOCUMENT] * 101},
        {"name": "x", "items": ["doc id with blanks"]},
        {"name": "x", "items": ["doc_a", "doc_a"]},
        {"name": "x", "items": [[DOCUMENT]]},
        {"name": "x", "items": DOCUMENT},
        {"name": "a\nb", "items": [DOCUMENT]},
        {"items": [DOCUMENT]},
        BATCH | {"format": "raw"},
    ],
    ids=lambda body: json.dumps(body)[:60],
)
async def test_a_bad_batch_is_refused(system: SystemCaller, body: Any) -> None:
    assert code_of(await post(system, "/v1/batches", body))[0] == 400


async def test_a_hundred_documents_with_the_longest_names_fit(system: SystemCaller) -> None:
    items = [{"name": "\U0002000b" * 200, "digest": digest(n)} for n in range(100)]
    made = await post(system, "/v1/batches", {"name": "\U0002000b" * 200, "items": items})
    assert made.status_code == 201, made.text
    assert len(made.json()["items"]) == 100
    too_much = json.dumps({"name": "x", "items": items}).encode()  # escaped: three times as long
    assert code_of(await post(system, "/v1/batches", too_much)) == (413, "too_large")


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(body=st.binary(max_size=200))
async def test_any_bytes_get_an_answer(system: SystemCaller, body: bytes) -> None:
    for path in ("/v1/documents", "/v1/batches"):
        assert code_of(await post(system, path, body))[0] in {400, 413, 415}


async def test_the_document_of_the_api_names_the_routes(web: WebClient) -> None:
    paths = (await web.get("/v1/openapi.json")).json()["paths"]
    assert {"/v1/documents", "/v1/documents/{id}", "/v1/batches", "/v1/batches/{id}"} <= set(paths)
