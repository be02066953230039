"""The portal's words: three languages, none missing, none left over; the headers of every page."""

import re
from pathlib import Path

import pytest

from inkan.composition.routes import MENU, PAGED
from inkan.portal.pages import FOLDER, WORDS
from inkan.portal.rules import ORGANISATION_NAMES, PURPOSE_TEXTS
from inkan.web.languages import Language
from inkan.web.templates import Templates
from portal.browsers import Browser

DATA = {*WORDS, *(item.text for item in MENU)}


@pytest.fixture(scope="module")
def pages() -> str:
    return "".join(page.read_text("utf-8") for page in (FOLDER / "templates").glob("*.html"))


def test_every_text_is_translated(pages: str) -> None:
    # The menu stands on every page, and each feature translates its own entries.
    folders = {feature.__name__: Path(str(feature.__file__)).parent for feature in PAGED}
    templates = Templates({name.split(".")[-1]: folder for name, folder in folders.items()})
    asked = set(re.findall(r'_\("([^"]+)"\)', pages)) | DATA
    assert len(asked) > 60
    for language in (Language.JA, Language.ZH_HANT):
        known = templates.languages.translations[language]
        assert sorted(text for text in asked if text not in known) == []


def test_no_translation_is_left_over(pages: str) -> None:
    for catalogue in Path(FOLDER / "locale").rglob("*.po"):
        for text in re.findall(r'^msgid "(.+)"$', catalogue.read_text("utf-8"), re.MULTILINE):
            assert f'"{text}"' in pages or text in DATA, text


def test_the_question_is_asked_in_every_language() -> None:
    assert set(PURPOSE_TEXTS) == set(ORGANISATION_NAMES) == {each.value for each in Language}


@pytest.mark.parametrize(
    ("language", "start", "login"),
    [
        ("en", "To my home", "Log in with your phone"),
        ("ja", "マイページへ", "スマートフォンでログイン"),
        ("zh-Hant", "前往個人專區", "以手機登入"),
    ],
)
async def test_the_pages_speak_three_languages(
    browser: Browser, language: str, start: str, login: str
) -> None:
    for path, text in (("/", start), ("/login", login)):
        reply = await browser.see(path, **{"accept-language": language})
        assert f'lang="{language}"' in reply.text
        assert text in reply.text


async def test_the_policy_admits_no_inline_script(browser: Browser) -> None:
    await browser.begin()
    for path in ("/", "/login", "/login/code"):
        reply = await browser.see(path)
        policy = reply.header("content-security-policy") or ""
        assert "script-src 'self'" in policy
        assert "unsafe" not in policy
        assert not re.search(r"<script(?![^>]* src=)|<style| on\w+=| style=", reply.text)


async def test_without_javascript_the_code_page_refreshes_itself(browser: Browser) -> None:
    await browser.begin()
    page = (await browser.see("/login/code")).text
    assert '<noscript><meta http-equiv="refresh" content="2"></noscript>' in page
