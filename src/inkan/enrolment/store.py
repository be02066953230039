"""The rows of requests, phones, slots and renewals, and every query on them."""

from typing import Any

import sqlalchemy as sa

from inkan.enrolment.model import PhoneState, RequestState, RequestStep
from inkan.enrolment.rules import MACHINE
from inkan.store.query import Query, insert_new, insert_row, upsert
from inkan.store.schema import NOW, Moment, metadata

request = sa.Table(
    "enrolment_request",
    metadata,
    sa.Column("id", sa.String(40), primary_key=True),
    sa.Column("state", sa.String(12), nullable=False),
    sa.Column("scheme", sa.String(40), nullable=False),
    sa.Column("nonce", sa.String(43), nullable=False, unique=True),
    sa.Column("challenge", sa.String(43), nullable=False),
    sa.Column("handle", sa.String(40), nullable=False, unique=True),
    sa.Column("secret_sha256", sa.LargeBinary, nullable=False),
    sa.Column("terms_version", sa.String(40), nullable=False),
    sa.Column("phone_name", sa.String(64)),
    sa.Column("channel_jkt", sa.String(43)),
    sa.Column("back_end", sa.String(8)),
    sa.Column("prepared", sa.LargeBinary),
    sa.Column("content", sa.Text),
    sa.Column("cms_sha256", sa.String(43), unique=True),
    sa.Column("phone", sa.String(40)),
    sa.Column("refusal", sa.String(64)),
    sa.Column("created_at", Moment, nullable=False),
    sa.Column("expires_at", Moment, nullable=False, index=True),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("event_id", sa.String(40), nullable=False),
)

phone = sa.Table(
    "enrolment_phone",
    metadata,
    sa.Column("id", sa.String(40), primary_key=True),
    sa.Column("person", sa.String(40), nullable=False, index=True),
    sa.Column("scheme", sa.String(40), nullable=False),
    sa.Column("slot", sa.Integer, nullable=False),
    sa.Column("name", sa.String(64), nullable=False),
    sa.Column("state", sa.String(12), nullable=False),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("channel_jkt", sa.String(43), nullable=False, unique=True),
    sa.Column("credential_id", sa.LargeBinary, nullable=False, unique=True),
    sa.Column("cose_key", sa.LargeBinary, nullable=False),
    sa.Column("sign_count", sa.BigInteger, nullable=False),
    sa.Column("backup_eligible", sa.Boolean, nullable=False),
    sa.Column("attested", sa.Boolean, nullable=False),
    sa.Column("back_end", sa.String(8), nullable=False),
    sa.Column("certificates", sa.LargeBinary, nullable=False),
    sa.Column("pending", sa.LargeBinary, nullable=False),
    sa.Column("parent_authority", sa.String(40), nullable=False),
    sa.Column("parent_serial", sa.String(40), nullable=False),
    sa.Column("parent_checked_at", Moment, nullable=False),
    sa.Column("bound_at", Moment, nullable=False),
    sa.Column("young_until", Moment, nullable=False),
    sa.Column("asserted_at", Moment),
    sa.Column("event_id", sa.String(40), nullable=False),
    sa.Index("ix_enrolment_phone_parent", "parent_authority", "parent_serial"),
)

# Beside a request that a phone began for a kiosk; the number itself is derived and stands nowhere.
kiosk = sa.Table(
    "enrolment_kiosk",
    metadata,
    sa.Column("request", sa.String(40), primary_key=True),
    sa.Column("key_sha256", sa.String(43), unique=True),
    sa.Column("kiosk", sa.String(40)),
    sa.Column("visit_sha256", sa.LargeBinary, unique=True),
    sa.Column("card", sa.LargeBinary),
    sa.Column("number_at", Moment),
    sa.Column("tries", sa.Integer, nullable=False),
    sa.Column("typed_at", Moment),
    sa.Column("event_id", sa.String(40), nullable=False),
)

# The SHA-256 of the photo in the card that signed at a kiosk, under seal; the phone's once it is bound (WAT-50).
photo = sa.Table(
    "enrolment_photo",
    metadata,
    sa.Column("request", sa.String(40), primary_key=True),
    sa.Column("phone", sa.String(40), unique=True),
    sa.Column("sha256", sa.LargeBinary, nullable=False),
    sa.Column("event_id", sa.String(40), nullable=False),
)

# Limits are slots, never counts (TW-29, threat 9): the primary key lets no third phone in.
slot = sa.Table(
    "enrolment_slot",
    metadata,
    sa.Column("person", sa.String(40), primary_key=True),
    sa.Column("scheme", sa.String(40), primary_key=True),
    sa.Column("slot", sa.Integer, primary_key=True),
    sa.Column("phone", sa.String(40), nullable=False, unique=True),
)

renewal = sa.Table(
    "enrolment_renewal",
    metadata,
    sa.Column("nonce", sa.String(43), primary_key=True),
    sa.Column("phone", sa.String(40), nullable=False, index=True),
    sa.Column("cms_sha256", sa.String(43), unique=True),
    sa.Column("expires_at", Moment, nullable=False),
)

challenge = sa.Table(
    "enrolment_challenge",
    metadata,
    sa.Column("phone", sa.String(40), primary_key=True),
    sa.Column("challenge", sa.String(43), nullable=False),
    sa.Column("expires_at", Moment, nullable=False),
)


def _bind(name: str, type_: Any = sa.String) -> Any:
    return sa.bindparam(name, type_=type_)


# --- requests --------------------------------------------------------------------------------------

INSERT_REQUEST = insert_row(request)
REQUEST_BY_ID = Query(sa.select(request).where(request.c.id == _bind("key")))
# Every change takes its row first: a loser of a race sees the winner's state, not its own stale reading.
HELD_REQUEST = Query(sa.select(request).where(request.c.id == _bind("key")).with_for_update())
REQUEST_BY_HANDLE = Query(sa.select(request).where(request.c.handle == _bind("key")))


def _step(step: RequestStep, **values: Any) -> sa.Update:
    """One compare-and-set: the states the machine allows, in time, and the version the caller read."""
    return (
        sa.update(request)
        .where(
            request.c.id == _bind("key"),
            request.c.state.in_(sorted(MACHINE.before(step))),
            request.c.version == _bind("seen", sa.Integer),
        )
        .values(
            version=request.c.version + 1,
            event_id=_bind("event"),
            state=MACHINE.after(min(MACHINE.before(step)), step),
            **values,
        )
    )


_IN_TIME = request.c.expires_at > NOW

JOIN = Query(
    _step(
        RequestStep.JOIN,
        phone_name=_bind("new_phone_name"),
        channel_jkt=_bind("new_channel_jkt"),
        back_end=_bind("new_back_end"),
    ).where(_IN_TIME)
)
PREPARE = Query(
    _step(
        RequestStep.PREPARE,
        prepared=_bind("new_prepared", sa.LargeBinary),
        content=_bind("new_content", sa.Text),
    ).where(_IN_TIME)
)
# At a kiosk out of `signed` alone, at the desk out of `prepared` alone: neither skips what the other asks for.
ACCEPT = Query(
    _step(RequestStep.ACCEPT, cms_sha256=_bind("new_cms_sha256"), phone=_bind("new_phone")).where(
        _IN_TIME, request.c.state == _bind("stands")
    )
)
SIGN = Query(_step(RequestStep.SIGN, expires_at=_bind("until", Moment)).where(_IN_TIME))
EXTEND = Query(
    sa.update(request)
    .where(
        request.c.id == _bind("key"),
        request.c.version == _bind("seen", sa.Integer),
        request.c.state == RequestState.SIGNED,
        _IN_TIME,
    )
    .values(
        version=request.c.version + 1, event_id=_bind("event"), expires_at=_bind("until", Moment)
    )
)
ISSUE = Query(_step(RequestStep.ISSUE))
REFUSE = Query(_step(RequestStep.REFUSE, refusal=_bind("new_refusal")))

# --- kiosks ----------------------------------------------------------------------------------------

INSERT_KIOSK = insert_row(kiosk)
KIOSK_BY_REQUEST = Query(sa.select(kiosk).where(kiosk.c.request == _bind("key")))
KIOSK_BY_KEY = Query(sa.select(kiosk).where(kiosk.c.key_sha256 == _bind("key")))
KIOSK_BY_VISIT = Query(
    sa.select(kiosk).where(kiosk.c.visit_sha256 == _bind("visit", sa.LargeBinary))
)


def _at_kiosk(**values: Any) -> sa.Update:
    """A change of what is known of a registration; whoever makes it holds the request's row."""
    return (
        sa.update(kiosk)
        .where(kiosk.c.request == _bind("key"))
        .values(event_id=_bind("event"), **values)
    )


# 0 rows: the request was begun at the desk.
SET_KEY = Query(_at_kiosk(key_sha256=_bind("new_key")))
# One kiosk holds a registration; the same one may begin a new visit.
TAKE_REGISTRATION = Query(
    _at_kiosk(kiosk=_bind("new_kiosk"), visit_sha256=_bind("new_visit", sa.LargeBinary)).where(
        sa.or_(kiosk.c.visit_sha256.is_(None), kiosk.c.kiosk == _bind("new_kiosk"))
    )
)
LEAVE_REGISTRATION = Query(_at_kiosk(visit_sha256=None))
NOTE_CARD = Query(_at_kiosk(card=_bind("new_card", sa.LargeBinary)))
# The number is shown once.
SHOW_NUMBER = Query(_at_kiosk(number_at=NOW).where(kiosk.c.number_at.is_(None)))
COUNT_TRY = Query(_at_kiosk(tries=kiosk.c.tries + 1))
NOTE_TYPED = Query(_at_kiosk(typed_at=NOW))

INSERT_PHOTO = insert_row(photo)
PHOTO_OF_PHONE = Query(
    sa.update(photo)
    .where(photo.c.request == _bind("key"))
    .values(phone=_bind("new_phone"), event_id=_bind("event"))
)
FORGET_PHOTO = Query(sa.delete(photo).where(photo.c.phone == _bind("phone_id")))

# --- phones ----------------------------------------------------------------------------------------

INSERT_PHONE = insert_new(phone)
PHONE_BY_ID = Query(sa.select(phone).where(phone.c.id == _bind("key")))
HELD_PHONE = Query(sa.select(phone).where(phone.c.id == _bind("key")).with_for_update())
FORGET_PHONE = Query(sa.delete(phone).where(phone.c.id == _bind("key")))
PHONE_BY_JKT = Query(sa.select(phone).where(phone.c.channel_jkt == _bind("jkt")))
# Held until COMMIT: revoking takes the same row (design §5.3).
HOLD_PHONE = Query(
    sa.select(phone.c.id)
    .where(
        phone.c.id == _bind("key"),
        phone.c.version == _bind("seen", sa.Integer),
        phone.c.state == PhoneState.ACTIVE,
    )
    .with_for_update()
)
PHONES_OF = Query(
    sa.select(phone)
    .where(phone.c.person == _bind("person"), phone.c.state != PhoneState.REVOKED)
    .order_by(phone.c.bound_at)
)
# Revoked ones too: a usage record says which phone answered, years later.
PHONE_NAMES = Query(sa.select(phone.c.id, phone.c.name).where(phone.c.person == _bind("person")))
PHONES_OF_PARENT = Query(
    sa.select(phone).where(
        phone.c.parent_authority == _bind("authority"),
        phone.c.parent_serial == _bind("serial"),
        phone.c.state != PhoneState.REVOKED,
    )
)
PARENTS_DUE = Query(
    sa.select(phone.c.id, phone.c.parent_authority, phone.c.parent_serial)
    .where(
        phone.c.state != PhoneState.REVOKED,
        phone.c.parent_checked_at <= _bind("before", Moment),
        phone.c.id > _bind("after"),
    )
    .order_by(phone.c.id)
    .limit(500)
)
PARENT_CHECKED = Query(
    sa.update(phone).where(phone.c.id == _bind("key")).values(parent_checked_at=NOW)
)


def _change(**values: Any) -> sa.Update:
    return (
        sa.update(phone)
        .where(phone.c.id == _bind("key"), phone.c.version == _bind("seen", sa.Integer))
        .values(version=phone.c.version + 1, event_id=_bind("event"), **values)
    )


ACTIVATE = Query(
    _change(state=PhoneState.ACTIVE, certificates=_bind("new_certificates", sa.LargeBinary)).where(
        phone.c.state == PhoneState.ISSUING
    )
)
SET_STATE = Query(_change(state=_bind("new_state")).where(phone.c.state != PhoneState.REVOKED))
SETTLE = Query(_change(young_until=NOW).where(phone.c.state == PhoneState.ACTIVE))
SET_PENDING = Query(
    _change(pending=_bind("new_pending", sa.LargeBinary)).where(phone.c.state == PhoneState.ACTIVE)
)
CONFIRM = Query(
    _change(
        certificates=_bind("new_certificates", sa.LargeBinary),
        pending=_bind("new_pending", sa.LargeBinary),
    ).where(phone.c.state == PhoneState.ACTIVE)
)
# The version stays: an assertion changes nothing that another decision depends on.
_NEW_COUNT = _bind("new_sign_count", sa.BigInteger)
NOTE_ASSERTION = Query(
    sa.update(phone)
    .where(
        phone.c.id == _bind("key"),
        phone.c.version == _bind("seen", sa.Integer),
        phone.c.state == PhoneState.ACTIVE,
    )
    .values(
        sign_count=sa.case((phone.c.sign_count > _NEW_COUNT, phone.c.sign_count), else_=_NEW_COUNT),
        asserted_at=NOW,
    )
)

# The counter has risen, or the authenticator does not count; the person's presence is not noted.
RAISE_COUNT = Query(
    sa.update(phone)
    .where(
        phone.c.id == _bind("key"),
        phone.c.version == _bind("seen", sa.Integer),
        phone.c.state == PhoneState.ACTIVE,
        sa.or_(phone.c.sign_count < _NEW_COUNT, sa.and_(phone.c.sign_count == 0, _NEW_COUNT == 0)),
    )
    .values(sign_count=_NEW_COUNT)
)

# --- slots, renewals, challenges -------------------------------------------------------------------

# 0 rows: the slot holds a phone.
TAKE_SLOT = insert_new(slot)
FREE_SLOT = Query(sa.delete(slot).where(slot.c.phone == _bind("phone")))

INSERT_RENEWAL = insert_row(renewal)
# 1 row for the first submission in time, and for the same bytes again.
USE_RENEWAL = Query(
    sa.update(renewal)
    .where(
        renewal.c.nonce == _bind("key"),
        renewal.c.phone == _bind("phone_id"),
        renewal.c.expires_at > NOW,
        sa.or_(renewal.c.cms_sha256.is_(None), renewal.c.cms_sha256 == _bind("cms")),
    )
    .values(cms_sha256=_bind("cms"))
)
RENEWAL = Query(
    sa.select(renewal).where(renewal.c.nonce == _bind("key"), renewal.c.phone == _bind("phone_id"))
)
SET_CHALLENGE = upsert(challenge, key=["phone"], take=["challenge", "expires_at"])
TAKE_CHALLENGE = Query(
    sa.delete(challenge)
    .where(challenge.c.phone == _bind("phone_id"), challenge.c.expires_at > NOW)
    .returning(challenge.c.challenge)
)
# A registration that came to nothing leaves no photo's hash behind.
PURGE_PHOTOS = Query(
    sa.delete(photo).where(
        photo.c.phone.is_(None),
        photo.c.request.in_(
            sa.select(request.c.id).where(request.c.expires_at <= _bind("before", Moment))
        ),
    )
)
PURGE_KIOSK = Query(
    sa.delete(kiosk).where(
        kiosk.c.request.in_(
            sa.select(request.c.id).where(request.c.expires_at <= _bind("before", Moment))
        )
    )
)
PURGE_REQUESTS = Query(sa.delete(request).where(request.c.expires_at <= _bind("before", Moment)))
PURGE_RENEWALS = Query(sa.delete(renewal).where(renewal.c.expires_at <= _bind("before", Moment)))

EVENT_PAIRS = [
    Query(sa.select(request.c.id, request.c.event_id)),
    Query(sa.select(kiosk.c.request.label("id"), kiosk.c.event_id)),
    Query(sa.select(photo.c.request.label("id"), photo.c.event_id)),
    Query(sa.select(phone.c.id, phone.c.event_id)),
]
