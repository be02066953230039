"""Where lines of Chinese, Japanese and English break: between any two ideographs, else between words.

No line begins with a mark that belongs to what is before it, and none ends with an opening bracket (JIS X 4051 §4.3,
the part that every printer keeps).
"""

import re
from collections.abc import Callable, Iterator
from typing import Final

# One ideograph, or a run of letters, digits and marks that stays together; blanks part runs.
_PIECES = re.compile(
    r"\s+|[\u2e80-\u9fff\uac00-\ud7af\uf900-\ufaff\uff00-\uffef\U00020000-\U0003ffff]|[^\s\u2e80-\u9fff\uac00-\ud7af\uf900-\ufaff\uff00-\uffef\U00020000-\U0003ffff]+"
)
_NEVER_FIRST: Final = frozenset(
    "、。，．・：；？！）］｝」』】〕〉》’”ーぁぃぅぇぉっゃゅょァィゥェォッャュョ々…)]},.;:?!%"
)
_NEVER_LAST: Final = frozenset("（［｛「『【〔〈《‘“([{")


def break_lines(text: str, width: float, measure: Callable[[str], float]) -> list[str]:
    """Return the lines of a text; ``width`` and what ``measure`` gives share one unit. A line feed ends a line."""
    return [line for part in text.split("\n") for line in _fill(part, width, measure)]


def _fill(text: str, width: float, measure: Callable[[str], float]) -> Iterator[str]:
    line = ""
    for piece in _joined(text):
        for part in _cut(piece, width, measure):
            if line and measure((line + part).rstrip()) > width:
                yield line.rstrip()
                line = part.lstrip()
            else:
                line += part
    yield line.rstrip()


def _joined(text: str) -> Iterator[str]:
    """The pieces between which a line may break."""
    held = ""
    for piece in _PIECES.findall(text):
        if held and piece[0] not in _NEVER_FIRST and held[-1] not in _NEVER_LAST:
            yield held
            held = ""
        held += piece
    if held:
        yield held


def _cut(piece: str, width: float, measure: Callable[[str], float]) -> Iterator[str]:
    """A piece that is longer than a line, by characters; any other as it is."""
    while measure(piece) > width and len(piece) > 1:
        end = next(
            (end for end in range(len(piece) - 1, 1, -1) if measure(piece[:end]) <= width), 1
        )
        yield piece[:end]
        piece = piece[end:]
    yield piece
