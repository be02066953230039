"""The application: how a request finds its site and route, and what is entered and left with it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from inkan.web.app import Equipment, Site, build_app
from support.asgi import Client
from web.sites import ORIGIN, Build

# --- hosts and paths -------------------------------------------------------------------------------


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


# --- lifespan --------------------------------------------------------------------------------------


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


# --- walks -----------------------------------------------------------------------------------------


def test_the_application_is_built_of_its_parts_alone(clock: Any) -> None:
    from inkan.kernel.sensitive import Secret

    site = Site(name="Inkan", origin=ORIGIN, groups=[])
    built = build_app([site], Equipment(clock=clock, csrf_key=Secret(b"k" * 32)))
    assert built.authorities == {"id.example", "id.example:443"}
