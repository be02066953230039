"""What every card keeps, whatever stands behind it: one contract for all back ends."""

import hashlib
from time import monotonic, sleep

import pytest
from cryptography import x509

from client import card_kinds
from client.card_requests import BIND, BYTES, DIGITS, PIN, REVOKE, WRONG, sign
from inkan.client.card import (
    CardEvent,
    CardNotOpen,
    CardRemoved,
    CardRequestDeclined,
    CardRequestRefused,
    DigitsMismatch,
    NoCard,
    NoReader,
    PINLocked,
    PINMalformed,
    WrongPIN,
)
from inkan.client.card_proof import scheme_of
from inkan.crypto import cms
from inkan.crypto.foreign_keys import verify_message
from inkan.crypto.keys import KeySpec
from inkan.kernel.sensitive import Secret

KINDS = [
    "software",
    "in_process_rsa",
    "in_process_p256",
    "pcsc_rsa",
    "pcsc_p256",
    "opensc_rsa",
    "opensc_p256",
]
NEW = Secret("135791")


@pytest.fixture(scope="module")
def rsa_card():
    return card_kinds.personalise(KeySpec.RSA2048)


@pytest.fixture(scope="module")
def p256_card():
    return card_kinds.personalise(KeySpec.P256)


@pytest.fixture(params=KINDS)
def tried(request, tmp_path):
    made = request.getfixturevalue
    match request.param.split("_")[0], request.param:
        case "software", _:
            kind = card_kinds.software(made("made"), tmp_path)
        case "in", name:
            kind = card_kinds.in_process(made(f"{name.removeprefix('in_process_')}_card"))
        case way, name:
            behind = getattr(card_kinds, way)
            kind = behind(made(f"{name.removeprefix(way)[1:]}_card"), made("service"))
    with kind as card:
        yield card


def test_certificate_and_issuers_are_read(tried):
    assert tried.card.certificates() == [tried.certificate]


@pytest.mark.req("HCA-47")
def test_a_signed_request_is_typed_and_verifies(tried):
    parsed = cms.parse_signed_data(sign(tried.card))
    assert (parsed.content, parsed.content_type) == (BYTES, BIND)
    assert parsed.signer == tried.certificate.der
    assert set(parsed.certificates) == {tried.certificate.der, *tried.certificate.chain}
    assert hashlib.sha256(BYTES).digest() in parsed.signed_attributes
    public = x509.load_der_x509_certificate(parsed.signer).public_key()
    verify_message(public, parsed.signature, parsed.signed_attributes, scheme_of(public))


def test_two_signatures_need_the_pin_twice(tried):
    sign(tried.card)
    with pytest.raises(WrongPIN):
        sign(tried.card, pin=WRONG)


def test_what_is_not_agreed_to_costs_no_try(tried):
    def decline(_):
        raise CardRequestDeclined

    with pytest.raises(DigitsMismatch):
        sign(tried.card, pin=WRONG, digits="00000000")
    with pytest.raises(CardRequestRefused):
        sign(tried.card, bytes(32), pin=WRONG)
    with pytest.raises(CardRequestRefused):
        sign(tried.card, content_type=REVOKE, pin=WRONG)
    with pytest.raises(CardRequestDeclined):
        tried.card.sign_request(BYTES, content_type=BIND, pin=WRONG, confirm=decline)
    assert tried.card.tries_left() == tried.told(5)


@pytest.mark.req("JPKI-32")
def test_five_wrong_pins_lock_the_card(tried):
    left = []
    for _ in range(4):
        with pytest.raises(WrongPIN) as wrong:
            tried.card.verify_pin(WRONG)
        left.append(wrong.value.tries_left)
        assert tried.card.tries_left() == left[-1]
    assert left == [tried.told(tries) for tries in (4, 3, 2, 1)]
    with pytest.raises(PINLocked):
        tried.card.verify_pin(WRONG)
    assert tried.card.tries_left() == 0
    with pytest.raises(PINLocked):
        sign(tried.card)
    with pytest.raises(PINLocked):
        tried.card.change_pin(PIN, NEW)


def test_the_right_pin_gives_the_tries_back(tried):
    for _ in range(4):
        with pytest.raises(WrongPIN):
            tried.card.verify_pin(WRONG)
    tried.card.verify_pin(PIN)
    # OpenSC goes on telling the old number until the card forgets that the PIN was presented.
    assert tried.card.tries_left() == 5 or not tried.counts
    for _ in range(4):
        with pytest.raises(WrongPIN):
            tried.card.verify_pin(WRONG)


@pytest.mark.req("JPKI-29")
def test_the_pin_is_changed_by_whoever_knows_it(tried):
    with pytest.raises(WrongPIN):
        tried.card.change_pin(WRONG, NEW)
    assert tried.card.tries_left() == tried.told(4)
    tried.card.change_pin(PIN, NEW)
    with pytest.raises(WrongPIN):
        tried.card.verify_pin(PIN)
    tried.card.verify_pin(NEW)
    sign(tried.card, pin=NEW)


@pytest.mark.parametrize("new", ["", "12345", "1234567890123456789", "１２３４５６", "12345 "])
def test_a_malformed_new_pin_costs_nothing(tried, new):
    with pytest.raises(PINMalformed):
        tried.card.change_pin(WRONG, Secret(new))
    assert tried.card.tries_left() == tried.told(5)


def test_readers_are_listed_and_named(tried):
    (name,) = [each.name for each in tried.card.readers() if each.has_card]
    other = tried.connect()
    with pytest.raises(NoReader):
        other.open("no such reader")
    tried.card.close()
    other.open(name)
    assert other.certificates() == [tried.certificate]
    other.close()


@pytest.mark.req("HCA-45")
def test_a_card_that_is_pulled_out_ends_the_connection(tried):
    tried.pull()
    with pytest.raises(CardRemoved):
        tried.card.certificates()
    for ask in (tried.card.tries_left, tried.card.certificates, lambda: sign(tried.card)):
        with pytest.raises(CardNotOpen):
            ask()
    with pytest.raises(NoCard):
        tried.card.open()
    tried.insert()
    tried.card.open()
    assert tried.card.certificates() == [tried.certificate]


@pytest.mark.req("HCA-45")
def test_pulling_the_card_during_the_dialog_signs_nothing(tried):
    def pull(_):
        tried.pull()
        return DIGITS

    with pytest.raises(CardRemoved):
        tried.card.sign_request(BYTES, content_type=BIND, pin=PIN, confirm=pull)


@pytest.mark.req("HCA-45")
def test_removal_and_insertion_are_reported(tried):
    events = []
    stop = tried.card.watch(lambda reader, event: events.append((reader.has_card, event)))
    try:
        tried.pull()
        until(lambda: len(events) == 1)
        tried.insert()
        until(lambda: len(events) == 2)
    finally:
        stop()
    assert events == [(False, CardEvent.REMOVED), (True, CardEvent.INSERTED)]


def test_a_closed_card_answers_nothing(tried):
    tried.card.close()
    tried.card.close()
    for ask in (
        tried.card.certificates,
        tried.card.tries_left,
        lambda: tried.card.verify_pin(PIN),
        lambda: tried.card.change_pin(PIN, NEW),
        lambda: sign(tried.card),
    ):
        with pytest.raises(CardNotOpen):
            ask()


def until(holds) -> None:
    deadline = monotonic() + 20
    while not holds():
        assert monotonic() < deadline
        sleep(0.01)
