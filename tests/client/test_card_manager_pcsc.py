"""The manage program over real PC/SC: a card is made, pulled at steps of its making, and finished."""

from time import monotonic, sleep

import pytest

from client.card_kinds import wait_for_card
from client.test_card_manager import certify
from inkan.client.card import CardRemoved, NoCard
from inkan.client.card_refusals import CardReset, CardServiceMissing
from inkan.client.pcsc import PCSC
from inkan.client.piv_card import PivCard
from inkan.client.piv_layout import KeyUse
from inkan.kernel.sensitive import Secret
from inkan.wire.card_command import CardAct
from support import vpcd
from support.terminals import PINS, Terminal, new_card, some_secrets


def until(holds) -> None:
    deadline = monotonic() + 20
    while not holds():
        assert monotonic() < deadline
        sleep(0.01)


@pytest.fixture
def slot(service):
    slot = vpcd.Slot(service)
    yield slot
    slot.pull()
    wait_for_card(present=False)


@pytest.fixture
def terminal(tmp_path):
    terminal = Terminal(tmp_path)
    terminal.reader = PCSC()
    terminal.start()
    yield terminal
    terminal.manager.close()


def insert(slot, applet) -> None:
    slot.insert(applet)
    wait_for_card(present=True)


def issue(terminal, secrets):
    made = terminal.do(CardAct.MAKE_KEYS, secrets, key_spec="P-256")
    return terminal.do(CardAct.WRITE, secrets, certificates=certify(made.requests))


def test_a_card_is_made_in_a_real_reader(terminal, slot) -> None:
    secrets = some_secrets()
    insert(slot, new_card(secrets))
    assert set(issue(terminal, secrets).certificates) == {"signature", "authentication"}
    assert len(terminal.person.asked) == 2
    terminal.manager.close()
    with PivCard(PCSC(), KeyUse.SIGNATURE) as card:
        card.verify_pin(Secret(PINS[KeyUse.SIGNATURE]))


def test_a_card_that_leaves_ends_connection_memory_and_dialog(terminal, slot) -> None:
    secrets = some_secrets()
    insert(slot, new_card(secrets))
    terminal.do(CardAct.MAKE_KEYS, secrets, key_spec="P-256")
    station = terminal.manager._station
    assert station.remembered(KeyUse.SIGNATURE) is not None
    slot.pull()
    until(lambda: station.is_gone)
    assert station.remembered(KeyUse.SIGNATURE) is None
    assert station.ending.has_ended


@pytest.mark.parametrize("at", [12, 60])
def test_a_card_pulled_in_the_middle_is_finished_later(terminal, slot, service, at) -> None:
    secrets = some_secrets()
    applet = new_card(secrets)
    insert(slot, applet)
    seen = []

    def before(command) -> None:
        seen.append(command)
        if len(seen) == at:
            slot.pull()

    slot.before = before
    with pytest.raises((CardRemoved, CardReset, NoCard, CardServiceMissing)):
        issue(terminal, secrets)
    slot.before = lambda command: None
    # The driver does not take another card after this: a fault of the virtual reader alone.
    service.stop()
    service.start()
    insert(slot, applet)
    assert set(issue(terminal, secrets).certificates) == {"signature", "authentication"}
