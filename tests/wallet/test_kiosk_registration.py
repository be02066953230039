"""Binding at a kiosk in JavaScript: key, challenge and code are those of the Python side and of the standard."""

import pytest
import segno
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from inkan.crypto import base64url
from inkan.wire.registration_key import number_challenge, spell_key
from support.node import Node, NodeError

SHARED = settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
LETTERS = "7TZBJPKFBMN5FMGT29WFA3W7WKABC"
# Where the text and its end fill whole codewords, segno writes one zero codeword that the standard does not ask for
# (ISO/IEC 18004 §7.4.9): readers take both, and the two differ.
FULL = {7, 10, 23, 26}
NONCE = base64url.encode(b"n" * 32)


@SHARED
@given(key=st.binary(min_size=16, max_size=16))
def test_a_key_is_spelt_as_the_kiosk_reads_it(node: Node, key: bytes) -> None:
    assert node.call("kiosk_registration", "spellKey", key) == spell_key(key)


@SHARED
@given(number=st.from_regex(r"[0-9]{6}", fullmatch=True))
def test_a_number_is_signed_for_as_the_platform_expects(node: Node, number: str) -> None:
    challenge = node.call("kiosk_registration", "numberChallenge", NONCE, number)
    assert challenge == number_challenge(NONCE, number)


@pytest.mark.parametrize("number", ["", "12345", "1234567", "12a456", "１２３４５６"])
def test_what_is_no_number_is_not_signed_for(node: Node, number: str) -> None:
    with pytest.raises(NodeError):
        node.call("kiosk_registration", "numberChallenge", NONCE, number)


@pytest.mark.parametrize("length", sorted(set(range(1, 30)) - FULL))
def test_the_code_is_the_one_of_another_implementation(node: Node, length: int) -> None:
    drawn = node.call("registration_code", "drawModules", LETTERS[:length])
    expected = segno.make_qr(
        LETTERS[:length],
        version=2,
        error="q",
        mask=0,
        boost_error=False,
        mode="alphanumeric",
    )
    assert [[int(dark) for dark in row] for row in drawn] == [list(row) for row in expected.matrix]


@pytest.mark.parametrize("text", ["a" * 26, "A" * 30, "ア"])
def test_what_the_code_cannot_hold_is_not_drawn(node: Node, text: str) -> None:
    with pytest.raises(NodeError):
        node.call("registration_code", "drawModules", text)


def test_the_code_has_its_quiet_zone(node: Node) -> None:
    drawn = node.call("registration_code", "drawPath", LETTERS[:26])
    assert drawn["size"] == 25 + 8
    assert drawn["path"].startswith("M4 4h1v1h-1z")
