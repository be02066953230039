"""Values one inside the other are written as they would be one by one."""

from hypothesis import given
from hypothesis import strategies as st

from inkan.crypto import der_writer as der

TAGS = st.sampled_from([der.SEQUENCE, der.OCTET_STRING, 0xA0])
PIECES = st.binary(max_size=300)


@given(st.lists(st.tuples(TAGS, PIECES), min_size=1, max_size=6), st.lists(PIECES, max_size=3))
def test_nested_values(layers: list[tuple[int, bytes]], parts: list[bytes]) -> None:
    inner = b"".join(parts)
    for tag, before in reversed(layers):
        inner = der.value(tag, before, inner)
    assert der.nested(layers, *parts) == inner
