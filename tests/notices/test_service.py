"""Telling people: inbox, mail, contacts, news, on both databases."""

import email
import stat
from datetime import datetime, timedelta
from email.message import EmailMessage
from email.policy import SMTP
from pathlib import Path
from typing import Any

import pytest

from inkan.audit import Actor, ActorKind, Audit
from inkan.kernel.clock import rfc3339
from inkan.notices import (
    EVENT_PAIRS,
    MAIL_JOB,
    MailAddressMalformed,
    NewsRefused,
    NewsTexts,
    NewsUnknown,
    Notices,
    SpoolUnwritable,
    Template,
    parse_mail_address,
)
from inkan.store.database import Database, Step
from inkan.store.outbox import Handler, Job, Outbox
from inkan.store.sealing import Sealer
from inkan.web.languages import Language
from support.clock import START, StandingClock

PERSON = "per_chen"
STAFF = Actor(ActorKind.STAFF, "acc_clerk")
FACTS = {"phone": "陳さんの phone"}


class Rollback(Exception):
    """Raised by a use case that fails after it has told."""


async def settle(database: Database, notices: Notices) -> int:
    """Deliver every mail that waits."""
    return await Outbox(database, notices.handlers).run_due()


async def tell(database: Database, notices: Notices, **how: Any) -> None:
    await database.transact(notices.notify, PERSON, "phone_bound", FACTS, **how)


async def reach(
    database: Database,
    notices: Notices,
    address: str = "chen@example.org",
    language: Language = Language.EN,
) -> None:
    await database.transact(
        notices.set_contact,
        PERSON,
        parse_mail_address(address),
        language=language,
        actor=STAFF,
    )


def mails(spool: Path) -> list[EmailMessage]:
    found = [
        email.message_from_bytes(path.read_bytes(), policy=SMTP)
        for path in sorted(spool.glob("*.eml"))
    ]
    return [each for each in found if isinstance(each, EmailMessage)]


def files(spool: Path) -> list[Path]:
    return sorted(spool.iterdir()) if spool.exists() else []


def block(spool: Path) -> None:
    """Put a file where the folder should be."""
    spool.write_text("")


def unblock(spool: Path) -> None:
    spool.unlink()


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def recipients(spool: Path) -> list[str]:
    return sorted(mail["To"] for mail in mails(spool))


# --- the inbox -------------------------------------------------------------------------------------


@pytest.mark.req("HCA-10")
async def test_a_notice_reaches_the_recipient_and_each_phone(
    database: Database, notices: Notices
) -> None:
    await tell(database, notices, phones=["phn_one", "phn_two"])
    for reader in (PERSON, "phn_one", "phn_two"):
        (mine,) = await notices.inbox(reader, language=Language.EN)
        assert mine.template is Template.PHONE_BOUND
        assert FACTS["phone"] in mine.text.reveal()
        assert mine.created_at == START
    assert await notices.inbox("phn_three", language=Language.EN) == []


async def test_a_notice_is_read_in_the_readers_language(
    database: Database, notices: Notices
) -> None:
    await tell(database, notices)
    titles = {(await notices.inbox(PERSON, language=lang))[0].title for lang in Language}
    assert titles == {
        "A phone was bound to you",
        "スマートフォンが登録されました",
        "已綁定一支手機",
    }


async def test_the_newest_notice_comes_first(
    database: Database, notices: Notices, clock: StandingClock
) -> None:
    await tell(database, notices)
    clock.tick(60)
    await database.transact(notices.notify, PERSON, "phone_revoked", FACTS)
    templates = [each.template for each in await notices.inbox(PERSON, language=Language.EN)]
    assert templates == [Template.PHONE_REVOKED, Template.PHONE_BOUND]


async def test_what_is_rolled_back_was_never_told(
    database: Database, notices: Notices, spool: Path
) -> None:
    def fail() -> Step[None]:
        yield from notices.notify(PERSON, "phone_bound", FACTS)
        raise Rollback

    await reach(database, notices)
    with pytest.raises(Rollback):
        await database.transact(fail)
    assert await notices.inbox(PERSON, language=Language.EN) == []
    assert await settle(database, notices) == 0


@pytest.mark.parametrize(("template", "facts"), [("phone_lost", FACTS), ("phone_bound", {})])
async def test_a_misspelt_notice_is_a_mistake(
    database: Database, notices: Notices, template: str, facts: dict[str, str]
) -> None:
    with pytest.raises(ValueError, match=r"phone_lost|takes the facts"):
        await database.transact(notices.notify, PERSON, template, facts)


# --- contacts known before (design §5.2 step 6) ------------------------------------------------------


async def test_only_contacts_known_before_the_act_hear_of_it(
    database: Database, notices: Notices, clock: StandingClock, spool: Path
) -> None:
    began = clock.tick(1)
    clock.tick(1)
    await reach(database, notices, "thief@example.org")
    await tell(database, notices, contacts_before=began)
    await settle(database, notices)
    assert mails(spool) == []
    assert len(await notices.inbox(PERSON, language=Language.EN)) == 1


async def test_a_contact_replaced_during_the_act_still_hears_of_it(
    database: Database, notices: Notices, clock: StandingClock, spool: Path
) -> None:
    await reach(database, notices, "owner@example.org")
    began = clock.tick(10)
    clock.tick(10)
    await reach(database, notices, "thief@example.org")
    await tell(database, notices, contacts_before=began)
    await settle(database, notices)
    # Once that the address changed, once that a phone was bound
    assert recipients(spool) == ["owner@example.org", "owner@example.org"]


async def test_a_contact_that_ended_before_the_act_is_left_alone(
    database: Database, notices: Notices, clock: StandingClock, spool: Path
) -> None:
    await reach(database, notices, "old@example.org")
    clock.tick(10)
    await database.transact(notices.remove_contact, PERSON, actor=STAFF)
    await settle(database, notices)
    before = len(mails(spool))
    began = clock.tick(10)
    await tell(database, notices, contacts_before=began)
    await tell(database, notices)
    assert await settle(database, notices) == 0
    assert len(mails(spool)) == before == 1


async def test_the_same_address_again_stays_known_since_its_first_day(
    database: Database, notices: Notices, clock: StandingClock
) -> None:
    await reach(database, notices)
    clock.tick(timedelta(days=1))
    await reach(database, notices)
    await reach(database, notices, language=Language.JA)
    (contact,) = await notices.contacts(PERSON)
    assert contact.known_from == START
    assert contact.language is Language.JA
    assert await notices.inbox(PERSON, language=Language.EN) == []


@pytest.mark.race
async def test_rival_changes_of_a_contact_leave_one(database: Database, notices: Notices) -> None:
    from asyncio import gather

    rivals = [reach(database, notices, f"rival{n}@example.org") for n in range(8)]
    answers = await gather(*rivals, return_exceptions=True)
    assert len(await notices.contacts(PERSON)) == 1
    assert None in answers


async def test_contacts_before_lists_what_was_in_force(
    database: Database, notices: Notices, clock: StandingClock
) -> None:
    async def before(moment: datetime) -> list[str]:
        found = await database.read(notices.contacts_before, PERSON, moment)
        return [each.address.reveal() for each in found]

    await reach(database, notices, "first@example.org")
    changed = clock.tick(60)
    await reach(database, notices, "second@example.org")
    assert await before(START) == []
    assert await before(changed) == ["first@example.org"]
    assert await before(clock.tick(60)) == ["second@example.org"]


# --- mail ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("language", Language)
async def test_a_mail_is_written_in_the_contacts_language(
    database: Database, notices: Notices, spool: Path, language: Language
) -> None:
    await reach(database, notices, language=language)
    await tell(database, notices)
    await settle(database, notices)
    (mail,) = mails(spool)
    (told,) = await notices.inbox(PERSON, language=language)
    assert mail["Subject"] == told.title
    assert mail["To"] == "chen@example.org"
    assert mail["From"] == "inkan@id.example"
    assert mail["Content-Language"] == language
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["Date"].datetime == START
    body = mail.get_content().replace("\r\n", "\n")
    assert told.text.reveal() in body
    assert "09:00" in body.splitlines()[-1]


async def test_a_mail_is_dated_by_true_time(
    database: Database, notices: Notices, spool: Path, clock: StandingClock
) -> None:
    await reach(database, notices)
    clock.advance(timedelta(days=25))
    await tell(database, notices)
    await settle(database, notices)
    assert mails(spool)[0]["Date"].datetime == START


async def test_a_delivery_that_is_repeated_is_the_same_file(
    database: Database, notices: Notices, spool: Path
) -> None:
    await reach(database, notices)
    await tell(database, notices)
    jobs: list[Job] = []

    async def twice(job: Job) -> None:
        jobs.append(job)
        await notices.deliver_mail(job)
        await notices.deliver_mail(job)

    await Outbox(database, {MAIL_JOB: Handler(twice)}).run_due()
    (path,) = files(spool)
    assert path.name == f"{jobs[0].id}.eml"
    assert path.read_bytes().endswith(b"\r\n")
    assert mails(spool)[0]["Message-ID"] == f"<{jobs[0].id}@id.example>"
    assert mode(path) == 0o600
    assert mode(spool) == 0o700


async def test_a_full_spool_keeps_the_job_and_leaves_no_half_file(
    database: Database, notices: Notices, spool: Path
) -> None:
    await reach(database, notices)
    await tell(database, notices)
    block(spool)
    outbox = Outbox(database, notices.handlers)
    await outbox.run_due()
    assert (outbox.failed, outbox.delivered) == (1, 0)
    unblock(spool)
    await notices.deliver_mail(await last_job(database))
    assert len(files(spool)) == 1


async def last_job(database: Database) -> Job:
    """The job that waits for its next try."""
    from inkan.store.outbox import _outbox
    from inkan.store.query import Query

    query = Query(_outbox.select())

    def read() -> Step[Any]:
        return (yield query.one())

    row = await database.read(read)
    return Job(row.id, row.kind, row.key, row.payload, row.tries, row.enqueued_at)


async def test_a_spool_that_cannot_be_written_is_told_to_the_operator(
    database: Database, notices: Notices, spool: Path
) -> None:
    await reach(database, notices)
    await tell(database, notices)
    block(spool)
    with pytest.raises(SpoolUnwritable):
        await notices.deliver_mail(await last_job(database))


async def test_a_mail_to_somebody_erased_is_dropped(
    database: Database, notices: Notices, spool: Path
) -> None:
    await reach(database, notices)
    await tell(database, notices)
    await database.transact(notices.forget, PERSON)
    assert await settle(database, notices) == 1
    assert files(spool) == []
    assert await notices.contacts(PERSON) == []
    assert await notices.inbox(PERSON, language=Language.EN) == []


async def test_a_long_link_stays_on_its_line(
    database: Database, notices: Notices, spool: Path
) -> None:
    link = f"https://id.example/staff/invite#{'k' * 200}"
    await reach(database, notices, language=Language.ZH_HANT)
    facts = {"link": link, "until": rfc3339(START)}
    await database.transact(notices.notify, PERSON, "staff_invited", facts)
    await settle(database, notices)
    (path,) = files(spool)
    assert link.encode() in path.read_bytes().split(b"\r\n")


async def test_a_sender_that_is_no_address_is_refused_at_the_start(
    database: Database, audit: Audit, sealer: Sealer, clock: StandingClock, spool: Path
) -> None:
    with pytest.raises(MailAddressMalformed):
        Notices(
            db=database,
            audit=audit,
            sealer=sealer,
            clock=clock,
            spool=spool,
            sender="Inkan <inkan@id.example>\r\nBcc: x@y.example",
        )


# --- nothing readable in the database (threat 28) ----------------------------------------------------


async def test_neither_addresses_nor_facts_are_readable_in_the_database(
    database: Database, notices: Notices
) -> None:
    from inkan.notices import store
    from inkan.store.outbox import _outbox
    from inkan.store.query import Query

    await reach(database, notices, "canary@example.org")
    await database.transact(notices.notify, PERSON, "phone_bound", {"phone": "canary-phone"})
    tables = [Query(table.select()) for table in (store.contact, store.notice, _outbox)]

    def dump() -> Step[str]:
        rows: list[Any] = []
        for query in tables:
            rows += yield query.all()
        return repr(rows)

    text = await database.read(dump)
    assert PERSON in text
    assert "canary" not in text
    assert "example.org" not in text


# --- news, upkeep, audit -----------------------------------------------------------------------------

TITLE = NewsTexts(en="Maintenance", ja="保守のお知らせ", zh_hant="維護公告")
TEXT = NewsTexts(en="On Sunday.", ja="日曜日です。", zh_hant="週日進行。")


@pytest.mark.req("TW-39")
async def test_news_are_listed_newest_first_in_the_readers_language(
    notices: Notices, clock: StandingClock
) -> None:
    first = await notices.publish_news(TITLE, TEXT, actor=STAFF)
    clock.tick(60)
    second = await notices.publish_news(TITLE, TEXT, actor=STAFF)
    assert [item.id for item in await notices.news(Language.JA)] == [second, first]
    for language, title in zip(
        Language, ("Maintenance", "保守のお知らせ", "維護公告"), strict=True
    ):
        assert (await notices.news(language))[0].title == title


async def test_news_appear_when_they_are_due_and_go_when_withdrawn(
    notices: Notices, clock: StandingClock
) -> None:
    due = START + timedelta(hours=1)
    news = await notices.publish_news(TITLE, TEXT, actor=STAFF, published_at=due)
    assert await notices.news(Language.EN) == []
    clock.tick(timedelta(hours=1))
    assert len(await notices.news(Language.EN)) == 1
    await notices.withdraw_news(news, actor=STAFF)
    assert await notices.news(Language.EN) == []
    with pytest.raises(NewsUnknown):
        await notices.withdraw_news(news, actor=STAFF)
    with pytest.raises(NewsUnknown):
        await notices.withdraw_news("nws_nothing", actor=STAFF)


async def test_news_that_must_not_be_published_are_refused(notices: Notices) -> None:
    with pytest.raises(NewsRefused):
        await notices.publish_news(NewsTexts(en="", ja="x", zh_hant="x"), TEXT, actor=STAFF)
    assert await notices.news(Language.EN) == []


async def test_old_notices_and_ended_contacts_are_forgotten(
    database: Database, notices: Notices, clock: StandingClock
) -> None:
    await reach(database, notices, "old@example.org")
    began = clock.tick(1)
    await reach(database, notices, "new@example.org")
    clock.tick(timedelta(days=29))
    await notices.purge()
    assert len(await database.read(notices.contacts_before, PERSON, began)) == 1
    clock.tick(timedelta(days=1))
    await notices.purge()
    assert await database.read(notices.contacts_before, PERSON, began) == []
    assert len(await notices.contacts(PERSON)) == 1
    clock.tick(timedelta(days=335))
    await notices.purge()
    assert len(await notices.inbox(PERSON, language=Language.EN)) == 1
    clock.tick(timedelta(days=1))
    await notices.purge()
    assert await notices.inbox(PERSON, language=Language.EN) == []


async def test_every_row_has_its_event(database: Database, notices: Notices, audit: Audit) -> None:
    await reach(database, notices, "a@example.org")
    await reach(database, notices, "b@example.org")
    await reach(database, notices, "b@example.org", Language.JA)
    await database.transact(notices.remove_contact, PERSON, actor=STAFF)
    news = await notices.publish_news(TITLE, TEXT, actor=STAFF)
    await notices.withdraw_news(news, actor=STAFF)
    await audit.sequence_once()
    report = await audit.verify([("notices", query) for query in EVENT_PAIRS])
    assert report.findings == []
    assert report.events == 6
