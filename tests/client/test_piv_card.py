"""The card in a reader: what counters do with it, and what hostile cards, people and programs try."""

import threading

import pytest

from client import card_kinds
from client.card_kinds import AUTHENTICATION_PIN, MANAGEMENT_KEY, UNLOCK_KEY, PublicOnly
from client.card_requests import PIN, WRONG, sign
from inkan.client.card import (
    CardNotOpen,
    CardRemoved,
    CardRequestRefused,
    CertificateNotOfCard,
    NoCard,
    PINLocked,
    PINMalformed,
    Reader,
    WrongPIN,
)
from inkan.client.card_link import choose_reader
from inkan.client.card_refusals import (
    CardAccessDenied,
    CardAnswerMalformed,
    CardUnknown,
    SeveralCards,
    UnlockKeyLocked,
    WrongManagementKey,
    WrongUnlockKey,
)
from inkan.client.piv_card import PivCard
from inkan.client.piv_layout import CardObject, KeyUse
from inkan.crypto.certificate_requests import parse_csr, verify_csr
from inkan.crypto.keys import KeySpec, key_spec
from inkan.kernel.errors import InkanError
from inkan.kernel.sensitive import Secret
from support.card_in_process import ReaderInProcess
from support.piv_applet import SIGNATURE_CERTIFICATE, SIGNATURE_SLOT, PivApplet
from support.pki import Hierarchy

NEW = Secret("Kasumi2026Tokyo1")


@pytest.fixture(scope="module")
def made():
    return card_kinds.personalise(KeySpec.P256)


@pytest.fixture
def applet(made):
    return made.again()


@pytest.fixture
def reader(applet):
    return ReaderInProcess(applet)


@pytest.fixture
def card(reader):
    with PivCard(reader) as opened:
        yield opened


# --- keys and PINs ---


@pytest.mark.req("JPKI-04")
@pytest.mark.parametrize("spec", [KeySpec.RSA2048, KeySpec.P256])
def test_a_key_is_made_inside_and_proves_itself(card, applet, spec):
    before = applet.keys[SIGNATURE_SLOT]
    csr = verify_csr(parse_csr(card.make_key(spec, pin=PIN, management_key=MANAGEMENT_KEY)))
    assert key_spec(csr.public_key) is spec
    assert applet.keys[SIGNATURE_SLOT] is not before
    assert card.certificates() == []
    with pytest.raises(CardRequestRefused):
        sign(card)


@pytest.mark.req("TW-02")
@pytest.mark.parametrize("spec", [KeySpec.RSA2048, KeySpec.P256])
def test_no_answer_of_the_card_holds_the_private_key(applet, spec):
    """Keys are made, used and read back; then every object of the card is asked for."""
    listening = Listening(applet)
    with PivCard(ReaderInProcess(listening)) as card:
        card.make_key(spec, pin=PIN, management_key=MANAGEMENT_KEY)
        card.certificates()
        card.issuer_certificates()
    numbers = applet.keys[SIGNATURE_SLOT].private_numbers()
    size = (applet.keys[SIGNATURE_SLOT].key_size + 7) // 8
    kept = [numbers.d] if spec is KeySpec.RSA2048 else [numbers.private_value]
    for tag in range(0x5FC101, 0x5FC124):
        request = b"\x5c\x03" + tag.to_bytes(3, "big")
        listening.transmit(b"\x00\xcb\x3f\xff" + bytes([len(request)]) + request)
    heard = b"".join(listening.answers)
    assert len(heard) > size
    for number in kept:
        assert number.to_bytes(size, "big") not in heard
        assert number.to_bytes(size, "little") not in heard


class Listening:
    """A card whose answers are kept, payloads in a row."""

    def __init__(self, applet: PivApplet) -> None:
        self.applet = applet
        self.answers: list[bytes] = []

    def transmit(self, command: bytes) -> bytes:
        answer = self.applet.transmit(command)
        self.answers.append(answer[:-2])
        return answer

    def reset(self) -> None:
        self.applet.reset()


@pytest.mark.parametrize(
    ("pin", "key", "refusal"),
    [
        (WRONG, MANAGEMENT_KEY, WrongPIN),
        (PIN, Secret(bytes(16)), WrongManagementKey),
        (PIN, Secret(bytes(24)), WrongManagementKey),
        (PIN, Secret(b""), WrongManagementKey),
        (Secret("12345"), MANAGEMENT_KEY, PINMalformed),
    ],
)
def test_without_pin_and_management_key_nothing_changes(card, applet, made, pin, key, refusal):
    before = (dict(applet.keys), dict(applet.containers))
    with pytest.raises(refusal):
        card.make_key(pin=pin, management_key=key)
    with pytest.raises(refusal):
        card.put_certificate(made.certificate.der, pin=pin, management_key=key)
    assert (applet.keys, applet.containers) == before


def test_a_certificate_of_another_key_is_not_written(card, applet):
    before = dict(applet.containers)
    with pytest.raises(CertificateNotOfCard):
        card.put_certificate(Hierarchy().leaf.der, pin=PIN, management_key=MANAGEMENT_KEY)
    assert applet.containers == before


@pytest.mark.req("HCA-45")
def test_a_card_pulled_at_any_step_of_making_a_key_is_whole_or_has_no_certificate(made):
    """Counted by commands: the card is pulled before each of them, and the counter finishes afterwards."""
    hierarchy, step, is_done = Hierarchy(), 0, False
    while not is_done:
        applet = made.again()
        reader = ReaderInProcess(applet)
        key_before = applet.keys[SIGNATURE_SLOT]
        with PivCard(reader) as card:
            reader.before = _pulling(reader, after=step)
            try:
                card.make_key(KeySpec.P256, pin=PIN, management_key=MANAGEMENT_KEY)
                is_done = True
            except CardRemoved:
                assert not reader.links[-1].is_open
                with pytest.raises(CardNotOpen):
                    card.certificates()
        reader.before = lambda command: None
        reader.insert(applet)
        with PivCard(reader) as card:
            assert (card.certificates() == []) or applet.keys[SIGNATURE_SLOT] is key_before
            csr = verify_csr(
                parse_csr(card.make_key(KeySpec.P256, pin=PIN, management_key=MANAGEMENT_KEY))
            )
            issued = hierarchy.issuing.issue("Card holder", key=PublicOnly(csr.public_key))
            card.put_certificate(issued.der, pin=PIN, management_key=MANAGEMENT_KEY)
            assert [each.der for each in card.certificates()] == [issued.der]
        step += 1
    assert step > 5


def _pulling(reader, *, after):
    left = [after]

    def before(command):
        if left[0] == 0:
            reader.pull()
        left[0] -= 1

    return before


@pytest.mark.req("JPKI-33")
def test_a_locked_card_is_unlocked_by_its_unlock_key(card):
    for _ in range(5):
        with pytest.raises((WrongPIN, PINLocked)):
            card.verify_pin(WRONG)
    with pytest.raises(WrongUnlockKey) as wrong:
        card.unlock(Secret("00000000"), NEW)
    assert wrong.value.public_facts == {"tries_left": 4}
    assert card.tries_left() == 0
    card.unlock(UNLOCK_KEY, NEW)
    assert card.tries_left() == 5
    sign(card, pin=NEW)


def test_the_unlock_key_locks_too(card):
    for _ in range(4):
        with pytest.raises(WrongUnlockKey):
            card.unlock(Secret("00000000"), NEW)
    for key in (Secret("00000000"), UNLOCK_KEY):
        with pytest.raises(UnlockKeyLocked):
            card.unlock(key, NEW)
    card.verify_pin(PIN)


@pytest.mark.req("WAT-57")
@pytest.mark.parametrize("new", ["12345", "12345678901234567", "Pin-2026", "暗証番号六文字"])
def test_a_malformed_pin_reaches_no_card(card, applet, new):
    before = len(applet.commands)
    for ask in (
        lambda: card.verify_pin(Secret(new)),
        lambda: card.change_pin(PIN, Secret(new)),
        lambda: card.unlock(UNLOCK_KEY, Secret(new)),
        lambda: card.make_key(pin=Secret(new), management_key=MANAGEMENT_KEY),
        lambda: card.read_object(CardObject.PHOTO, Secret(new)),
    ):
        with pytest.raises(PINMalformed):
            ask()
    assert len(applet.commands) == before


@pytest.mark.req("WAT-57")
def test_long_pins_of_letters_and_digits(card):
    card.change_pin(PIN, NEW)
    card.verify_pin(NEW)
    card.change_pin(NEW, PIN)
    card.verify_pin(PIN)


@pytest.mark.req("WAT-58")
def test_the_two_keys_have_pins_and_counters_of_their_own(card, reader):
    with pytest.raises(WrongPIN):
        card.verify_pin(WRONG)
    with PivCard(reader, KeyUse.AUTHENTICATION) as other:
        assert other.tries_left() == 5
        other.verify_pin(AUTHENTICATION_PIN)
        with pytest.raises(PINMalformed):
            other.verify_pin(PIN)
        with pytest.raises(CardRequestRefused):
            sign(other, pin=AUTHENTICATION_PIN)
        assert other.certificates()[0].der != card.certificates()[0].der
    assert card.tries_left() == 4


@pytest.mark.req("WAT-58")
@pytest.mark.parametrize("wrong", ["123", "12345", "12a4", "١٢٣٤", ""])
def test_the_authentication_pin_is_four_digits(reader, applet, wrong):
    with PivCard(reader, KeyUse.AUTHENTICATION) as card:
        before = len(applet.commands)
        for ask in (
            lambda: card.verify_pin(Secret(wrong)),
            lambda: card.change_pin(AUTHENTICATION_PIN, Secret(wrong)),
        ):
            with pytest.raises(PINMalformed):
                ask()
        assert len(applet.commands) == before
        card.verify_pin(AUTHENTICATION_PIN)


@pytest.mark.req("JPKI-32")
def test_parallel_guesses_are_counted_exactly(card, applet):
    """Ten threads guess at once over links of their own: four hear how many tries are left, all others "locked"."""
    begin, heard = threading.Barrier(10), []

    def guess():
        with PivCard(ReaderInProcess(applet)) as mine:
            begin.wait()
            try:
                mine.verify_pin(WRONG)
            except WrongPIN as wrong:
                heard.append(wrong.tries_left)
            except PINLocked:
                heard.append(0)

    threads = [threading.Thread(target=guess) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(heard) == [0] * 6 + [1, 2, 3, 4]
    assert card.tries_left() == 0


def test_no_pin_stays_presented(card, reader):
    """Another program that gets at the card afterwards finds no key open."""
    card.verify_pin(PIN)
    sign(card)
    card.read_object(CardObject.PHOTO, PIN)
    with pytest.raises(CardAccessDenied):
        card.read_object(CardObject.PHOTO)


# --- objects ---


@pytest.mark.req("JPKI-36")
def test_the_self_signed_certificate_is_in_the_card(card, made):
    assert card.issuer_certificates() == [made.root, *made.certificate.chain]


def test_objects_have_rules_of_their_own(card, reader):
    for which in CardObject:
        assert card.read_object(which, PIN) is None
        card.write_object(which, b"x" * 3000, management_key=MANAGEMENT_KEY)
        assert card.read_object(which, PIN) == b"x" * 3000
        with pytest.raises(CardAccessDenied):
            card.read_object(which)
        with pytest.raises(WrongManagementKey):
            card.write_object(which, b"y", management_key=Secret(bytes(16)))
    with PivCard(reader, KeyUse.AUTHENTICATION) as other:
        assert other.read_object(CardObject.SURFACE, AUTHENTICATION_PIN) == b"x" * 3000
        with pytest.raises(CardAccessDenied):
            other.read_object(CardObject.PHOTO, AUTHENTICATION_PIN)


# --- foreign and hostile cards ---


class Answering:
    """A card that answers every command alike."""

    def __init__(self, answer: bytes) -> None:
        self.answer = answer

    def transmit(self, command: bytes) -> bytes:
        return self.answer

    def reset(self) -> None:
        pass


@pytest.mark.parametrize("answer", ["6a82", "6d00", "6e00", "6985"])
def test_another_kind_of_card_is_named(answer):
    reader = ReaderInProcess(Answering(bytes.fromhex(answer)))
    card = PivCard(reader)
    with pytest.raises(CardUnknown):
        card.open()
    assert not reader.links[-1].is_open
    with pytest.raises(CardNotOpen):
        card.certificates()


@pytest.mark.parametrize("answer", ["", "90", "9000" * 20000])
def test_answers_of_impossible_length(answer):
    with pytest.raises(CardAnswerMalformed):
        PivCard(ReaderInProcess(Answering(bytes.fromhex(answer)))).open()


@pytest.mark.parametrize(
    "contents",
    [b"\x70", b"\x70\x01\x00\x71\x01\x00\xfe\x00", b"\x71\x01\x00\xfe\x00", b"\x30" * 90],
)
def test_a_container_with_something_else(card, applet, contents):
    applet.containers[SIGNATURE_CERTIFICATE] = contents
    with pytest.raises(CardAnswerMalformed):
        card.certificates()


def test_a_signature_of_another_key_never_leaves(card, applet, made):
    """A foreign card that shows somebody else's certificate: its signature is found wrong before it is handed out."""
    from cryptography.hazmat.primitives.asymmetric import ec

    applet.keys[SIGNATURE_SLOT] = ec.generate_private_key(ec.SECP256R1())
    with pytest.raises(CardAnswerMalformed):
        sign(card)


@pytest.mark.parametrize("step", range(7))
def test_a_card_pulled_at_any_step_of_signing_ends_the_connection(card, reader, step):
    reader.before = _pulling(reader, after=step)
    with pytest.raises(CardRemoved):
        sign(card)
    assert not reader.links[-1].is_open
    with pytest.raises(CardNotOpen):
        card.tries_left()


def test_readers_are_chosen_by_name_or_by_their_only_card():
    one, two = Reader("one", has_card=True), Reader("two", has_card=True)
    empty = Reader("empty", has_card=False)
    assert choose_reader([one, empty], None) == "one"
    assert choose_reader([one, two], "two") == "two"
    with pytest.raises(SeveralCards):
        choose_reader([one, two], None)
    with pytest.raises(NoCard):
        choose_reader([one, empty], "empty")


def test_a_broken_link_is_no_open_card(card, reader):
    reader.applet = PivApplet()
    with pytest.raises(InkanError):
        card.certificates()
    with pytest.raises(CardNotOpen):
        card.certificates()
