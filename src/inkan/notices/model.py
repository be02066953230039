"""What notices are made of: contacts, notices, news, and what can be refused.

A notice is a template and its facts; it becomes a text only when somebody reads it, in that reader's language.
"""

from datetime import datetime
from enum import StrEnum

import msgspec

from inkan.kernel.errors import Conflict, Malformed, NotFound, Unavailable
from inkan.kernel.sensitive import Personal
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


class Channel(StrEnum):
    """By which way a contact is reached."""

    MAIL = "mail"


class Template(StrEnum):
    """What a notice tells; ``templates.toml`` holds the words."""

    PHONE_BOUND = "phone_bound"
    PHONE_RENEWED = "phone_renewed"
    PHONE_REVOKED = "phone_revoked"
    PARENT_ENDED = "parent_ended"
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


class NewsItem(msgspec.Struct, frozen=True):
    """An announcement as somebody reads it (TW-39)."""

    id: str
    title: str
    text: str
    published_at: datetime
