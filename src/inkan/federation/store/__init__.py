"""The rows of the OpenID provider."""

import sqlalchemy as sa

from inkan.store.query import Query
from inkan.store.schema import JSONText, Moment, metadata

grant = sa.Table(
    "federation_grant",
    metadata,
    sa.Column("id", sa.String(40), primary_key=True),
    sa.Column("kind", sa.String(8), nullable=False),
    sa.Column("state", sa.String(10), nullable=False),
    sa.Column("system", sa.String(40), nullable=False),
    sa.Column("client", sa.String(64), nullable=False),
    sa.Column("session", sa.String(40)),
    sa.Column("asked", JSONText, nullable=False),
    # Codes, ids and tokens are kept as hashes only: 256 random bits need no key.
    sa.Column("handle_sha256", sa.String(43)),
    sa.Column("handle_expires_at", Moment, nullable=False),
    sa.Column("user_code_sha256", sa.String(43)),
    sa.Column("interval_s", sa.Integer, nullable=False),
    sa.Column("polled_at", Moment),
    # Bearer token that a ping brings to the client (CIBA Core §7.1); sealed.
    sa.Column("notification_token", sa.LargeBinary),
    sa.Column("browser_sha256", sa.String(43)),
    sa.Column("login", sa.String(40)),
    sa.Column("sid", sa.String(43)),
    sa.Column("sub", sa.String(64)),
    sa.Column("acr", sa.String(64), nullable=False),
    sa.Column("amr", JSONText, nullable=False),
    sa.Column("auth_time", Moment),
    sa.Column("jkt", sa.String(43)),
    sa.Column("x5t", sa.String(43)),
    sa.Column("scope", JSONText, nullable=False),
    # Sealed: what the person gave.
    sa.Column("answer", sa.LargeBinary),
    sa.Column("refresh_sha256", sa.String(43)),
    sa.Column("created_at", Moment, nullable=False),
    sa.Column("expires_at", Moment, nullable=False),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("event_id", sa.String(40), nullable=False),
    sa.Index("uq_federation_grant_session", "session", unique=True),
    sa.Index("uq_federation_grant_handle", "handle_sha256", unique=True),
    sa.Index("uq_federation_grant_user_code", "user_code_sha256", unique=True),
    sa.Index("uq_federation_grant_refresh", "refresh_sha256", unique=True),
    sa.Index("federation_grant_login", "login"),
    sa.Index("federation_grant_sub", "sub"),
    sa.Index("federation_grant_sid", "sid"),
    sa.Index("federation_grant_expiry", "expires_at"),
)

# A request that was pushed (RFC 9126): for one use, bound to its client.
pushed_request = sa.Table(
    "federation_pushed_request",
    metadata,
    sa.Column("uri_sha256", sa.String(43), primary_key=True),
    sa.Column("system", sa.String(40), nullable=False),
    sa.Column("asked", JSONText, nullable=False),
    sa.Column("expires_at", Moment, nullable=False),
    sa.Column("used_at", Moment),
    # What its use began: the same browser that comes again is led to the same page.
    sa.Column("session", sa.String(40)),
    sa.Column("event_id", sa.String(40), nullable=False),
    sa.Index("federation_pushed_request_expiry", "expires_at"),
)

login = sa.Table(
    "federation_login",
    metadata,
    sa.Column("id", sa.String(40), primary_key=True),
    sa.Column("browser_sha256", sa.String(43), nullable=False),
    sa.Column("person", sa.String(40), nullable=False),
    sa.Column("acr", sa.String(64), nullable=False),
    sa.Column("amr", JSONText, nullable=False),
    sa.Column("auth_time", Moment, nullable=False),
    sa.Column("reusable_until", Moment),
    sa.Column("ended_at", Moment),
    sa.Column("expires_at", Moment, nullable=False),
    sa.Column("event_id", sa.String(40), nullable=False),
    sa.Index("uq_federation_login_browser", "browser_sha256", unique=True),
    sa.Index("federation_login_person", "person"),
    sa.Index("federation_login_expiry", "expires_at"),
)

# Single access tokens that were revoked before their end (RFC 7009); a revoked grant needs no row.
revoked_token = sa.Table(
    "federation_revoked_token",
    metadata,
    sa.Column("jti", sa.String(40), primary_key=True),
    sa.Column("expires_at", Moment, nullable=False),
    sa.Column("event_id", sa.String(40), nullable=False),
    sa.Index("federation_revoked_token_expiry", "expires_at"),
)

# The keys that sign ID tokens, in their order; the newest that has begun signs, each stays in the JWKS to its end.
signing_key = sa.Table(
    "federation_signing_key",
    metadata,
    sa.Column("label", sa.String(64), primary_key=True),
    sa.Column("alg", sa.String(8), nullable=False),
    sa.Column("kid", sa.String(43), nullable=False),
    sa.Column("signs_from", Moment, nullable=False),
    sa.Column("ends_at", Moment),
    sa.Column("event_id", sa.String(40), nullable=False),
)

# Shared Signals: where the events of a system go; one stream for each.
stream = sa.Table(
    "federation_stream",
    metadata,
    sa.Column("id", sa.String(40), primary_key=True),
    sa.Column("system", sa.String(40), nullable=False),
    sa.Column("audience", sa.String(64), nullable=False),
    sa.Column("status", sa.String(8), nullable=False),
    sa.Column("endpoint_url", sa.String(500), nullable=False),
    # The receiver's own secret; sealed.
    sa.Column("authorization", sa.LargeBinary),
    # NULL: all.
    sa.Column("events_requested", JSONText),
    sa.Column("description", sa.String(200), nullable=False),
    sa.Column("created_at", Moment, nullable=False),
    sa.Column("verified_at", Moment),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("event_id", sa.String(40), nullable=False),
    sa.Index("uq_federation_stream_system", "system", unique=True),
)

# One event for one stream. Its jti comes from what happened, so that what is reported twice is one row.
signal = sa.Table(
    "federation_signal",
    metadata,
    sa.Column("jti", sa.String(43), primary_key=True),
    sa.Column("stream", sa.String(40), nullable=False),
    sa.Column("type", sa.String(100), nullable=False),
    sa.Column("subject", sa.String(64), nullable=False),
    sa.Column("sid", sa.String(43), nullable=False),
    sa.Column("claims", JSONText, nullable=False),
    sa.Column("occurred_at", Moment, nullable=False),
    sa.Column("sent_at", Moment),
    sa.Column("expires_at", Moment, nullable=False),
    sa.Column("event_id", sa.String(40), nullable=False),
    sa.Index("federation_signal_stream", "stream", "sent_at"),
    sa.Index("federation_signal_expiry", "expires_at"),
)

EVENT_PAIRS = [
    Query(sa.select(grant.c.id, grant.c.event_id)),
    Query(sa.select(pushed_request.c.uri_sha256.label("id"), pushed_request.c.event_id)),
    Query(sa.select(login.c.id, login.c.event_id)),
    Query(sa.select(revoked_token.c.jti.label("id"), revoked_token.c.event_id)),
    Query(sa.select(signing_key.c.label.label("id"), signing_key.c.event_id)),
    Query(sa.select(stream.c.id, stream.c.event_id)),
    Query(sa.select(signal.c.jti.label("id"), signal.c.event_id)),
]
