"""Mail: written whole into the spool, once, in the contact's language, and nowhere readable before (threat 28)."""

import stat
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from inkan.audit import Audit
from inkan.kernel.clock import rfc3339
from inkan.notices import (
    MAIL_JOB,
    MailAddressMalformed,
    Notices,
    SpoolUnwritable,
)
from inkan.store.database import Database, Step
from inkan.store.outbox import Handler, Job, Outbox
from inkan.store.schema import metadata
from inkan.store.sealing import Sealer
from inkan.web.languages import Language
from notices.telling import (
    FACTS,
    PERSON,
    files,
    mails,
    reach,
    settle,
    tell,
)
from support.clock import START, StandingClock


def block(spool: Path) -> None:
    """Put a file where the folder should be."""
    spool.write_text("")


def make_folder(path: Path) -> None:
    path.mkdir(parents=True)


def unblock(spool: Path) -> None:
    spool.unlink()


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.mark.req("HCA-10")
@pytest.mark.parametrize("template", ["phone_bound", "phone_revoked", "parent_ended"])
async def test_issue_revocation_and_anomaly_are_told_at_once_by_app_and_mail(
    database: Database, notices: Notices, spool: Path, template: str
) -> None:
    await reach(database, notices)
    await database.transact(notices.notify, PERSON, template, FACTS)
    (told,) = await notices.inbox(PERSON, language=Language.EN)
    await settle(database, notices)
    (mail,) = mails(spool)
    assert told.template == template
    assert mail["Subject"] == told.title
    assert FACTS["phone"] in mail.get_content()


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


async def test_a_write_that_fails_half_way_leaves_nothing(
    database: Database, notices: Notices, spool: Path
) -> None:
    await reach(database, notices)
    await tell(database, notices)
    job = await last_job(database)
    occupied = spool / f"{job.id}.eml"
    make_folder(occupied)
    with pytest.raises(SpoolUnwritable):
        await notices.deliver_mail(job)
    assert files(spool) == [occupied]


async def last_job(database: Database) -> Job:
    """The job that waits for its next try."""
    from inkan.store.query import Query

    query = Query(metadata.tables["store_outbox"].select())

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


async def test_neither_addresses_nor_facts_are_readable_in_the_database(
    database: Database, notices: Notices
) -> None:
    from inkan.notices import store
    from inkan.store.query import Query

    await reach(database, notices, "canary@example.org")
    await database.transact(notices.notify, PERSON, "phone_bound", {"phone": "canary-phone"})
    jobs = metadata.tables["store_outbox"]
    tables = [Query(table.select()) for table in (store.contact, store.notice, jobs)]

    def dump() -> Step[str]:
        rows: list[Any] = []
        for query in tables:
            rows += yield query.all()
        return repr(rows)

    text = await database.read(dump)
    assert PERSON in text
    assert "canary" not in text
    assert "example.org" not in text
