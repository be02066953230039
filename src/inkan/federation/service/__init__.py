"""The OpenID provider: OpenID Connect, FAPI 2.0, CIBA and the device grant over sessions."""

from collections.abc import Mapping
from functools import partial

from inkan.federation.ports import Post
from inkan.federation.rules import CIBA_GRANT, DEVICE_GRANT
from inkan.federation.service import backchannel_logout, signals
from inkan.federation.service.authorization import Authorization
from inkan.federation.service.backchannel import Backchannel
from inkan.federation.service.backchannel_logout import LogoutNotices
from inkan.federation.service.claims import claims_for, details_for
from inkan.federation.service.consents import on_consent_taken_back
from inkan.federation.service.devices import PAGE_PATH, RETURN_PATH, Devices
from inkan.federation.service.logout import Logout
from inkan.federation.service.lost_phones import on_certificate_revoked
from inkan.federation.service.parts import Parts
from inkan.federation.service.pinging import PING_JOB, Pings
from inkan.federation.service.sending import Sending
from inkan.federation.service.signals import Signals
from inkan.federation.service.streams import Streams
from inkan.federation.service.tokens import Tokens
from inkan.relying_parties import Grant
from inkan.store.outbox import Handler


class OpenIDProvider:
    """The provider of one instance.

    Attributes:
        parts: what its use cases share.
        tokens: keys, the token endpoint's grants, userinfo, introspection, revocation, discovery.
        authorization: the authorization endpoint and pushed requests.
        backchannel: CIBA.
        pings: tells CIBA's clients that they may collect.
        devices: the device grant.
        logout: RP-initiated logout, and the clients of a person.
        streams: Shared Signals.
        handlers: the outbox's kinds of this feature.
        on_certificate_revoked, on_consent_taken_back: reactions to the events of features below.
    """

    def __init__(self, parts: Parts, *, post: Post, loopback: bool = False) -> None:
        """``post`` is the fetcher of strangers' addresses; ``loopback`` admits this machine, never in production."""
        self.parts = parts
        self.tokens = Tokens(parts, claims_for=claims_for, details_for=details_for)
        keys = self.tokens.keys
        self.authorization = Authorization(parts, sign=keys.sign, hinted=self.tokens.hinted)
        self.backchannel = Backchannel(parts, tokens=self.tokens)
        self.pings = Pings(parts, post=post)
        self.devices = Devices(parts, tokens=self.tokens)
        self.logout = Logout(parts, hinted=self.tokens.hinted)
        self.streams = Streams(parts, loopback=loopback)
        self.on_certificate_revoked = partial(on_certificate_revoked, parts)
        self.on_consent_taken_back = partial(on_consent_taken_back, parts)
        sending = Sending(post=post, clock=parts.clock)
        notices = LogoutNotices(issuer=parts.issuer, keys=keys, sending=sending, clock=parts.clock)
        self.handlers: Mapping[str, Handler] = {
            PING_JOB: self.pings.handler,
            backchannel_logout.JOB: notices.handler,
            signals.JOB: Signals(parts, keys=keys, sending=sending).handler,
        }

    @property
    def grants(self) -> dict[str, Grant]:
        """Grant type to handler, for the token endpoint (design §5.5)."""
        return {
            **self.tokens.grants,
            CIBA_GRANT: self.backchannel.collect,
            DEVICE_GRANT: self.devices.collect,
        }


__all__ = [
    "PAGE_PATH",
    "PING_JOB",
    "RETURN_PATH",
    "Authorization",
    "Logout",
    "OpenIDProvider",
    "Parts",
    "Streams",
    "Tokens",
]
