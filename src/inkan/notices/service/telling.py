"""Telling somebody: rows for the inbox and jobs for the mail, in the transaction of what happened."""

from collections.abc import Sequence
from datetime import datetime

from inkan.notices.model import Template
from inkan.notices.service.contacts import rows_before, rows_now
from inkan.notices.service.inbox import write_notice
from inkan.notices.service.mail import enqueue_mail
from inkan.notices.service.parts import Facts, Parts
from inkan.store.database import Step


def notify(
    parts: Parts,
    recipient: str,
    template: str,
    facts: Facts,
    *,
    phones: Sequence[str] = (),
    contacts_before: datetime | None = None,
) -> Step[None]:
    """Step: tell a recipient, and each of the named phones, what happened.

    One notice for the inbox of the recipient and of each phone, one mail to each contact of the recipient.

    Args:
        parts: the feature's dependencies.
        recipient: opaque id of a person or an account.
        template: value of :class:`Template`.
        facts: exactly those that the template names; sealed, because they may be personal.
        phones: opaque ids of phones that are to show it.
        contacts_before: only contacts known before this moment hear of it, also those replaced since, so that
            whoever began the act cannot redirect its notice (design §5.2 step 6).

    Raises:
        ValueError: no such template, or other facts: a mistake of the program.
    """
    kind = Template(template)
    told = yield from write_notice(parts, recipient, kind, facts)
    for phone in phones:
        yield from write_notice(parts, phone, kind, facts)
    if contacts_before is None:
        rows = yield from rows_now(recipient)
    else:
        rows = yield from rows_before(recipient, contacts_before)
    for row in rows:
        yield from enqueue_mail(notice=told, contact=row.id)
