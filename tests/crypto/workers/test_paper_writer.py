"""Papers as PDF: one embedded subset, equal bytes for equal papers, and a refusal instead of a gap."""

import io
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from fontTools.fontBuilder import FontBuilder
from fontTools.pens.ttGlyphPen import TTGlyphPen
from fontTools.ttLib import TTFont
from hypothesis import given, settings
from hypothesis import strategies as st

from inkan.crypto.paper import (
    Barcode,
    Block,
    Choices,
    Face,
    Facts,
    Heading,
    Paper,
    PaperFontMissing,
    PaperGlyphMissing,
    PaperMalformed,
    Paragraph,
    Thumbprint,
)
from inkan.crypto.workers.paper_writer import write_paper
from inkan.crypto.workers.pool import WorkerPool
from inkan.crypto.workers.print_font import open_font
from support.printed import Printed, paper_font

AT = datetime(2026, 11, 22, 3, 4, 5, tzinfo=UTC)
BLOCKS = (
    Heading("證明書"),
    Facts(
        (("氏名", "髙橋 林美惠"), ("住所", "東京都千代田区霞が関二丁目1番2号" * 4), ("署名", ""))
    ),
    Paragraph("この写しは、証明書の内容を示すものです（署名はできません）。"),
    Paragraph("This copy signs nothing.", note=True),
    Choices((("紛失", True), ("盗難", False))),
    Thumbprint("SHA-256", tuple(f"{number:04X}" for number in range(16))),
    Barcode("7F00-Z9"),
)


def paper(*blocks: Block, **bent: Any) -> Paper:
    given: dict[str, Any] = {
        "title": "電子憑證副本",
        "author": "千代田區",
        "language": "zh-Hant",
        "face": Face.JAPANESE,
        "font": paper_font(),
        "made_at": AT,
        "footer": "2026",
        "blocks": blocks,
    }
    return Paper(**(given | bent))


def test_every_text_is_read_back() -> None:
    printed = Printed(write_paper(paper(*BLOCKS)))
    for text in (
        "電子憑證副本",
        "千代田區",
        "證明書",
        "髙橋 林美惠",
        "This copy signs nothing.",
        "紛失",
        "盗難",
    ):
        assert text in printed.lines
    assert "東京都千代田区霞が関二丁目1番2号" * 4 in printed.text
    assert "0000  0001  0002  0003  0004  0005  0006  0007" in printed.lines
    assert "2026  1" in printed.lines
    assert (printed.language, printed.pages) == ("zh-Hant", 1)


def test_the_barcode_says_its_text() -> None:
    assert Printed(write_paper(paper(Barcode("7F00-Z9")))).barcode == "7F00-Z9"
    longest = "0123456789ABCDEFGHIJKLMNOPQRSTUV"
    assert Printed(write_paper(paper(Barcode(longest)))).barcode == longest


@pytest.mark.parametrize("text", ["", "a", "Ａ", "*", "A" * 33])
def test_a_barcode_that_cannot_be(text: str) -> None:
    with pytest.raises(PaperMalformed):
        write_paper(paper(Barcode(text)))


@pytest.mark.parametrize(
    ("face", "name"),
    [(Face.JAPANESE, "NotoSansCJKJP"), (Face.TRADITIONAL_CHINESE, "NotoSansCJKTC")],
)
def test_only_the_glyphs_that_are_needed_are_embedded(face: Face, name: str) -> None:
    (font,) = Printed(write_paper(paper(Heading("骨"), face=face))).fonts
    assert font.name.endswith(name)
    embedded = TTFont(io.BytesIO(font.file))
    for each in embedded.getGlyphOrder():
        # Readers of PDF draw a glyph where its left side bearing puts it.
        outline = embedded["glyf"][each]
        assert embedded["hmtx"][each][1] == getattr(outline, "xMin", 0)
        assert getattr(outline, "numberOfContours", 0) <= embedded["maxp"].maxContours
    # The title, the author, the heading, ten digits, blank, slash, the missing glyph.
    assert TTFont(io.BytesIO(font.file))["maxp"].numGlyphs < 40
    assert len(font.file) < 30_000


def test_the_two_faces_draw_differently() -> None:
    """骨 is the usual example of a character that Taiwan and Japan draw differently."""
    fonts = [open_font(paper_font(), face).subset("骨") for face in Face]
    assert fonts[0] != fonts[1]


def test_equal_papers_are_equal_bytes() -> None:
    """Also in another process, with another hash seed, later, and after another face was open."""
    first = write_paper(paper(*BLOCKS))
    write_paper(paper(*BLOCKS, face=Face.TRADITIONAL_CHINESE))
    assert write_paper(paper(*BLOCKS)) == first
    program = (
        "import sys, msgspec; from inkan.crypto.paper import Paper;"
        "from inkan.crypto.workers.paper_writer import write_paper;"
        "sys.stdout.buffer.write(write_paper(msgspec.msgpack.decode(sys.stdin.buffer.read(), type=Paper)))"
    )
    other = subprocess.run(
        [sys.executable, "-c", program],
        input=msgspec.msgpack.encode(paper(*BLOCKS)),
        env={"PYTHONPATH": ":".join(sys.path), "PYTHONHASHSEED": "5", "TZ": "Asia/Tokyo"},
        capture_output=True,
        check=True,
        timeout=60,
    )
    assert other.stdout == first


def test_the_file_names_no_program_version_and_only_the_papers_time() -> None:
    printed = Printed(write_paper(paper(*BLOCKS)))
    assert printed.properties == {
        "/Title": "電子憑證副本",
        "/Author": "千代田區",
        "/Producer": "Inkan",
        "/CreationDate": "D:20261122030405Z",
    }


def test_a_character_without_a_picture_is_refused() -> None:
    with pytest.raises(PaperGlyphMissing) as caught:
        write_paper(paper(Heading("林\U000e0100\ue000")))
    assert caught.value.facts == {"characters": "U+E000 U+E0100"}


def test_a_font_that_is_none_is_refused(tmp_path: Path) -> None:
    for content in (None, b"", b"ttcf", b"\x00\x01\x00\x00", b"%PDF-1.7" * 99):
        path = tmp_path / "font.ttf"
        if content is not None:
            path.write_bytes(content)
        with pytest.raises(PaperFontMissing):
            write_paper(paper(font=str(path)))
    # What went wrong before is not kept.
    assert Printed(write_paper(paper(Heading("骨")))).lines


def test_a_font_with_quadratic_outlines_and_one_face(tmp_path: Path) -> None:
    """Not only Noto's collection: any TrueType font, whatever face is asked for."""
    pen = TTGlyphPen(None)
    pen.moveTo((0, 0))
    pen.lineTo((0, 700))
    pen.lineTo((500, 0))
    pen.closePath()
    codes = {ord(each): f"g{ord(each):x}" for each in {*"電子憑證副本千代田區0123456789/ "}}
    builder = FontBuilder(2048, isTTF=True)
    builder.setupGlyphOrder([".notdef", "gpart", *codes.values()])
    builder.setupCharacterMap(codes)
    simple = pen.glyph()
    # Most glyphs of real fonts are put together of others, here one of another that the paper does not need.
    parts = TTGlyphPen({"gpart": simple})
    parts.addComponent("gpart", (1, 0, 0, 1, 10, 0))
    composite = parts.glyph()
    builder.setupGlyf(
        {".notdef": simple, "gpart": simple, **dict.fromkeys(codes.values(), composite)}
    )
    builder.setupHorizontalMetrics(dict.fromkeys([".notdef", "gpart", *codes.values()], (1000, 0)))
    builder.setupHorizontalHeader(ascent=1800, descent=-200)
    builder.setupNameTable({"familyName": "Small", "styleName": "Regular"})
    builder.setupOS2()
    builder.setupPost()
    path = tmp_path / "small.ttf"
    builder.save(path)
    (font,) = Printed(write_paper(paper(font=str(path), face=Face.TRADITIONAL_CHINESE))).fonts
    assert font.name.endswith("Small")
    embedded = TTFont(io.BytesIO(font.file))
    drawn = embedded["glyf"][embedded.getBestCmap()[ord("1")]]
    assert (drawn.numberOfContours, drawn.xMin, drawn.xMax) == (1, 10, 510)


@pytest.mark.parametrize(
    "text", ["{nb}", "**bold** __x__ --y--", "(a)\\) Tj", "<b>x</b>", "%PDF-1.7"]
)
def test_texts_are_texts(text: str) -> None:
    """Nothing that a register spells is an instruction to the library or to the file."""
    printed = Printed(write_paper(paper(Facts((("氏名", text),)), Heading(text))))
    assert printed.lines.count(text) == 2
    assert printed.pages == 1


def test_long_tables_go_on_on_the_next_sheet() -> None:
    rows = tuple((f"{number}", "東京都" * 20) for number in range(40))
    printed = Printed(write_paper(paper(Facts(rows))))
    assert printed.pages > 1
    assert printed.text.count("東京都" * 20) == 40
    assert f"2026  {printed.pages}" in printed.lines


ANY_TEXT = st.text(st.sampled_from("東京都、。（）aB 0\n"), max_size=80)
ANY_BLOCK = st.one_of(
    ANY_TEXT.map(Heading),
    ANY_TEXT.map(Paragraph),
    st.lists(st.tuples(ANY_TEXT, ANY_TEXT), max_size=4).map(lambda rows: Facts(tuple(rows))),
    st.lists(st.tuples(ANY_TEXT, st.booleans()), max_size=4).map(lambda rows: Choices(tuple(rows))),
    st.tuples(ANY_TEXT, st.lists(st.just("ABCD"), max_size=20)).map(
        lambda pair: Thumbprint(pair[0], tuple(pair[1]))
    ),
)


@settings(max_examples=15)
@given(st.lists(ANY_BLOCK, max_size=6))
def test_any_paper_is_written(blocks: list[Block]) -> None:
    assert Printed(write_paper(paper(*blocks))).pages >= 1


async def test_a_child_writes_papers_within_its_memory() -> None:
    async with WorkerPool(timeout=timedelta(seconds=30)) as pool:
        for face in (Face.JAPANESE, Face.TRADITIONAL_CHINESE, Face.JAPANESE):
            assert (await pool.write_paper(paper(*BLOCKS, face=face)))[:5] == b"%PDF-"
        with pytest.raises(PaperFontMissing):
            await pool.write_paper(paper(font="/nowhere.ttc"))
        with pytest.raises(PaperGlyphMissing) as caught:
            await pool.write_paper(paper(Heading("\ue000")))
        assert caught.value.facts == {"characters": "U+E000"}
