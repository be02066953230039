"""Every route of the RP API meets what no honest system sends; a route that is added is walked over too.

The walk takes its routes from the table of the running instance. What a route demands follows from its own row: a
use case (then a token and a proof), a parameter in its path (then another system's thing is unknown), a body (then
all that is no body of its type). Whatever is sent, nobody hears of a fault of ours, and nothing is made.
"""

import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import httpx
import msgspec
import pytest

from identification.callers import ASSERTION_TYPE, PhoneCaller, SystemCaller, WebClient, code_of
from inkan.client import Phone
from inkan.web.routes import UNSAFE, Route
from support.clock import StandingClock
from support.walks import every_route
from support.world import PLATFORM, World

VALUES = {"id": "nosuchthing", "door": "qr", "code": "internal", "phone": "nosuchthing"}
"""A value for each parameter of a path; a new parameter needs a row."""
DESCRIPTIONS = re.compile(r"/v1/openapi\.json")
HOSTILE = [
    "１２３", "٣", "a\u202eb", "\u2066x", "x\u200b", "\x00", "\ufeff", "%00", "%2e%2e", "..", "'", '"', "' OR 1=1 --", "${7*7}", "{{7*7}}",
    "<b>", "=1+1", "a\r\nb", "x" * 3_000, "A123456789", "Ａ１２３４５６７８９", "0912345678",
]  # fmt: skip
NO_BODIES: list[tuple[bytes, int]] = [
    (b"", 400), (b"{", 400), (b"null", 400), (b"[]", 400), (b'"x"', 400), (b"1", 400), (b"\xff\xfe", 400), (b"[" * 5_000, 400),
    (b'{"zzz":1}', 400), (b'{"a":1,"a":2}', 400), (b'{"a":' * 40 + b"1" + b"}" * 40, 400), (b"NaN", 400), (b'{"a":"\\ud800"}', 400),
]  # fmt: skip


def routes(world: World) -> Iterator[Route]:
    for _, route in every_route(world.instance.application):
        if route.template.startswith("/v1/") and not DESCRIPTIONS.fullmatch(route.template):
            yield route


def closed(world: World) -> list[Route]:
    return [route for route in routes(world) if route.access.use_case is not None]


def path_of(route: Route, **values: str) -> str:
    return route.template.format_map(VALUES | values)


def what(route: Route) -> str:
    return f"{route.method} {route.template}"


def told(answer: httpx.Response) -> dict[str, Any]:
    members = {"instance", "where", "expected", "detail"}
    return {name: value for name, value in answer.json().items() if name not in members}


def test_the_walk_sees_every_route(world: World) -> None:
    seen = list(routes(world))
    assert {what(route) for route in seen} >= {
        "POST /v1/sessions",
        "GET /v1/sessions/{id}",
        "POST /v1/sessions/{id}/cancel",
        "POST /v1/receipts/verify",
        "GET /v1/status",
    }
    for route in seen:
        assert set(re.findall(r"{(\w+)", route.template)) <= set(VALUES), what(route)
        assert route.operation is not None, what(route)
        assert route.limit is not None, f"{what(route)} has no rate"
        if route.access.use_case is not None:
            assert route.access.use_case in {"session.use", "document.use"}, what(route)


async def test_whoever_proves_nothing_is_refused(world: World, web: WebClient) -> None:
    for route in closed(world):
        for headers in ({}, {"cookie": "__Host-inkan-login=x"}, {"dpop": "x"}):
            answer = await web.request(route.method, path_of(route), headers=headers)
            assert code_of(answer) == (401, "login_required"), what(route)
            assert answer.headers["www-authenticate"] == 'DPoP algs="ES256"'


async def test_a_wrong_token_or_proof_is_refused(
    world: World, web: WebClient, system: SystemCaller, clock: StandingClock
) -> None:
    await system.fetch_token()
    other = await SystemCaller.registered(world, web, clock, "other-bank")
    await other.fetch_token()
    for route in closed(world):
        path = path_of(route)
        good = system.proof(route.method, path)
        bent: dict[str, tuple[str, str]] = {
            "a bearer token": (f"Bearer {system.token}", good),
            "the system code": ("Bearer bank", good),
            "no token": ("DPoP ", good),
            "a token of nobody": (f"DPoP {system.token[:-4]}AAAA", good),
            "another's token": (f"DPoP {other.token}", good),
            "no proof": (f"DPoP {system.token}", ""),
            "a proof by another key": (f"DPoP {system.token}", other.proof(route.method, path, access_token=system.token)),
            "a proof of another token": (f"DPoP {system.token}", system.proof(route.method, path, access_token=other.token)),
            "a proof for another address": (f"DPoP {system.token}", system.proof(route.method, "/v1/other")),
            "a proof for another method": (f"DPoP {system.token}", system.proof("DELETE", path)),
            "a proof of yesterday": (f"DPoP {system.token}", system.proof(route.method, path, at=clock.wire_now() - timedelta(days=1))),
        }  # fmt: skip
        for name, (authorization, proof) in bent.items():
            headers = {"authorization": authorization, "dpop": proof}
            answer = await web.request(route.method, path, headers=headers)
            assert code_of(answer)[0] == 401, f"{what(route)}: {name}"
        headers = {"authorization": f"DPoP {system.token}", "dpop": good}
        await web.request(route.method, path, headers=headers)
        answer = await web.request(route.method, path, headers=headers)
        assert code_of(answer) == (401, "proof_replayed"), what(route)
        twice = [*headers.items(), ("authorization", "DPoP x")]
        answer = await web.request(route.method, path, headers=twice)
        assert code_of(answer) == (400, "header_repeated"), what(route)


async def test_an_expired_token_is_refused(
    world: World, system: SystemCaller, clock: StandingClock
) -> None:
    await system.fetch_token()
    clock.tick(timedelta(minutes=10, seconds=10))
    for route in closed(world):
        answer = await system.call(route.method, path_of(route))
        assert code_of(answer) == (401, "token_refused"), what(route)


async def test_an_assertion_counts_once_and_for_a_minute(
    web: WebClient, system: SystemCaller, clock: StandingClock
) -> None:
    async def fetch(assertion: str) -> int:
        form = {
            "grant_type": "client_credentials",
            "client_assertion_type": ASSERTION_TYPE,
            "client_assertion": assertion,
        }
        headers = {"dpop": system.proof("POST", "/token", access_token=None)}
        return (await web.post("/token", data=form, headers=headers)).status_code

    assertion = system.credentials.client_assertion(clock)
    late = system.credentials.client_assertion(clock)
    assert [await fetch(assertion), await fetch(assertion)] == [200, 401]
    clock.tick(timedelta(seconds=66))
    assert await fetch(late) == 401


async def test_a_suspended_system_is_refused_everywhere(world: World, system: SystemCaller) -> None:
    await system.fetch_token()
    await world.platform.relying_parties.suspend("bank")
    for route in closed(world):
        answer = await system.call(route.method, path_of(route))
        assert code_of(answer) == (403, "rp_suspended"), what(route)


async def test_a_phone_is_no_system(world: World, caller: PhoneCaller, phone: Phone) -> None:
    for route in closed(world):
        path = path_of(route)
        headers = {"dpop": caller.proof(route.method, path)}
        answer = await caller.web.request(route.method, path, headers=headers)
        assert code_of(answer) == (401, "login_required"), what(route)


async def test_another_systems_session_is_unknown(
    world: World, web: WebClient, system: SystemCaller, clock: StandingClock
) -> None:
    made = (await system.created())["session"]["id"]
    before = await system.read(made)
    other = await SystemCaller.registered(world, web, clock, "other-bank")
    named = [route for route in closed(world) if "{id}" in route.template]
    assert len(named) >= 7
    for route in named:
        body = _example(route)
        theirs = await other.call(route.method, path_of(route, id=made), body=body)
        nobodys = await other.call(route.method, path_of(route), body=body)
        assert code_of(theirs) == (404, _unknown(route)), what(route)
        assert told(theirs) == told(nobodys), what(route)
    assert await system.read(made) == before


def _unknown(route: Route) -> str:
    things = {"sessions": "session", "documents": "document", "batches": "batch"}
    return things[route.template.split("/")[2]] + "_not_found"


def _example(route: Route) -> Any:
    assert route.operation is not None
    return route.operation.body_example if route.operation.body is not None else None


async def test_hostile_names_in_a_path_are_unknown(world: World, system: SystemCaller) -> None:
    for route in routes(world):
        if "{" not in route.template:
            continue
        for hostile in HOSTILE:
            quoted = "".join(f"%{octet:02x}" for octet in hostile.encode())
            path = route.template.format_map(dict.fromkeys(VALUES, quoted))
            answer = await system.call(route.method, path, body=_example(route))
            where = f"{what(route)}: {hostile[:20]!r}"
            assert code_of(answer)[0] in {400, 401, 404}, where
            _echoes_nothing(answer, hostile, where)


def _echoes_nothing(answer: httpx.Response, hostile: str, where: str) -> None:
    if len(hostile) > 5:
        assert hostile not in answer.text, where


async def test_hostile_queries_are_refused_or_ignored(world: World, system: SystemCaller) -> None:
    for route in routes(world):
        path = path_of(route)
        for query in (
            "wait=１０",
            "wait=-1",
            "wait=1e1",
            "wait=121",
            "wait=1&wait=1",
            "wait=%ff",
            "zzz=1",
            "wait=",
        ):
            answer = await system.call(route.method, f"{path}?{query}", body=_example(route))
            assert answer.status_code < 500, f"{what(route)}?{query}"
    session = (await system.created())["session"]["id"]
    for query in ("wait=１０", "wait=-1", "wait=1e1", "wait=121", "wait=1&wait=1", "wait=%ff"):
        answer = await system.call("GET", f"/v1/sessions/{session}?{query}")
        assert code_of(answer)[0] == 400, query


async def send(system: SystemCaller, route: Route, body: bytes, **headers: str) -> httpx.Response:
    key = f"walk-{id(body):032x}"
    return await system.call(
        route.method, path_of(route), body=body, idempotency_key=key, **headers
    )


async def test_what_is_no_body_is_refused(world: World, system: SystemCaller) -> None:
    reading = [route for route in routes(world) if route.operation and route.operation.body]
    assert {"POST /v1/sessions", "POST /v1/receipts/verify"} <= {what(each) for each in reading}
    for route in reading:
        for body, status in NO_BODIES:
            answer = await send(system, route, body)
            assert code_of(answer)[0] == status, f"{what(route)}: {body[:30]!r}"
        large = b'{"a":"' + b"x" * route.body_limit + b'"}'
        assert code_of(await send(system, route, large)) == (413, "too_large"), what(route)
        good = msgspec.json.encode(_example(route))
        for media_type in ("text/plain", "application/xml", "", "application/json; charset=big5"):
            answer = await send(system, route, good, content_type=media_type)
            assert code_of(answer) == (415, "media_type_refused"), f"{what(route)}: {media_type}"
    await _nothing_was_made(world)


async def test_members_of_a_wrong_kind_are_refused(world: World, system: SystemCaller) -> None:
    for route in routes(world):
        operation = route.operation
        if operation is None or operation.body is None:
            continue
        example = operation.body_example
        assert isinstance(example, dict), f"{what(route)} has no example of its body"
        for name in operation.body.__struct_encode_fields__:
            for wrong in (1.5, True, [[]], {"zzz": {}}, "\x00", -1, 2**70):
                body = msgspec.json.encode(example | {name: wrong})
                answer = await send(system, route, body)
                where = f"{what(route)}: {name}={wrong!r}"
                assert answer.status_code in {400, 403, 200, 404}, where
                assert answer.status_code != 200 or route.access.use_case is None, where
        answer = await send(system, route, msgspec.json.encode(example | {"zzz": 1}))
        assert code_of(answer) == (400, "malformed"), what(route)
        assert answer.json()["errors"] == [{"pointer": "/zzz", "expected": "no such member"}]
    await _nothing_was_made(world)


async def test_hostile_texts_in_members_make_nothing(world: World, system: SystemCaller) -> None:
    for route in closed(world):
        operation = route.operation
        if operation is None or operation.body is None:
            continue
        for name, value in operation.body_example.items():
            # What people read holds any letters; its own tests say which not (tests/signing).
            if not isinstance(value, str) or name == "name":
                continue
            for hostile in HOSTILE:
                body = msgspec.json.encode(operation.body_example | {name: hostile})
                answer = await send(system, route, body)
                where = f"{what(route)}: {name}={hostile[:20]!r}"
                assert code_of(answer)[0] in {400, 403, 404, 413}, where
                _echoes_nothing(answer, hostile, where)
    await _nothing_was_made(world)


async def _nothing_was_made(world: World) -> None:
    assert "identification.session_created" not in await world.events()


async def test_one_key_is_one_body_on_every_route_that_takes_a_key(
    world: World, system: SystemCaller
) -> None:
    keyed = [
        route
        for route in routes(world)
        if route.operation and any(h.name == "Idempotency-Key" for h in route.operation.headers)
    ]
    assert {what(route) for route in keyed} >= {"POST /v1/sessions"}
    for route in keyed:
        good = msgspec.json.encode(_example(route))
        key = "the-same-key-for-both"
        first = await system.call(route.method, path_of(route), body=good, idempotency_key=key)
        again = await system.call(route.method, path_of(route), body=good, idempotency_key=key)
        assert first.status_code == again.status_code == 201, first.text
        other = await system.call(
            route.method, path_of(route), body=good + b" ", idempotency_key=key
        )
        assert code_of(other) == (409, "idempotency_conflict"), what(route)
        for missing in ({}, {"idempotency_key": "１" * 16}, {"idempotency_key": "x" * 15}):
            sent = {name: value for name, value in missing.items() if value.isascii()}
            answer = await system.call(route.method, path_of(route), body=good, **sent)
            assert code_of(answer) == (400, "idempotency_key_missing"), what(route)


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE", "TRACE", "CONNECT", "BREW"])
async def test_no_route_takes_another_method(world: World, web: WebClient, method: str) -> None:
    taken = {(route.method, route.template) for route in routes(world)}
    for route in routes(world):
        if (method, route.template) not in taken:
            answer = await web.request(method, path_of(route))
            assert code_of(answer) == (405, "method_refused"), what(route)
            assert route.method in answer.headers["allow"]


async def test_a_look_changes_nothing(world: World, system: SystemCaller) -> None:
    made = (await system.created())["session"]["id"]
    before = (await system.read(made), len(await world.events()))
    for route in closed(world):
        if route.method not in UNSAFE and "stream" not in route.template + (
            route.operation.media_type if route.operation else ""
        ):
            await system.call("GET", path_of(route, id=made))
            await system.call("HEAD", path_of(route, id=made))
    assert (await system.read(made), len(await world.events())) == before


def test_the_platform_is_where_the_walk_says(world: World) -> None:
    walked = {what(route) for route in routes(world)}
    origins = {o for o, route in every_route(world.instance.application) if what(route) in walked}
    assert origins == {PLATFORM}
