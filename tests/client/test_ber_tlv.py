"""BER-TLV: what is written is read back, and what a card sends is refused by name, never by accident."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inkan.client import ber_tlv
from inkan.client.card_refusals import CardAnswerMalformed

TAGS = st.sampled_from([0x53, 0x70, 0x7C, 0x5C, 0x7F49, 0x5F2F, 0x5FC10A])
OBJECTS = st.lists(st.tuples(TAGS, st.binary(max_size=300)), max_size=4)


@given(OBJECTS)
def test_what_is_written_is_read(objects):
    data = b"".join(ber_tlv.write(tag, value) for tag, value in objects)
    assert ber_tlv.read_all(data) == objects


@given(st.binary(max_size=64))
def test_anything_is_read_or_refused(data):
    try:
        objects = ber_tlv.read_all(data)
    except CardAnswerMalformed:
        return
    assert b"".join(ber_tlv.write(*each) for each in objects) == data


@given(OBJECTS.filter(bool), st.integers(min_value=1))
def test_a_part_is_never_the_whole(objects, cut):
    data = b"".join(ber_tlv.write(tag, value) for tag, value in objects)
    part = data[: len(data) - 1 - cut % len(data)]
    with contextlib.suppress(CardAnswerMalformed):
        assert ber_tlv.read_all(part) == objects[: len(ber_tlv.read_all(part))]


@pytest.mark.parametrize(
    "data",
    [
        "53",
        "5381",
        "538101",
        "53810100",
        "5382007f00",
        "5380",
        "5383000100",
        "1f",
        "1f818181",
        "5f",
    ],
)
def test_lengths_have_one_form(data):
    with pytest.raises(CardAnswerMalformed):
        ber_tlv.read_all(bytes.fromhex(data))


def test_one_object_is_one():
    with pytest.raises(CardAnswerMalformed):
        ber_tlv.read_one(ber_tlv.write(0x53) * 2, 0x53)
    with pytest.raises(CardAnswerMalformed):
        ber_tlv.find(ber_tlv.read_all(ber_tlv.write(0x53) * 2), 0x53)
    with pytest.raises(CardAnswerMalformed):
        ber_tlv.read_one(ber_tlv.write(0x70), 0x53)
