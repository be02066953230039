"""The card's PIN: a try is spent before the PIN is looked at, and nothing gives it back but the right one."""

import os
import signal
import subprocess
import sys

import pytest

from client.card_requests import PIN, WRONG, sign
from inkan.client.card import PINLocked, WrongPIN
from inkan.client.software_card import SoftwareCard
from inkan.kernel.sensitive import Secret


def test_five_wrong_pins_lock_for_good(card):
    left = []
    for _ in range(4):
        with pytest.raises(WrongPIN) as wrong:
            card.verify_pin(WRONG)
        left.append(wrong.value.tries_left)
    assert left == [4, 3, 2, 1]
    with pytest.raises(PINLocked):
        card.verify_pin(WRONG)
    assert card.tries_left() == 0
    for _ in range(2):
        with pytest.raises(PINLocked):
            card.verify_pin(PIN)
        with pytest.raises(PINLocked):
            sign(card)


def test_the_right_pin_gives_the_tries_back(card):
    for _ in range(4):
        with pytest.raises(WrongPIN):
            card.verify_pin(WRONG)
    card.verify_pin(PIN)
    assert card.tries_left() == 5


def test_tries_survive_closing_and_copies_of_the_object(path, card):
    with pytest.raises(WrongPIN):
        card.verify_pin(WRONG)
    card.close()
    with SoftwareCard(path) as again:
        assert again.tries_left() == 4


def test_changed_pin_holds_and_costs_a_try_when_the_old_is_wrong(card, made):
    with pytest.raises(WrongPIN):
        card.change_pin(WRONG, Secret("40718362"))
    assert card.tries_left() == 4
    card.change_pin(PIN, Secret("40718362"))
    assert card.tries_left() == 5
    with pytest.raises(WrongPIN):
        card.verify_pin(PIN)
    card.verify_pin(Secret("40718362"))
    assert card.certificates() == [made[1]]


_DYING = """
import os, sys
from pathlib import Path
from inkan.client.software_card import SoftwareCard
from inkan.kernel.sensitive import Secret

class Dying(SoftwareCard):
    def _open_key(self, card, pin):
        os._exit(9)

card = Dying(Path(sys.argv[1]))
card.open()
card.verify_pin(Secret(sys.argv[2]))
"""


@pytest.mark.crash
@pytest.mark.parametrize("pin", [PIN, WRONG])
def test_a_process_that_dies_before_the_answer_has_lost_the_try(path, pin):
    """Also with the right PIN: otherwise pulling the plug in time would give endless tries."""
    for left in (4, 3):
        died = subprocess.run(
            [sys.executable, "-c", _DYING, str(path), pin.reveal()], env=os.environ, check=False
        )
        assert died.returncode == 9
        with SoftwareCard(path) as card:
            assert card.tries_left() == left


_GUESSING = """
import sys
from pathlib import Path
from inkan.client.card import WrongPIN, PINLocked
from inkan.client.software_card import SoftwareCard
from inkan.kernel.sensitive import Secret

card = SoftwareCard(Path(sys.argv[1]))
card.open()
try:
    while True:
        print("begin", flush=True)
        try:
            card.verify_pin(Secret("000000"))
        except WrongPIN:
            print("end", flush=True)
except PINLocked:
    print("locked", flush=True)
"""


@pytest.mark.crash
@pytest.mark.parametrize("lines", [1, 2, 5])
def test_kill_never_gives_a_try_back(path, lines):
    guessing = subprocess.Popen(
        [sys.executable, "-c", _GUESSING, str(path)], stdout=subprocess.PIPE, env=os.environ
    )
    seen = [guessing.stdout.readline() for _ in range(lines)]
    guessing.send_signal(signal.SIGKILL)
    seen += guessing.stdout.readlines()
    guessing.wait()
    guessing.stdout.close()
    begun, ended = seen.count(b"begin\n"), seen.count(b"end\n") + seen.count(b"locked\n")
    with SoftwareCard(path) as card:
        assert 5 - begun <= card.tries_left() <= 5 - ended
