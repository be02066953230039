"""The rows of contacts, notices, news and push subscriptions, and every query on them.

Addresses, facts, endpoints and keys are sealed: a copy of the database tells neither where somebody is reached nor
what they were told.
"""

from typing import Any

import sqlalchemy as sa

from inkan.notices.model import CarrierName, Channel, EndReason, Template
from inkan.notices.rules import INBOX_SIZE, NEWS_KEPT_IN_SIGHT, NEWS_SIZE
from inkan.store.query import Query, insert_new, insert_row, one_of
from inkan.store.schema import NOW, Choice, JSONText, Moment, metadata
from inkan.store.sealing import SealedColumn
from inkan.web.languages import Language

ADDRESS = SealedColumn("notices_contact", "address")
FACTS = SealedColumn("notices_notice", "facts")
ENDPOINT = SealedColumn("notices_push_subscription", "endpoint")
KEYS = SealedColumn("notices_push_subscription", "keys")

contact = sa.Table(
    "notices_contact",
    metadata,
    sa.Column("id", sa.String, primary_key=True),
    sa.Column("recipient", sa.String, nullable=False, index=True),
    sa.Column("channel", Choice(Channel), nullable=False),
    sa.Column("address", sa.LargeBinary, nullable=False),
    sa.Column("language", Choice(Language), nullable=False),
    sa.Column("known_from", Moment, nullable=False),
    sa.Column("ended_at", Moment, index=True),
    sa.Column("event_id", sa.String, nullable=False),
)
_live = contact.c.ended_at.is_(None)
# A recipient has one address a channel; the ended ones are kept for mails that are on their way.
sa.Index(
    "uq_notices_contact_live",
    contact.c.recipient,
    contact.c.channel,
    unique=True,
    sqlite_where=_live,
    postgresql_where=_live,
)

notice = sa.Table(
    "notices_notice",
    metadata,
    sa.Column("id", sa.String, primary_key=True),
    sa.Column("recipient", sa.String, nullable=False),
    sa.Column("template", Choice(Template), nullable=False),
    sa.Column("facts", sa.LargeBinary, nullable=False),
    sa.Column("created_at", Moment, nullable=False, index=True),
    sa.Index(None, "recipient", "created_at"),
)

news = sa.Table(
    "notices_news",
    metadata,
    sa.Column("id", sa.String, primary_key=True),
    sa.Column("title", JSONText, nullable=False),
    sa.Column("text", JSONText, nullable=False),
    sa.Column("published_at", Moment, nullable=False, index=True),
    sa.Column("withdrawn_at", Moment),
    sa.Column("event_id", sa.String, nullable=False),
)

# An ended subscription keeps neither endpoint nor keys; a carrier without addresses has none.
subscription = sa.Table(
    "notices_push_subscription",
    metadata,
    sa.Column("id", sa.String, primary_key=True),
    sa.Column("phone", sa.String, nullable=False, index=True),
    sa.Column("carrier", Choice(CarrierName), nullable=False),
    sa.Column("endpoint", sa.LargeBinary),
    sa.Column("keys", sa.LargeBinary),
    sa.Column("created_at", Moment, nullable=False),
    sa.Column("ended_at", Moment, index=True),
    sa.Column("end_reason", Choice(EndReason)),
    sa.Column("event_id", sa.String, nullable=False),
)
_subscribed = subscription.c.ended_at.is_(None)
sa.Index(
    "uq_notices_push_subscription_live",
    subscription.c.phone,
    unique=True,
    sqlite_where=_subscribed,
    postgresql_where=_subscribed,
)


def _bind(name: str, type_: Any = sa.String) -> Any:
    return sa.bindparam(name, type_=type_, required=True)


# --- contacts --------------------------------------------------------------------------------------

# 0 rows: a rival has set a contact in the meantime.
INSERT_CONTACT = insert_new(contact)
CONTACT_BY_ID = Query(sa.select(contact).where(contact.c.id == _bind("key")))
CONTACTS_NOW = Query(
    sa.select(contact)
    .where(contact.c.recipient == _bind("recipient_id"), _live)
    .order_by(contact.c.known_from)
)
CONTACTS_BEFORE = Query(
    sa.select(contact)
    .where(
        contact.c.recipient == _bind("recipient_id"),
        contact.c.known_from < _bind("before", Moment()),
        sa.or_(_live, contact.c.ended_at >= _bind("before", Moment())),
    )
    .order_by(contact.c.known_from)
)
END_CONTACTS = Query(
    sa.update(contact)
    .where(contact.c.recipient == _bind("recipient_id"), contact.c.channel == _bind("way"), _live)
    .values(ended_at=NOW, event_id=_bind("event"))
)
SET_LANGUAGE = Query(
    sa.update(contact)
    .where(contact.c.id == _bind("key"), _live)
    .values(language=_bind("new_language", Choice(Language)), event_id=_bind("event"))
)
PURGE_CONTACTS = Query(sa.delete(contact).where(contact.c.ended_at <= _bind("before", Moment())))
FORGET_CONTACTS = Query(sa.delete(contact).where(contact.c.recipient == _bind("recipient_id")))

# --- notices ---------------------------------------------------------------------------------------

INSERT_NOTICE = insert_row(notice)
NOTICE_BY_ID = Query(sa.select(notice).where(notice.c.id == _bind("key")))
INBOX = Query(
    sa.select(notice)
    .where(notice.c.recipient == _bind("recipient_id"))
    .order_by(notice.c.created_at.desc(), notice.c.id)
    .limit(INBOX_SIZE)
)
PURGE_NOTICES = Query(sa.delete(notice).where(notice.c.created_at <= _bind("before", Moment())))
FORGET_NOTICES = Query(sa.delete(notice).where(notice.c.recipient == _bind("recipient_id")))

# --- news ------------------------------------------------------------------------------------------

INSERT_NEWS = insert_row(news)
WITHDRAW_NEWS = Query(
    sa.update(news)
    .where(news.c.id == _bind("key"), news.c.withdrawn_at.is_(None))
    .values(withdrawn_at=NOW, event_id=_bind("event"))
)
NEWS = Query(
    sa.select(news)
    .where(news.c.withdrawn_at.is_(None), news.c.published_at <= NOW)
    .order_by(news.c.published_at.desc(), news.c.id)
    .limit(NEWS_SIZE)
)

ALL_NEWS = Query(
    sa.select(news).order_by(news.c.published_at.desc(), news.c.id).limit(NEWS_KEPT_IN_SIGHT)
)
NEWS_ONE = Query(
    sa.select(news).where(
        news.c.id == _bind("key"), news.c.withdrawn_at.is_(None), news.c.published_at <= NOW
    )
)

# --- push subscriptions ----------------------------------------------------------------------------

# 0 rows: a rival has subscribed the phone in the meantime.
INSERT_SUBSCRIPTION = insert_new(subscription)
LIVE_SUBSCRIPTION = Query(
    sa.select(subscription).where(subscription.c.phone == _bind("phone_id"), _subscribed)
)
LIVE_SUBSCRIPTION_BY_ID = Query(
    sa.select(subscription).where(subscription.c.id == _bind("key"), _subscribed)
)
LIVE_SUBSCRIPTIONS = Query(
    sa.select(subscription.c.id)
    .where(one_of(subscription.c.phone, "phones"), _subscribed)
    .order_by(subscription.c.id)
)
COUNT_SUBSCRIPTIONS = Query(
    sa.select(
        subscription.c.carrier, subscription.c.end_reason, sa.func.count().label("phones")
    ).group_by(subscription.c.carrier, subscription.c.end_reason)
)
END_SUBSCRIPTION = Query(
    sa.update(subscription)
    .where(subscription.c.id == _bind("key"), _subscribed)
    .values(
        ended_at=NOW,
        end_reason=_bind("reason", Choice(EndReason)),
        event_id=_bind("event"),
        endpoint=sa.null(),
        keys=sa.null(),
    )
)
PURGE_SUBSCRIPTIONS = Query(
    sa.delete(subscription).where(subscription.c.ended_at <= _bind("before", Moment()))
)
FORGET_SUBSCRIPTIONS = Query(
    sa.delete(subscription).where(subscription.c.phone == _bind("recipient_id"))
)

EVENT_PAIRS = [
    Query(sa.select(contact.c.id, contact.c.event_id)),
    Query(sa.select(news.c.id, news.c.event_id)),
    Query(sa.select(subscription.c.id, subscription.c.event_id)),
]
