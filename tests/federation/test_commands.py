"""``inkan openid`` at a terminal."""

import asyncio
from types import SimpleNamespace

import pytest
from click.testing import CliRunner

from federation.token_clients import TokenClient
from inkan.federation.commands import command


@pytest.fixture
async def call(world):
    loop = asyncio.get_running_loop()

    async def job_of(job):
        return await job(world.platform)

    def run_job(job):
        return asyncio.run_coroutine_threadsafe(job_of(job), loop).result(timeout=30)

    async def run(*arguments: str):
        obj = SimpleNamespace(run=run_job)
        return await asyncio.to_thread(CliRunner().invoke, command, list(arguments), obj=obj)

    return run


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_keys_are_listed_and_rotated(world, call):
    client = await TokenClient.made(world)
    before = (await call("keys")).output.splitlines()
    assert [line.split()[0] for line in before] == ["ES256", "RS256"]
    assert all(line.endswith("no end") for line in before)
    made = (await call("rotate-keys")).output.splitlines()
    assert len(made) == 2
    after = (await call("keys")).output
    assert len(after.splitlines()) == 4
    assert {line.split()[1].rstrip(".") for line in made} <= set(await client.jwks())
    await call("rotate-keys", "--compromised")
    assert len((await call("keys")).output.splitlines()) == 2
