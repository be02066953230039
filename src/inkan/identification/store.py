"""The rows of sessions and every query on them."""

from typing import Any

import sqlalchemy as sa

from inkan.store.query import Query, insert_new, upsert
from inkan.store.schema import NOW, JSONText, Moment, metadata

UNSIGNED_ROWS = "receipt IS NULL AND receipt_payload IS NOT NULL"

session = sa.Table(
    "identification_session",
    metadata,
    sa.Column("id", sa.String(40), primary_key=True),
    sa.Column("system", sa.String(40), nullable=False),
    sa.Column("sector", sa.String(64), nullable=False),
    sa.Column("approval", sa.String(40), nullable=False, unique=True),
    sa.Column("kind", sa.String(12), nullable=False),
    sa.Column("purpose", sa.String(64), nullable=False),
    sa.Column("full_evidence", sa.Boolean, nullable=False),
    sa.Column("binding_min", sa.String(12), nullable=False),
    sa.Column("hint_type", sa.String(12), nullable=False),
    sa.Column("hint", sa.LargeBinary),
    sa.Column("terms", JSONText, nullable=False),
    sa.Column("page", sa.String(40)),
    sa.Column("page_browser", sa.String(43)),
    sa.Column("is_withdrawn", sa.Boolean, nullable=False),
    sa.Column("idempotency_key", sa.String(64)),
    # Keyed (HMAC-SHA-256): a body may hold a national ID, which a plain hash would give away.
    sa.Column("body_sha256", sa.String(43), nullable=False),
    sa.Column("created_at", Moment, nullable=False),
    sa.Column("expires_at", Moment, nullable=False),
    sa.Column("purge_at", Moment, nullable=False),
    # Filled by the release: what the receipt says, the receipt, and the sealed proofs behind it.
    sa.Column("result", JSONText),
    sa.Column("certificate", sa.String(40)),
    sa.Column("receipt_payload", sa.LargeBinary),
    sa.Column("receipt", sa.Text),
    sa.Column("evidence", sa.LargeBinary),
    sa.Column("event_id", sa.String(40), nullable=False),
    sa.UniqueConstraint("system", "idempotency_key", name="identification_session_idempotency"),
    sa.Index("uq_identification_session_page", "page", unique=True),
    sa.Index("identification_session_purge", "purge_at"),
    # Nearly empty at any time: what has been answered and not signed yet.
    sa.Index(
        "identification_session_unsigned",
        "id",
        sqlite_where=sa.text(UNSIGNED_ROWS),
        postgresql_where=sa.text(UNSIGNED_ROWS),
    ),
)

# One row for each question that reached a person without having been scanned, or was reported.
prompt = sa.Table(
    "identification_prompt",
    metadata,
    sa.Column("id", sa.String(40), primary_key=True),
    sa.Column("session", sa.String(40), nullable=False),
    sa.Column("system", sa.String(40), nullable=False),
    sa.Column("person", sa.String(40), nullable=False),
    sa.Column("at", Moment, nullable=False),
    sa.Column("is_sent", sa.Boolean, nullable=False),
    sa.Column("is_paired", sa.Boolean, nullable=False),
    sa.Column("result", sa.String(12)),
    sa.Column("event_id", sa.String(40), nullable=False),
    sa.Index("identification_prompt_person", "person", "at"),
    sa.Index("identification_prompt_system", "system", "at"),
    sa.Index("identification_prompt_session", "session"),
)

# The known browsers: blinded for each system, written only after an answer came back to one (design §5.4).
browser = sa.Table(
    "identification_browser",
    metadata,
    sa.Column("id", sa.String(40), primary_key=True),
    sa.Column("browser", sa.String(43), nullable=False),
    sa.Column("person", sa.String(40), nullable=False),
    sa.Column("system", sa.String(40), nullable=False),
    sa.Column("paired_at", Moment, nullable=False),
    sa.Column("event_id", sa.String(40), nullable=False),
    sa.UniqueConstraint("browser", "person", name="identification_browser_pair"),
    sa.Index("identification_browser_person", "person"),
)

# A passkey is asked for in the browser that began (design §5.4, `strong`): one row while an answer awaits its return.
confirmation = sa.Table(
    "identification_confirmation",
    metadata,
    sa.Column("session", sa.String(40), primary_key=True),
    sa.Column("handle_sha256", sa.String(43), nullable=False),
    sa.Column("nonce", sa.String(43), nullable=False),
    # Filled by the assertion: what it shows, and what the browser that began must bring to have it counted.
    sa.Column("evidence", sa.String(24)),
    sa.Column("token_sha256", sa.String(43)),
    sa.Column("expires_at", Moment, nullable=False),
    sa.Column("event_id", sa.String(40), nullable=False),
    sa.Index("uq_identification_confirmation_handle", "handle_sha256", unique=True),
    sa.Index("identification_confirmation_expiry", "expires_at"),
)

_HEAVY = {"evidence", "event_id", "idempotency_key"}
_COLUMNS = [column for column in session.c if column.name not in _HEAVY]


def _bind(name: str, type_: Any = sa.String) -> Any:
    return sa.bindparam(name, type_=type_)


# 0 rows: the system used this Idempotency-Key before.
INSERT = insert_new(session)
BY_KEY = Query(
    sa.select(*_COLUMNS).where(
        session.c.system == _bind("system"), session.c.idempotency_key == _bind("key")
    )
)
ID_BY_KEY = Query(
    sa.select(session.c.id).where(
        session.c.system == _bind("system"), session.c.idempotency_key == _bind("key")
    )
)
BY_ID = Query(sa.select(*_COLUMNS).where(session.c.id == _bind("key")))
BY_APPROVAL = Query(sa.select(*_COLUMNS).where(session.c.approval == _bind("key")))
EVIDENCE = Query(
    sa.select(session.c.id, session.c.evidence, session.c.event_id).where(
        session.c.id == _bind("key")
    )
)
FINISH = Query(
    sa.update(session)
    .where(session.c.id == _bind("key"))
    .values(
        result=_bind("new_result", JSONText),
        certificate=_bind("new_certificate"),
        receipt_payload=_bind("new_receipt_payload", sa.LargeBinary),
        evidence=_bind("new_evidence", sa.LargeBinary),
        # The expected person has served its purpose: a blind index is still an index.
        hint=None,
        event_id=_bind("event"),
    )
)
# The first signature stays: ECDSA gives another one each time (design §5.3).
SIGNED = Query(
    sa.update(session)
    .where(
        session.c.id == _bind("key"),
        session.c.receipt.is_(None),
        # A consent that was taken back meanwhile took the payload with it.
        session.c.receipt_payload.is_not(None),
    )
    .values(receipt=_bind("new_receipt"))
)
UNSIGNED = Query(
    sa.select(session.c.id, session.c.receipt_payload)
    .where(session.c.receipt.is_(None), session.c.receipt_payload.is_not(None))
    .limit(500)
)
FORGET_CLAIMS = Query(
    sa.update(session)
    .where(session.c.id == _bind("key"))
    .values(
        result=_bind("new_result", JSONText),
        receipt_payload=None,
        receipt=None,
        event_id=_bind("event"),
    )
)
# The page's person may be typed by whoever uses it, once, before anything is opened.
SET_HINT = Query(
    sa.update(session)
    .where(session.c.id == _bind("key"), session.c.result.is_(None))
    .values(hint_type=_bind("new_hint_type"), hint=_bind("new_hint", sa.LargeBinary))
)
ADD_DOOR = Query(
    sa.update(session)
    .where(session.c.id == _bind("key"))
    .values(terms=_bind("new_terms", JSONText), page=_bind("new_page"), event_id=_bind("event"))
)
BY_PAGE = Query(sa.select(*_COLUMNS).where(session.c.page == _bind("key")))
# The browser that begins on the page takes it; whoever comes after it has another cookie.
CLAIM_PAGE = Query(
    sa.update(session)
    .where(session.c.page == _bind("key"), session.c.page_browser.is_(None))
    .values(page_browser=_bind("new_browser"))
)
WITHDRAW = Query(
    sa.update(session)
    .where(session.c.id == _bind("key"))
    .values(is_withdrawn=sa.true(), event_id=_bind("event"))
)
# An approval that awaits its return: the proofs rest here until it is redeemed.
KEEP_PROOFS = Query(
    sa.update(session)
    .where(session.c.id == _bind("key"))
    .values(
        certificate=_bind("new_certificate"),
        evidence=_bind("new_evidence", sa.LargeBinary),
        event_id=_bind("event"),
    )
)

INSERT_PROMPT = Query(sa.insert(prompt))
PROMPTS_OF = Query(
    sa.select(prompt).where(
        prompt.c.person == _bind("person"), prompt.c.at > _bind("after", Moment)
    )
)
# By persons, not by prompts: one who reports often is one, and silences nobody else's messages.
REPORTS_OF = Query(
    sa.select(prompt.c.result, sa.func.count(prompt.c.person.distinct()).label("persons"))
    .where(
        prompt.c.system == _bind("system"),
        prompt.c.at > _bind("after", Moment),
        prompt.c.result.is_not(None),
    )
    .group_by(prompt.c.result)
)
ANSWER_PROMPTS = Query(
    sa.update(prompt)
    .where(
        prompt.c.session == _bind("session_id"),
        prompt.c.person == _bind("person"),
        prompt.c.result.is_(None),
    )
    .values(result=_bind("new_result"), event_id=_bind("event"))
)
PURGE_PROMPTS = Query(sa.delete(prompt).where(prompt.c.at <= _bind("before", Moment)))

PAIR = insert_new(browser)
IS_PAIRED = Query(
    sa.select(browser.c.id).where(
        browser.c.browser == _bind("browser"), browser.c.person == _bind("person")
    )
)
IS_KNOWN = Query(sa.select(browser.c.id).where(browser.c.browser == _bind("browser")).limit(1))
BROWSERS_OF = Query(
    sa.select(browser)
    .where(browser.c.person == _bind("person"))
    .order_by(browser.c.paired_at.desc(), browser.c.id)
    .limit(100)
)
UNPAIR = Query(
    sa.delete(browser).where(browser.c.id == _bind("key"), browser.c.person == _bind("person"))
)

_OPEN_CONFIRMATION = sa.and_(confirmation.c.evidence.is_(None), confirmation.c.expires_at > NOW)
# Beginning anew makes the handle and the token before it worthless.
BEGIN_CONFIRMATION = upsert(
    confirmation,
    key=["session"],
    take=["handle_sha256", "nonce", "evidence", "token_sha256", "expires_at", "event_id"],
)
CONFIRMATION = Query(
    sa.select(confirmation.c.session, confirmation.c.nonce).where(
        confirmation.c.handle_sha256 == _bind("handle"), _OPEN_CONFIRMATION
    )
)
# Of two assertions over one challenge one wins.
PROVE_CONFIRMATION = Query(
    sa.update(confirmation)
    .where(confirmation.c.handle_sha256 == _bind("handle"), _OPEN_CONFIRMATION)
    .values(
        evidence=_bind("new_evidence"),
        token_sha256=_bind("new_token"),
        event_id=_bind("event"),
    )
)
TAKE_CONFIRMATION = Query(
    sa.delete(confirmation)
    .where(
        confirmation.c.session == _bind("key"),
        confirmation.c.token_sha256 == _bind("token"),
        confirmation.c.evidence.is_not(None),
        confirmation.c.expires_at > NOW,
    )
    .returning(confirmation.c.evidence)
)
PURGE_CONFIRMATIONS = Query(sa.delete(confirmation).where(confirmation.c.expires_at <= NOW))

PURGE = Query(sa.delete(session).where(session.c.purge_at <= _bind("moment", Moment)))
FORGET_KEYS = Query(
    sa.update(session)
    .where(
        session.c.idempotency_key.is_not(None),
        session.c.created_at <= _bind("before", Moment),
    )
    .values(idempotency_key=None)
)

EVENT_PAIRS = [
    Query(sa.select(session.c.id, session.c.event_id)),
    Query(sa.select(prompt.c.id, prompt.c.event_id)),
    Query(sa.select(browser.c.id, browser.c.event_id)),
    Query(sa.select(confirmation.c.session.label("id"), confirmation.c.event_id)),
]
