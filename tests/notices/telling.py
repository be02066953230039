"""Somebody who is told things, and ways to look at what reached them."""

import email
from email.message import EmailMessage
from email.policy import SMTP
from pathlib import Path
from typing import Any

from inkan.audit import Actor, ActorKind
from inkan.notices import (
    NewsTexts,
    Notices,
    parse_mail_address,
)
from inkan.store.database import Database
from inkan.store.outbox import Outbox
from inkan.web.languages import Language

PERSON = "per_chen"
STAFF = Actor(ActorKind.STAFF, "acc_clerk")
FACTS = {"phone": "陳さんの phone"}


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


def recipients(spool: Path) -> list[str]:
    return sorted(mail["To"] for mail in mails(spool))


TITLE = NewsTexts(en="Maintenance", ja="保守のお知らせ", zh_hant="維護公告")
TEXT = NewsTexts(en="On Sunday.", ja="日曜日です。", zh_hant="週日進行。")
