"""Templates, facts, addresses, announcements."""

import string
from datetime import UTC
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inkan.kernel.errors import InkanError
from inkan.notices import (
    MailAddressMalformed,
    NewsRefused,
    NewsTexts,
    Template,
    parse_mail_address,
)
from inkan.notices.rules import (
    FACT_LIMIT,
    TEXT_LIMIT,
    WHEN,
    render,
    show_fact,
    templates,
    verify_facts,
    verify_news,
)
from inkan.web.languages import Formats, Language

EVERY = [(template, language) for template in Template for language in Language]
MOMENT = "2026-04-01T01:00:00Z"


def facts_of(template: Template) -> dict[str, str]:
    words = templates()[template]
    return dict.fromkeys(words.facts, "一支手機") | dict.fromkeys(words.moments, MOMENT)


def formats(language: Language) -> Formats:
    return Formats(language, ZoneInfo("Asia/Taipei"))


def test_every_template_has_words_in_every_language() -> None:
    assert set(templates()) == set(Template)
    for language in Language:
        assert {moment for _, moment, _, _ in string.Formatter().parse(WHEN[language])} >= {
            "moment"
        }


@pytest.mark.parametrize(("template", "language"), EVERY)
def test_a_template_shows_each_of_its_facts(template: Template, language: Language) -> None:
    title, text = render(template, facts_of(template), formats(language))
    assert title
    assert "{" not in title + text
    assert text.count("一支手機") == len(templates()[template].facts)
    # 01:00 in UTC is 09:00 in Taipei
    assert text.count("09:00") == len(templates()[template].moments)


@pytest.mark.parametrize("template", Template)
def test_the_words_differ_between_the_languages(template: Template) -> None:
    texts = {render(template, facts_of(template), formats(language)) for language in Language}
    assert len(texts) == len(Language)


@pytest.mark.parametrize(
    "facts", [{}, {"phone": "x", "other": "y"}, {"Phone": "x"}, {"phone": "x", "at": MOMENT}]
)
def test_other_facts_than_the_template_names_are_a_mistake(facts: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="takes the facts"):
        verify_facts(Template.PHONE_BOUND, facts)


def test_a_moment_that_is_none_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="isoformat"):
        verify_facts(Template.STAFF_INVITED, {"link": "x", "until": "soon"})


def test_a_template_that_misses_a_fact_does_not_load() -> None:
    from inkan.notices.rules import Wording, Words, _verify_words

    good, bad = Wording(title="T", text="{phone}"), Wording(title="T", text="{phnoe}")
    with pytest.raises(ValueError, match="ja"):
        _verify_words("x", Words(en=good, ja=bad, zh_hant=good, facts=("phone",)))
    with pytest.raises(ValueError, match="en"):
        _verify_words(
            "x", Words(en=Wording(title="{phone}", text="{phone}"), ja=good, zh_hant=good)
        )


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("my phone", "my phone"),
        ("two\r\nlines", "two  lines"),
        ("nul\0 and\u2028line", "nul  and line"),
        ("a\u202egnp.exe", "agnp.exe"),
        ("👩\u200d💻 phone", "👩\u200d💻 phone"),
        ("x" * (FACT_LIMIT + 1), "x" * FACT_LIMIT + "…"),
        ("{phone} {0.__class__}", "{phone} {0.__class__}"),
    ],
)
def test_a_fact_stays_on_its_line(value: str, shown: str) -> None:
    assert show_fact(value) == shown


def test_a_fact_is_not_a_template() -> None:
    facts = {"phone": "{phone.__class__.__mro__} %s $x"}
    assert facts["phone"] in render(Template.PHONE_BOUND, facts, formats(Language.EN)).text


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("chen@example.org", "chen@example.org"),
        ("First.Last+tag@EXAMPLE.Org", "First.Last+tag@example.org"),
        ("inkan@localhost", "inkan@localhost"),
        (f"{'a' * 64}@{'b' * 63}.example", f"{'a' * 64}@{'b' * 63}.example"),
    ],
)
def test_addresses_have_one_spelling(text: str, canonical: str) -> None:
    assert parse_mail_address(text).reveal() == canonical


@pytest.mark.parametrize(
    "text",
    [
        "",
        "chen",
        "@example.org",
        "chen@",
        "chen@@example.org",
        "a@b@c",
        ".chen@example.org",
        "chen.@example.org",
        "ch..en@example.org",
        "chen@-example.org",
        "chen@example-.org",
        "chen@example..org",
        "chen@example.org.",
        "chen@[127.0.0.1]",
        '"chen"@example.org',
        "chen @example.org",
        "chen@example.org\r\nBcc: all@example.org",
        "chen@example.org\n",
        "chen@example.org,lin@example.org",
        "Chen <chen@example.org>",
        "ｃｈｅｎ@example.org",
        "chen@例え.jp",
        f"{'a' * 65}@example.org",
        f"a@{'.'.join(['b' * 63] * 4)}",
    ],
)
def test_what_is_no_address_is_refused_and_not_repeated(text: str) -> None:
    with pytest.raises(MailAddressMalformed) as refused:
        parse_mail_address(text)
    assert not text or text not in str(refused.value)


@given(st.text(max_size=300))
def test_the_address_parser_refuses_cleanly(text: str) -> None:
    try:
        address = parse_mail_address(text).reveal()
    except InkanError:
        return
    assert address.isascii()
    assert parse_mail_address(address).reveal() == address


GOOD = NewsTexts(en="Maintenance", ja="保守のお知らせ", zh_hant="維護公告")


def test_an_announcement_needs_every_language() -> None:
    verify_news(GOOD, GOOD)
    for bad, limit in (("", 120), ("  ", 120), ("x" * 121, 120)):
        with pytest.raises(NewsRefused) as refused:
            verify_news(NewsTexts(en="Title", ja=bad, zh_hant="標題"), GOOD)
        assert refused.value.facts == {"where": "/title/ja", "expected": f"1 to {limit} characters"}
    with pytest.raises(NewsRefused):
        verify_news(GOOD, NewsTexts(en="x" * (TEXT_LIMIT + 1), ja="x", zh_hant="x"))


@pytest.mark.req("WAT-62")
def test_an_announcement_holds_no_my_number() -> None:
    with pytest.raises(NewsRefused) as refused:
        verify_news(GOOD, NewsTexts(en="Ask for １２３４５６７８９０１８", ja="x", zh_hant="x"))
    assert refused.value.facts["expected"] == "no My Number"
    assert "1234" not in str(refused.value)


def test_dates_are_read_as_utc() -> None:
    facts = {"link": "https://id.example/x", "until": "2026-04-01T01:00:00Z"}
    text = render(Template.STAFF_INVITED, facts, Formats(Language.EN, UTC)).text
    assert "April 1, 2026 01:00" in text
