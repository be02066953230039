"""Terminals: which computers of an office take commands, and by which keys."""

import pytest

from counter.desk import OFFICE, refused
from inkan.client.card_manager import ManagerConfiguration, TerminalKeys
from inkan.crypto import jwk
from support.keyring import ec_key, rsa_key


def key(number: int, use: str | None = "sig", **more):
    members = {**jwk.to_jwk(ec_key(number).public_key()), **more}
    return members if use is None else {**members, "use": use}


async def test_a_terminal_is_registered_and_ended(desk) -> None:
    terminals = desk.counter.terminals
    configuration = await terminals.add(OFFICE.code, TerminalKeys.generate().public())
    pinned = ManagerConfiguration(**configuration)
    public = (await terminals.command_key()).public_key()
    assert pinned.key_of(jwk.thumbprint(public)) == public
    assert [each.office for each in await terminals.terminals()] == [OFFICE.code]
    await terminals.end(pinned.terminal)
    assert await terminals.terminals() == []
    assert await refused(terminals.end(pinned.terminal)) == "terminal_unknown"
    events = await desk.world.events()
    assert {"counter.terminal_added", "counter.terminal_ended"} <= set(events)


async def test_a_terminal_stands_in_an_office(desk) -> None:
    call = desk.counter.terminals.add("nowhere", TerminalKeys.generate().public())
    assert await refused(call) == "office_unknown"


@pytest.mark.parametrize(
    "keys",
    [
        {},
        {"keys": []},
        {"keys": [key(1)]},
        {"keys": [key(1), key(2)]},
        {"keys": [key(1), key(1, "enc")]},  # one key for both uses
        {"keys": [key(1), key(2, None)]},
        {"keys": [key(1), key(2, "enc"), key(3, "enc")]},
        {"keys": [key(1), key(2, "enc", d="AAAA")]},  # it gave its private half away
        {"keys": [key(1), {**jwk.to_jwk(rsa_key().public_key()), "use": "enc"}]},
        {"keys": [key(1), "enc"]},
        {"keys": [key(1), key(2, "enc")], "more": 1},
    ],
)
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_other_keys_are_refused(desk, keys) -> None:
    assert await refused(desk.counter.terminals.add(OFFICE.code, keys)) == "terminal_keys_malformed"


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_every_card_has_secrets_of_its_own_and_the_same_again(desk) -> None:
    secrets = desk.counter.card_secrets
    one, other = secrets.of("11" * 16), secrets.of("22" * 16)
    assert one == secrets.of("11" * 16)
    assert one.management_key != other.management_key
    assert one.unlock_key != other.unlock_key
