"""What the agent does for a page, and what it does for no page."""

import threading

import pytest

from client.card_agent.parts import ORIGIN, Asked, to_sign
from client.card_kinds import AUTHENTICATION_PIN
from client.card_requests import BIND, BYTES, CONTENT, DIGITS, PIN, WRONG, b32, bind_content
from inkan.client.card_agent.dialog import Given, NewPIN
from inkan.crypto import base64url
from inkan.crypto.cms import parse_signed_data
from inkan.kernel.sensitive import Secret
from inkan.wire import card_request, ceremony_approval, enrolment_request
from inkan.wire.card_request import CONTENT_TYPES, CardPurpose

LOGIN = CONTENT_TYPES[CardPurpose.LOGIN]
SUBMISSION = CONTENT_TYPES[CardPurpose.SUBMISSION]
AT = "2026-11-21T12:00:00Z"


def login(origin: str = ORIGIN) -> bytes:
    return card_request.content_bytes(
        card_request.LoginContent(aud=ORIGIN, origin=origin, nonce=b32(1), at=AT)
    )


def form(origin: str = ORIGIN, fields: int = 1) -> bytes:
    made = [
        card_request.FormField(name=f"f{at}", label=f"Label {at}", value="値" * 200)
        for at in range(fields)
    ]
    return card_request.content_bytes(
        card_request.SubmissionContent(
            aud="https://town.example.org",
            origin=origin,
            nonce=b32(1),
            form="moving",
            title="転入届",
            fields=tuple(made),
            at=AT,
        )
    )


def test_a_page_hears_of_agent_readers_certificates_and_tries(page: Asked, personalised) -> None:
    assert page.ask("hello") == {"version": 1, "kind": "use"}
    assert [each["has_card"] for each in page.ask("status")["readers"]] == [True]
    found = page.ask("certificates", key="signature")
    assert found["certificates"] == [base64url.encode(personalised.certificate.der)]
    assert found["issuers"][0] == base64url.encode(personalised.root)
    assert page.ask("tries", key="signature") == {"tries_left": 5}


def test_a_bind_request_is_signed_after_the_dialog_told_everything(page: Asked) -> None:
    cms = base64url.decode(page.ask("sign", **to_sign(BYTES, BIND))["cms"])
    assert parse_signed_data(cms).content == BYTES
    (asked,) = page.dialog.asked
    assert asked.origin == ORIGIN
    assert asked.tries_left == 5
    assert asked.giving is not None
    assert asked.giving.purpose == "bind"
    assert asked.giving.phone_name == CONTENT.phone_name
    assert asked.giving.needs_digits
    assert not any(link.is_open for link in page.reader.links)


def test_a_login_is_signed_by_the_authentication_key_alone(page: Asked) -> None:
    page.dialog.given = Given(pin=AUTHENTICATION_PIN)
    assert "cms" in page.ask("sign", **to_sign(login(), LOGIN, "authentication"))
    assert page.refused("sign", **to_sign(login(), LOGIN)) == "card_request_refused"
    assert page.refused("sign", **to_sign(BYTES, BIND, "authentication")) == "card_request_refused"


def test_a_form_of_many_kilobytes_is_signed(page: Asked) -> None:
    content = form(fields=60)
    assert len(content) > 32 * 1024
    assert "cms" in page.ask("sign", **to_sign(content, SUBMISSION))
    giving = page.dialog.asked[0].giving
    assert giving is not None
    assert len(giving.lines) == 61


@pytest.mark.parametrize(
    "origin", ["https://evil.example.org", "https://id.example.org:444", "null", ""]
)
@pytest.mark.parametrize("command", ["hello", "status", "watch", "sign"])
def test_an_unlisted_origin_gets_nothing(page: Asked, origin: str, command: str) -> None:
    page.origin = origin
    assert page.refused(command) == "card_agent_origin_unlisted"
    assert page.reader.links == []


@pytest.mark.parametrize(
    ("content", "content_type", "key"),
    [
        (login("https://evil.example.org"), LOGIN, "authentication"),
        (form("https://id.example.org.evil.example"), SUBMISSION, "signature"),
        (
            enrolment_request.content_bytes(bind_content(aud="https://other.example.org")),
            BIND,
            "signature",
        ),
        (
            enrolment_request.content_bytes(bind_content(aud="https://id.example.org:444")),
            BIND,
            "signature",
        ),
    ],
)
def test_what_is_another_origins_is_not_even_shown(page: Asked, content, content_type, key) -> None:
    said = page.say("sign", **to_sign(content, content_type, key))
    assert said["refusal"]["code"] == "card_origin_refused"
    assert page.dialog.asked == []
    assert page.ask("tries", key=key) == {"tries_left": 5}


def test_a_ceremony_names_no_origin_and_is_signed_for_no_page(page: Asked) -> None:
    approval = ceremony_approval.CeremonyApproval(
        v=1, type="ceremony", title=ORIGIN, file_sha256=b32(1), at=AT
    )
    content = ceremony_approval.approval_bytes(approval)
    asked = to_sign(content, ceremony_approval.CONTENT_TYPE)
    assert page.refused("sign", **asked) == "card_origin_refused"


def test_a_page_cannot_name_its_origin(page: Asked) -> None:
    members = to_sign(BYTES, BIND) | {"origin": ORIGIN}
    page.origin = "https://evil.example.org"
    assert page.refused("sign", **members) == "card_agent_origin_unlisted"
    page.origin = ORIGIN
    assert page.refused("sign", **members) == "card_agent_malformed"


def test_bytes_that_are_no_request_are_refused_before_the_dialog(page: Asked) -> None:
    for content in (b"{}", BYTES[:-1], BYTES + b" ", b"\x30\x03\x02\x01\x00"):
        assert page.refused("sign", **to_sign(content, BIND)) == "card_request_refused"
    assert page.refused("sign", **to_sign(BYTES, "1.2.3")) == "card_request_refused"
    assert page.dialog.asked == []


def test_wrong_digits_cost_no_try_and_a_wrong_pin_costs_one(page: Asked) -> None:
    page.dialog.given = Given(pin=PIN, digits="00000000")
    assert page.refused("sign", **to_sign(BYTES, BIND)) == "card_digits_mismatch"
    page.dialog.given = Given(pin=Secret("あ" * 6), digits=DIGITS)
    assert page.refused("sign", **to_sign(BYTES, BIND)) == "card_signature_pin_malformed"
    assert page.ask("tries", key="signature") == {"tries_left": 5}
    page.dialog.given = Given(pin=WRONG, digits=DIGITS)
    said = page.say("sign", **to_sign(BYTES, BIND))["refusal"]
    assert said == {"code": "card_wrong_pin", "facts": {"tries_left": 4}}
    assert page.dialog.asked[-1].tries_left == 5


def test_a_locked_card_asks_nobody(page: Asked) -> None:
    page.dialog.given = Given(pin=WRONG, digits=DIGITS)
    for _ in range(5):
        page.say("sign", **to_sign(BYTES, BIND))
    asked = len(page.dialog.asked)
    assert page.refused("sign", **to_sign(BYTES, BIND)) == "card_pin_locked"
    assert page.refused("change_pin", key="signature") == "card_pin_locked"
    assert len(page.dialog.asked) == asked


def test_the_pin_is_changed_in_the_dialog(page: Asked) -> None:
    page.dialog.change = NewPIN(old=PIN, new=Secret("Kasumi2026"))
    assert page.ask("change_pin", key="signature") == {}
    page.dialog.given = Given(pin=Secret("Kasumi2026"), digits=DIGITS)
    assert "cms" in page.ask("sign", **to_sign(BYTES, BIND))


@pytest.mark.req("JPKI-30")
def test_a_guessable_pin_is_refused_whatever_the_dialog_let_through(page: Asked) -> None:
    page.dialog.change = NewPIN(old=PIN, new=Secret("abc123"))
    assert page.say("change_pin", key="signature")["refusal"] == {
        "code": "card_pin_guessable",
        "facts": {},
    }
    assert page.ask("tries", key="signature") == {"tries_left": 5}
    assert "cms" in page.ask("sign", **to_sign(BYTES, BIND))
    (number,) = page.dialog.asked[0].known.numbers
    assert len(number) == 32


def test_one_request_at_a_time_in_one_agent_and_in_two(page: Asked, reader, tmp_path) -> None:
    other = Asked(reader, tmp_path)
    heard: list[str] = []

    def second_page(_ending) -> None:
        heard.append(page.refused("tries", key="signature"))
        heard.append(other.refused("sign", **to_sign(BYTES, BIND)))
        assert "readers" in other.ask("status")

    page.dialog.before = second_page
    assert "cms" in page.ask("sign", **to_sign(BYTES, BIND))
    assert heard == ["card_agent_busy", "card_agent_busy"]
    assert other.dialog.asked == []
    assert "cms" in other.ask("sign", **to_sign(BYTES, BIND))


@pytest.mark.req("HCA-45")
def test_the_card_pulled_out_at_each_command_ends_everything(page: Asked, applet) -> None:
    """Whatever the card was just asked: the request ends with a refusal, and the next one works."""
    at = 0
    while True:
        seen = 0

        def pull(_command, at=at) -> None:
            nonlocal seen
            if seen == at:
                page.reader.pull()
            seen += 1

        page.reader.before = pull
        said = page.say("sign", **to_sign(BYTES, BIND))
        page.reader.before = lambda _command: None
        if page.reader.applet is not None:
            break
        # After the signature only the taking back of the PIN is lost.
        assert "answer" in said or said["refusal"]["code"] in {"card_removed", "card_missing"}
        assert not any(link.is_open for link in page.reader.links)
        page.reader.insert(applet)
        at += 1
    assert at > 8
    assert page.ask("tries", key="signature") == {"tries_left": 5}


@pytest.mark.req("HCA-45")
def test_the_card_pulled_out_ends_the_dialog(page: Asked) -> None:
    def pull(ending) -> None:
        page.reader.pull()
        assert ending.has_ended

    page.dialog.before = pull
    assert page.refused("sign", **to_sign(BYTES, BIND)) == "card_removed"
    assert not any(link.is_open for link in page.reader.links)
    assert page.refused("sign", **to_sign(BYTES, BIND)) == "card_missing"


def test_the_page_that_goes_ends_the_dialog(page: Asked) -> None:
    open_, closed = threading.Event(), threading.Event()

    def wait(ending) -> None:
        ending.closes(closed.set)
        open_.set()
        assert closed.wait(10)

    page.dialog.before = wait
    heard: list[str] = []
    thread = threading.Thread(
        target=lambda: heard.append(page.refused("sign", **to_sign(BYTES, BIND)))
    )
    thread.start()
    assert open_.wait(10)
    page.agent.close()
    thread.join(10)
    assert heard == ["card_request_declined"]
    assert not any(link.is_open for link in page.reader.links)


def test_cards_that_come_and_go_are_told(page: Asked, applet) -> None:
    assert page.ask("watch") == {}
    assert page.ask("watch") == {}
    page.reader.pull()
    page.reader.insert(applet)
    assert [each["event"] for each in page.told] == ["removed", "inserted"]
    page.agent.close()
    page.reader.pull()
    assert len(page.told) == 2


def test_a_lock_that_cannot_be_taken_keeps_nobody_out_for_ever(page: Asked, tmp_path) -> None:
    """The folder of the configuration is gone for a while: refused, and not busy until the program is started anew."""
    aside = tmp_path.rename(tmp_path.with_name("aside"))
    assert page.refused("tries", key="signature") == "client_file_missing"
    aside.rename(tmp_path)
    assert page.ask("tries", key="signature") == {"tries_left": 5}
