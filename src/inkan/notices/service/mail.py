"""Mail: a job that names only ids, and a handler that writes one message file into a spool folder.

The text is made at delivery, from sealed rows: nothing readable lies in the outbox. The file bears the job's
name and appears whole or not at all; so a delivery that is repeated after a crash is the same file, and a mail
system that has taken it before sees the same ``Message-ID``.
"""

import asyncio
import os
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from pathlib import Path
from typing import Any, Final

import msgspec

from inkan.kernel.ids import random_bytes
from inkan.notices import store
from inkan.notices.model import SpoolUnwritable
from inkan.notices.rules import WHEN, parse_mail_address, render
from inkan.notices.service.parts import Parts
from inkan.store.database import Step
from inkan.store.outbox import Job, enqueue

MAIL_JOB: Final = "notices.mail"
_OWNER_ONLY: Final = 0o600
_OWNER_FOLDER: Final = 0o700
_LINE_LIMIT: Final = 998
"""Octets of a line (RFC 5322 §2.1.1); a link must not be folded, so that the spool can be read by eye."""


class MailJob(msgspec.Struct, frozen=True):
    """The job :data:`MAIL_JOB`: which notice goes to which contact."""

    notice: str
    contact: str


def enqueue_mail(*, notice: str, contact: str) -> Step[None]:
    """Step: send a notice to a contact after COMMIT."""
    yield from enqueue(
        MAIL_JOB,
        MailJob(notice=notice, contact=contact),
        key=f"{MAIL_JOB}:{notice}:{contact}",
    )


class Post:
    """Writes messages into the spool folder."""

    def __init__(self, parts: Parts, *, spool: Path, sender: str) -> None:
        """Send as ``sender``.

        Raises:
            MailAddressMalformed: the sender is no mail address.
        """
        self._parts = parts
        self._spool = spool
        self._sender = parse_mail_address(sender).reveal()

    async def deliver(self, job: Job) -> None:
        """Write the message of a job into the spool; nothing when its notice or contact was erased since.

        Raises:
            SpoolUnwritable: the folder or the disk does not take it.
        """
        rows = await self._parts.db.read(_rows, job.decode(MailJob))
        if rows is None:
            return
        data = self.compose(job, *rows)
        try:
            await asyncio.to_thread(write_message, self._spool, f"{job.id}.eml", data)
        except OSError as fault:
            raise SpoolUnwritable(type(fault).__name__) from fault

    def compose(self, job: Job, notice: Any, contact: Any) -> bytes:
        """The message (RFC 5322) of a notice's and a contact's row."""
        to = self._parts.read_contact(contact)
        formats = self._parts.formats[to.language]
        told = render(notice.template, self._parts.open_facts(notice), formats)
        when = WHEN[to.language].format(moment=formats.moment(notice.created_at))
        message = EmailMessage(policy=SMTP)
        message["From"] = self._sender
        message["To"] = to.address.reveal()
        message["Subject"] = told.title
        # Read by others' clocks: true time, also in an instance that travels
        message["Date"] = format_datetime(self._parts.clock.wire_now())
        message["Message-ID"] = f"<{job.id}@{self._sender.rpartition('@')[2]}>"
        # RFC 3834 §5: no absence notice, no list reply
        message["Auto-Submitted"] = "auto-generated"
        body = f"{told.text}\n\n{when}\n"
        message.set_content(body, cte=_encoding(body))
        message["Content-Language"] = to.language.value
        return message.as_bytes()


def _encoding(body: str) -> str:
    longest = max(len(line.encode()) for line in body.splitlines())
    return "8bit" if longest <= _LINE_LIMIT else "base64"


def _rows(job: MailJob) -> Step[tuple[Any, Any] | None]:
    notice = yield store.NOTICE_BY_ID.one(key=job.notice)
    contact = yield store.CONTACT_BY_ID.one(key=job.contact)
    return None if notice is None or contact is None else (notice, contact)


def write_message(spool: Path, name: str, data: bytes) -> None:
    """Put ``data`` into the folder under ``name``, whole and durable.

    While it is written the name begins with a dot, so that no mail system takes a part of it.

    Raises:
        OSError: the folder or the disk does not take it; nothing is left under ``name``.
    """
    spool.mkdir(mode=_OWNER_FOLDER, parents=True, exist_ok=True)
    fresh = spool / f".{name}.{random_bytes(6).hex()}"
    try:
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _OWNER_ONLY)
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(spool / name)
    finally:
        fresh.unlink(missing_ok=True)
    _sync_folder(spool)


def _sync_folder(folder: Path) -> None:
    """Make the new name durable as well."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
