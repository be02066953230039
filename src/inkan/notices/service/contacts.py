"""Where recipients are reached. A changed address is a new contact, and the old one is told."""

from datetime import datetime
from typing import Any

from inkan.audit import Actor
from inkan.kernel.ids import new_id
from inkan.notices import store
from inkan.notices.model import Channel, Contact, ContactBusy, MailAddress, Template
from inkan.notices.service.inbox import write_notice
from inkan.notices.service.mail import enqueue_mail
from inkan.notices.service.parts import Parts
from inkan.store.database import MOMENT, Step
from inkan.web.languages import Language


def rows_now(recipient: str) -> Step[list[Any]]:
    """Step: the rows of the present contacts."""
    rows: list[Any] = yield store.CONTACTS_NOW.all(recipient_id=recipient)
    return rows


def rows_before(recipient: str, moment: datetime) -> Step[list[Any]]:
    """Step: the rows of the contacts that were in force just before ``moment``."""
    rows: list[Any] = yield store.CONTACTS_BEFORE.all(recipient_id=recipient, before=moment)
    return rows


def contacts_now(parts: Parts, recipient: str) -> Step[list[Contact]]:
    """Step: the present contacts."""
    rows = yield from rows_now(recipient)
    return [parts.read_contact(row) for row in rows]


def contacts_before(parts: Parts, recipient: str, moment: datetime) -> Step[list[Contact]]:
    """Step: the contacts that were in force just before ``moment``."""
    rows = yield from rows_before(recipient, moment)
    return [parts.read_contact(row) for row in rows]


def set_contact(
    parts: Parts, recipient: str, address: MailAddress, *, language: Language, actor: Actor
) -> Step[None]:
    """Step: reach a recipient by mail at ``address``, in ``language``, and no longer elsewhere.

    The address before it gets the notice ``contact_changed`` (ASVS 5.0 6.3.7). The same address again keeps the
    day since which it is known; only its language may change.

    Raises:
        ContactBusy: a rival change was faster.
    """
    rows = yield from rows_now(recipient)
    held = {parts.read_contact(row).address: row for row in rows}
    same = held.get(address)
    if same is not None and same.language is language:
        return
    event = yield from parts.audit.record(
        "notices.contact_set",
        actor=actor,
        subject=recipient,
        details={"channel": Channel.MAIL.value, "language": language.value},
    )
    if same is not None:
        yield store.SET_LANGUAGE.run(key=same.id, new_language=language, event=event)
        return
    yield store.END_CONTACTS.run(recipient_id=recipient, way=Channel.MAIL.value, event=event)
    yield from _insert(parts, recipient, address, language, event)
    if rows:
        yield from _tell_old(parts, recipient, rows)


def _insert(
    parts: Parts, recipient: str, address: MailAddress, language: Language, event: str
) -> Step[None]:
    contact_id = new_id("con")
    made = yield store.INSERT_CONTACT.run(
        id=contact_id,
        recipient=recipient,
        channel=Channel.MAIL,
        address=parts.sealer.seal(store.ADDRESS, contact_id, address),
        language=language,
        known_from=(yield MOMENT),
        ended_at=None,
        event_id=event,
    )
    if not made:
        raise ContactBusy()


def _tell_old(parts: Parts, recipient: str, rows: list[Any]) -> Step[None]:
    """One notice for the inbox, one mail to each contact that has just ended."""
    told = yield from write_notice(parts, recipient, Template.CONTACT_CHANGED, {})
    for row in rows:
        yield from enqueue_mail(notice=told, contact=row.id)


def remove_contact(parts: Parts, recipient: str, *, actor: Actor) -> Step[bool]:
    """Step: reach a recipient by mail no longer; False when there was no contact."""
    rows = yield from rows_now(recipient)
    if not rows:
        return False
    event = yield from parts.audit.record(
        "notices.contact_removed",
        actor=actor,
        subject=recipient,
        details={"channel": Channel.MAIL.value},
    )
    yield store.END_CONTACTS.run(recipient_id=recipient, way=Channel.MAIL.value, event=event)
    yield from _tell_old(parts, recipient, rows)
    return True
