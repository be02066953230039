"""The dialog by pinentry: what it shows, what it returns, and how it ends without the person."""

import threading
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from client.card_agent.parts import ORIGIN
from inkan.client.card import CardRequestDeclined, Giving
from inkan.client.card_agent.dialog import Ending, Question
from inkan.client.card_agent.pinentry import Pinentry, paged
from inkan.client.card_agent.refusals import DialogUnavailable
from inkan.client.card_agent.words import refused
from inkan.client.guessable_pins import Guess, Known
from inkan.client.piv_layout import KeyUse
from inkan.wire.shown import Language

PHONE = "100% 陳怡君"


def question(**changes) -> Question:
    members = {
        "purpose": "bind",
        "scheme": "tw-citizen",
        "audience": ORIGIN,
        "phone_name": PHONE,
        "needs_digits": True,
    }
    giving = Giving(**members | changes)
    return Question(origin=ORIGIN, key=KeyUse.SIGNATURE, tries_left=4, giving=giving)


@pytest.mark.parametrize("language", list(Language))
def test_the_person_reads_who_asks_and_what_for_then_types(pinentry, language) -> None:
    pinentry.type("1234 5678", "Kasumi%2026")
    given_ = Pinentry([str(pinentry.program)], language).ask(question(), Ending())
    assert (given_.digits, given_.pin.reveal()) == ("12345678", "Kasumi%2026")
    for told in (ORIGIN, PHONE, "tw-citizen", "4"):
        assert told in pinentry.shown
    assert pinentry.told.count("GETPIN") == 2


def test_a_login_asks_for_no_digits_and_warns_at_the_last_try(pinentry) -> None:
    pinentry.type("1357")
    asked = Question(
        origin=ORIGIN,
        key=KeyUse.AUTHENTICATION,
        tries_left=1,
        giving=question(purpose="card_login", needs_digits=False, phone_name=None).giving,
    )
    found = Pinentry([str(pinentry.program)]).ask(asked, Ending())
    assert (found.digits, found.pin.reveal()) == ("", "1357")
    assert "last try" in pinentry.shown
    assert "4 digits" in pinentry.shown


def test_a_long_form_is_shown_page_by_page_and_wholly(pinentry) -> None:
    lines = (("form", "転入届"), *((f"Label {at}", "値%" * 150) for at in range(12)))
    pinentry.type(*["next"] * 40)
    Pinentry([str(pinentry.program)]).ask(
        question(purpose="submission", needs_digits=False, lines=lines), Ending()
    )
    assert pinentry.told.count("CONFIRM") > 5
    shown = "".join(pinentry.shown.split("\n"))
    assert shown.count("値%") == 12 * 150
    assert all(len(line.encode()) < 1000 for line in pinentry.told)


def test_a_page_that_is_declined_asks_for_no_pin(pinentry) -> None:
    pinentry.type("next", "!cancel")
    lines = tuple((f"Label {at}", "x" * 300) for at in range(8))
    with pytest.raises(CardRequestDeclined):
        Pinentry([str(pinentry.program)]).ask(
            question(purpose="submission", needs_digits=False, lines=lines), Ending()
        )
    assert "GETPIN" not in pinentry.told


def test_the_new_pin_is_typed_twice_alike(pinentry) -> None:
    pinentry.type("Old123", "New123", "New124", "New125", "New125")
    asked = Question(origin=ORIGIN, key=KeyUse.SIGNATURE, tries_left=5)
    found = Pinentry([str(pinentry.program)]).ask_change(asked, Ending())
    assert (found.old.reveal(), found.new.reveal()) == ("Old123", "New125")
    assert any(line.startswith("SETERROR") for line in pinentry.told)


@pytest.mark.req("JPKI-30")
@pytest.mark.parametrize("language", list(Language))
def test_a_guessable_pin_is_asked_for_again_with_the_reason(pinentry, language) -> None:
    typed = ("Old123", "qwerty", "Wu1979", "x4071886y", "New125", "New125")
    pinentry.type(*typed)
    known = Known(birth_date=date(1979, 5, 6), numbers=("4071886",))
    asked = Question(origin=ORIGIN, key=KeyUse.SIGNATURE, tries_left=5, known=known)
    found = Pinentry([str(pinentry.program)], language).ask_change(asked, Ending())
    assert (found.old.reveal(), found.new.reveal()) == ("Old123", "New125")
    said = [line.removeprefix("SETERROR ") for line in pinentry.told if "SETERROR" in line]
    wanted = (Guess.KEYBOARD, Guess.BIRTH_DATE, Guess.NUMBER)
    assert said == [refused(each, language) for each in wanted]
    assert not any(pin in line for line in pinentry.told for pin in typed)


@pytest.mark.parametrize("answers", [("!cancel",), ("12345678", "!cancel")])
def test_the_person_says_no(pinentry, answers) -> None:
    pinentry.type(*answers)
    with pytest.raises(CardRequestDeclined):
        Pinentry([str(pinentry.program)]).ask(question(), Ending())


@pytest.mark.parametrize("answer", ["!die", "!junk"])
def test_a_program_that_fails_is_said_to(pinentry, answer) -> None:
    pinentry.type(answer)
    with pytest.raises(DialogUnavailable):
        Pinentry([str(pinentry.program)]).ask(question(), Ending())


@pytest.mark.parametrize("program", ["/nowhere/pinentry", "/bin/true", "/bin/cat"])
def test_a_program_that_is_none_is_said_to(program) -> None:
    ending = Ending()
    timer = threading.Timer(0.5, ending.end)
    timer.start()
    # Of cat nothing is ever heard: there the ending comes first.
    with pytest.raises((DialogUnavailable, CardRequestDeclined)):
        Pinentry([program]).ask(question(), ending)
    timer.cancel()


def test_the_ending_closes_the_window_that_is_open(pinentry) -> None:
    pinentry.type("12345678", "!wait")
    ending = Ending()
    heard: list[Exception] = []

    def ask() -> None:
        try:
            Pinentry([str(pinentry.program)]).ask(question(), ending)
        except CardRequestDeclined as declined:
            heard.append(declined)

    thread = threading.Thread(target=ask)
    thread.start()
    while pinentry.told.count("GETPIN") < 2:
        thread.join(0.01)
    ending.end()
    thread.join(10)
    assert len(heard) == 1


def test_a_window_that_comes_after_the_ending_is_closed_at_once(pinentry) -> None:
    pinentry.type("!wait")
    ending = Ending()
    ending.end()
    with pytest.raises(CardRequestDeclined):
        Pinentry([str(pinentry.program)]).ask(question(), ending)
    assert "GETPIN" not in pinentry.told


@given(
    st.lists(
        st.text(st.characters(codec="utf-8", exclude_characters="\n\r"), max_size=200), max_size=8
    )
)
def test_pages_leave_nothing_out(lines: list[str]) -> None:
    pages = paged(lines, 60)
    assert "".join(pages).replace("\n", "") == "".join(lines)
    for page in pages:
        assert len(page.replace("%", "%25").replace("\n", "%0A").encode()) <= 60
