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
from inkan.client.guessable_pins import PINGuessable
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
# What neither locks nor is pulled out keeps the rest of the contract.
TOKENS = {"softhsm_rsa": KeySpec.RSA2048, "softhsm_p256": KeySpec.P256}
NEW = Secret("571908")


@pytest.fixture(scope="module")
def rsa_card():
    return card_kinds.personalise(KeySpec.RSA2048)


@pytest.fixture(scope="module")
def p256_card():
    return card_kinds.personalise(KeySpec.P256)


def kind_of(name, request, folder):
    made = request.getfixturevalue
    if name in TOKENS:
        return card_kinds.softhsm(TOKENS[name], folder)
    if name == "software":
        return card_kinds.software(made("made"), folder)
    way, _, spec = name.rpartition("_")
    behind = getattr(card_kinds, way)
    return behind(made(f"{spec}_card"), *([] if way == "in_process" else [made("service")]))


@pytest.fixture(params=KINDS)
def tried(request, tmp_path):
    with kind_of(request.param, request, tmp_path) as card:
        yield card


@pytest.fixture(params=[*KINDS, *TOKENS])
def held(request, tmp_path):
    with kind_of(request.param, request, tmp_path) as card:
        yield card


def test_certificate_and_issuers_are_read(held):
    assert held.card.certificates() == [held.certificate]


@pytest.mark.req("HCA-47")
def test_a_signed_request_is_typed_and_verifies(held):
    parsed = cms.parse_signed_data(sign(held.card))
    assert (parsed.content, parsed.content_type) == (BYTES, BIND)
    assert parsed.signer == held.certificate.der
    assert set(parsed.certificates) == {held.certificate.der, *held.certificate.chain}
    assert hashlib.sha256(BYTES).digest() in parsed.signed_attributes
    public = x509.load_der_x509_certificate(parsed.signer).public_key()
    verify_message(public, parsed.signature, parsed.signed_attributes, scheme_of(public))


def test_two_signatures_need_the_pin_twice(held):
    sign(held.card)
    with pytest.raises(WrongPIN):
        sign(held.card, pin=WRONG)


def test_what_is_not_agreed_to_costs_no_try(held):
    def decline(_):
        raise CardRequestDeclined

    with pytest.raises(DigitsMismatch):
        sign(held.card, pin=WRONG, digits="00000000")
    with pytest.raises(CardRequestRefused):
        sign(held.card, bytes(32), pin=WRONG)
    with pytest.raises(CardRequestRefused):
        sign(held.card, content_type=REVOKE, pin=WRONG)
    with pytest.raises(CardRequestDeclined):
        held.card.sign_request(BYTES, content_type=BIND, pin=WRONG, confirm=decline)
    assert held.card.tries_left() == held.told(5)


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
def test_the_pin_is_changed_by_whoever_knows_it(held):
    with pytest.raises(WrongPIN):
        held.card.change_pin(WRONG, NEW)
    assert held.card.tries_left() == held.told(4)
    held.card.change_pin(PIN, NEW)
    with pytest.raises(WrongPIN):
        held.card.verify_pin(PIN)
    held.card.verify_pin(NEW)
    sign(held.card, pin=NEW)


@pytest.mark.parametrize("new", ["", "12345", "1234567890123456789", "１２３４５６", "12345 "])
def test_a_malformed_new_pin_costs_nothing(held, new):
    with pytest.raises(PINMalformed):
        held.card.change_pin(WRONG, Secret(new))
    assert held.card.tries_left() == held.told(5)


@pytest.mark.req("JPKI-30")
@pytest.mark.parametrize("new", ["111111", "234567", "147258"])
def test_a_guessable_new_pin_costs_nothing_and_changes_nothing(held, new):
    for old in (WRONG, PIN):
        with pytest.raises(PINGuessable):
            held.card.change_pin(old, Secret(new))
    assert held.card.tries_left() == held.told(5)
    held.card.verify_pin(PIN)


def test_readers_are_listed_and_named(held):
    (name,) = [each.name for each in held.card.readers() if each.has_card]
    other = held.connect()
    with pytest.raises(NoReader):
        other.open("no such reader")
    held.card.close()
    other.open(name)
    assert other.certificates() == [held.certificate]
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


def test_a_closed_card_answers_nothing(held):
    held.card.close()
    held.card.close()
    for ask in (
        held.card.certificates,
        held.card.tries_left,
        lambda: held.card.verify_pin(PIN),
        lambda: held.card.change_pin(PIN, NEW),
        lambda: sign(held.card),
    ):
        with pytest.raises(CardNotOpen):
            ask()


def until(holds) -> None:
    deadline = monotonic() + 20
    while not holds():
        assert monotonic() < deadline
        sleep(0.01)
