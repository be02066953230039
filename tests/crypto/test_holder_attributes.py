"""Birth date, sex and address in a certificate: one encoding, read back by another library, and refusals."""

import contextlib
from datetime import UTC, date, datetime

import pytest
from asn1crypto import core
from hypothesis import given
from hypothesis import strategies as st

from inkan.crypto import oid_names
from inkan.crypto.certificate_view import Sex
from inkan.crypto.holder_attributes import (
    HolderAttributesMalformed,
    encode_holder_attributes,
    join_lines,
    read_holder_attributes,
)
from inkan.crypto.workers.extension_reader import directory_attributes
from inkan.kernel.errors import Malformed

BORN = date(1988, 3, 14)
VISIBLE = st.characters(exclude_categories=("Cc", "Cf", "Cs", "Cn", "Co", "Zl", "Zp"))
ADDRESSES = st.text(VISIBLE, min_size=1, max_size=180).filter(lambda text: text == text.strip())


def test_the_facts_have_one_encoding() -> None:
    assert encode_holder_attributes(BORN, Sex.FEMALE, "東京都").hex() == "3046" + "".join(
        (
            "301d06082b060105050709013111180f" + b"19880314120000Z".hex(),
            "300f06082b06010505070903310313" + "01" + b"F".hex(),
            "30140603550410310d300b0c09" + "東京都".encode().hex(),
        )
    )


def test_an_unstated_sex_is_left_out() -> None:
    found = dict(directory_attributes(encode_holder_attributes(BORN, Sex.UNSTATED, "東京都")))
    assert found == {oid_names.DATE_OF_BIRTH: "19880314", oid_names.POSTAL_ADDRESS: "東京都"}


@given(st.dates(min_value=date(1850, 1, 1)), st.sampled_from(["male", "female"]), ADDRESSES)
def test_what_is_written_is_read_back(born: date, sex: str, address: str) -> None:
    value = encode_holder_attributes(born, Sex(sex), address)
    assert list(directory_attributes(value)) == [
        (oid_names.DATE_OF_BIRTH, f"{born:%Y%m%d}"),
        (oid_names.GENDER, sex[0].upper()),
        (oid_names.POSTAL_ADDRESS, address),
    ]


def test_the_birth_date_is_noon_so_that_no_zone_moves_it() -> None:
    value = encode_holder_attributes(BORN, Sex.MALE, "東京都")
    noon = core.GeneralizedTime(datetime(1988, 3, 14, 12, tzinfo=UTC)).dump()
    assert noon in value


@pytest.mark.parametrize(
    "address", ["", " ", "東京都 ", "x" * 181, "東京\u202e都", "東京\n都", "東\ud800"]
)
def test_an_address_that_no_certificate_holds(address: str) -> None:
    with pytest.raises(HolderAttributesMalformed) as caught:
        encode_holder_attributes(BORN, Sex.MALE, address)
    assert caught.value.facts == {"where": "address"}


def test_lines_of_strangers_are_parted_by_blanks() -> None:
    assert join_lines(["1 Main Street", "Springfield"]) == "1 Main Street Springfield"
    assert join_lines(["x" * 30, "yz"]) == "x" * 30 + "yz"


@given(st.dates(min_value=date(1850, 1, 1)), st.sampled_from(list(Sex)), ADDRESSES)
def test_the_birth_date_is_read_without_the_workers(born: date, sex: Sex, address: str) -> None:
    assert read_holder_attributes(encode_holder_attributes(born, sex, address)) == (born, address)


@given(st.binary(max_size=80))
def test_other_bytes_are_refused_or_hold_no_date(data: bytes) -> None:
    with contextlib.suppress(Malformed):
        assert read_holder_attributes(data) == (None, None)


@given(st.integers(0, 60), st.integers(0, 255))
def test_bent_bytes_are_refused_or_read(at: int, octet: int) -> None:
    good = bytearray(encode_holder_attributes(BORN, Sex.FEMALE, "東京都"))
    good[at] = octet
    with contextlib.suppress(Malformed):
        read_holder_attributes(bytes(good))
