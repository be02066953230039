"""``inkan serve``: run one instance until it is told to stop."""

import asyncio
import signal
from typing import Any

import click
import uvloop

from inkan.composition.running import running
from inkan.web.log import configure
from inkan.web.server import Limits, Server


@click.command()
@click.option("--port", type=int, help="Port to listen on instead of the one in the settings.")
@click.option(
    "--environment",
    type=click.Choice(["production", "sandbox", "demo"]),
    help="What the instance is for, instead of what the settings say.",
)
@click.pass_obj
def command(world: Any, port: int | None, environment: str | None) -> None:
    """Run the instance that the settings describe, until SIGINT or SIGTERM.

    Example: inkan --settings sandbox.toml serve --environment sandbox
    """
    settings = world.settings(environment)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_serve(settings, port if port is not None else settings.server.port))


async def _serve(settings: Any, port: int) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    async with running(settings) as instance:
        configure(instance.platform.clock)
        server = Server(
            instance.application,
            host=settings.server.host,
            port=port,
            limits=Limits(backlog=settings.server.backlog),
        )
        async with (
            server.running(),
            instance.listening(host=settings.server.host, port=server.port),
        ):
            click.echo(f"Inkan serves {settings.origins.platform} on port {server.port}.")
            await stop.wait()
            click.echo("Stopping.")
