"""The wallet's origin alone: its files on a real port, without a platform behind them."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import cache
from pathlib import Path

import inkan.wallet
from inkan.kernel.clock import Clock
from inkan.kernel.sensitive import Secret
from inkan.wallet import pages
from inkan.wallet.service import CodeReader, Shell, WalletFacts, read_reader
from inkan.web.app import Equipment, Site, build_app
from inkan.web.server import Server
from inkan.web.templates import Templates


@cache
def templates() -> Templates:
    """Pages, files and texts, read once."""
    return Templates({"wallet": Path(inkan.wallet.__file__).parent})


def built_reader() -> CodeReader:
    """The reader of codes, which `make test` builds first."""
    reader = read_reader()
    assert reader is not None, "make reader"
    return reader


def wallet_shell(port: int, *, version: str = "1", reader: CodeReader | None = None) -> Shell:
    """The wallet of a test country whose platform does not answer."""
    facts = WalletFacts(
        platform=f"http://id.localhost:{port}",
        wallet=f"http://wallet.localhost:{port}",
        is_test=True,
        official_site=f"http://id.localhost:{port}",
        version=version,
    )
    return Shell(templates(), facts, reader)


@asynccontextmanager
async def serving(shell: Shell, port: int) -> AsyncIterator[str]:
    """Serve it and give its origin; at the end the port is closed."""
    site = Site(name="Inkan", origin=shell.facts.wallet, groups=[*pages.routes(shell)])
    equipment = Equipment(clock=Clock(), csrf_key=Secret(b"k" * 32), templates=shell.templates)
    async with Server(build_app([site], equipment), port=port).running(grace_s=0):
        yield shell.facts.wallet
