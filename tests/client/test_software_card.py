"""The software card: how it is made, connected and removed, and what is no card."""

import stat
from time import monotonic, sleep

import pytest

from client.card_requests import PIN, WRONG
from inkan.client.card import CardEvent, CardNotOpen, CardRemoved, NoCard, NoReader, PINMalformed
from inkan.client.durable_file import FileBusy
from inkan.client.software_card import (
    READER,
    CardExists,
    CardFileMalformed,
    CertificateNotOfCard,
    SoftwareCard,
)
from inkan.crypto import keys
from inkan.crypto.certificate_requests import parse_csr, verify_csr
from inkan.crypto.keys import KeySpec
from inkan.kernel.sensitive import Secret
from support.pki import Hierarchy

# --- making ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("spec", [KeySpec.RSA2048, KeySpec.P256])
def test_a_card_makes_its_own_key_and_proves_it(tmp_path, spec):
    _, csr = SoftwareCard.make(tmp_path / "card", pin=PIN, spec=spec)
    assert keys.key_spec(verify_csr(parse_csr(csr)).public_key) is spec
    assert stat.S_IMODE((tmp_path / "card").stat().st_mode) == 0o600


def test_a_card_is_never_overwritten(path):
    with pytest.raises(CardExists):
        SoftwareCard.make(path, pin=PIN)


def test_a_certificate_of_another_key_is_not_written(path):
    before = path.read_bytes()
    with pytest.raises(CertificateNotOfCard):
        SoftwareCard(path).put_certificate(Hierarchy().leaf.der)
    assert path.read_bytes() == before


@pytest.mark.parametrize("pin", ["", "12345", "1234567890123", "abcdef", "１２３４５６", "12345 "])
def test_a_new_pin_is_six_to_twelve_digits(tmp_path, card, pin):
    with pytest.raises(PINMalformed):
        SoftwareCard.make(tmp_path / "new", pin=Secret(pin))
    with pytest.raises(PINMalformed):
        card.change_pin(WRONG, Secret(pin))
    assert card.tries_left() == 5


# --- connecting ------------------------------------------------------------------------------------


def test_reader_and_card_come_and_go(path, made):
    card = SoftwareCard(path)
    assert [(reader.name, reader.has_card) for reader in card.readers()] == [(READER, True)]
    with pytest.raises(NoReader):
        card.open("another reader")
    card.open(READER)
    assert card.certificates() == [made[1]]
    path.rename(path.with_name("elsewhere"))
    with pytest.raises(CardRemoved):
        card.certificates()
    with pytest.raises(CardNotOpen):
        card.tries_left()
    with pytest.raises(NoCard):
        card.open()
    assert not card.readers()[0].has_card


def test_removal_is_reported(path):
    events = []
    card = SoftwareCard(path)
    stop = card.watch(lambda reader, event: events.append((reader.has_card, event)))
    try:
        path.rename(path.with_name("elsewhere"))
        _until(lambda: len(events) == 1)
        path.with_name("elsewhere").rename(path)
        _until(lambda: len(events) == 2)
    finally:
        stop()
    assert events == [(False, CardEvent.REMOVED), (True, CardEvent.INSERTED)]


def _until(holds) -> None:
    deadline = monotonic() + 10
    while not holds():
        assert monotonic() < deadline
        sleep(0.01)


def test_a_card_has_one_user_at_a_time(path, card):
    with pytest.raises(FileBusy):
        SoftwareCard(path).open()
    card.close()
    with SoftwareCard(path) as other:
        assert other.tries_left() == 5


def test_a_closed_card_answers_nothing(path):
    card = SoftwareCard(path)
    for ask in (card.certificates, card.tries_left, lambda: card.verify_pin(PIN)):
        with pytest.raises(CardNotOpen):
            ask()


@pytest.mark.parametrize("data", [b"", b"{}", b"\xff\xfe", b"[" * 100000])
def test_other_files_are_no_cards(tmp_path, data):
    (tmp_path / "card").write_bytes(data)
    card = SoftwareCard(tmp_path / "card")
    with pytest.raises(CardFileMalformed):
        card.open()
    with pytest.raises(CardNotOpen):
        card.tries_left()
