"""What the counter prints: read back from the PDF, in three languages (JPKI-21, JPKI-22, JPKI-25, JPKI-37)."""

import hashlib
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from inkan.counter.model import (
    Case,
    CaseKind,
    CaseOutOfOrder,
    CaseState,
    Clerk,
    DocumentKind,
    Office,
    PhotoDocument,
    ReportCause,
)
from inkan.counter.rules.paper_words import _leaves, paper_words, say
from inkan.counter.service.papers import Papers
from inkan.crypto.certificate_view import Sex
from inkan.crypto.paper import PaperFontMissing
from inkan.kernel.calendar import last_instant
from inkan.kernel.ids import AccountID, PersonID, new_id
from inkan.kernel.sensitive import Personal
from inkan.pki import HolderFacts, IssuedCertificate, SubjectName
from inkan.store.database import Database
from inkan.web.languages import Language
from pki.page_forms import OWN, text_of
from support.asgi import Client
from support.clock import StandingClock
from support.orders import order_of
from support.printed import Printed, paper_font
from support.world import PLATFORM, World, world_on

on_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
pytestmark = on_sqlite

OFFICE = Office(
    code="chiyoda-1",
    name="千代田區 窓口",
    municipality="chiyoda",
    authority="card",
    phone="03-5211-4000",
)
CLERK = Clerk(
    account=AccountID(new_id("acc")), person=PersonID(new_id("per")), office=OFFICE.code, shift="s"
)
ADDRESS = "東京都千代田区霞が関二丁目1番2号 中央合同庁舎第2号館 別館801号室"
FACTS = HolderFacts(birth_date=date(1988, 3, 14), sex=Sex.FEMALE, address=Personal(ADDRESS))
MY_NUMBER = "123456789018"
PRINTED = datetime(2026, 11, 22, 3, 0, tzinfo=UTC)
TEXTS = {
    Language.EN: ("March 14, 1988", "Female", "Copy of an electronic certificate"),
    Language.JA: ("昭和63年3月14日", "女", "電子証明書の写し（副本）"),
    Language.ZH_HANT: ("民國 77 年 3 月 14 日", "女", "電子憑證副本"),
}


class Desk:
    """A world with a case whose certificate was issued."""

    def __init__(self, world: World, issued: IssuedCertificate) -> None:
        self.world = world
        self.issued = issued
        self.papers: Papers = world.platform.counter.papers
        self.case = Case(
            id=new_id("cse"),
            kind=CaseKind.ISSUE,
            state=CaseState.WRITTEN,
            office=OFFICE.code,
            clerk=CLERK.account,
            person=CLERK.person,
            card="00112233445566778899AABBCCDDEEFF",
            document=PhotoDocument(
                kind=DocumentKind.PASSPORT, number=Personal(MY_NUMBER), expires_on=date(2030, 1, 1)
            ),
            confirmed_by=None,
            terms_version="1",
            paid=500,
            cause=None,
            certificates={"signature": issued.id},
            created_at=world.clock.now(),
            expires_at=world.clock.now() + timedelta(hours=1),
            version=1,
        )

    def a_case(self, **bent: Any) -> Case:
        return msgspec.structs.replace(self.case, **bent)

    async def print(
        self, name: str, language: Language = Language.JA, *, at: datetime = PRINTED, **bent: Any
    ) -> bytes:
        pdf: bytes = await getattr(self.papers, name)(
            CLERK, self.a_case(**bent), office=OFFICE, language=language, at=at
        )
        return pdf

    async def read(self, name: str, language: Language = Language.JA, **bent: Any) -> Printed:
        return Printed(await self.print(name, language, **bent))


@pytest.fixture
async def desk(database: Database, clock: StandingClock, tmp_path: Path) -> AsyncIterator[Desk]:
    paper_font()
    async with world_on(database, clock, tmp_path) as world:
        end = last_instant(clock.now(), years=3, utc_offset=timedelta(hours=8))
        subject = SubjectName(common_name=Personal("髙橋 林美惠"), serial_number="1234567890123456")
        issued = await world.platform.pki.issue(
            order_of(1, clock, holder=FACTS, subject=subject, not_after=end)
        )
        yield Desk(world, issued)


@pytest.mark.req("JPKI-09", "JPKI-16", "JPKI-22")
@pytest.mark.parametrize("language", Language)
async def test_the_copy_says_what_the_certificate_says(desk: Desk, language: Language) -> None:
    printed = await desk.read("copy", language)
    born, sex, title = TEXTS[language]
    assert printed.lines[0] == title
    for text in ("髙橋 林美惠", born, sex, desk.issued.serial.upper()):
        assert text in printed.lines
    assert ADDRESS in printed.text
    assert printed.barcode == desk.issued.serial.upper()
    assert printed.language == language.value
    assert OFFICE.phone in printed.lines[1]


@pytest.mark.req("JPKI-16")
async def test_the_last_day_is_the_day_before_the_anniversary(desk: Desk) -> None:
    lines = (await desk.read("copy", Language.JA)).lines
    last = lines[lines.index("有効期間の末日") + 1]
    today = desk.world.clock.now() + timedelta(hours=8)
    day_before = date(today.year + 3, today.month, today.day) - timedelta(days=1)
    assert last == f"令和{day_before.year - 2018}年{day_before.month}月{day_before.day}日"


@pytest.mark.req("JPKI-21", "JPKI-37")
@pytest.mark.parametrize("language", Language)
async def test_the_handbook_has_the_thumbprints_of_the_authorities(
    desk: Desk, language: Language
) -> None:
    """The same groups as the page /ca has, on a way of their own: paper."""
    printed = await desk.read("handbook", language)
    browser = Client(desk.world.instance.application, PLATFORM)
    page = text_of(await browser.get("/ca/handbook", headers=OWN)).replace(" ", "")
    hierarchy = desk.world.platform.pki.hierarchy
    for name in ("root", "card"):
        whole = hierarchy.get(name).certificate
        groups = _groups(whole)
        assert "  ".join(groups[:8]) in printed.lines
        assert "  ".join(groups[8:]) in printed.lines
        if name == "root":
            assert "".join(groups) in page
    assert f"{desk.world.origins.platform}/ca" in printed.text.replace(" ", "")


def _groups(der: bytes) -> list[str]:
    upper = hashlib.sha256(der).hexdigest().upper()
    return [upper[at : at + 4] for at in range(0, 64, 4)]


@pytest.mark.req("JPKI-25")
@pytest.mark.parametrize("language", Language)
@pytest.mark.parametrize("cause", ReportCause)
async def test_the_acceptance_notice(desk: Desk, language: Language, cause: ReportCause) -> None:
    printed = await desk.read(
        "acceptance_notice", language, kind=CaseKind.REVOKE, state=CaseState.DONE, cause=cause
    )
    for text in (
        say(f"causes.{cause}", language.value),
        desk.issued.serial.upper(),
        desk.case.card or "",
        "髙橋 林美惠",
    ):
        assert text in printed.lines
    assert any("11:00" in line for line in printed.lines)  # 03:00 UTC at the counter
    assert printed.barcode == desk.case.id.upper().replace("_", "-")


@pytest.mark.req("JPKI-25")
@pytest.mark.parametrize("language", Language)
@pytest.mark.parametrize("kind", CaseKind)
async def test_the_form_of_each_kind_of_case(
    desk: Desk, language: Language, kind: CaseKind
) -> None:
    printed = await desk.read("application_form", language, kind=kind)
    assert printed.lines[0] == say(f"form.titles.{kind}", language.value)
    causes = {say(f"causes.{cause}", language.value) for cause in ReportCause}
    assert (causes <= set(printed.lines)) == (kind is CaseKind.REVOKE)
    # A form is for everybody: nothing about the person stands on it.
    assert all(text not in printed.text for text in ("林美惠", ADDRESS, desk.issued.serial.upper()))


@pytest.mark.req("WAT-62")
@pytest.mark.parametrize("name", ["copy", "handbook", "acceptance_notice", "application_form"])
async def test_no_paper_holds_the_number_of_a_document(desk: Desk, name: str) -> None:
    """A My Number that a clerk took for the number of a document is on no paper, in no property, in no metadata."""
    bent = {"kind": CaseKind.REVOKE, "cause": ReportCause.LOST} if "notice" in name else {}
    pdf = await desk.print(name, **bent)
    printed = Printed(pdf)
    assert MY_NUMBER not in "".join(printed.text.split())
    assert MY_NUMBER.encode() not in pdf
    assert all(MY_NUMBER not in value for value in printed.properties.values())


async def test_the_same_input_gives_the_same_bytes(desk: Desk) -> None:
    first = await desk.print("copy")
    assert await desk.print("copy") == first
    later = await desk.print("copy", at=PRINTED + timedelta(days=1))
    assert later != first


async def test_every_font_is_an_embedded_subset(desk: Desk) -> None:
    for name in ("copy", "handbook", "application_form"):
        (font,) = (await desk.read(name, Language.ZH_HANT)).fonts
        assert font.name == "/MPDFAA+NotoSansCJKTC"
        assert 1_000 < len(font.file) < 200_000


async def test_what_is_printed_stands_in_the_audit(desk: Desk) -> None:
    before = await desk.world.events()
    await desk.print("copy")
    assert [*before, "counter.paper_printed"] == await desk.world.events()


async def test_papers_that_a_case_does_not_have(desk: Desk) -> None:
    before = await desk.world.events()
    for name, bent in (
        ("copy", {"certificates": {}}),
        ("acceptance_notice", {}),
        ("acceptance_notice", {"kind": CaseKind.REVOKE, "cause": None}),
    ):
        with pytest.raises(CaseOutOfOrder):
            await desk.print(name, **bent)
    assert await desk.world.events() == before


async def test_without_a_font_nothing_is_printed_and_nothing_recorded(desk: Desk) -> None:
    parts = desk.world.platform.counter.parts
    before = await desk.world.events()
    papers = Papers(replace(parts, paper_font="/nowhere/font.ttc"))
    with pytest.raises(PaperFontMissing):
        await papers.copy(CLERK, desk.case, office=OFFICE, language=Language.JA, at=PRINTED)
    assert await desk.world.events() == before


def test_every_member_of_an_enum_is_told(database_url: str) -> None:
    words = paper_words()
    for name, kinds in (
        ("causes", ReportCause),
        ("sexes", Sex),
        ("form.documents", DocumentKind),
        ("form.titles", CaseKind),
        ("form.declaration", CaseKind),
    ):
        told = {each.removeprefix(f"{name}.") for each in words if each.startswith(f"{name}.")}
        assert told == {each.value for each in kinds}, name


@pytest.mark.parametrize(
    "tree",
    [
        {"a": {"en": "x", "ja": "x"}},
        {"a": {"en": "{x}", "ja": "{x}", "zh-Hant": "{y}"}},
        {"a": {"en": "x", "ja": "x", "zh-Hant": "x", "fr": "x"}},
    ],
)
def test_words_that_differ_between_languages_are_refused(
    tree: dict[str, Any], database_url: str
) -> None:
    with pytest.raises(ValueError, match="differs"):
        list(_leaves("", tree))
