"""A printed paper read back: fonts, lines of text and barcode of a PDF, by a reader that did not write it (pyHanko)."""

import io
import re
from typing import Any, NamedTuple

from fontTools.ttLib import TTFont
from pyhanko.pdf_utils.reader import PdfFileReader

from inkan.composition.counter_settings import CounterSettings
from support.tools import require

_STRING = re.compile(rb"\(((?:[^()\\]|\\.)*)\) Tj", re.DOTALL)
_ESCAPE = re.compile(rb"\\(.)", re.DOTALL)
_CONTROLS = {b"n": b"\n", b"r": b"\r", b"t": b"\t"}
_ROW = re.compile(rb"<([0-9A-F]{4})> <([0-9A-F]+)>")
_RECTANGLE = re.compile(rb"([\d.]+) ([\d.]+) ([\d.]+) -?[\d.]+ re f")
# Code 39 as ISO/IEC 16388 prints it: bars and spaces of a character in turn, 1 for a wide one.
_CODE_39 = dict(
    zip(
        [
            "000110100",
            "100100001",
            "001100001",
            "101100000",
            "000110001",
            "100110000",
            "001110000",
            "000100101",
            "100100100",
            "001100100",
            "100001001",
            "001001001",
            "101001000",
            "000011001",
            "100011000",
            "001011000",
            "000001101",
            "100001100",
            "001001100",
            "000011100",
            "100000011",
            "001000011",
            "101000010",
            "000010011",
            "100010010",
            "001010010",
            "000000111",
            "100000110",
            "001000110",
            "000010110",
            "110000001",
            "011000001",
            "111000000",
            "010010001",
            "110010000",
            "011010000",
            "010000101",
            "110000100",
            "010010100",
        ],
        "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ-.*",
        strict=True,
    )
)


class Font(NamedTuple):
    """A font of the file: its name, its embedded file, and the character of each code."""

    name: str
    file: bytes
    characters: dict[int, str]


class Printed:
    """What stands in a PDF."""

    def __init__(self, pdf: bytes) -> None:
        self._reader = PdfFileReader(io.BytesIO(pdf))
        self._pages = [each.get_object() for each in self._reader.root["/Pages"]["/Kids"]]
        self._contents = [each["/Contents"].data for each in self._pages]
        self.properties: dict[str, Any] = {
            name: str(value) for name, value in self._reader.trailer["/Info"].items()
        }
        self.language = str(self._reader.root["/Lang"])

    @property
    def pages(self) -> int:
        return len(self._pages)

    @property
    def fonts(self) -> list[Font]:
        found = {}
        for page in self._pages:
            for name, font in page["/Resources"]["/Font"].items():
                found[name] = font.get_object()
        return [_font(each) for each in found.values()]

    @property
    def lines(self) -> list[str]:
        """Every drawn text, in its order."""
        (font,) = self.fonts
        return [
            "".join(font.characters[code] for code in _codes(found[1]))
            for contents in self._contents
            for found in _STRING.finditer(contents)
        ]

    @property
    def text(self) -> str:
        """All of it without line breaks."""
        return "".join(self.lines)

    @property
    def barcode(self) -> str:
        """What a reader of Code 39 sees, start and stop taken away."""
        bars = [
            (float(found[1]), float(found[3]))
            for contents in self._contents
            for found in _RECTANGLE.finditer(contents)
        ]
        narrow = min(width for _, width in bars)
        text = ""
        for at in range(0, len(bars), 5):
            five = bars[at : at + 5]
            wide = []
            for (left, width), following in zip(five, [*five[1:], None], strict=True):
                wide.append(width > 2 * narrow)
                if following is not None:
                    wide.append(following[0] - left - width > 2 * narrow)
            text += _CODE_39["".join("01"[each] for each in wide)]
        assert text[0] == text[-1] == "*"
        return text[1:-1]


def paper_font() -> str:
    """The font that an instance prints with unless its settings say otherwise."""
    require("cjk-font")
    return CounterSettings().paper_font


def _font(font: Any) -> Font:
    descriptor = font["/DescendantFonts"][0].get_object()["/FontDescriptor"].get_object()
    file = descriptor["/FontFile2"].get_object().data
    rows = {
        int(code, 16): bytes.fromhex(text.decode()).decode("utf-16-be")
        for code, text in _ROW.findall(font["/ToUnicode"].get_object().data)
    }
    assert TTFont(io.BytesIO(file))["maxp"].numGlyphs > 1
    return Font(str(font["/BaseFont"]), file, rows)


def _codes(string: bytes) -> list[int]:
    plain = _ESCAPE.sub(lambda found: _CONTROLS.get(found[1], found[1]), string)
    return [int.from_bytes(plain[at : at + 2]) for at in range(0, len(plain), 2)]
