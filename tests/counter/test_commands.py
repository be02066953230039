"""``inkan counter`` at a terminal."""

import asyncio
import json
from types import SimpleNamespace

import pytest
from click.testing import CliRunner

from counter.desk import OFFICE, on_sqlite, person_of
from inkan.accounts import Role
from inkan.client.card_manager import TerminalKeys, read_configuration
from inkan.counter.commands import command
from inkan.kernel.errors import InkanError
from relying_parties.applicants import hire

CHEN = {
    "name": "陳怡君",
    "birth_date": "1988-03-14",
    "national_id": "A234567893",
    "sex": "female",
    "address": "千代田区千代田1-1",
    "municipality": "chiyoda",
}
ARGUMENTS = (
    "--name", "中央窓口", "--municipality", "chuo", "--authority", "card", "--phone", "+81 3 1111 1111",
)  # fmt: skip
pytestmark = on_sqlite


@pytest.fixture
async def call(desk):
    loop = asyncio.get_running_loop()

    async def job_of(job):
        return await job(desk.world.platform)

    def run_job(job):
        return asyncio.run_coroutine_threadsafe(job_of(job), loop).result(timeout=30)

    async def run(*arguments):
        world = SimpleNamespace(run=run_job)
        return await asyncio.to_thread(CliRunner().invoke, command, list(arguments), obj=world)

    return run


async def test_offices_are_added_and_listed(call):
    done = await call("office", "add", "chuo-1", *ARGUMENTS)
    assert done.exit_code == 0, done.output
    listed = (await call("office", "list")).output
    assert "chuo-1" in listed
    assert "中央窓口" in listed


async def test_clerks_are_added_listed_and_ended(call, desk):
    login = await hire(desk.world.platform.accounts, Role.CLERK, name="new")
    person = (await person_of(desk.world, "chen")).id
    done = await call("clerk", "add", login.account, OFFICE.code, "--person", person)
    assert done.exit_code == 0, done.output
    assert f"{login.account}  off duty" in (await call("clerk", "list", OFFICE.code)).output
    assert (await call("clerk", "end", login.account)).exit_code == 0
    assert login.account not in (await call("clerk", "list", OFFICE.code)).output


async def test_a_resident_moves_by_a_file_and_the_card_ends(call, desk, tmp_path):
    card = await desk.at("done")
    file = tmp_path / "resident.json"
    file.write_text(json.dumps(CHEN))
    done = await call("resident", "record", str(file))
    assert done.exit_code == 0, done.output
    assert CHEN["name"] not in done.output
    assert await desk.states(card) == {("valid", None)}
    for change in ({"address": "千代田区丸の内2-2"}, {"name": "陳怡如"}):
        card = await desk.at("done", start=20) if "name" in change else card
        file.write_text(json.dumps(CHEN | change))
        assert (await call("resident", "record", str(file))).exit_code == 0
        assert await desk.states(card) == {("revoked", "affiliationChanged")}
        file.write_text(json.dumps(CHEN))


@pytest.mark.parametrize(
    ("bent", "code"),
    [
        ({"sex": "other"}, "counter_entry_malformed"),
        ({"more": 1}, "counter_entry_malformed"),
        ({"birth_date": "yesterday"}, "counter_entry_malformed"),
        ({"address": ""}, "counter_entry_malformed"),
        ({"municipality": "Chiyoda Ward"}, "counter_entry_malformed"),
        ({"national_id": "A234567890"}, "national_id_malformed"),
        ({"name": " "}, "identity_malformed"),
        ({"address": "123456789018"}, "my_number_refused"),
    ],
)
async def test_an_entry_that_does_not_fit_is_refused(call, tmp_path, bent, code):
    file = tmp_path / "resident.json"
    file.write_text(json.dumps(CHEN | bent))
    done = await call("resident", "record", str(file))
    assert isinstance(done.exception, InkanError)
    assert done.exception.code == code


async def test_terminals_are_added_listed_and_ended(call, tmp_path):
    keys, pinned = tmp_path / "terminal-public.json", tmp_path / "manager.json"
    keys.write_text(json.dumps(TerminalKeys.generate().public()))
    done = await call("terminal", "add", OFFICE.code, str(keys), "--out", str(pinned))
    assert done.exit_code == 0, done.output
    # What is written is what the terminal installs.
    configuration = read_configuration(pinned)
    listed = (await call("terminal", "list")).output
    assert f"{configuration.terminal}  {OFFICE.code}  since " in listed
    done = await call("terminal", "end", configuration.terminal)
    assert done.output == f"{configuration.terminal} is out of service.\n"
    assert configuration.terminal not in (await call("terminal", "list")).output
    again = await call("terminal", "end", configuration.terminal)
    assert again.exception.code == "terminal_unknown"


@pytest.mark.parametrize(
    ("keys", "office", "code"),
    [
        (b"{", OFFICE.code, "terminal_keys_malformed"),
        (b"[]", OFFICE.code, "terminal_keys_malformed"),
        (b"\xff", OFFICE.code, "terminal_keys_malformed"),
        (b'{"keys": []}', OFFICE.code, "terminal_keys_malformed"),
        (None, "nowhere", "office_unknown"),
    ],
)
async def test_keys_that_are_none_register_no_terminal(call, tmp_path, keys, office, code):
    file, pinned = tmp_path / "terminal-public.json", tmp_path / "manager.json"
    file.write_bytes(keys or json.dumps(TerminalKeys.generate().public()).encode())
    done = await call("terminal", "add", office, str(file), "--out", str(pinned))
    assert isinstance(done.exception, InkanError)
    assert done.exception.code == code
    assert not pinned.exists()
    assert (await call("terminal", "list")).output == ""


async def test_what_no_office_knows_is_refused(call, desk):
    login = await hire(desk.world.platform.accounts, Role.CLERK, name="new")
    person = (await person_of(desk.world, "chen")).id
    done = await call("clerk", "add", login.account, "nowhere", "--person", person)
    assert done.exception.code == "office_unknown"
    assert (await call("clerk", "end", login.account)).exception.code == "clerk_not_on_duty"
