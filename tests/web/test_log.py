"""The log cannot hold what identifies a person (threat 28)."""

import json
import logging
import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import structlog
from litestar import get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody

from inkan.kernel.errors import Gone
from inkan.kernel.sensitive import Personal, Secret
from inkan.web import log
from inkan.web.exchange import Exchange
from inkan.web.principal import open_to_all, public
from inkan.web.response import Response, ok
from inkan.web.routes import Bare, Group, Surface
from support.asgi import Client
from support.clock import StandingClock

MY_NUMBER = "123456789018"
NATIONAL_ID = "A123456789"
CANARY = "canary-in-the-mine"


class Sink:
    def __init__(self) -> None:
        self.data = b""

    def write(self, data: bytes, /) -> None:
        self.data += data

    def flush(self) -> None:
        pass

    @property
    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.data.splitlines()]


@pytest.fixture
def sink() -> Iterator[Sink]:
    root = logging.getLogger()
    before = (root.handlers[:], root.level)
    found = Sink()
    log.configure(StandingClock(), sink=found)
    yield found
    structlog.reset_defaults()
    root.handlers[:], root.level = before


def test_a_line_says_what_when_and_where(sink: Sink) -> None:
    log.get_logger("inkan.pki").info("crl_signed", name="card-ca", milliseconds=12)
    assert sink.lines == [
        {
            "event": "crl_signed",
            "level": "info",
            "milliseconds": 12,
            "name": "card-ca",
            "source": "inkan.pki",
            "time": "2026-04-01T01:00:00.000Z",
        }
    ]


@pytest.mark.parametrize(
    ("facts", "shown"),
    [
        ({"person": "x"}, {"person": "(withheld)"}),
        ({"name": Secret("x")}, {"name": "(withheld)"}),
        ({"name": Personal("x")}, {"name": "(withheld)"}),
        ({"name": b"x"}, {"name": "(withheld)"}),
        ({"name": ["x"]}, {"name": "(withheld)"}),
        ({"name": {"x": 1}}, {"name": "(withheld)"}),
        ({"name": Gone("x")}, {"name": "(withheld)"}),
        ({"name": f"of {MY_NUMBER}"}, {"name": "(withheld)"}),
        ({"name": "１２３４５６７８９０１８"}, {"name": "(withheld)"}),
        ({"name": f"id={NATIONAL_ID};"}, {"name": "(withheld)"}),
        ({"name": "A123456788"}, {"name": "A123456788"}),
        ({"name": "123456789010"}, {"name": "123456789010"}),
        ({"name": None, "count": 1, "status": True}, {"name": None, "count": 1, "status": True}),
        ({"name": "a" * 400}, {"name": "a" * 300}),
        ({"path": "a\nb"}, {"path": "a\nb"}),
    ],
)
def test_only_plain_values_of_allowed_keys_are_shown(
    sink: Sink, facts: dict[str, Any], shown: dict[str, Any]
) -> None:
    log.get_logger("x").info("seen", **facts)
    (line,) = sink.lines
    assert {key: line[key] for key in shown} == shown
    assert sink.data.count(b"\n") == 1, "one event is one line, whatever it holds"


def fail() -> None:
    try:
        {}[CANARY]
    except KeyError as fault:
        raise Gone(CANARY, secret=CANARY) from fault


def test_a_traceback_shows_places_and_no_values(sink: Sink) -> None:
    try:
        fail()
    except Gone:
        log.get_logger("x").error("failed", exc_info=True)
    (line,) = sink.lines
    assert CANARY not in sink.data.decode()
    assert "builtins.KeyError" in line["exception"]
    assert "inkan.kernel.errors.Gone[gone]" in line["exception"]
    assert "test_a_traceback_shows_places_and_no_values" in line["exception"]


def test_an_operating_system_error_keeps_its_number(sink: Sink) -> None:
    log.get_logger("x").error("failed", exc_info=FileNotFoundError(2, CANARY, CANARY))
    assert "FileNotFoundError[errno 2]" in sink.lines[0]["exception"]
    assert CANARY not in sink.data.decode()


def test_libraries_show_their_template_alone(sink: Sink) -> None:
    logger = logging.getLogger("some.library")
    logger.warning("cannot reach %s", CANARY)
    try:
        fail()
    except Gone:
        logger.exception("it broke at %s", CANARY)
    logger.info("chatter")
    events = [(line["event"], line["level"], line["source"]) for line in sink.lines]
    assert events == [
        ("cannot reach %s", "warning", "some.library"),
        ("it broke at %s", "error", "some.library"),
    ]
    assert CANARY not in sink.data.decode()


def test_it_speaks_to_standard_output_unless_told_otherwise(
    sink: Sink, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    log.configure(StandingClock())
    log.get_logger("x").info("hello")
    sys.stdout.flush()
    assert b'"event":"hello"' in capfdbinary.readouterr().out


# --- every way in -----------------------------------------------------------------------------------


@post("/v1/framework/{name:str}", opt=public("a test"))
async def framework(
    name: FromPath[str],
    data: JSONBody[dict[str, Any]],
    exchange: NamedDependency[Exchange],
    q: FromQuery[str] = "",
) -> dict[str, Any]:
    raise RuntimeError(f"{name} {data} {q} {exchange.header('x-name')}")


@get("/v1/refused/{name:str}", opt=public("a test"))
async def refused(name: FromPath[str]) -> None:
    raise Gone(name, name=name)


async def bare(exchange: Exchange) -> Response:
    body = await exchange.body()
    if body == b"ok":
        return ok(1)
    raise ValueError(body, exchange.parameters, exchange.query("q"), exchange.cookie("a"))


async def test_no_canary_reaches_the_log_or_an_answer(
    sink: Sink, client: Callable[..., Client]
) -> None:
    a_test = open_to_all("a test")
    site = client(
        Group(
            surface=Surface.API,
            handlers=[framework, refused],
            bare={("POST", "/v1/bare/{name}"): Bare(endpoint=bare, access=a_test)},
        ),
        Group(
            surface=Surface.PAGES,
            bare={("GET", "/page/{name}"): Bare(endpoint=bare, access=a_test)},
        ),
        access_log=True,
    )
    site.cookies["a"] = NATIONAL_ID
    replies = []
    for secret in (NATIONAL_ID, MY_NUMBER, CANARY):
        sent = {
            "x-name": secret,
            "authorization": secret,
            "accept-language": secret,
            "referer": secret,
        }
        for method, path in (
            ("POST", f"/v1/framework/{secret}?q={secret}"),
            ("GET", f"/v1/refused/{secret}"),
            ("POST", f"/v1/bare/{secret}?q={secret}"),
            ("GET", f"/page/{secret}?q={secret}&q={secret}"),
            ("GET", f"/{secret}"),
            (secret, "/v1/bare/a"),
        ):
            replies.append(await site.request(method, path, headers=sent, json={secret: secret}))
        replies.append(await site.get("/", host=secret))
    assert {reply.status for reply in replies} >= {404, 405, 410, 421, 500}
    for secret in (NATIONAL_ID, MY_NUMBER, CANARY):
        assert secret not in sink.data.decode()
        assert all(secret not in reply.text or reply.status == 410 for reply in replies)
    events = [line["event"] for line in sink.lines]
    assert events.count("request_failed") >= 6
    assert events.count("request") == len(replies)
    by_request = {line["request"] for line in sink.lines}
    assert len(by_request) == len(replies), "every line names its exchange"
