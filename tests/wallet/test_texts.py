"""The wallet's words: every sentence of its modules is translated, no translation is left over, no fact is lost."""

import json
import re
from pathlib import Path

import msgspec
import pytest
from babel.messages.pofile import read_po

from inkan.wallet.service import Shell, WalletFacts
from inkan.web.languages import Language
from inkan.web.templates import Templates
from inkan.wire import reasons, shown

PACKAGE = Path(__file__).parents[2] / "src" / "inkan" / "wallet"
FOLDERS = {Language.JA: "ja", Language.ZH_HANT: "zh_Hant"}
SPOKEN = re.compile(r"""(?<![\w.$])t\(\s*("(?:[^"\\\n]|\\.)*")""")
CALLS = re.compile(r"(?<![\w.$])t\(")
MARKED = re.compile(r"""(?<!\w)_\("((?:[^"\\]|\\.)*)"\)""")
FACT = re.compile(r"\{\w+\}")
# Names that are the same in every language.
NAMES = {"App", "FIDO"}


def modules() -> dict[str, str]:
    return {path.name: path.read_text("utf-8") for path in sorted(PACKAGE.glob("static/*.js"))}


def sentences() -> set[str]:
    """Every sentence of the modules and of the page for browsers without script."""
    spoken = {json.loads(each) for text in modules().values() for each in SPOKEN.findall(text)}
    pages = [path.read_text("utf-8") for path in PACKAGE.glob("templates/*.html")]
    return spoken | {each for page in pages for each in MARKED.findall(page)}


def translations(language: Language) -> dict[str, str]:
    with (PACKAGE / "locale" / FOLDERS[language] / "messages.po").open("rb") as file:
        return {str(each.id): str(each.string) for each in read_po(file) if each.id}


@pytest.mark.parametrize("language", FOLDERS)
def test_every_sentence_is_translated(language: Language) -> None:
    missing = sorted(sentences() - set(translations(language)))
    assert not missing, "\n".join(missing)


@pytest.mark.parametrize("language", FOLDERS)
def test_no_translation_is_left_over(language: Language) -> None:
    # A sentence of the service (what a message says) is a constant of Python.
    python = "\n".join(path.read_text("utf-8") for path in PACKAGE.glob("*.py"))
    over = sorted(set(translations(language)) - sentences())
    assert not [each for each in over if json.dumps(each) not in python]


@pytest.mark.parametrize("language", FOLDERS)
def test_a_translation_names_the_facts_of_its_sentence(language: Language) -> None:
    for sentence, text in translations(language).items():
        assert sorted(FACT.findall(sentence)) == sorted(FACT.findall(text)), sentence
        assert text != sentence or text in NAMES, f"{sentence} is not translated"


def test_a_sentence_stands_where_it_is_spoken() -> None:
    """What is put together at run time could not be translated, nor found by these tests."""
    for name, text in modules().items():
        if name != "texts.js":
            assert len(CALLS.findall(text)) == len(SPOKEN.findall(text)), name


def test_the_texts_that_are_served_hold_all_that_is_spoken_and_every_reason() -> None:
    facts = WalletFacts(
        platform="https://id.example",
        wallet="https://wallet.example",
        is_test=False,
        official_site="https://id.example",
        version="1",
    )
    shell = Shell(Templates({"wallet": PACKAGE}), facts)
    for language in Language:
        served = msgspec.json.decode(shell.texts[language], type=dict[str, str])
        if language is not Language.EN:
            assert sentences() <= set(served)
        for code, text in reasons.texts().items():
            assert served[f"reason.{code}"] == text[shown.Language(language)]
