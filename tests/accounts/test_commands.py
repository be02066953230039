"""``inkan accounts`` at a terminal."""

import asyncio
from collections.abc import Awaitable, Callable
from types import SimpleNamespace
from typing import Any

import pytest
from click.testing import CliRunner, Result

from accounts.staff import ORIGIN, Device, accept
from inkan.accounts import Accounts, AccountState, Role
from inkan.accounts.commands import command
from inkan.kernel.errors import InkanError


class World:
    """Runs commands on a composed instance whose loop runs already."""

    def __init__(self, accounts: Accounts) -> None:
        self.platform = SimpleNamespace(accounts=accounts)
        self.loop = asyncio.get_running_loop()

    def run(self, job: Callable[[Any], Awaitable[Any]]) -> Any:
        return asyncio.run_coroutine_threadsafe(self._run(job), self.loop).result(timeout=30)

    async def _run(self, job: Callable[[Any], Awaitable[Any]]) -> Any:
        return await job(self.platform)


Call = Callable[..., Awaitable[Result]]


@pytest.fixture
async def call(accounts: Accounts) -> Call:
    world = World(accounts)

    async def run(*arguments: str, **options: Any) -> Result:
        return await asyncio.to_thread(
            CliRunner().invoke, command, list(arguments), obj=world, **options
        )

    return run


async def test_the_first_administrator_comes_by_a_link_on_the_terminal(
    accounts: Accounts, call: Call
) -> None:
    done = await call("invite", "陳美", "--role", "administrator", "--role", "ca_officer")
    assert done.exit_code == 0, done.output
    # Only the link stands on standard output, so that it can be piped
    assert done.stdout.startswith(f"{ORIGIN}/staff/invite#")
    token = await accept(accounts, done.stdout.strip().partition("#")[2], Device())
    assert token.login.roles == {Role.ADMINISTRATOR, Role.CA_OFFICER}


async def test_a_mailed_link_is_not_printed(accounts: Accounts, call: Call) -> None:
    done = await call("invite", "Lin", "--role", "auditor", "--mail", "lin@example.org")
    assert done.exit_code == 0, done.output
    assert "#" not in done.output
    assert "2026-04-02T01:00:00Z" in done.output


async def test_accounts_are_listed_invited_again_and_ended(accounts: Accounts, call: Call) -> None:
    await call("invite", "陳美", "--role", "administrator")
    (account,) = await accounts.staff()
    listed = await call("list")
    assert listed.stdout.split() == [account.id, "invited", "administrator", "陳美"]
    again = await call("invite-again", account.id)
    await accept(accounts, again.stdout.strip().partition("#")[2], Device())
    ended = await call("end", account.id, "--yes")
    assert ended.exit_code == 0
    assert (await accounts.account(account.id)).state is AccountState.ENDED
    assert (await call("list")).stdout == ""
    assert account.id in (await call("list", "--all")).stdout


async def test_the_end_is_asked_twice(accounts: Accounts, call: Call) -> None:
    await call("invite", "陳美", "--role", "administrator")
    (account,) = await accounts.staff()
    assert (await call("end", account.id, input="n\n")).exit_code == 1
    assert (await accounts.account(account.id)).state is AccountState.INVITED


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["invite", "", "--role", "auditor"], "account_name_refused"),
        (["invite", "Lin", "--role", "auditor", "--mail", "lin"], "mail_address_malformed"),
        (["invite-again", "acc_nobody"], "account_unknown"),
        (["end", "acc_nobody", "--yes"], "account_unknown"),
    ],
)
async def test_refusals_reach_the_root(call: Call, arguments: list[str], code: str) -> None:
    failed = await call(*arguments)
    assert isinstance(failed.exception, InkanError)
    assert failed.exception.code == code


@pytest.mark.parametrize("arguments", [["invite", "Lin"], ["invite", "Lin", "--role", "person"]])
async def test_what_cannot_be_asked_is_a_usage_error(call: Call, arguments: list[str]) -> None:
    assert (await call(*arguments)).exit_code == 2
