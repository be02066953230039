"""What somebody sent to the verify page, told by its first bytes."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inkan.portal.model import NothingToVerify
from inkan.portal.pages.verify import Sent, recognise


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (b"\x30\x82\x01\x00", Sent.CERTIFICATE),
        (b"  -----BEGIN CERTIFICATE-----", Sent.CERTIFICATE),
        (b"abc.def.ghi\n", Sent.RECEIPT),
        (b' {"v":1,"receipt":"x"}', Sent.EVIDENCE),
        (b'{"record":{},"v":1}', Sent.USE),
    ],
)
def test_each_kind_is_known(data: bytes, kind: Sent) -> None:
    assert recognise(data) is kind


@given(st.one_of(st.binary(max_size=300), st.text('{}[]":,.0eyJ', max_size=300).map(str.encode)))
def test_anything_else_has_one_refusal(data: bytes) -> None:
    with suppress(NothingToVerify):
        assert recognise(data) in Sent
