"""What a card tells of its holder, and that no PIN is made of it (JPKI-30)."""

from datetime import date

import pytest
from cryptography import x509

from client import card_kinds
from client.card_kinds import UNLOCK_KEY
from client.card_requests import PIN
from inkan.client.card_known import birth_date_in
from inkan.client.guessable_pins import PINGuessable
from inkan.client.piv_card import PivCard
from inkan.client.piv_layout import KeyUse, wrap_certificate
from inkan.crypto import oid_names
from inkan.crypto.certificate_view import Sex
from inkan.crypto.holder_attributes import encode_holder_attributes
from inkan.crypto.keys import KeySpec
from inkan.kernel.sensitive import Secret
from support.card_in_process import ReaderInProcess
from support.piv_applet import SIGNATURE_CERTIFICATE
from support.pki import Hierarchy

BORN = date(1979, 5, 6)
ATTRIBUTES = encode_holder_attributes(BORN, Sex.FEMALE, "東京都千代田区")
HIERARCHY = Hierarchy()


def certificate(value: bytes | None) -> bytes:
    """One with this value of the extension."""
    oid = x509.ObjectIdentifier(oid_names.SUBJECT_DIRECTORY_ATTRIBUTES)
    extra = [] if value is None else [(x509.UnrecognizedExtension(oid, value), False)]
    return HIERARCHY.issuing.issue(extra=extra).der


@pytest.fixture(scope="module")
def made():
    return card_kinds.personalise(KeySpec.P256)


@pytest.fixture
def applet(made):
    applet = made.again()
    applet.containers[SIGNATURE_CERTIFICATE] = wrap_certificate(certificate(ATTRIBUTES))
    return applet


def test_the_birth_date_is_read_where_a_certificate_names_one() -> None:
    assert birth_date_in(certificate(ATTRIBUTES)) == BORN
    assert birth_date_in(certificate(None)) is None


@pytest.mark.parametrize(
    "value",
    [
        b"",
        b"\x30\x00",
        b"\x04\x01x",
        ATTRIBUTES[:-1],
        ATTRIBUTES.replace(b"19790506", b"19790231"),
        ATTRIBUTES.replace(b"\x31\x11\x18", b"\x31\x11\x17"),
    ],
)
def test_what_cannot_be_read_is_not_known(value: bytes) -> None:
    assert birth_date_in(certificate(value)) is None
    assert birth_date_in(value) is None


@pytest.mark.parametrize("use", list(KeyUse))
def test_a_card_tells_it_through_either_key(applet, use: KeyUse) -> None:
    with PivCard(ReaderInProcess(applet), use) as card:
        known = card.known()
        assert (known.birth_date, known.numbers) == (BORN, (card.number(),))


def test_a_card_without_certificate_and_number_tells_nothing(applet) -> None:
    applet.containers.clear()
    with PivCard(ReaderInProcess(applet)) as card:
        assert (card.known().birth_date, card.known().numbers) == (None, ())


@pytest.mark.req("JPKI-30")
@pytest.mark.parametrize("new", ["Wu1979", "x790506y", "S540506", "a680506"])
def test_the_birth_date_in_the_card_is_no_pin_of_it(applet, new: str) -> None:
    with PivCard(ReaderInProcess(applet)) as card:
        for change in (
            lambda: card.change_pin(PIN, Secret(new)),
            lambda: card.unlock(UNLOCK_KEY, Secret(new)),
        ):
            with pytest.raises(PINGuessable):
                change()
        assert card.tries_left() == 5
        card.verify_pin(PIN)


@pytest.mark.req("JPKI-30")
def test_the_head_of_the_cards_number_is_no_pin_of_it(applet) -> None:
    with PivCard(ReaderInProcess(applet), KeyUse.SIGNATURE) as card:
        new = card.number()[:8]
        with pytest.raises(PINGuessable):
            card.unlock(UNLOCK_KEY, Secret(new))
        card.verify_pin(PIN)
