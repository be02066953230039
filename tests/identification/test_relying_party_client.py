"""The relying party's client before a whole instance: every call that it offers, awaiting and blocking."""

import asyncio
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import httpx
import pytest

from identification.doorways import (
    all_doors,
    brought,
    named,
    pushed,
    started,
)
from inkan.client import (
    CallForbidden,
    CallNotFound,
    ContentOrder,
    DocumentOrder,
    Phone,
    RelyingParty,
    SyncRelyingParty,
    SyncTransport,
)
from inkan.client.http import AsyncTransport, ListenerConnections
from inkan.composition.running import Running
from inkan.web.server import Server
from support.world import PURPOSES, World

SIGNING = {
    "code": "sign_contract",
    "kinds": ["sign"],
    "text": {"en": "Sign a contract", "ja": "契約の署名", "zh-Hant": "簽署契約"},
}


@pytest.fixture
async def inkan(world: World) -> RelyingParty:
    return await world.agency("office", **all_doors(purposes=[*PURPOSES, SIGNING]))


class Thread(httpx.BaseTransport):
    """The way of a blocking client in another thread into the instance of this loop."""

    def __init__(self, application: Any) -> None:
        self._loop = asyncio.get_running_loop()
        self._inner = httpx.ASGITransport(app=application)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        sent = httpx.Request(
            request.method, request.url, headers=request.headers, content=request.read()
        )
        return asyncio.run_coroutine_threadsafe(self._answer(sent), self._loop).result(30)

    async def _answer(self, request: httpx.Request) -> httpx.Response:
        answer = await self._inner.handle_async_request(request)
        body = await answer.aread()
        return httpx.Response(
            answer.status_code, headers=answer.headers, stream=httpx.ByteStream(body)
        )


@pytest.fixture
async def blocking(world: World, inkan: RelyingParty) -> SyncRelyingParty:
    return SyncRelyingParty(
        inkan._calls.credentials,
        anchors=world.anchors,
        clock=world.clock,
        transport=SyncTransport(Thread(world.instance.application)),
    )


async def run(step: Callable[..., Any], *parts: Any, **members: Any) -> Any:
    """A blocking step in a thread of its own."""
    return await asyncio.to_thread(step, *parts, **members)


# --- doors -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("door", ["web_link", "app_link"])
async def test_an_address_is_opened_and_redeemed(inkan: RelyingParty, phone: Phone, door: Any):
    to, verifier = started()
    session = await inkan.create_session("identify", purpose="login", doors=[door], return_to=to)
    made = getattr(session.doors, door)
    await phone.open_link(made.url)
    back = brought((await phone.approve()).return_url)
    again = await inkan.get_session(back["session"], challenge=session.challenge)
    assert (await again.wait(timeout_s=5)).next.action == "redeem"
    view = await again.redeem(verifier, return_code=back["return_code"])
    assert (view.is_ok, view.binding and view.binding.level) == (True, "returned")
    fetched = await again.receipt()
    assert fetched.report is not None
    assert fetched.report.verdict == "valid"


async def test_another_browser_is_refused(inkan: RelyingParty, phone: Phone):
    to, _ = started()
    session = await inkan.create_session(
        "identify", purpose="login", doors=["web_link"], return_to=to
    )
    assert session.doors.web_link is not None
    await phone.open_link(session.doors.web_link.url)
    back = brought((await phone.approve()).return_url)
    with pytest.raises(CallForbidden) as refused:
        await session.redeem(started()[1], return_code=back["return_code"])
    assert refused.value.problem_code == "return_other_browser"


async def test_a_push_by_a_blocking_client(world: World, blocking: SyncRelyingParty, phone: Phone):
    session = await run(
        blocking.create_session,
        "identify",
        purpose="login",
        doors=["push"],
        subject_hint=named("chen"),
        binding_min="matched",
    )
    doors = await run(session.make_door, "push")
    assert doors.push == session.doors.push
    held = await pushed(world, phone, doors.push.code)
    await phone.approve(held.id)
    view = await run(session.wait, timeout_s=5)
    assert (view.is_ok, view.match, view.binding.level) == (True, True, "matched")
    fetched = await run(session.receipt)
    assert fetched.report.verdict == "valid"
    taken_up = await run(blocking.get_session, session.id, challenge=session.challenge)
    assert (await run(taken_up.receipt)).jws == fetched.jws
    assert [v.state for v in await run(lambda: list(taken_up.events()))] == []


async def test_a_session_is_followed_over_a_restart_of_the_server(
    world: World, inkan: RelyingParty, phone: Phone
):
    first = Server(world.instance.application)
    states: list[str] = []
    opened, closed = asyncio.Event(), asyncio.Event()

    async def follow(port: int) -> None:
        async with AsyncTransport(ListenerConnections("127.0.0.1", port)) as transport:
            client = RelyingParty(inkan._calls.credentials, clock=world.clock, transport=transport)
            session = await client.get_session(made.id)
            async for view in session.events():
                states.append(str(view.state))
                opened.set()
        closed.set()

    made = await inkan.create_session("identify", purpose="login")
    async with first.running(grace_s=1):
        following = asyncio.create_task(follow(first.port))
        async with asyncio.timeout(20):
            await opened.wait()
    again = Server(Running(world.platform).application, port=first.port)
    async with again.running(grace_s=1):
        await phone.open_frame(made.frame())
        await phone.approve()
        async with asyncio.timeout(20):
            await closed.wait()
    await following
    assert states[0] == "presented"
    assert states[-1] == "closed"


# --- documents ---------------------------------------------------------------------------------------


async def test_documents_are_registered_signed_and_read(
    world: World, inkan: RelyingParty, phone: Phone
):
    await world.leap(timedelta(hours=25))
    lease = await inkan.create_document(DocumentOrder.of("lease.pdf", b"a lease"))
    assert (lease.result, lease.sessions) == ("pending", [])
    batch = await inkan.create_batch("March", [lease.id, DocumentOrder.of("plan.pdf", b"a plan")])
    assert [item.name for item in batch.items] == ["lease.pdf", "plan.pdf"]
    session = await inkan.create_session(
        "sign",
        purpose="sign_contract",
        doors=["push"],
        batch=batch.id,
        subject_hint=named("chen"),
    )
    assert session.doors.push is not None
    held = await pushed(world, phone, session.doors.push.code)
    await phone.approve(held.id)
    assert (await session.wait(timeout_s=5)).is_ok
    bundle, fetched = await session.evidence()
    assert [content.name for content in fetched.receipt.contents] == ["lease.pdf", "plan.pdf"]
    assert fetched.receipt.contents[0].digest == lease.digest
    seen = await inkan.get_batch(batch.id)
    assert [(item.result, item.sessions) for item in seen.items] == [("signed", [session.id])] * 2
    assert (await inkan.get_document(lease.id)).result == "signed"
    report = await inkan.verify(fetched.jws, evidence=bundle)
    assert (report.verdict, report.receipt and report.receipt["session"]) == ("valid", session.id)


async def test_a_document_is_registered_once_for_a_key(blocking: SyncRelyingParty):
    order = DocumentOrder.of("lease.pdf", b"a lease")
    one = await run(blocking.create_document, order, idempotency_key="k" * 20)
    two = await run(blocking.create_document, order, idempotency_key="k" * 20)
    assert one == two == await run(blocking.get_document, one.id)
    batch = await run(blocking.create_batch, "March", [one.id])
    assert batch == await run(blocking.get_batch, batch.id)
    with pytest.raises(CallNotFound):
        await run(blocking.get_batch, "bat_unknown")


async def test_an_approval_shows_its_contents(world: World, inkan: RelyingParty, phone: Phone):
    session = await inkan.create_session(
        "approve",
        purpose="approve_payment",
        doors=["push"],
        subject_hint=named("chen"),
        contents=[ContentOrder.of("p1", "Pay 1,200 to the water works", b"payment 1")],
    )
    assert session.doors.push is not None
    held = await pushed(world, phone, session.doors.push.code)
    assert "water works" in held.text
    await phone.approve(held.id)
    assert (await session.wait(timeout_s=5)).is_ok


# --- what the platform tells everybody ---------------------------------------------------------------


async def test_codes_limits_status_and_reports(
    world: World, inkan: RelyingParty, phone: Phone, blocking: SyncRelyingParty
):
    session = await world.identify(inkan, phone)
    fetched = await session.receipt()
    entry = await inkan.errors("rate_exceeded")
    assert entry.problem is not None
    assert (entry.problem.status, entry.reason) == (429, None)
    assert set(entry.problem.text) == {"en", "ja", "zh-Hant"}
    reason = (await inkan.errors("user_refused")).reason
    assert reason is not None
    with pytest.raises(CallNotFound):
        await inkan.errors("no_such_code")
    codes = await inkan.error_codes()
    assert {"rate_exceeded", "return_other_browser"} <= set(codes.problems)
    limits = await inkan.limits()
    assert {rate.counted_by for rate in limits.rates} == {"system", "sender"}
    assert limits.seconds["door_qr"] == 180
    assert limits.counts["contents_per_session"] == 100
    status = await inkan.status()
    assert [window.minutes for window in status.windows] == [5, 60]
    report = await inkan.verify(fetched.jws)
    assert report.verdict == "valid"
    assert report.rests_on_platform[0].code == "approval"
    early = await inkan.verify(fetched.jws, at=world.clock.now() - timedelta(days=400))
    assert early.verdict != "valid"
    assert {"calls", "sessions", "published"} == set(inkan.rates)
    assert await run(blocking.errors, "rate_exceeded") == entry
    assert await run(blocking.error_codes) == codes
    assert (await run(blocking.limits)).counts == limits.counts
    assert (await run(blocking.status)).since == status.since
    assert (await run(blocking.verify, fetched.jws)).verdict == "valid"
