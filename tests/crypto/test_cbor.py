"""The small CBOR reader against cbor2: it reads what cbor2 writes canonically, and nothing that cbor2 refuses."""

import cbor2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from inkan.crypto.cbor import MAX_DEPTH, CBORMalformed, read, read_at

NAMES = st.one_of(st.integers(-(2**64), 2**64 - 1), st.text(max_size=10))
VALUES = st.recursive(
    st.one_of(
        st.integers(-(2**64), 2**64 - 1),
        st.binary(max_size=300),
        st.text(max_size=30),
        st.booleans(),
        st.none(),
    ),
    lambda inner: st.one_of(st.lists(inner, max_size=5), st.dictionaries(NAMES, inner, max_size=5)),
    max_leaves=20,
)


@given(VALUES)
def test_what_cbor2_writes_is_read(value):
    data = cbor2.dumps(value, canonical=True)
    if depth(value) > MAX_DEPTH:
        with pytest.raises(CBORMalformed, match="nested"):
            read(data)
    else:
        assert read(data) == value


def depth(value) -> int:
    if isinstance(value, dict):
        value = list(value.values())
    if not isinstance(value, list):
        return 0
    return 1 + max(map(depth, value), default=-1 if not value else 0)


@given(st.binary(max_size=60))
def test_what_is_read_is_what_cbor2_reads(data):
    try:
        value = read(data)
    except CBORMalformed:
        return
    assert cbor2.loads(data) == value


BAD = {
    "empty": "",
    "trailing": "0102",
    "break": "ff",
    "truncated argument": "19 01",
    "truncated bytes": "42 00",
    "huge bytes": "5b 7fffffffffffffff",
    "huge array": "9b 7fffffffffffffff",
    "huge map": "bb 7fffffffffffffff",
    "one byte for a small number": "18 17",
    "two bytes for a small number": "19 00ff",
    "four bytes for a small number": "1a 0000ffff",
    "eight bytes for a small number": "1b 00000000ffffffff",
    "indefinite bytes": "5f 41 00 ff",
    "indefinite array": "9f 01 ff",
    "indefinite map": "bf 01 02 ff",
    "reserved argument": "1c",
    "tag": "c0 61 30",
    "float": "fb 3ff0000000000000",
    "half float": "f9 3c00",
    "undefined": "f7",
    "simple 255": "f8 ff",
    "false in two bytes": "f8 14",
    "duplicate name": "a2 01 02 01 03",
    "name that is bytes": "a1 41 00 01",
    "name that is a boolean": "a1 f5 01",
    "name that is an array": "a1 80 01",
    "text that is not UTF-8": "61 ff",
}


@pytest.mark.parametrize("data", BAD.values(), ids=BAD.keys())
def test_everything_else_is_refused(data):
    with pytest.raises(CBORMalformed):
        read(bytes.fromhex(data))


def test_the_depth_is_bounded():
    assert read(b"\x81" * MAX_DEPTH + b"\x01")
    for data in (b"\x81" * (MAX_DEPTH + 1) + b"\x01", b"\xa1" * 100000):
        with pytest.raises(CBORMalformed):
            read(data)


def test_a_value_may_stand_inside_other_bytes():
    assert read_at(b"xx\x18\x64yy", 2) == (100, 4)
