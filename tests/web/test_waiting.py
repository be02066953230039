"""A long poll ends by its event, by its reader, or by the server."""

import asyncio
from typing import Any

import pytest

from inkan.web.exchange import Exchange
from inkan.web.principal import open_to_all
from inkan.web.response import Response, ok
from inkan.web.routes import Bare, Group, Surface
from inkan.web.waiting import while_open
from support.asgi import Client


class Waiter:
    def __init__(self) -> None:
        self.started = asyncio.Event()
        self.event = asyncio.Event()
        self.ends: list[str] = []

    async def wait(self) -> str:
        self.started.set()
        try:
            await self.event.wait()
        except asyncio.CancelledError:
            self.ends.append("cancelled")
            raise
        self.ends.append("done")
        return "decided"

    async def endpoint(self, exchange: Exchange) -> Response:
        return ok(await while_open(exchange, self.wait()))


def site(build: Any, waiter: Waiter) -> Any:
    bare = {("GET", "/"): Bare(endpoint=waiter.endpoint, access=open_to_all("a test"))}
    return build(Group(surface=Surface.API, bare=bare))


class Patient:
    """Passes a request on for a reader that stays until told otherwise."""

    def __init__(self, application: Any) -> None:
        self.application = application
        self.left = asyncio.Event()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        first = [await receive()]

        async def stay() -> Any:
            if first:
                return first.pop()
            await self.left.wait()
            return {"type": "http.disconnect"}

        await self.application(scope, stay, send)


@pytest.mark.parametrize(
    ("end", "answer", "how"),
    [("event", "decided", "done"), ("leave", None, "cancelled"), ("close", None, "cancelled")],
)
async def test_whichever_is_first_ends_it(build: Any, end: str, answer: Any, how: str) -> None:
    waiter = Waiter()
    application = site(build, waiter)
    patient = Patient(application)
    asking = asyncio.create_task(Client(patient, "https://id.example").get("/"))
    await waiter.started.wait()
    assert not asking.done()
    {"event": waiter.event.set, "leave": patient.left.set, "close": application.begin_closing}[
        end
    ]()
    reply = await asking
    assert (reply.json(), waiter.ends) == (answer, [how])


async def test_what_fails_while_waiting_fails_the_answer(build: Any) -> None:
    async def fail() -> None:
        raise ZeroDivisionError

    async def endpoint(exchange: Exchange) -> Response:
        return ok(await while_open(exchange, fail()))

    bare = {("GET", "/"): Bare(endpoint=endpoint, access=open_to_all("a test"))}
    application = build(Group(surface=Surface.API, bare=bare))
    reply = await Client(Patient(application), "https://id.example").get("/")
    assert reply.status == 500
