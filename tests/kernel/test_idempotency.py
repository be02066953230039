"""An Idempotency-Key is 16 to 64 visible ASCII characters, or there is none."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inkan.kernel.idempotency import IdempotencyKeyMissing, verify_idempotency_key


@given(st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), min_size=16, max_size=64))
def test_visible_characters_are_a_key(key: str) -> None:
    assert verify_idempotency_key(key) == key


@pytest.mark.parametrize(
    "key",
    [None, "", "x" * 15, "x" * 65, "x" * 16 + "\n", "a key with blanks", "鍵" * 16, "\x7f" * 16],
)
def test_everything_else_is_none(key: str | None) -> None:
    with pytest.raises(IdempotencyKeyMissing):
        verify_idempotency_key(key)
