"""Shares: any m of n give the secret back, fewer give nothing, and a slip of the pen is told."""

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inkan.crypto.secret_shares import ShareMalformed, SharesMissing, combine, split
from inkan.kernel.ids import random_bytes
from inkan.kernel.sensitive import Secret

SECRET = Secret(bytes(range(32)))


@pytest.mark.req("HCA-34")
def test_any_three_of_five_open_it() -> None:
    shares = split(SECRET, needed=3, count=5)
    assert len(shares) == 5
    for chosen in itertools.permutations(shares, 3):
        assert combine(chosen).reveal() == SECRET.reveal()


def test_two_of_five_do_not_and_neither_does_one_twice() -> None:
    first, second, *_ = split(SECRET, needed=3, count=5)
    for given_ in ([first, second], [first, first, second], [first], []):
        with pytest.raises(SharesMissing):
            combine(given_)


def test_more_than_needed_open_it_too() -> None:
    assert combine(split(SECRET, needed=2, count=4)).reveal() == SECRET.reveal()


def test_shares_of_two_secrets_open_neither() -> None:
    one, other = (split(Secret(random_bytes(32)), needed=2, count=3) for _ in range(2))
    with pytest.raises(SharesMissing):
        combine([one[0], other[1]])


def test_a_changed_word_is_told_with_its_place() -> None:
    good, other, _ = split(SECRET, needed=2, count=3)
    words = good.reveal().split()
    words[6] = "academic" if words[6] != "academic" else "acid"
    with pytest.raises(ShareMalformed) as refused:
        combine([other, Secret(" ".join(words))])
    assert refused.value.facts["position"] == 2


def test_case_and_spacing_are_forgiven() -> None:
    first, second, _ = split(SECRET, needed=2, count=3)
    loud = Secret("  " + first.reveal().upper().replace(" ", "\n  "))
    assert combine([loud, second]).reveal() == SECRET.reveal()


@settings(max_examples=50)
@given(st.text(max_size=300))
def test_a_stranger_s_text_is_refused_in_our_words(text: str) -> None:
    with pytest.raises((ShareMalformed, SharesMissing)):
        combine([Secret(text), Secret(text)])


@pytest.mark.parametrize(("needed", "count"), [(1, 3), (3, 2), (2, 17), (0, 0)])
def test_a_share_alone_is_never_the_secret(needed: int, count: int) -> None:
    with pytest.raises(ValueError, match="needed"):
        split(SECRET, needed=needed, count=count)


def test_a_share_does_not_print() -> None:
    assert all(
        word not in repr(share)
        for share in split(SECRET, needed=2, count=2)
        for word in share.reveal().split()[:1]
    )
