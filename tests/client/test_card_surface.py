"""Two paths to what stands on a card: each opens by its own key, and only one of them ever meets a My Number."""

from datetime import timedelta

import pytest

from inkan.client import ber_tlv, card_surface
from inkan.client.ber_tlv import write
from inkan.client.card import NoCard
from inkan.client.card_refusals import CardAccessDenied, CardAnswerMalformed
from inkan.client.card_surface import (
    WAYS,
    Content,
    DataKeyLocked,
    DataKeyWrong,
    EntitledData,
    Entitlement,
    FaceDigitsMalformed,
    NotEntitled,
    OpenData,
    Way,
    read_face_digits,
)
from inkan.client.piv import Piv
from inkan.kernel.identifiers import MyNumberMalformed, parse_my_number
from inkan.kernel.sensitive import Secret
from support.card_in_process import ReaderInProcess
from support.clock import StandingClock
from support.piv_applet import Counted, PivApplet, Refused

NUMBER, FACE, PIN = "123456789018", "88031420301234", "4821"
KEYS = {
    Way.SURFACE_BY_NUMBER: NUMBER,
    Way.SURFACE_BY_FACE: FACE,
    Way.ASSIST_BY_PIN: PIN,
    Way.ASSIST_BY_NUMBER: NUMBER,
    Way.ASSIST_BY_FACE: FACE,
}
TEXTS = {0xD1: "番号花子", 0xD2: "東京都千代田区霞が関1-1", 0xD3: "19880314", 0xD4: "2"}


def signed(data: bytes) -> bytes:
    return write(0xC1, data) + write(0xC2, b"signature of the issuer")


class SurfaceCard(PivApplet):
    """The test card with surface and input-assist data: each key opens the containers of its row."""

    def __init__(self, texts=TEXTS) -> None:
        super().__init__()
        self.data_keys = {WAYS[way].reference: Counted(key.encode()) for way, key in KEYS.items()}
        attributes = b"".join(write(tag, text.encode()) for tag, text in texts.items())
        self.data = {
            0x5FFF11: b"front" * 300,
            0x5FFF12: b"back" * 300,
            0x5FFF13: signed(attributes),
            0x5FFF14: signed(NUMBER.encode()),
        }
        self.opens = {row.reference: set(row.containers.values()) for row in WAYS.values()}
        self.asked: list[int] = []
        self.forgotten: list[int] = []

    def _answer(self, command: bytes) -> bytes:
        ins, p1, p2, data = command[1], command[2], command[3], command[5:]
        if ins == 0x20 and p2 in self.data_keys:
            self.asked.append(p2)
            self._session.verified.discard(p2)
            if p1 == 0xFF:
                self.forgotten.append(p2)
            else:
                self.data_keys[p2].present(data[: command[4]].rstrip(b"\xff"))
                self._session.verified.add(p2)
            return b"\x90\x00"
        if ins == 0xCB and (tag := int.from_bytes(data[2:5], "big")) in self.data:
            if not any(tag in self.opens.get(each, ()) for each in self._session.verified):
                raise Refused(0x6982)
            self._session.pending = write(0x53, self.data[tag])
            return self._more(256)
        return super()._answer(command)


@pytest.fixture
def card() -> SurfaceCard:
    return SurfaceCard()


@pytest.fixture
def open_data(card) -> OpenData:
    return OpenData(ReaderInProcess(card))


@pytest.fixture
def entitled(card) -> EntitledData:
    clock = StandingClock()
    entitlement = Entitlement(
        organisation="pension-office", basis="§9", until=clock.now() + timedelta(days=1)
    )
    return EntitledData(ReaderInProcess(card), entitlement, clock=clock)


@pytest.mark.req("WAT-60")
def test_the_front_opens_by_fourteen_digits_and_both_sides_by_the_number(
    open_data, entitled
) -> None:
    assert open_data.front(read_face_digits(FACE)).reveal() == b"front" * 300
    front, back = entitled.sides(parse_my_number(NUMBER))
    assert (front.reveal(), back.reveal()) == (b"front" * 300, b"back" * 300)


@pytest.mark.req("WAT-61")
def test_text_data_by_pin_by_number_and_by_face(open_data, entitled) -> None:
    found = open_data.attributes(read_face_digits(FACE))
    assert [found.name.reveal(), found.sex.reveal()] == ["番号花子", "2"]
    assert (found.birth_date.reveal(), found.signature) == ("19880314", b"signature of the issuer")
    assert entitled.number(parse_my_number(NUMBER)).number.reveal() == NUMBER
    attributes, certified = entitled.all(Secret(PIN))
    assert attributes.address.reveal() == TEXTS[0xD2]
    assert (certified.number.reveal(), certified.signature) == (NUMBER, b"signature of the issuer")


@pytest.mark.req("WAT-62")
def test_the_open_path_presents_no_key_of_the_other_and_meets_no_number(card, open_data) -> None:
    seen: list[bytes] = []
    transmit = card.transmit

    def watched(command: bytes) -> bytes:
        answer = transmit(command)
        seen.append(command + answer)
        return answer

    card.transmit = watched
    open_data.front(read_face_digits(FACE))
    open_data.attributes(read_face_digits(FACE))
    allowed = {row.reference for row in WAYS.values() if not row.is_entitled}
    assert set(card.asked) == allowed
    assert NUMBER.encode() not in b"".join(seen)


@pytest.mark.req("WAT-62")
def test_the_card_keeps_the_paths_apart_itself(card) -> None:
    """Whatever a program asks: a key of the open path opens neither the back nor the number."""
    open_rows = [row for row in WAYS.values() if not row.is_entitled]
    closed = {0x5FFF12, 0x5FFF14}
    assert all(not closed & set(row.containers.values()) for row in open_rows)
    for way in (Way.SURFACE_BY_FACE, Way.ASSIST_BY_FACE):
        link = ReaderInProcess(card).connect("Reader in this process")
        piv = Piv(link)
        piv.select()
        piv.verify(WAYS[way].reference, Secret(FACE))
        for container in closed:
            with pytest.raises(CardAccessDenied):
                piv.get_data(container)
        link.close()


@pytest.mark.req("WAT-62")
def test_an_entitlement_that_has_ended_opens_nothing(card, entitled) -> None:
    entitled._clock.advance(timedelta(days=2))
    for read in (
        lambda: entitled.sides(parse_my_number(NUMBER)),
        lambda: entitled.number(parse_my_number(NUMBER)),
        lambda: entitled.all(Secret(PIN)),
    ):
        with pytest.raises(NotEntitled):
            read()
    assert card.asked == []


@pytest.mark.req("WAT-62")
def test_a_number_in_the_wrong_place_is_not_passed_on() -> None:
    for tag in TEXTS:
        card = SurfaceCard(TEXTS | {tag: f"x {NUMBER} x"})
        with pytest.raises(CardAnswerMalformed) as refused:
            OpenData(ReaderInProcess(card)).attributes(read_face_digits(FACE))
        assert NUMBER not in f"{refused.value} {refused.value.facts}"


def test_nothing_that_was_read_prints(open_data, entitled) -> None:
    shown = repr(open_data.attributes(read_face_digits(FACE))) + repr(entitled.all(Secret(PIN)))
    assert NUMBER not in shown
    assert "花子" not in shown
    with pytest.raises(TypeError):
        f"{parse_my_number(NUMBER)}"


def test_wrong_digits_are_counted_and_lock(card, open_data) -> None:
    wrong = read_face_digits("0" * 14)
    for left in (4, 3, 2, 1):
        with pytest.raises(DataKeyWrong) as refused:
            open_data.front(wrong)
        assert refused.value.public_facts == {"tries_left": left}
    for _ in range(2):
        with pytest.raises(DataKeyLocked):
            open_data.front(wrong)
    assert open_data.attributes(read_face_digits(FACE)).sex.reveal() == "2", "a counter of its own"


@pytest.mark.parametrize("text", ["", "1" * 13, "1" * 15, "１" * 14, NUMBER, "8803142030123a"])
def test_the_face_has_fourteen_digits(text) -> None:
    with pytest.raises(FaceDigitsMalformed):
        read_face_digits(text)


@pytest.mark.parametrize("text", ["", "123456789012", "12345678901８", "1" * 13, "x"])
def test_a_number_has_its_check_digit(text) -> None:
    with pytest.raises(MyNumberMalformed) as refused:
        parse_my_number(text)
    assert not text or text not in str(refused.value)


def test_a_pin_of_another_form_costs_no_try(card, entitled) -> None:
    for text in ("", "123", "12345", "abcd"):
        with pytest.raises(FaceDigitsMalformed):
            entitled.all(Secret(text))
    assert card.asked == []


def test_a_key_does_not_stay_presented(card, open_data) -> None:
    open_data.front(read_face_digits(FACE))
    assert card.forgotten == [WAYS[Way.SURFACE_BY_FACE].reference]
    assert not card._session.verified


@pytest.mark.parametrize("contents", [b"", b"\xc1", signed(b"\xd1\x01\xff"), signed(b""), b"\x00"])
def test_data_of_any_other_form_is_refused(card, open_data, entitled, contents) -> None:
    card.data[0x5FFF13] = card.data[0x5FFF14] = contents
    for read in (
        lambda: open_data.attributes(read_face_digits(FACE)),
        lambda: entitled.number(parse_my_number(NUMBER)),
    ):
        with pytest.raises((CardAnswerMalformed, ber_tlv.CardAnswerMalformed)):
            read()


def test_an_empty_reader_is_said() -> None:
    with pytest.raises(NoCard):
        OpenData(ReaderInProcess()).front(read_face_digits(FACE))


def test_the_table_is_whole() -> None:
    assert {each for row in WAYS.values() for each in row.containers} == set(Content)
    assert len({row.reference for row in WAYS.values()}) == len(WAYS)
    for way, row in card_surface.WAYS.items():
        meets = {Content.BACK, Content.NUMBER} & set(row.containers)
        assert bool(meets) == row.is_entitled, way
