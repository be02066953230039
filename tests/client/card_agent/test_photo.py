"""The photo in a card (WAT-50): its hash goes to a kiosk's page, with a registration and the PIN, and to nobody else."""

import hashlib

import pytest

from client.card_agent.parts import KIOSK, ORIGIN, Asked, to_sign
from client.card_kinds import MANAGEMENT_KEY
from client.card_requests import BIND, BYTES, bind_content
from client.card_requests import PIN as CARD_PIN
from inkan.client.card_agent.commands import CardAgent
from inkan.client.card_agent.configuration import Configuration, load, text
from inkan.client.card_agent.dialog import Given
from inkan.client.card_agent.refusals import AgentConfigurationUnsafe
from inkan.client.card_agent.words import WORDS, Word, describe
from inkan.client.durable_file import FileLock
from inkan.client.piv_card import PivCard
from inkan.client.piv_layout import CardObject
from inkan.crypto import base64url
from inkan.kernel.sensitive import Secret
from inkan.wire import card_request, enrolment_request
from inkan.wire.card_request import CONTENT_TYPES, CardPurpose
from inkan.wire.shown import Language

PICTURE = b"\xff\xd8\xff\xe0" + bytes(range(256)) * 40
CONTENT = bind_content(aud=KIOSK)
HERE = enrolment_request.content_bytes(CONTENT)
DIGITS_HERE = enrolment_request.pairing_digits(CONTENT)


@pytest.fixture
def with_photo(page: Asked) -> Asked:
    with PivCard(page.reader) as card:
        card.write_object(CardObject.PHOTO, PICTURE, management_key=MANAGEMENT_KEY)
    page.origin = KIOSK
    page.dialog.given = Given(pin=CARD_PIN, digits=DIGITS_HERE)
    return page


def asked_for(content: bytes = HERE) -> dict[str, object]:
    return {**to_sign(content, BIND), "photo": True}


@pytest.mark.req("WAT-50")
def test_a_kiosk_gets_the_hash_of_the_photo_and_not_the_photo(with_photo: Asked) -> None:
    answer = with_photo.ask("sign", **asked_for())
    assert base64url.decode(answer["photo_sha256"]) == hashlib.sha256(PICTURE).digest()
    assert set(answer) == {"cms", "photo_sha256"}
    (asked,) = with_photo.dialog.asked
    assert asked.photo
    for language in Language:
        assert WORDS[Word.PHOTO][language] in describe(asked, language)


@pytest.mark.req("WAT-50")
def test_without_its_pin_the_card_gives_no_photo(with_photo: Asked) -> None:
    with_photo.dialog.given = Given(pin=Secret("000000"), digits=with_photo.dialog.given.digits)
    assert with_photo.refused("sign", **asked_for()) == "card_wrong_pin"


def test_a_card_without_a_photo_signs_all_the_same(page: Asked, with_photo: Asked, applet) -> None:
    del applet.containers[0x5FC108]
    assert set(with_photo.ask("sign", **asked_for())) == {"cms"}


def test_who_does_not_ask_hears_nothing_of_it(with_photo: Asked) -> None:
    assert set(with_photo.ask("sign", **to_sign(HERE, BIND))) == {"cms"}
    assert not with_photo.dialog.asked[0].photo


@pytest.mark.req("WAT-50")
def test_a_page_that_is_no_kiosks_is_refused_before_the_dialog(with_photo: Asked) -> None:
    with_photo.origin = ORIGIN
    assert with_photo.refused("sign", **asked_for(BYTES)) == "card_photo_refused"
    assert with_photo.dialog.asked == []


def test_only_a_registration_brings_the_photo_along(with_photo: Asked) -> None:
    content = card_request.content_bytes(
        card_request.LoginContent(
            aud=KIOSK, origin=KIOSK, nonce="A" * 43, at="2026-11-21T12:00:00Z"
        )
    )
    members = to_sign(content, CONTENT_TYPES[CardPurpose.LOGIN], "authentication")
    assert with_photo.refused("sign", **members, photo=True) == "card_photo_refused"
    assert with_photo.dialog.asked == []


def test_kiosks_stand_in_the_configuration_and_are_none_by_default(tmp_path) -> None:
    path = tmp_path / "card-agent.toml"
    made = Configuration(origins=(ORIGIN, KIOSK), kiosks=(KIOSK,))
    path.write_text(text(made))
    path.chmod(0o600)
    assert load(path) == made
    assert Configuration(origins=(ORIGIN,)).kiosks == ()
    with pytest.raises(AgentConfigurationUnsafe):
        text(Configuration(origins=(ORIGIN,), kiosks=(KIOSK,)))


def test_the_agent_uses_the_kind_of_card_that_it_is_given(page: Asked, tmp_path) -> None:
    """How an integrator plugs another applet or a module in (docs/cards.md)."""
    made = []

    def make(readers, key):
        made.append(key)
        return PivCard(readers, key)

    page.agent = CardAgent(
        readers=lambda: page.reader,
        dialog=page.dialog,
        origins=[ORIGIN],
        lock=FileLock(tmp_path / "another"),
        cards=make,
    )
    assert page.ask("tries", key="signature") == {"tries_left": 5}
    assert [key.value for key in made] == ["signature"]
