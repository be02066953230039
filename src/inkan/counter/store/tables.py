"""The tables of the counter. Addresses, document numbers and names lie under seal."""

import sqlalchemy as sa

from inkan.counter.model import CardState, CaseKind, CaseState, ReportCause
from inkan.store.schema import Choice, JSONText, Moment, metadata
from inkan.store.sealing import SealedColumn

office = sa.Table(
    "counter_office",
    metadata,
    sa.Column("code", sa.String(40), primary_key=True),
    sa.Column("name", sa.String(200), nullable=False),
    sa.Column("municipality", sa.String(40), nullable=False),
    sa.Column("authority", sa.String(64), nullable=False),
    sa.Column("phone", sa.String(40), nullable=False),
    sa.Column("created_at", Moment, nullable=False),
    sa.Column("event_id", sa.String(40), nullable=False),
)

terminal = sa.Table(
    "counter_terminal",
    metadata,
    sa.Column("id", sa.String(40), primary_key=True),
    sa.Column("office", sa.String(40), nullable=False),
    sa.Column("jwk", JSONText, nullable=False),
    sa.Column("created_at", Moment, nullable=False),
    sa.Column("ended_at", Moment),
    sa.Column("event_id", sa.String(40), nullable=False),
    sa.Index("counter_terminal_office", "office"),
)

clerk = sa.Table(
    "counter_clerk",
    metadata,
    sa.Column("account", sa.String(40), primary_key=True),
    # Whose card logs the account in.
    sa.Column("person", sa.String(40), nullable=False),
    sa.Column("office", sa.String(40), nullable=False),
    sa.Column("created_at", Moment, nullable=False),
    sa.Column("ended_at", Moment),
    sa.Column("event_id", sa.String(40), nullable=False),
    sa.Index("uq_counter_clerk_person", "person", unique=True),
)

shift = sa.Table(
    "counter_shift",
    metadata,
    sa.Column("id", sa.String(40), primary_key=True),
    sa.Column("clerk", sa.String(40), nullable=False),
    sa.Column("office", sa.String(40), nullable=False),
    # "on" while it lasts, None afterwards: a clerk has one shift at a time.
    sa.Column("live", sa.String(2)),
    sa.Column("begun_at", Moment, nullable=False),
    sa.Column("ended_at", Moment),
    sa.Column("event_id", sa.String(40), nullable=False),
    sa.Index("uq_counter_shift_clerk_live", "clerk", "live", unique=True),
)

resident = sa.Table(
    "counter_resident",
    metadata,
    sa.Column("person", sa.String(40), primary_key=True),
    sa.Column("facts", sa.LargeBinary, nullable=False),
    sa.Column("municipality", sa.String(40), nullable=False),
    sa.Column("changed_at", Moment, nullable=False),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("event_id", sa.String(40), nullable=False),
)

case = sa.Table(
    "counter_case",
    metadata,
    sa.Column("id", sa.String(40), primary_key=True),
    sa.Column("kind", Choice(CaseKind), nullable=False),
    sa.Column("state", Choice(CaseState), nullable=False),
    sa.Column("office", sa.String(40), nullable=False),
    sa.Column("clerk", sa.String(40), nullable=False),
    sa.Column("person", sa.String(40), nullable=False),
    # "on" while the case is open, None afterwards: a person and a card have one open case at a time.
    sa.Column("live", sa.String(2)),
    sa.Column("card", sa.String(32)),
    sa.Column("document", sa.LargeBinary),
    sa.Column("confirmed_by", sa.String(40)),
    sa.Column("terms_version", sa.String(32)),
    sa.Column("paid", sa.Integer),
    sa.Column("cause", Choice(ReportCause)),
    sa.Column("certificates", JSONText, nullable=False),
    # The command that waits for its answer: hash of its nonce, what it does, who answers.
    sa.Column("command_sha256", sa.LargeBinary),
    sa.Column("command_act", sa.String(16)),
    sa.Column("command_terminal", sa.String(40)),
    sa.Column("command_expires_at", Moment),
    sa.Column("created_at", Moment, nullable=False),
    sa.Column("expires_at", Moment, nullable=False),
    sa.Column("closed_at", Moment),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("event_id", sa.String(40), nullable=False),
    sa.Index("uq_counter_case_person_live", "person", "live", unique=True),
    sa.Index("uq_counter_case_card_live", "card", "live", unique=True),
    sa.Index("counter_case_office", "office", "created_at"),
    sa.Index("counter_case_live", "live", "expires_at"),
)

card = sa.Table(
    "counter_card",
    metadata,
    sa.Column("number", sa.String(32), primary_key=True),
    sa.Column("person", sa.String(40), nullable=False),
    sa.Column("state", Choice(CardState), nullable=False),
    # Keyed hash of the facts that its certificates name: whether they are still true is asked without opening them.
    sa.Column("facts", sa.LargeBinary, nullable=False),
    sa.Column("certificates", JSONText, nullable=False),
    sa.Column("case", sa.String(40), nullable=False),
    sa.Column("made_at", Moment, nullable=False),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("event_id", sa.String(40), nullable=False),
    sa.Index("counter_card_person", "person"),
)

# What a card is asked to sign outside a case: a login, the end of its own certificates.
challenge = sa.Table(
    "counter_challenge",
    metadata,
    sa.Column("nonce_sha256", sa.LargeBinary, primary_key=True),
    sa.Column("purpose", sa.String(16), nullable=False),
    # SHA-256 of a value in the browser's cookie: the answer comes from the browser that asked.
    sa.Column("browser_sha256", sa.LargeBinary, nullable=False),
    sa.Column("content", sa.Text, nullable=False),
    sa.Column("expires_at", Moment, nullable=False),
    sa.Index("counter_challenge_expiry", "expires_at"),
)

FACTS = SealedColumn("counter_resident", "facts")
DOCUMENT = SealedColumn("counter_case", "document")
