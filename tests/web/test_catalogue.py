"""The loader of the error catalogue refuses whatever is not whole."""

from pathlib import Path

import pytest

from inkan.kernel.errors import NotFound
from inkan.web import catalogue
from inkan.web.catalogue import CatalogueIncomplete, Owner, Retry, entry, read_entries
from inkan.web.languages import Language

WHOLE = {
    "cause": "c",
    "owner": "person",
    "retry": "no",
    "en": "e",
    "ja": "j",
    "zh-Hant": "z",
}


def write(folder: Path, name: str = "a.toml", code: str = "x", **changes: str | None) -> None:
    fields = {key: value for key, value in (WHOLE | changes).items() if value is not None}
    lines = [f"[{code}]", *(f"{key} = {value!r}" for key, value in fields.items())]
    (folder / name).write_text("\n".join(lines), "utf-8")


def test_an_entry_is_found_with_its_texts(tmp_path: Path) -> None:
    write(tmp_path)
    found = read_entries(tmp_path)["x"]
    assert (found.owner, found.retry) == (Owner.PERSON, Retry.NO)
    assert [found.text(language) for language in (Language.EN, Language.JA, Language.ZH_HANT)] == [
        "e",
        "j",
        "z",
    ]


@pytest.mark.parametrize("field", WHOLE)
def test_a_field_that_is_missing_or_empty_is_refused(tmp_path: Path, field: str) -> None:
    for value in (None, " "):
        write(tmp_path, **{field: value})
        with pytest.raises(CatalogueIncomplete, match="x"):
            read_entries(tmp_path)


@pytest.mark.parametrize(
    "change", [{"owner": "nobody"}, {"retry": "perhaps"}, {"de": "Deutsch"}, {"zh": "z"}]
)
def test_an_unknown_word_is_refused(tmp_path: Path, change: dict[str, str]) -> None:
    write(tmp_path, **change)
    with pytest.raises(CatalogueIncomplete):
        read_entries(tmp_path)


def test_a_code_stands_in_one_file(tmp_path: Path) -> None:
    write(tmp_path)
    write(tmp_path, "b.toml")
    with pytest.raises(CatalogueIncomplete, match="twice"):
        read_entries(tmp_path)


def test_a_code_without_an_entry_is_refused() -> None:
    class Unheard(NotFound):
        code = "unheard_of_for_this_test"

    with pytest.raises(CatalogueIncomplete, match="unheard_of"):
        catalogue.verify_complete([Unheard])
    with pytest.raises(CatalogueIncomplete):
        entry("no_such_code")
    catalogue.verify_complete([NotFound])
