"""A paper to be printed, as plain values: what stands on it from top to bottom, and the font that draws it.

Texts are in the reader's language already. :mod:`inkan.crypto.workers.paper_writer` makes PDF of it, in a worker; equal
papers make equal bytes.
"""

from datetime import datetime
from enum import StrEnum

import msgspec

from inkan.kernel.errors import Malformed, Unavailable


class Face(StrEnum):
    """How characters are drawn that Taiwan and Japan write differently: end of a face's name in a font collection."""

    JAPANESE = "JP"
    TRADITIONAL_CHINESE = "TC"


class PaperFontMissing(Unavailable):
    """The font file of the setting ``counter.paper_font`` is missing or no usable font."""

    code = "paper_font_missing"
    title = "The font for printed papers is not installed"


class PaperGlyphMissing(Malformed):
    """The font has no picture of a character; a paper with a gap in a name is worse than none."""

    code = "paper_glyph_missing"
    title = "The font for printed papers lacks a character"
    public = ("characters",)


class PaperMalformed(Malformed):
    """A barcode holds what Code 39 cannot say, or is wider than the sheet."""

    code = "paper_malformed"
    title = "The paper cannot be printed"


class Heading(msgspec.Struct, frozen=True, tag=True):
    """The title of a part."""

    text: str


class Paragraph(msgspec.Struct, frozen=True, tag=True):
    """Running text; ``note`` is small."""

    text: str
    note: bool = False


class Facts(msgspec.Struct, frozen=True, tag=True):
    """A table of names and values; an empty value is a line to be filled in by hand."""

    rows: tuple[tuple[str, str], ...]


class Choices(msgspec.Struct, frozen=True, tag=True):
    """Boxes of which some are ticked: text, and whether it is."""

    rows: tuple[tuple[str, bool], ...]


class Thumbprint(msgspec.Struct, frozen=True, tag=True):
    """A name, and groups of characters to be compared one by one."""

    text: str
    groups: tuple[str, ...]


class Barcode(msgspec.Struct, frozen=True, tag=True):
    """Code 39 (ISO/IEC 16388): 1 to 32 of ``0-9 A-Z - . $ / + %`` and blank, the text below it."""

    text: str


Block = Heading | Paragraph | Facts | Choices | Thumbprint | Barcode


class Paper(msgspec.Struct, frozen=True, kw_only=True):
    """One document on A4.

    Attributes:
        title: at its head and in the file's properties.
        author: the office that hands it out.
        language: BCP 47 tag.
        face: of a collection; a font with one face has that one.
        font: path of a TrueType or OpenType file or collection.
        made_at: aware; stands in the file's properties.
        footer: at the foot of each sheet, before its number.
    """

    title: str
    author: str
    language: str
    face: Face
    font: str
    made_at: datetime
    footer: str
    blocks: tuple[Block, ...]
