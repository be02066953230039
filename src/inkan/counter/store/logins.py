"""Queries of the clerks' login: challenges to cards, whose account a card opens."""

import sqlalchemy as sa

from inkan.counter.store.tables import card, challenge, clerk
from inkan.store.query import Query, insert_row
from inkan.store.schema import NOW

INSERT_CHALLENGE = insert_row(challenge)
_fits = (
    challenge.c.nonce_sha256 == sa.bindparam("nonce", type_=sa.LargeBinary),
    challenge.c.browser_sha256 == sa.bindparam("browser", type_=sa.LargeBinary),
    challenge.c.purpose == sa.bindparam("wanted", type_=sa.String),
    challenge.c.expires_at > NOW,
)
CHALLENGE = Query(sa.select(challenge.c.content).where(*_fits))
# 0 rows: another answer was faster.
TAKE_CHALLENGE = Query(sa.delete(challenge).where(*_fits))
PURGE_CHALLENGES = Query(sa.delete(challenge).where(challenge.c.expires_at <= NOW))

CLERK_OF_PERSON = Query(
    sa.select(clerk.c.account, clerk.c.office).where(
        clerk.c.person == sa.bindparam("whose", type_=sa.String), clerk.c.ended_at.is_(None)
    )
)
CARDS_OF_PERSON = Query(
    sa.select(card.c.number, card.c.state, card.c.certificates).where(
        card.c.person == sa.bindparam("whose", type_=sa.String)
    )
)
