"""PDF of a paper: A4, one embedded font subset, nothing that differs from one run to the next. Runs in a worker.

The file names no program version and no time but the paper's own, so equal papers are equal bytes.
"""

import io
import warnings
from collections.abc import Callable, Mapping
from typing import Any, Final

from fpdf import FPDF
from fpdf.enums import XPos, YPos
from fpdf.fonts import TTFFont

from inkan.crypto.paper import (
    Barcode,
    Block,
    Choices,
    Facts,
    Heading,
    Paper,
    PaperMalformed,
    Paragraph,
    Thumbprint,
)
from inkan.crypto.workers.paper_lines import break_lines
from inkan.crypto.workers.print_font import open_font

# Millimetres, and points for sizes of type.
MARGIN: Final = 20.0
WIDTH: Final = 210.0 - 2 * MARGIN
FOOT: Final = 18.0
TERM_WIDTH: Final = 48.0
BODY: Final = 10.5
NOTE: Final = 8.5
LEADING: Final = 0.55  # of a line, in millimetres for each point
BLANK: Final = 9.0  # a line to be filled in by hand
NARROW: Final = 0.3  # of a barcode's narrow bar
BAR_HEIGHT: Final = 14.0
MAX_BARS: Final = 32
TICK: Final = 3.6
GREY: Final = 150

_CODE_39: Final = frozenset("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ-. $/+%")
_ALWAYS: Final = frozenset("0123456789/ ")
_GROUPS_A_LINE: Final = 8


def write_paper(paper: Paper) -> bytes:
    """Return the PDF of a paper.

    Raises:
        PaperFontMissing: the font is not there.
        PaperGlyphMissing: it lacks a character.
        PaperMalformed: a barcode that cannot be.
    """
    font = open_font(paper.font, paper.face).subset(_characters(paper))
    with warnings.catch_warnings():
        # What the library warns of is said by refusals here.
        warnings.simplefilter("ignore")
        sheet = _Sheet(paper, font)
        for block in paper.blocks:
            _WRITERS[type(block)](sheet, block)
        return bytes(sheet.output())


class _Sheet(FPDF):
    """The document while it is written."""

    def __init__(self, paper: Paper, font: bytes) -> None:
        super().__init__(format="A4", unit="mm")
        self.paper = paper
        self.set_margins(MARGIN, MARGIN, MARGIN)
        self.c_margin = 0.0
        self.set_auto_page_break(auto=True, margin=FOOT + 6)
        # The type says path; what is opened may be a file in memory as well, so that no name touches the disk.
        file: Any = io.BytesIO(font)
        self.face = TTFFont(self, file, "paper", "")
        # The outlines are as they will be; to measure them again would take as long as all the rest.
        self.face.ttfont.recalcBBoxes = False
        self.fonts["paper"] = self.face
        self.set_title(paper.title)
        self.set_author(paper.author)
        self.set_lang(paper.language)
        self.set_producer("Inkan")
        self.set_creation_date(paper.made_at)
        self.set_draw_color(GREY)
        # The library would put the number of pages where a text says {nb}.
        self.alias_nb_pages("")
        self.add_page()
        self.say(paper.title, size=17, gap=1)
        self.say(paper.author, size=BODY)
        self.rule(gap=4)

    def footer(self) -> None:
        """The foot of a sheet; the library calls it."""
        self.set_y(-FOOT)
        self.say(f"{self.paper.footer}  {self.page_no()}", size=NOTE)

    def lines(self, text: str, width: float, size: float) -> list[str]:
        """The lines of a text in a column, at least one."""
        self.set_font("paper", size=size)
        widths, unit = self.face.cw, size / 1000 / self.k
        return break_lines(text, width, lambda part: sum(widths[ord(each)] for each in part) * unit)

    def say(self, text: str, *, size: float, gap: float = 0.0, left: float = 0.0) -> None:
        """Text from the left, as many lines as it needs, then a gap."""
        for each in self.lines(text, WIDTH - left, size):
            self.set_x(MARGIN + left)
            self.cell(h=size * LEADING, text=each or " ", new_x=XPos.LMARGIN, new_y=YPos.NEXT)
        self.ln(gap)

    def keep(self, height: float) -> None:
        """Go to a new sheet unless so much room is left on this one."""
        if self.will_page_break(height):
            self.add_page()

    def rule(self, *, gap: float, left: float = 0.0) -> None:
        """A grey line across."""
        self.ln(1)
        self.line(MARGIN + left, self.get_y(), MARGIN + WIDTH, self.get_y())
        self.ln(gap)


def _heading(sheet: _Sheet, block: Heading) -> None:
    sheet.keep(30)
    sheet.ln(3)
    sheet.say(block.text, size=13, gap=1.5)


def _paragraph(sheet: _Sheet, block: Paragraph) -> None:
    sheet.say(block.text, size=NOTE if block.note else BODY, gap=2)


def _facts(sheet: _Sheet, block: Facts) -> None:
    step = BODY * LEADING
    for term, value in block.rows:
        terms = sheet.lines(term, TERM_WIDTH - 4, BODY)
        values = sheet.lines(value, WIDTH - TERM_WIDTH, BODY)
        height = step * max(len(terms), len(values)) if value else BLANK
        sheet.keep(height + 2)
        top = sheet.get_y()
        for column, texts in ((0.0, terms), (TERM_WIDTH, values)):
            for at, text in enumerate(texts):
                sheet.set_xy(MARGIN + column, top + at * step)
                sheet.cell(h=step, text=text or " ")
        sheet.set_y(top + height)
        sheet.rule(gap=1, left=0.0 if value else TERM_WIDTH)
    sheet.ln(2)


def _choices(sheet: _Sheet, block: Choices) -> None:
    for text, is_ticked in block.rows:
        sheet.keep(BODY)
        top = sheet.get_y() + 1
        sheet.set_draw_color(0)
        sheet.rect(MARGIN, top, TICK, TICK)
        if is_ticked:
            sheet.line(MARGIN, top, MARGIN + TICK, top + TICK)
            sheet.line(MARGIN, top + TICK, MARGIN + TICK, top)
        sheet.set_draw_color(GREY)
        sheet.say(text, size=BODY, left=TICK + 3, gap=1)
    sheet.ln(2)


def _thumbprint(sheet: _Sheet, block: Thumbprint) -> None:
    groups = block.groups
    sheet.keep(10 + len(groups))
    sheet.say(block.text, size=BODY)
    for at in range(0, len(groups), _GROUPS_A_LINE):
        sheet.say("  ".join(groups[at : at + _GROUPS_A_LINE]), size=13, left=6)
    sheet.ln(3)


def _barcode(sheet: _Sheet, block: Barcode) -> None:
    if not 0 < len(block.text) <= MAX_BARS or not _CODE_39.issuperset(block.text):
        raise PaperMalformed("Code 39 does not hold this text")
    sheet.keep(BAR_HEIGHT + 10)
    sheet.ln(2)
    sheet.code39(f"*{block.text}*", MARGIN, sheet.get_y(), w=3 * NARROW, h=BAR_HEIGHT)
    sheet.set_y(sheet.get_y() + BAR_HEIGHT + 1)
    sheet.say(block.text, size=NOTE, gap=2)


_WRITERS: Final[Mapping[type, Callable[[_Sheet, Any], None]]] = {
    Heading: _heading,
    Paragraph: _paragraph,
    Facts: _facts,
    Choices: _choices,
    Thumbprint: _thumbprint,
    Barcode: _barcode,
}


def _characters(paper: Paper) -> set[str]:
    texts = [paper.title, paper.author, paper.footer]
    for block in paper.blocks:
        texts += _texts(block)
    return {character for text in texts for character in text if character != "\n"} | _ALWAYS


def _texts(block: Block) -> list[str]:
    match block:
        case Facts(rows):
            return [text for row in rows for text in row]
        case Choices(rows):
            return [text for text, _ in rows]
        case Thumbprint(text, groups):
            return [text, *groups]
        case _:
            return [block.text]
