"""The certificate viewer, as a browser without scripts and as an attacker see it."""

import html
import itertools
import re
from datetime import UTC, datetime

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA384
from cryptography.hazmat.primitives.serialization import Encoding
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from inkan.crypto.certificate_file import pem
from pki.golden_certificate import DER as GOLDEN
from pki.hands import on_sqlite
from pki.page_forms import LANGUAGES, issued, send, text_of
from support import pki
from support.asgi import Client
from support.world import PLATFORM, World

HOSTILE = pki.Hierarchy().leaf.der
ADDRESSES = itertools.count()

pytestmark = on_sqlite


@pytest.fixture
def browser(world: World) -> Client:
    return Client(world.instance.application, PLATFORM)


@pytest.mark.req("JPKI-14", "JPKI-15", "JPKI-28")
@pytest.mark.parametrize(
    ("language", "facts"),
    [
        (
            "en",
            [
                "Name",
                "Date of birth",
                "Sex",
                "Address",
                "Date of issue",
                "Last day of validity",
                "Issuer",
                "Basic",
                "Detail",
                "HTML view",
                "Close",
            ],
        ),
        (
            "ja",
            [
                "氏名",
                "生年月日",
                "性別",
                "住所",
                "発行年月日",
                "有効期間の満了日",
                "発行者",
                "基本",
                "詳細",
                "HTML表示",
                "閉じる",
            ],
        ),
        (
            "zh-Hant",
            [
                "姓名",
                "出生年月日",
                "性別",
                "地址",
                "發證日期",
                "有效期間末日",
                "簽發者",
                "基本",
                "詳細",
                "HTML 顯示",
                "關閉",
            ],
        ),
    ],
)
async def test_the_viewer_shows_seven_facts_two_tabs_and_two_buttons(
    world: World, browser: Client, language: str, facts: list[str]
) -> None:
    made = await issued(world)
    reply = await send(browser, "/certificates/view", file=made.der, language=language)
    seen = text_of(reply)
    assert reply.status == 200
    assert [fact for fact in facts if fact not in seen] == []


@pytest.mark.req("JPKI-16")
@pytest.mark.parametrize(
    ("language", "birth", "end"),
    [
        ("en", "November 7, 1977", "March 31, 2007"),
        ("ja", "昭和52年11月7日", "平成19年3月31日"),
        ("zh-Hant", "民國 66 年 11 月 7 日", "民國 96 年 3 月 31 日"),
    ],
)
async def test_the_certificate_of_the_source_is_shown_as_in_the_source(
    browser: Client, language: str, birth: str, end: str
) -> None:
    reply = await send(browser, "/certificates/view", text=pem(GOLDEN), language=language)
    seen = text_of(reply)
    assert "公的 一郎" in seen
    assert "東京都港区虎ノ門5丁目" in seen
    assert "東京都知事" in seen
    assert birth in seen
    assert end in seen


async def test_pasted_text_and_a_file_are_the_same(world: World, browser: Client) -> None:
    made = await issued(world)
    by_file = await send(browser, "/certificates/view", file=made.der)
    by_text = await send(browser, "/certificates/view", text=pem(made.der))
    assert text_of(by_file) == text_of(by_text)


@pytest.mark.req("JPKI-39")
async def test_an_authority_is_shown_with_its_thumbprint(world: World, browser: Client) -> None:
    root = world.platform.pki.authorities()[-1]
    anchor = world.platform.pki.anchors()[0]
    reply = await send(browser, "/certificates/view", file=anchor)
    seen = text_of(reply).replace(" ", "")
    line = next(each for each in world.platform.pki.authorities() if each.role == "root")
    assert line.thumbprint_sha256 in seen
    assert "Thisisoneofourcertificates" in seen
    assert root


async def test_a_strangers_certificate_is_shown_with_a_warning(browser: Client) -> None:
    forged = pki.Authority.root("Inkan Test Root CA").subordinate("Inkan Test Card CA")
    reply = await send(browser, "/certificates/view", file=forged.issue("陳怡君").der)
    assert "This certificate was not issued here" in reply.text
    assert "陳怡君" in reply.text
    assert "Is it still valid?" not in reply.text


@pytest.mark.parametrize("language", LANGUAGES)
async def test_the_html_view_is_one_page_that_needs_nothing_else(
    world: World, browser: Client, language: str
) -> None:
    made = await issued(world)
    reply = await send(
        browser,
        "/certificates/view/html",
        page="/certificates/view",
        text=pem(made.der),
        language=language,
    )
    assert reply.status == 200
    assert not re.search(r"<(script|style|link|img|form|iframe|a)\b", reply.text)
    assert not re.search(r"\b(src|href|style|on\w+)=", reply.text)
    assert "default-src 'none'" in reply.text.partition("<title>")[0]
    assert pem(made.der).splitlines()[1] in reply.text.replace("<wbr>", "")


async def test_the_names_in_a_certificate_are_text_and_nothing_else(browser: Client) -> None:
    evil = pki.Authority.root('<script>alert(1)</script>"{{ 7 * 7 }}').certificate.der
    for path in ("/certificates/view", "/certificates/view/html"):
        reply = await send(browser, path, page="/certificates/view", text=pem(evil))
        assert "<script>alert" not in reply.text
        assert "{{ 7 * 7 }}" in html.unescape(reply.text)


async def test_nothing_of_a_certificate_is_stored_or_logged(
    world: World, browser: Client, capsys: pytest.CaptureFixture[str]
) -> None:
    name = "Nobody Knows Me"
    stranger = pki.Authority.root().issue(name).der
    before = await world.events()
    for path in ("/certificates/view", "/certificates/status", "/ca/check"):
        await send(browser, path, file=stranger)
    assert await world.events() == before
    shown = capsys.readouterr()
    assert name not in shown.out + shown.err
    kept = b"".join(file.read_bytes() for file in world.folder.rglob("*") if file.is_file())
    assert name.encode() not in kept


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(cut=st.integers(0, 400), octet=st.integers(0, 255), place=st.integers(4, 390))
async def test_a_hostile_certificate_is_never_our_own_fault(
    browser: Client, cut: int, octet: int, place: int
) -> None:
    der = bytearray(HOSTILE)
    der[place] = octet
    # From a new address each time, so that the rate does not answer first.
    number = next(ADDRESSES)
    browser.address = f"198.51.{number // 250}.{number % 250}"
    for path in ("/certificates/view", "/ca/check", "/certificates/status"):
        reply = await send(browser, path, file=bytes(der[: len(der) - cut]))
        assert reply.status in {200, 400}, reply.text


async def test_a_certificate_without_end_and_one_larger_than_ours_are_shown(
    browser: Client,
) -> None:
    endless = pki.Authority.root(not_after=datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC))
    large = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3"), b"\x04" * 20_000)
    key = endless.key
    name = pki.name("Large")
    builder = x509.CertificateBuilder(name, name, key.public_key(), 5, pki.AT, pki.AT + pki.DAY)
    signed = builder.add_extension(large, critical=False).sign(key, SHA384())
    for language in LANGUAGES:
        for der in (endless.certificate.der, signed.public_bytes(Encoding.DER)):
            for path in ("/certificates/view", "/certificates/view/html"):
                reply = await send(
                    browser, path, page="/certificates/view", file=der, language=language
                )
                assert reply.status == 200
