"""A small TrueType font of the characters that one paper needs, cut out of an installed one. Runs in a worker.

The fonts that cover Chinese and Japanese have some 65,000 glyphs, and often cubic (CFF) outlines in a collection. To
cut such a file with a general subsetter takes longer than everything else about a paper. Here the file stays open, and
only the glyphs that are needed are drawn anew, as quadratic outlines, which every reader of PDF knows.
"""

import gc
import io
import struct
from collections.abc import Iterable, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any, BinaryIO, Final, NamedTuple

from fontTools.fontBuilder import FontBuilder
from fontTools.pens.cu2quPen import Cu2QuPen
from fontTools.pens.filterPen import DecomposingFilterPen
from fontTools.pens.ttGlyphPen import TTGlyphPen
from fontTools.ttLib import TTCollection, TTFont, TTLibError, newTable
from fontTools.ttLib.tables._g_l_y_f import Glyph

from inkan.crypto.paper import Face, PaperFontMissing, PaperGlyphMissing

_COLLECTION: Final = b"ttcf"
_FAMILY: Final = 1
# How far a drawn outline may lie beside the original, in thousandths of the font's size: a twentieth of a printer's dot.
_ERROR: Final = 0.5
_GLYPHS_SHOWN: Final = 8
# Glyphs that stay drawn: the words of all papers, and some names. A glyph has some 200 bytes.
_KEPT: Final = 2048


class _Outline(NamedTuple):
    """A glyph as the table ``glyf`` has it: its bytes, its left edge in font units, points and contours."""

    data: bytes
    left: int
    points: int
    contours: int


class PrintFont:
    """One face of an open font file."""

    def __init__(self, font: TTFont) -> None:
        self._font = font
        self._names: Mapping[int, str] = font.getBestCmap() or {}
        self._glyphs = font.getGlyphSet()
        self._units = font["head"].unitsPerEm
        self._draw = lru_cache(maxsize=_KEPT)(self._drawn)

    def subset(self, characters: Iterable[str]) -> bytes:
        """Return a TrueType font of these characters; the same ones give the same bytes.

        Raises:
            PaperGlyphMissing: with the fact ``characters``: code points that the font does not draw.
        """
        codes = sorted({ord(each) for each in characters} | {ord(" ")})
        lacking = [f"U+{code:04X}" for code in codes if code not in self._names]
        if lacking:
            raise PaperGlyphMissing(characters=" ".join(lacking[:_GLYPHS_SHOWN]))
        names = [".notdef", *sorted({self._names[code] for code in codes} - {".notdef"})]
        builder = FontBuilder(self._units, isTTF=True)
        builder.setupGlyphOrder(names)
        builder.setupCharacterMap({code: self._names[code] for code in codes})
        self._put_outlines(builder.font, names)
        head = self._font["head"]
        # The builder would write the present time into the head.
        builder.updateHead(created=head.created, modified=head.modified, **_box_of(head))
        widths = self._font["hmtx"].metrics
        builder.setupHorizontalMetrics(
            {name: (widths[name][0], self._draw(name).left) for name in names}
        )
        heights = self._font["hhea"]
        builder.setupHorizontalHeader(ascent=heights.ascent, descent=heights.descent)
        family = self._font["name"].getDebugName(_FAMILY) or "Paper"
        builder.setupNameTable({"familyName": family, "styleName": "Regular", "fullName": family})
        builder.setupOS2(sCapHeight=getattr(self._font["OS/2"], "sCapHeight", heights.ascent))
        builder.setupPost()
        out = io.BytesIO()
        builder.save(out)
        return out.getvalue()

    def _put_outlines(self, font: TTFont, names: list[str]) -> None:
        """Outlines that are encoded already; nothing is measured a second time."""
        font.recalcBBoxes = False
        drawn = {name: self._draw(name) for name in names}
        font["loca"] = newTable("loca")
        font["glyf"] = table = newTable("glyf")
        table.glyphOrder = names
        table.glyphs = {name: Glyph(each.data) for name, each in drawn.items()}
        font["maxp"].maxPoints = max(each.points for each in drawn.values())
        font["maxp"].maxContours = max(each.contours for each in drawn.values())

    def _drawn(self, name: str) -> _Outline:
        pen = TTGlyphPen(None)
        turned = Cu2QuPen(
            pen, max_err=_ERROR * self._units / 1000, reverse_direction="CFF " in self._font
        )
        # What is put together of other glyphs is drawn out: those may not be among the few.
        self._glyphs[name].draw(DecomposingFilterPen(turned, self._glyphs))
        glyph = pen.glyph()
        if not glyph.numberOfContours:
            return _Outline(b"", 0, 0, 0)
        glyph.recalcBounds(None)
        data = glyph.compile(None, recalcBBoxes=False)
        return _Outline(data, glyph.xMin, len(glyph.coordinates), glyph.numberOfContours)


def _box_of(head: Any) -> dict[str, int]:
    return {side: getattr(head, side) for side in ("xMin", "yMin", "xMax", "yMax")}


class _Slot:
    """The one face that this process keeps open: two of them are more than a child's memory should hold."""

    def __init__(self) -> None:
        self.key: tuple[str, Face] | None = None
        self.file: BinaryIO = io.BytesIO()
        self.face: PrintFont | None = None

    def load(self, path: str, face: Face) -> PrintFont:
        self.key, self.face = None, None
        self.file.close()
        # A parsed font refers to itself, and goes only when it is looked for.
        gc.collect()
        self.file = Path(path).open("rb")  # noqa: SIM115  (tables are read when they are needed)
        self.face = PrintFont(_choose(self.file, face))
        self.key = (path, face)
        return self.face


def _choose(file: BinaryIO, face: Face) -> TTFont:
    is_collection = file.read(len(_COLLECTION)) == _COLLECTION
    file.seek(0)
    if not is_collection:
        return TTFont(file, lazy=True)
    fonts = TTCollection(file, lazy=True).fonts
    families = [font["name"].getDebugName(_FAMILY) or "" for font in fonts]
    named = [at for at, family in enumerate(families) if family.endswith(f" {face}")]
    return fonts[named[0] if named else 0]


_SLOT: Final = _Slot()


def open_font(path: str, face: Face) -> PrintFont:
    """Return a face of a font file; it stays open for the next paper.

    Raises:
        PaperFontMissing: there is no such file, or it is no font.
    """
    if _SLOT.face is not None and _SLOT.key == (path, face):
        return _SLOT.face
    try:
        return _SLOT.load(path, face)
    except (OSError, TTLibError, KeyError, AssertionError, struct.error) as fault:
        raise PaperFontMissing(type(fault).__name__) from None
