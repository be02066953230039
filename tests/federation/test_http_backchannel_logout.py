"""Back-channel logout: what each client is told, how often, and where no message goes (rows OUT-)."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from federation.leavers import (
    BACKCHANNEL,
    Browser,
    Receiver,
    Scene,
    granted,
    id_token,
    logged_in,
    logout_token,
    openid_client,
    path,
    person_of,
    state_of,
    wake,
)
from inkan.federation.model.grant import GrantState
from inkan.store.database import Database
from inkan.store.outbox import Outbox, dead_jobs, depth
from inkan.store.outbox.jobs import Settlement, settle_and_lease
from inkan.web.fetch import Fetcher, FetchFailed
from support.clock import StandingClock
from support.inside import PUBLIC, to
from support.world import PLATFORM, World, world_on


@pytest.mark.behaviour("OUT-17")
async def test_every_client_of_the_login_is_told(
    scene: Scene, receiver: Receiver, clock: StandingClock
) -> None:
    await scene.browser.see(path(id_token_hint=await scene.hint()))
    assert receiver.heard == []
    await scene.world.instance.outbox.run_due()
    [shop], [bank] = receiver.at(BACKCHANNEL), receiver.at(f"{BACKCHANNEL}/bank")
    said = await logout_token(scene.world, shop)
    now = int(clock.wire_now().timestamp())
    assert len(said.pop("jti")) == 43
    assert said == {
        "iss": PLATFORM,
        "aud": "shop",
        "sub": scene.at_shop.sub,
        "sid": scene.at_shop.sid,
        "iat": now,
        "exp": now + 120,
        "events": {"http://schemas.openid.net/event/backchannel-logout": {}},
    }
    method, _, headers, _ = receiver.heard[0]
    assert (method, headers) == ("POST", {"content-type": "application/x-www-form-urlencoded"})
    # The bank's ID tokens are ES256, so its logout tokens are; it knows the person by another name.
    other = await logout_token(scene.world, bank, alg="ES256")
    assert other["aud"] == "bank"
    assert {other["sub"], other["sid"]}.isdisjoint({said["sub"], said["sid"]})


@pytest.mark.behaviour("OUT-18")
async def test_a_logout_token_has_no_nonce(scene: Scene, receiver: Receiver) -> None:
    await scene.browser.see(path(id_token_hint=await scene.hint(nonce="n-1")))
    await scene.world.instance.outbox.run_due()
    assert "nonce" not in await logout_token(scene.world, receiver.at(BACKCHANNEL)[0])


@pytest.mark.behaviour("OUT-19")
async def test_a_client_without_an_address_is_not_told(told: World, receiver: Receiver) -> None:
    silent = await openid_client(told, "silent", backchannel_logout_uri="")
    person = await person_of(told)
    login, cookie = await logged_in(told, person)
    grant = await granted(told, silent, person, login=login)
    await Browser(told, cookie).see(path(id_token_hint=await id_token(told, grant)))
    assert await state_of(told, grant) is GrantState.REVOKED
    assert (await told.platform.db.read(depth)).waiting == 0
    assert receiver.heard == []


@pytest.mark.behaviour("OUT-20")
async def test_offline_access_outlives_a_logout(told: World, receiver: Receiver) -> None:
    scene = await Scene(told).begin(scope=("openid", "offline_access"))
    await scene.browser.see(path(id_token_hint=await scene.hint()))
    assert await scene.states() == [GrantState.USED, GrantState.REVOKED]
    await told.instance.outbox.run_due()
    assert len(receiver.at(BACKCHANNEL)) == 1


@pytest.mark.behaviour("OUT-21")
@pytest.mark.parametrize("status", [301, 302, 307, 308, 400, 401, 403, 404, 429, 500, 503])
async def test_a_client_that_does_not_take_it_is_told_again_with_a_fresh_token(
    scene: Scene, receiver: Receiver, clock: StandingClock, status: int
) -> None:
    receiver.status = status
    await scene.browser.see(path(id_token_hint=await scene.hint()))
    await scene.world.instance.outbox.run_due()
    assert (await scene.world.platform.db.read(depth)).waiting == 2
    receiver.status = 200
    wake(scene.world)
    clock.tick(timedelta(minutes=5))
    await scene.world.instance.outbox.run_due()
    assert (await scene.world.platform.db.read(depth)).waiting == 0
    first, second = [await logout_token(scene.world, body) for body in receiver.at(BACKCHANNEL)]
    assert first["jti"] != second["jti"]
    assert second["iat"] > first["exp"]
    same = ("iss", "aud", "sub", "sid", "events")
    assert [first[name] for name in same] == [second[name] for name in same]


@pytest.mark.behaviour("OUT-22")
async def test_a_client_that_is_dead_for_a_day_leaves_a_dead_letter(
    told: World, receiver: Receiver, clock: StandingClock
) -> None:
    shop = await openid_client(told, "shop")
    person = await person_of(told)
    login, cookie = await logged_in(told, person)
    grant = await granted(told, shop, person, login=login)
    receiver.fault = FetchFailed("ConnectError")
    await Browser(told, cookie).see(path(id_token_hint=await id_token(told, grant)))
    handlers = told.platform.openid.handlers
    outbox = Outbox(told.platform.db, handlers)
    for _ in range(60):
        wake(told)
        await outbox.run_due()
        if (await told.platform.db.read(depth)).waiting == 0:
            break
        clock.tick(timedelta(minutes=30))
    (dead,) = await told.platform.db.read(dead_jobs)
    assert (dead.kind, dead.error) == ("federation.logout", "fetch_failed")
    assert len(receiver.heard) >= 24


@pytest.mark.behaviour("OUT-23")
async def test_one_dead_client_does_not_hold_up_the_others(
    scene: Scene, receiver: Receiver
) -> None:
    receiver.status = 500
    await scene.browser.see(path(id_token_hint=await scene.hint()))
    await scene.world.instance.outbox.run_due()
    # Both addresses are of one host: the second was left alone after the first failed.
    assert len(receiver.heard) <= 2
    before = len(receiver.heard)
    person = await person_of(scene.world, "lin")
    login, cookie = await logged_in(scene.world, person)
    grant = await granted(scene.world, scene.shop, person, login=login)
    await Browser(scene.world, cookie).see(path(id_token_hint=await id_token(scene.world, grant)))
    await scene.world.instance.outbox.run_due()
    assert len(receiver.heard) == before


@pytest.mark.behaviour("OUT-24")
async def test_a_kill_between_commit_and_send_loses_nothing(
    scene: Scene, receiver: Receiver, clock: StandingClock
) -> None:
    await scene.browser.see(path(id_token_hint=await scene.hint()))

    # Another process leased both jobs and is gone: it wrote nothing down.
    kinds = dict.fromkeys(scene.world.platform.openid.handlers, 10)
    rows, _ = await scene.world.platform.db.transact(
        settle_and_lease, Settlement(), lease="lse_gone", free=kinds
    )
    assert len(rows) == 2
    await scene.world.instance.outbox.run_due()
    assert receiver.heard == []  # still leased
    clock.tick(timedelta(seconds=31))
    await scene.world.instance.outbox.run_due()
    assert len(receiver.at(BACKCHANNEL)) == len(receiver.at(f"{BACKCHANNEL}/bank")) == 1


# --- addresses that lead inside ----------------------------------------------------------------------


class Network(httpx.AsyncBaseTransport):
    """Keeps where connections would go; answers a redirect inside."""

    def __init__(self) -> None:
        self.reached: list[str] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.reached.append(request.url.host)
        return httpx.Response(302, headers={"location": "http://127.0.0.1:9/"})


@pytest.fixture(params=[("10.0.0.1",), (PUBLIC, "127.0.0.1"), (PUBLIC,)], ids=["in", "mix", "out"])
async def network(
    request: pytest.FixtureRequest, database: Database, clock: StandingClock, tmp_path: Path
) -> AsyncIterator[tuple[World, Network, Any]]:
    network = Network()
    fetcher = Fetcher(resolver=to(*request.param), transport=network)
    async with world_on(database, clock, tmp_path, post=fetcher) as world:
        yield world, network, request.param
    await fetcher.aclose()


@pytest.mark.behaviour("OUT-25")
async def test_no_logout_address_leads_inside(network: tuple[World, Network, Any]) -> None:
    world, reached, answers = network
    url = "https://tax.example.com/backchannel"
    shop = await openid_client(
        world,
        "shop",
        domain="tax.example.com",
        redirect_uris=["https://tax.example.com/callback"],
        post_logout_redirect_uris=[],
        backchannel_logout_uri=url,
    )
    person = await person_of(world)
    login, cookie = await logged_in(world, person)
    grant = await granted(world, shop, person, login=login)
    await Browser(world, cookie).see(path(id_token_hint=await id_token(world, grant)))
    await world.instance.outbox.run_due()
    # A public name is called once, and its redirect is followed nowhere.
    assert reached.reached == ([PUBLIC] if answers == (PUBLIC,) else [])
    assert (await world.platform.db.read(depth)).waiting == 1
