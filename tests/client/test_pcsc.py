"""Real PC/SC: the service comes and goes, other programs use the card, and nothing listens on the host."""

import subprocess
import threading
from pathlib import Path
from time import monotonic, sleep

import pytest

from client import card_kinds
from client.card_requests import PIN, WRONG, sign
from inkan.client import pcsc
from inkan.client.card import CardEvent, CardNotOpen, CardRemoved, PINLocked, WrongPIN
from inkan.client.card_refusals import CardInUse, CardReset, CardServiceMissing
from inkan.client.pcsc import PCSC
from inkan.client.piv import Piv
from inkan.client.piv_card import PivCard
from inkan.crypto.keys import KeySpec
from inkan.kernel.errors import InkanError
from support import vpcd

NAME = "Virtual PCD 00 00"


@pytest.fixture(scope="module")
def made():
    return card_kinds.personalise(KeySpec.P256)


@pytest.fixture
def tried(made, service):
    with card_kinds.pcsc(made, service) as card:
        yield card


def until(holds) -> None:
    deadline = monotonic() + 20
    while not holds():
        assert monotonic() < deadline
        sleep(0.01)


def test_nothing_listens_on_the_host(service):
    """vpcd listens on every interface, but of a network of its own: neither address nor port is seen from here."""
    inside = subprocess.run(
        ["nsenter", "--net", "--target", str(service.process.pid), "cat", "/proc/net/tcp", "/proc/net/tcp6"],
        capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    host = "".join(Path(f"/proc/net/{kind}").read_text() for kind in ("tcp", "tcp6"))
    port = f":{vpcd.PORT:04X} "
    assert port in inside
    assert port not in host


def test_a_service_that_stops_ends_the_connection_and_another_start_heals(made, service):
    events = []
    with card_kinds.pcsc(made, service) as tried:
        stop = tried.card.watch(lambda reader, event: events.append(event))
        try:
            service.stop()
            with pytest.raises((CardServiceMissing, CardRemoved)):
                tried.card.certificates()
            with pytest.raises(CardNotOpen):
                tried.card.certificates()
            with pytest.raises(CardServiceMissing):
                tried.card.readers()
            with pytest.raises(CardServiceMissing):
                tried.card.open()
            until(lambda: events == [CardEvent.REMOVED])
            service.start()
            tried.insert()
            until(lambda: events == [CardEvent.REMOVED, CardEvent.INSERTED])
        finally:
            stop()
            if service.process is None:
                service.start()
        tried.card.open()
        assert tried.card.certificates() == [tried.certificate]


def test_a_reset_by_another_program_ends_the_connection(tried):
    """Another program resets the card: what was presented to it before no longer holds, and this is said."""
    other = PCSC().connect(NAME)
    tried.card.certificates()
    other.close()
    with pytest.raises(CardReset):
        tried.card.certificates()
    with pytest.raises(CardNotOpen):
        tried.card.certificates()
    tried.card.open()
    sign(tried.card)


def test_a_card_that_somebody_has_for_himself(tried):
    tried.card.close()
    alone = PCSC(exclusive=True).connect(NAME)
    try:
        with pytest.raises(CardInUse):
            tried.card.open()
    finally:
        alone.close()
    tried.card.open()


def test_a_transaction_keeps_others_out(tried):
    """A second program's command waits for the end of the first one's transaction."""
    first, second, order = PCSC().connect(NAME), PCSC().connect(NAME), []

    def ask():
        with second.transaction():
            Piv(second).select()
            order.append("second")

    try:
        with first.transaction():
            thread = threading.Thread(target=ask)
            thread.start()
            for _ in range(20):
                Piv(first).select()
            order.append("first")
        thread.join()
    finally:
        first.close()
        second.close()
    assert order == ["first", "second"]


@pytest.mark.req("JPKI-32")
def test_parallel_guesses_over_the_service_are_counted_exactly(tried):
    """Eight threads with connections of their own."""
    heard = []

    def guess(link):
        with link.transaction():
            piv = Piv(link)
            piv.select()
            try:
                piv.verify(0x80, WRONG)
            except WrongPIN as wrong:
                heard.append(wrong.tries_left)
            except PINLocked:
                heard.append(0)

    tried.card.close()
    links = [PCSC().connect(NAME) for _ in range(8)]
    threads = [threading.Thread(target=guess, args=(link,)) for link in links]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    # Only now: closing resets the card for the others.
    for link in links:
        link.close()
    assert sorted(heard) == [0, 0, 0, 0, 1, 2, 3, 4]
    tried.card.open()
    assert tried.card.tries_left() == 0


@pytest.mark.req("HCA-45")
def test_a_card_pulled_while_it_works_ends_the_connection(made, service):
    """Pulled between a command and its answer: the virtual reader then says "success" and gives nothing."""
    slot = vpcd.Slot(service)
    slot.insert(made.again())
    card_kinds.wait_for_card(present=True)
    card = PivCard(PCSC())
    card.open()
    slot.before = lambda command: slot.pull()
    try:
        with pytest.raises(CardRemoved):
            sign(card)
        with pytest.raises(CardNotOpen):
            card.tries_left()
    finally:
        # The driver does not take another card after this: a fault of the virtual reader alone.
        slot.pull()
        service.stop()
        service.start()


@pytest.mark.parametrize(("status", "refusal"), sorted(pcsc._REFUSALS.items()))
def test_every_status_has_its_refusal(status, refusal):
    with pytest.raises(refusal):
        pcsc.verify_status(status)


def test_an_unknown_status_is_a_refusal_too():
    pcsc.verify_status(0)
    with pytest.raises(InkanError):
        pcsc.verify_status(0x80109999)


def test_without_the_library_the_service_is_missing(monkeypatch):
    monkeypatch.setattr(pcsc, "LIBRARY", "libpcsclite.so.none")
    with pytest.raises(CardServiceMissing):
        PCSC()


def test_the_pin_is_not_known_to_the_next_program(tried):
    tried.card.verify_pin(PIN)
    other = PCSC().connect(NAME)
    try:
        piv = Piv(other)
        piv.select()
        assert piv.tries_left(0x80) == 5
    finally:
        other.close()
