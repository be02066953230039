"""Production and demo have nothing of the sandbox: no route, no page, no ``Bearer``, no hook, no schedule."""

from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest

from inkan.composition import sandboxes
from inkan.composition.events import handlers, schedules
from inkan.composition.settings import Environment, Keys, Origins
from inkan.store.connect import database as database_of
from sandbox.conftest import Town
from support.asgi import Client
from support.clock import StandingClock
from support.walks import every_route, path_of
from support.world import World, settings_for, world_on

ORIGIN = "https://id.example"


@pytest.fixture(params=[Environment.PRODUCTION, Environment.DEMO])
async def elsewhere(
    request: pytest.FixtureRequest, sqlite_url: str, clock: StandingClock, tmp_path: Path
) -> AsyncIterator[World]:
    """An instance of another environment; its ceremony is the demo's, which production holds by quorum."""
    settings = settings_for(tmp_path)
    if request.param is Environment.PRODUCTION:
        settings = msgspec.structs.replace(
            settings,
            environment=Environment.PRODUCTION,
            origins=Origins(platform=ORIGIN, wallet="https://wallet.example"),
            keys=Keys(passphrase="correct horse"),
        )
    db = database_of(sqlite_url, clock=clock)
    await db.open()
    async with world_on(db, clock, tmp_path, settings=settings, found=False) as made:
        yield made
    await db.close()


async def test_nothing_of_the_sandbox_is_composed(elsewhere: World, tmp_path: Path) -> None:
    platform, application = elsewhere.platform, elsewhere.instance.application
    assert platform.sandbox is None
    assert sandboxes.schemes(None) == {}
    assert sandboxes.around(None) is None
    assert "sandbox.purge" not in schedules(platform)
    assert not [row for row in handlers(platform).values() if "sandbox" in row.deliver.__module__]
    assert not list((tmp_path / "keys").glob("sandbox*"))
    origin = platform.settings.origins.platform
    templates = [route.template for _, route in every_route(application)]
    assert not [path for path in templates if "sandbox" in path and "/static/" not in path]
    for site in application._sites.values():
        assert site.surroundings.around is None
    client = Client(application, origin)
    for path in ("persons", "phones", "clock", "faults", "phones/x/actions"):
        for method in ("GET", "POST", "PUT", "DELETE"):
            assert (await client.request(method, f"/v1/sandbox/{path}")).status == 404
    assert (await client.get("/sandbox", headers={"accept": "text/html"})).status == 404


async def test_a_system_code_proves_nothing(elsewhere: World) -> None:
    is_production = elsewhere.platform.settings.environment is Environment.PRODUCTION
    await elsewhere.agency("tax-office", imported=is_production)
    origin = elsewhere.platform.settings.origins.platform
    client = Client(elsewhere.instance.application, origin)
    asked = 0
    for _, route in every_route(elsewhere.instance.application):
        if route.template.startswith("/v1/") and route.access.use_case is not None:
            reply = await client.request(
                route.method, path_of(route), headers={"authorization": "Bearer tax-office"}
            )
            assert reply.status == 401, route.template
            asked += 1
    assert asked >= 8


async def test_a_sandbox_takes_both(small: Town, tmp_path: Path) -> None:
    assert list((tmp_path / "keys").glob("sandbox*"))
    session = await small.ask()  # by client assertion and DPoP, as in production
    reply = await small.developer.get(
        f"/v1/sessions/{session.id}", headers={"authorization": "Bearer tax-office"}
    )
    assert reply.json()["id"] == session.id
    client = Client(small.world.instance.application, small.developer.origin)
    refused = await client.get(
        f"/v1/sessions/{session.id}", headers={"authorization": "DPoP tax-office"}
    )
    assert refused.status == 401


async def test_the_instances_own_system_is_nobodys(small: Town) -> None:
    await small.world.platform.portal.begin()  # writes the own system down
    reply = await small.developer.get(
        "/v1/sandbox/phones", headers={"authorization": "Bearer inkan"}
    )
    assert (reply.status, reply.json()["code"]) == (401, "token_refused")
