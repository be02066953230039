"""Notices: what the platform tells people by itself, in their language, in the app and by mail.

A use case joins :meth:`Notices.notify` in its own transaction, so that nothing happens to somebody without
their hearing of it. A recipient is an opaque id (a person, a phone, an account); only this feature knows at
which address it is reached. Start with :class:`Notices`.
"""

from inkan.notices.model import (
    Channel,
    Contact,
    ContactBusy,
    MailAddress,
    MailAddressMalformed,
    NewsItem,
    NewsRefused,
    NewsTexts,
    NewsUnknown,
    Notice,
    Published,
    SpoolUnwritable,
    Template,
)
from inkan.notices.rules import PERMISSIONS, PURGE_EVERY, parse_mail_address
from inkan.notices.service import MAIL_JOB, MailJob, Notices
from inkan.notices.store import EVENT_PAIRS

__all__ = [
    "EVENT_PAIRS",
    "MAIL_JOB",
    "PERMISSIONS",
    "PURGE_EVERY",
    "Channel",
    "Contact",
    "ContactBusy",
    "MailAddress",
    "MailAddressMalformed",
    "MailJob",
    "NewsItem",
    "NewsRefused",
    "NewsTexts",
    "NewsUnknown",
    "Notice",
    "Notices",
    "Published",
    "SpoolUnwritable",
    "Template",
    "parse_mail_address",
]
