"""Which language a reader wants, and that every text of every page exists in it."""

from datetime import UTC, date, datetime
from io import BytesIO
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po

from inkan.web.languages import (
    CatalogueRefused,
    Formats,
    Language,
    Languages,
    find_language,
    negotiate,
)
from support.repository import SOURCE

EN, JA, ZH = Language.EN, Language.JA, Language.ZH_HANT
PACKAGES = sorted(path.parent for path in SOURCE.rglob("templates") if path.is_dir())


@pytest.mark.parametrize(
    ("header", "language"),
    [
        (None, EN),
        ("", EN),
        ("ja", JA),
        ("ja-JP,ja;q=0.9,en;q=0.8", JA),
        ("zh-TW,zh;q=0.9,en-US;q=0.8", ZH),
        ("zh-Hant-HK", ZH),
        ("zh-CN", ZH),
        ("en;q=0.3, ja;q=0.7", JA),
        ("EN-gb", EN),
        ("de, fr;q=0.9", EN),
        ("de, zh;q=0.1", ZH),
        ("*", EN),
        ("ja;q=0", EN),
        ("ja;q=2, zh", ZH),
        ("ja;q=x", EN),
        ("x" * 10_000 + ",ja", EN),
        (";;;,,,\x00", EN),
    ],
)
def test_the_wished_language(header: str | None, language: Language) -> None:
    assert negotiate(header, EN) is language


def test_the_default_answers_for_the_rest() -> None:
    assert negotiate("de", JA) is JA
    assert find_language("zh-Hant") is ZH
    assert find_language("zh") is None
    assert find_language(None) is None


# --- texts ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("package", PACKAGES, ids=lambda path: path.name)
@pytest.mark.parametrize("folder", ["ja", "zh_Hant"])
def test_every_text_of_every_page_is_translated(package: Path, folder: str) -> None:
    used = {
        message if isinstance(message, str) else message[0]
        for _, _, message, _, _ in extract_from_dir(
            package / "templates",
            method_map=[("**.html", "jinja2.ext:babel_extract")],
            options_map={"**.html": {"extensions": "jinja2.ext.do", "silent": "false"}},
        )
    }
    assert used - texts(package, folder) - texts(SOURCE / "web", folder) == set()


def texts(package: Path, folder: str) -> set[str]:
    path = package / "locale" / folder / "messages.po"
    catalogue = read_po(BytesIO(path.read_bytes())) if path.exists() else ()
    return {
        (message.id if isinstance(message.id, str) else message.id[0])
        for message in catalogue
        if message.id
    }


PO = 'msgid ""\nmsgstr "Content-Type: text/plain; charset=utf-8\\n"\n\n'


def write(folder: Path, text: str, *, other: str = 'msgid "a"\nmsgstr "b"\n') -> Path:
    for name, body in (("ja", text), ("zh_Hant", other)):
        (folder / name).mkdir(parents=True, exist_ok=True)
        (folder / name / "messages.po").write_text(PO + body, "utf-8")
    return folder


def test_packages_join_their_texts(tmp_path: Path) -> None:
    first = write(tmp_path / "x", 'msgid "a"\nmsgstr "甲"\n')
    second = write(tmp_path / "y", 'msgid "b"\nmsgstr "乙"\n\nmsgid "a"\nmsgstr "甲"\n')
    languages = Languages([first, second])
    assert languages.gettext(JA, "a") == "甲"
    assert languages.gettext(JA, "b") == "乙"
    assert languages.gettext(JA, "unknown") == "unknown"
    assert languages.gettext(EN, "a") == "a"


@pytest.mark.parametrize(
    "text",
    [
        'msgid "a"\nmsgstr ""\n',
        '#, fuzzy\nmsgid "a"\nmsgstr "甲"\n',
    ],
)
def test_an_unfinished_file_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(CatalogueRefused):
        Languages([write(tmp_path, text)])


def test_files_that_contradict_each_other_are_refused(tmp_path: Path) -> None:
    first = write(tmp_path / "x", 'msgid "a"\nmsgstr "甲"\n')
    second = write(tmp_path / "y", 'msgid "a"\nmsgstr "乙"\n')
    with pytest.raises(CatalogueRefused, match="contradicts"):
        Languages([first, second])


def test_a_file_of_other_bytes_is_refused(tmp_path: Path) -> None:
    folder = write(tmp_path, "")
    (folder / "ja" / "messages.po").write_bytes(PO.encode() + b'msgid "a"\nmsgstr "\xff"\n')
    with pytest.raises(CatalogueRefused):
        Languages([folder])


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CatalogueRefused, match="cannot be read"):
        Languages([tmp_path])


def test_numbers_have_one_form_in_chinese_and_japanese(tmp_path: Path) -> None:
    text = 'msgid "one phone"\nmsgid_plural "%(num)d phones"\nmsgstr[0] "%(num)d 台"\n'
    texts = Languages([write(tmp_path, text, other=text)]).translations
    assert texts[JA].ngettext("one phone", "%(num)d phones", 1) == "%(num)d 台"
    assert texts[EN].ngettext("one phone", "%(num)d phones", 1) == "one phone"
    assert texts[EN].ngettext("one phone", "%(num)d phones", 2) == "%(num)d phones"
    assert texts[EN].npgettext("x", "one phone", "%(num)d phones", 2) == "%(num)d phones"


def test_a_context_tells_equal_words_apart(tmp_path: Path) -> None:
    text = 'msgctxt "document"\nmsgid "Sign"\nmsgstr "署名"\n\nmsgid "Sign"\nmsgstr "標識"\n'
    texts = Languages([write(tmp_path, text)]).translations[JA]
    assert texts.pgettext("document", "Sign") == "署名"
    assert texts.gettext("Sign") == "標識"
    assert "Sign" in texts


# --- dates ------------------------------------------------------------------------------------------

MOMENT = datetime(2026, 11, 21, 16, 5, 9, tzinfo=UTC)


@pytest.mark.parametrize(
    ("language", "day", "era", "moment"),
    [
        (EN, "November 22, 2026", "November 22, 2026", "November 22, 2026 00:05"),
        (JA, "2026年11月22日", "令和8年11月22日", "2026年11月22日 00:05"),
        (ZH, "2026年11月22日", "民國 115 年 11 月 22 日", "2026年11月22日 00:05"),
    ],
)
def test_dates_are_written_as_their_readers_do(
    language: Language, day: str, era: str, moment: str
) -> None:
    formats = Formats(language, ZoneInfo("Asia/Taipei"))
    assert formats.day(MOMENT) == day
    assert formats.era_day(MOMENT) == era
    assert formats.era_day(date(2026, 11, 22)) == era
    assert formats.moment(MOMENT) == moment
    assert formats.moment(MOMENT, seconds=True) == moment + ":09"


def test_the_last_second_of_9999_is_shown_although_no_day_follows_it() -> None:
    end = datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)
    formats = Formats(JA, ZoneInfo("Asia/Taipei"))
    assert formats.day(end) == "9999年12月31日"
    assert formats.era_day(end) == "令和7981年12月31日"
    assert formats.moment(end).endswith("23:59")
