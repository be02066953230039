"""Notices: what the platform tells people by itself, in their language, in the app and by mail.

A use case joins :meth:`Notices.notify` in its own transaction, so that nothing happens to somebody without
their hearing of it; :meth:`Notices.wake` tells phones that something waits for them. A recipient is an opaque id (a
person, a phone, an account); only this feature knows at which address it is reached. Start with :class:`Notices`.
"""

from inkan.notices.model import (
    CarrierName,
    CarrierState,
    Channel,
    Contact,
    ContactBusy,
    Delivery,
    EndReason,
    MailAddress,
    MailAddressMalformed,
    NewsItem,
    NewsRefused,
    NewsState,
    NewsTexts,
    NewsUnknown,
    Notice,
    Outcome,
    Published,
    PushAddress,
    PushDeferred,
    PushSubscriptionBusy,
    PushSubscriptionRefused,
    PushUnavailable,
    SpoolUnwritable,
    Template,
    WakeUp,
)
from inkan.notices.ports import Carrier, Fetch
from inkan.notices.rules import NEWS_TOPIC, PERMISSIONS, PURGE_EVERY, parse_mail_address
from inkan.notices.service import (
    MAIL_JOB,
    PUSH_JOB,
    MailJob,
    Notices,
    PollOnly,
    PushJob,
    WebPush,
)
from inkan.notices.store import EVENT_PAIRS

__all__ = [
    "EVENT_PAIRS",
    "MAIL_JOB",
    "NEWS_TOPIC",
    "PERMISSIONS",
    "PURGE_EVERY",
    "PUSH_JOB",
    "Carrier",
    "CarrierName",
    "CarrierState",
    "Channel",
    "Contact",
    "ContactBusy",
    "Delivery",
    "EndReason",
    "Fetch",
    "MailAddress",
    "MailAddressMalformed",
    "MailJob",
    "NewsItem",
    "NewsRefused",
    "NewsState",
    "NewsTexts",
    "NewsUnknown",
    "Notice",
    "Notices",
    "Outcome",
    "PollOnly",
    "Published",
    "PushAddress",
    "PushDeferred",
    "PushJob",
    "PushSubscriptionBusy",
    "PushSubscriptionRefused",
    "PushUnavailable",
    "SpoolUnwritable",
    "Template",
    "WakeUp",
    "WebPush",
    "parse_mail_address",
]
