"""Shares of a secret, m of n, as words that people can write down (SLIP-39).

Whoever holds fewer than m shares knows nothing of the secret. The words carry a checksum, so that a mistyped share
is told apart from a foreign one. Shares exist on paper and in memory only; nothing here writes them anywhere.
"""

from collections.abc import Collection
from typing import Final

import shamir_mnemonic
from shamir_mnemonic import MnemonicError, Share

from inkan.kernel.errors import Forbidden, Malformed
from inkan.kernel.sensitive import Secret

SECRET_SIZE: Final = 32
MOST_SHARES: Final = 16
# Stretching is for secrets that people choose; this one is drawn at random.
_ITERATION_EXPONENT: Final = 0


class ShareMalformed(Malformed):
    """Not the words of a share, or a word is mistyped: the checksum does not hold."""

    code = "share_malformed"
    title = "A share of the secret is mistyped"
    public = ("position",)


class SharesMissing(Forbidden):
    """Too few shares, one of them twice, or shares of different secrets."""

    code = "shares_missing"
    title = "These shares do not open the secret"
    public = ("needed", "given")


def split(secret: Secret[bytes], *, needed: int, count: int) -> tuple[Secret[str], ...]:
    """Return ``count`` shares of a 32-byte secret, any ``needed`` of which give it back; 33 words each.

    Raises:
        ValueError: not 32 bytes, or not 2 <= needed <= count <= 16 (one share alone would be the secret itself).
    """
    if len(secret.reveal()) != SECRET_SIZE or not 2 <= needed <= count <= MOST_SHARES:
        raise ValueError("a secret of 32 bytes, and 2 <= needed <= count <= 16")
    (group,) = shamir_mnemonic.generate_mnemonics(
        1, [(needed, count)], secret.reveal(), iteration_exponent=_ITERATION_EXPONENT
    )
    return tuple(Secret(words) for words in group)


def combine(shares: Collection[Secret[str]]) -> Secret[bytes]:
    """Return the secret of exactly as many shares as it needs, or more.

    Raises:
        ShareMalformed: words that are no share; ``position`` counts from 1.
        SharesMissing: fewer than needed, or shares that do not belong together.
    """
    read = [_read(words, position) for position, words in enumerate(shares, 1)]
    if not read:
        raise SharesMissing("no share was given")
    needed = read[0].member_threshold
    distinct = {share.index: words for share, words in zip(read, shares, strict=True)}
    if len({(share.identifier, share.member_threshold) for share in read}) > 1:
        raise SharesMissing("shares of different secrets", needed=needed, given=len(distinct))
    if len(distinct) < needed:
        raise SharesMissing("too few different shares", needed=needed, given=len(distinct))
    words_used = [words.reveal() for words in list(distinct.values())[:needed]]
    try:
        return Secret(shamir_mnemonic.combine_mnemonics(words_used))
    except MnemonicError:
        raise SharesMissing(
            "the shares do not fit together", needed=needed, given=len(distinct)
        ) from None


def _read(words: Secret[str], position: int) -> Share:
    try:
        return Share.from_mnemonic(" ".join(words.reveal().lower().split()))
    except MnemonicError:
        raise ShareMalformed("not the words of a share", position=position) from None
