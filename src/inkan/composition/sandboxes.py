"""What is composed in the environment ``sandbox`` and nowhere else.

Read from here what a sandbox adds: virtual phones and test persons, the clock that systems move, faults, the scheme
``Bearer``, the routes under ``/v1/sandbox`` and the page ``/sandbox``. In every other environment each function
here gives nothing, and a database that was a sandbox's is refused.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import timedelta
from types import MappingProxyType
from typing import Any, Final

from inkan.client.http import AsyncTransport, ListenerConnections
from inkan.composition.settings import Environment, Settings
from inkan.crypto.key_providers import KeyProvider, KeyPurpose
from inkan.pki import PKI
from inkan.relying_parties.api import Scheme, principal_of
from inkan.sandbox import PURGE_EVERY, Parts, Sandbox, refuse_sandbox
from inkan.sandbox import api as sandbox_api
from inkan.sandbox import pages as sandbox_pages
from inkan.store.database import Database
from inkan.store.outbox import Handler
from inkan.store.schedules import Schedule
from inkan.web.exchange import Around, Authenticator, MenuItem
from inkan.web.routes import Group

_NONE: Final[Mapping[str, Scheme]] = MappingProxyType({})
_ANY_ADDRESS: Final = frozenset({"", "0.0.0.0", "::"})  # noqa: S104 - compared with, not listened on


def build(settings: Settings, *, keys: KeyProvider, **features: Any) -> Sandbox | None:
    """The sandbox of these settings; None in every other environment.

    Args:
        settings: of the instance.
        keys: hold the secret that passphrases of phones come from.
        features: of the instance, by the names that :class:`inkan.sandbox.Parts` has for them.
    """
    if settings.environment is not Environment.SANDBOX:
        return None
    parts = Parts(
        secret=keys.secret("sandbox", KeyPurpose.MAC),
        folder=settings.home_path / "sandbox",
        platform=settings.origins.platform,
        wallet=settings.origins.wallet,
        may_advance=settings.sandbox.clock == "shared",
        most_phones=settings.sandbox.phones,
        keep_for=timedelta(days=settings.sandbox.days),
        **features,
    )
    return Sandbox(parts)


async def load(pki: PKI, sandbox: Sandbox | None, db: Database) -> None:
    """Read the instance's authorities, after a look whether this is a database of its environment.

    Raises:
        WrongDatabase: a sandbox on somebody else's database, or somebody else on a sandbox's.
    """
    if sandbox is None:
        await refuse_sandbox(db)
        await pki.load()
        return
    await sandbox.resume()
    await pki.load()
    await sandbox.claim(founded=bool(pki.hierarchy))


def schemes(sandbox: Sandbox | None) -> Mapping[str, Scheme]:
    """The authentication schemes of systems beside ``DPoP``."""
    return _NONE if sandbox is None else {"Bearer": sandbox.bearer}


def groups(sandbox: Sandbox | None, systems: Authenticator) -> list[Group]:
    """The routes and pages of the sandbox."""
    if sandbox is None:
        return []
    return [*sandbox_api.groups(sandbox, systems), *sandbox_pages.groups(sandbox, principal_of)]


def menu(sandbox: Sandbox | None) -> tuple[MenuItem, ...]:
    """The sandbox's entry in the menu."""
    return () if sandbox is None else sandbox_pages.MENU


def around(sandbox: Sandbox | None) -> Around | None:
    """What stands around every endpoint."""
    return None if sandbox is None else sandbox_api.around(sandbox.faults)


def handlers(sandbox: Sandbox | None, table: Mapping[str, Handler]) -> Mapping[str, Handler]:
    """The table of the outbox, with what a sandbox lets go wrong."""
    return table if sandbox is None else sandbox.disturb(table)


def schedules(sandbox: Sandbox | None) -> dict[str, Schedule]:
    """What recurs."""
    if sandbox is None:
        return {}
    return {"sandbox.purge": Schedule(every=PURGE_EVERY, work=sandbox.purge)}


@asynccontextmanager
async def listening(
    sandbox: Sandbox | None, *, host: str, port: int, catch_up: Callable[[], Awaitable[None]]
) -> AsyncIterator[None]:
    """While the block lasts the instance listens there, and its virtual phones reach it over HTTP."""
    if sandbox is None:
        yield
        return
    address = "127.0.0.1" if host in _ANY_ADDRESS else host
    async with (
        AsyncTransport(ListenerConnections(address, port)) as transport,
        sandbox.reaching(transport, catch_up=catch_up),
    ):
        yield
