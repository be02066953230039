"""Who sends a request: a bound phone, or a channel key that is joining; and what either may do."""

from datetime import datetime

from inkan.crypto import dpop
from inkan.enrolment.model import (
    ChannelKey,
    PhonePrincipal,
)
from inkan.enrolment.rules import ASSERTION_LIFE
from inkan.enrolment.service import (
    Enrolment,
)
from inkan.kernel.clock import Clock
from inkan.web.exchange import Authenticator, Exchange
from inkan.web.principal import (
    Assurance,
    Permission,
    Principal,
    PrincipalKind,
)
from inkan.web.replay import ReplayMemory

PHONE_ROLE = "phone"


CHANNEL_ROLE = "channel"


PERMISSIONS = (
    Permission(
        use_case="enrolment.join",
        roles=frozenset({CHANNEL_ROLE, PHONE_ROLE}),
        source="design §5.2 step 1",
    ),
    Permission(
        use_case="phone.use", roles=frozenset({PHONE_ROLE}), source="design §5.1, channel key"
    ),
    Permission(
        use_case="phone.manage",
        roles=frozenset({PHONE_ROLE}),
        source="design §5.6: an assertion of the last ten minutes",
        fresh_within=ASSERTION_LIFE,
    ),
)


def authenticator(enrolment: Enrolment, *, replay: ReplayMemory, clock: Clock) -> Authenticator:
    """From a request to the phone, or bare channel key, that proved itself in it (design §5.1).

    The proof is RFC 9449's, without an access token: the channel key opens, refuses and lists, and never
    approves by itself.
    """

    async def authenticate(exchange: Exchange) -> Principal | None:
        proof = exchange.header("dpop")
        if proof is None:
            return None
        proved = dpop.verify_proof(
            proof, method=exchange.method, url=exchange.url, now=clock.wire_now()
        )
        replay.admit(f"{proved.jkt}:{proved.jti}", now=clock.monotonic())
        record, asserted_at = await enrolment.principal_of(proved.jkt)
        return _principal(record, asserted_at)

    return authenticate


def _principal(record: PhonePrincipal | ChannelKey, asserted_at: datetime | None) -> Principal:
    bound = isinstance(record, PhonePrincipal)
    return Principal(
        kind=PrincipalKind.PHONE,
        id=record.phone if isinstance(record, PhonePrincipal) else record.jkt,
        roles=frozenset({PHONE_ROLE if bound else CHANNEL_ROLE}),
        assurance=Assurance.POSSESSION,
        verified_at=asserted_at,
        record=record,
    )
