"""Every refusal is explained: to engineers and operators, and to people in three languages."""

import re
import tomllib
import unicodedata
from collections import Counter

import pytest

from support import repository

CATALOGUE = repository.SOURCE / "web" / "catalogue"
LANGUAGES = ("en", "ja", "zh-Hant")
FIELDS = {"cause", "owner", "retry", *LANGUAGES}
OWNERS = {"person", "relying_party", "operator", "platform"}
RETRIES = {"no", "now", "later", "new_session", "fix"}
SLUG = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")


def catalogue() -> dict[str, dict[str, dict[str, str]]]:
    """Package → code → entry."""
    found = sorted(CATALOGUE.glob("*.toml"))
    return {file.stem: tomllib.loads(file.read_text(encoding="utf-8")) for file in found}


ENTRIES = {
    (pkg, code): entry for pkg, codes in catalogue().items() for code, entry in codes.items()
}


def test_every_error_has_its_entry_and_every_entry_its_error() -> None:
    errors = {(repository.package_of(error), error.code) for error in repository.errors()}
    assert sorted(errors - set(ENTRIES)) == [], "errors without an entry"
    assert sorted(set(ENTRIES) - errors) == [], "entries without an error"


def test_every_error_has_a_code_of_its_own() -> None:
    errors = repository.errors()
    assert [error.__qualname__ for error in errors if "code" not in vars(error)] == []
    assert [
        code for code, count in Counter(error.code for error in errors).items() if count > 1
    ] == []


def test_codes_are_slugs_and_titles_are_sentences() -> None:
    for error in repository.errors():
        assert SLUG.fullmatch(error.code), error
        assert error.title[:1].isupper() or not error.title[:1].isalpha(), error
        assert not error.title.endswith("."), error


def test_every_error_says_when_it_happens() -> None:
    silent = [error.__qualname__ for error in repository.errors() if not vars(error).get("__doc__")]
    assert silent == []


@pytest.mark.parametrize("entry", ENTRIES, ids=".".join)
def test_an_entry_is_complete(entry: tuple[str, str]) -> None:
    fields = ENTRIES[entry]
    assert set(fields) == FIELDS
    assert all(isinstance(value, str) and value.strip() == value != "" for value in fields.values())
    assert fields["owner"] in OWNERS
    assert fields["retry"] in RETRIES


@pytest.mark.parametrize("entry", ENTRIES, ids=".".join)
def test_the_texts_are_in_their_languages(entry: tuple[str, str]) -> None:
    fields = ENTRIES[entry]
    scripts = {language: _scripts(fields[language]) for language in LANGUAGES}
    assert not scripts["en"] & {"CJK", "HIRAGANA", "KATAKANA"}
    assert "HIRAGANA" in scripts["ja"]
    assert "CJK" in scripts["zh-Hant"]
    assert not scripts["zh-Hant"] & {"HIRAGANA", "KATAKANA"}


def _scripts(text: str) -> set[str]:
    return {unicodedata.name(char, "").partition(" ")[0] for char in text if char.isalpha()}
