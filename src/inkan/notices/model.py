"""What notices are made of: contacts, notices, news, and what can be refused.

A notice is a template and its facts; it becomes a text only when somebody reads it, in that reader's language.
"""

from datetime import datetime
from enum import StrEnum

import msgspec

from inkan.kernel.errors import Conflict, Malformed, NotFound, Unavailable
from inkan.kernel.sensitive import Personal, Secret
from inkan.web.languages import Language


class MailAddressMalformed(Malformed):
    """Not one mail address in its plain form (``name@domain``); the address itself is never repeated."""

    code = "mail_address_malformed"
    title = "This is not a mail address"
    public = ()


class ContactBusy(Conflict):
    """Two changes of one recipient's contact met; the other one stands."""

    code = "contact_busy"
    title = "The contact is being changed elsewhere"


class NewsRefused(Malformed):
    """The text of an announcement is empty, too long, or holds what must not be published."""

    code = "news_refused"
    title = "This announcement cannot be published as it is"
    public = ("where", "expected")


class NewsUnknown(NotFound):
    """No announcement has this id, or it was withdrawn."""

    code = "news_unknown"
    title = "There is no such announcement"


class SpoolUnwritable(Unavailable):
    """A mail could not be put into the spool folder; the outbox tries again."""

    code = "spool_unwritable"
    title = "A mail could not be handed over"


class PushSubscriptionRefused(Malformed):
    """The endpoint is not one that the platform calls, or the carrier asks for other members."""

    code = "push_subscription_refused"
    title = "This push subscription cannot be used"


class PushSubscriptionBusy(Conflict):
    """Two subscriptions of one phone met and the other one stands, or the phone changed meanwhile."""

    code = "push_subscription_busy"
    title = "The push subscription is being changed elsewhere"


class PushUnavailable(Unavailable):
    """This instance has no carrier of that name."""

    code = "push_unavailable"
    title = "This way of waking a phone is not offered here"


class PushDeferred(Unavailable):
    """The push service asks to come back later; the outbox tries again."""

    code = "push_deferred"
    title = "The push service does not take messages at the moment"


class Channel(StrEnum):
    """By which way a contact is reached."""

    MAIL = "mail"


class Template(StrEnum):
    """What a notice tells; ``templates.toml`` holds the words."""

    PHONE_BOUND = "phone_bound"
    PHONE_RENEWED = "phone_renewed"
    PHONE_REVOKED = "phone_revoked"
    PHONES_FROZEN = "phones_frozen"
    PARENT_ENDED = "parent_ended"
    CARD_HANDED_OVER = "card_handed_over"
    CARD_UNLOCKED = "card_unlocked"
    CARD_ENDED = "card_ended"
    CONTACT_CHANGED = "contact_changed"
    STAFF_INVITED = "staff_invited"
    PASSKEY_ADDED = "passkey_added"
    LOGIN = "login"


class MailAddress(Personal[str]):
    """A mail address in the form that :func:`inkan.notices.parse_mail_address` gives it."""


class Contact(msgspec.Struct, frozen=True, kw_only=True):
    """Where a recipient is reached.

    Attributes:
        id: opaque; a changed address is a new contact.
        language: in which its mails are written.
        known_from: since when the platform knows it.
    """

    id: str
    channel: Channel
    address: MailAddress
    language: Language
    known_from: datetime


class Notice(msgspec.Struct, frozen=True, kw_only=True):
    """A notice in the inbox, in its reader's language; the text is for the reader only."""

    id: str
    template: Template
    title: str
    text: Personal[str]
    created_at: datetime


class NewsTexts(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One text in every language of the platform."""

    en: str
    ja: str
    zh_hant: str = msgspec.field(name="zh-Hant")

    def in_language(self, language: Language) -> str:
        """The text in that language."""
        return {Language.EN: self.en, Language.JA: self.ja, Language.ZH_HANT: self.zh_hant}[
            language
        ]


class Published(msgspec.Struct, frozen=True):
    """An announcement as it was published, in all languages."""

    id: str
    title: NewsTexts
    text: NewsTexts
    published_at: datetime


class NewsState(msgspec.Struct, frozen=True):
    """An announcement as its writers see it; ``withdrawn_at`` is None while it stands."""

    published: Published
    withdrawn_at: datetime | None


class NewsItem(msgspec.Struct, frozen=True):
    """An announcement as somebody reads it (TW-39)."""

    id: str
    title: str
    text: str
    published_at: datetime


# --- push --------------------------------------------------------------------------------------------


class CarrierName(StrEnum):
    """By which way a phone is woken; a further way is a row of the table that the composition fills."""

    WEBPUSH = "webpush"
    """A browser's push service (RFC 8030)."""
    UNIFIEDPUSH = "unifiedpush"
    """A push service that the person chose; to an application server it is Web Push as well."""
    POLL_ONLY = "poll_only"
    """No way: the wallet asks when it is opened."""


class EndReason(StrEnum):
    """Why a subscription ended."""

    REPLACED = "replaced"
    UNSUBSCRIBED = "unsubscribed"
    GONE = "gone"
    """The push service said so (404, 410)."""
    UNCALLABLE = "uncallable"
    """Its endpoint leads to an address that the platform does not call."""
    PHONE_ENDED = "phone_ended"


class CarrierState(msgspec.Struct, frozen=True):
    """One way to wake phones, as its operators see it.

    Attributes:
        is_running: whether this instance speaks it.
        live: phones that are woken by it now.
        ended: subscriptions that ended within the last month, by reason.
    """

    carrier: CarrierName
    is_running: bool
    live: int
    ended: dict[EndReason, int]


class Outcome(StrEnum):
    """What became of one try to wake a phone."""

    ACCEPTED = "accepted"
    GONE = "gone"
    UNCALLABLE = "uncallable"
    LATER = "later"
    REFUSED = "refused"
    """This message is not taken, now or later; the subscription may be in order."""


class PushAddress(msgspec.Struct, frozen=True, kw_only=True):
    """Where a phone is woken and for whom the message is encrypted: a browser's ``PushSubscription``.

    Attributes:
        endpoint: chosen by the phone's push service, so by a stranger.
        p256dh, auth: the receiver's public key and secret, base64url.
    """

    endpoint: Personal[str]
    p256dh: str
    auth: Secret[str]


class WakeUp(msgspec.Struct, frozen=True, kw_only=True):
    """One message.

    Attributes:
        handle: opaque; all that the phone is told.
        ttl_s: how long it is worth delivering, at least 1.
        topic: a later message of the same topic replaces an undelivered one (RFC 8030 §5.4).
    """

    handle: str
    ttl_s: int
    topic: str


class Delivery(msgspec.Struct, frozen=True):
    """What a carrier reports.

    Attributes:
        retry_after_s: with LATER, how long it asks to be left alone.
        status: its HTTP status, for the log.
    """

    outcome: Outcome
    retry_after_s: int | None = None
    status: int | None = None
