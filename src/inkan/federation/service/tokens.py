"""The front of everything about tokens: what composition and routes call."""

from collections.abc import Mapping
from typing import Any

import msgspec

from inkan.crypto.jose import parse_object
from inkan.federation.model.grant import Grant, GrantState
from inkan.federation.model.refusals import GrantRefused, RequestRefused
from inkan.federation.rules import ID_TOKEN_TYP
from inkan.federation.service import discovery
from inkan.federation.service.introspecting import Introspecting
from inkan.federation.service.issuing import ClaimsFor, DetailsFor, Issuer
from inkan.federation.service.keys import SPECS, Keys, Published
from inkan.federation.service.parts import Parts
from inkan.federation.service.redeeming import Redeeming, check_key
from inkan.federation.service.userinfo import Userinfo
from inkan.federation.service.verifying import Verified, Verifying
from inkan.federation.store import tokens as store
from inkan.kernel.errors import InkanError
from inkan.relying_parties import Client, TokenAnswer
from inkan.relying_parties import Grant as GrantHandler
from inkan.store.database import Step


class IDTokenHint(msgspec.Struct, frozen=True):
    """What is read of an ID token that comes back as a hint; signed userinfo has no ``exp`` and is none."""

    iss: str
    aud: str
    sub: str
    exp: int
    sid: str | None = None


class Tokens:
    """Keys, tokens and what is published of them, of one instance.

    Attributes:
        keys: the ring that signs; other parts of the provider sign with it too.
        redeeming: codes and refresh tokens; the other flows end with its ``first``.
        verifying: reads access tokens that come back.
        userinfo: what the person gave.
        introspecting: what tokens are worth, and their end.
    """

    def __init__(
        self,
        parts: Parts,
        *,
        claims_for: ClaimsFor,
        details_for: DetailsFor,
    ) -> None:
        """Issue tokens.

        Args:
            parts: of the feature.
            claims_for: what of an answer goes to which place.
            details_for: what ``authorization_details`` became.
        """
        self._parts = parts
        self.keys = Keys(parts)
        verified = Verified()
        self.verifying = Verifying(parts, self.keys, verified)
        issuer = Issuer(parts, self.keys, verified, claims_for=claims_for, details_for=details_for)
        self.redeeming = Redeeming(parts, issuer)
        self.userinfo = Userinfo(parts, self.keys, self.verifying, claims_for)
        self.introspecting = Introspecting(
            parts, self.keys, self.verifying, self.redeeming, details_for=details_for
        )

    @property
    def grants(self) -> Mapping[str, GrantHandler]:
        """Rows of the token endpoint: grant type to handler."""
        return {
            "authorization_code": self.redeeming.code,
            "refresh_token": self.redeeming.refresh,
        }

    async def issue(self, client: Client, grant: Grant) -> TokenAnswer:
        """The tokens of a grant that was answered elsewhere (CIBA Core §10.1.1, RFC 8628 §3.5), once.

        Raises:
            GrantRefused: a rival used it first, or the request does not prove the key that is demanded.
        """
        found = await self.redeeming.find(store.BY_ID, grant.id)
        if found is None or found.grant.state is not GrantState.GRANTED or client.openid is None:
            raise GrantRefused("not answered, used, or purged")
        check_key(client.openid, client, asked_jkt=grant.asked.dpop_jkt)
        return await self.redeeming.first(client, client.openid, found)

    async def hinted(self, id_token: str, client: str) -> IDTokenHint:
        """What an ID token of this provider says; it may have ended (CIBA Core §7.2.2, RP-Initiated Logout §2).

        Args:
            id_token: as the caller sends it back.
            client: the ``client_id`` that it has to be for; any client's when empty.

        Raises:
            RequestRefused: no ID token of this provider, or another client's.
        """
        try:
            verified = await self.keys.verify(id_token, typ=ID_TOKEN_TYP, algs=tuple(SPECS))
            hint = msgspec.convert(parse_object(verified.payload), IDTokenHint)
        except (InkanError, msgspec.ValidationError):
            raise RequestRefused("id_token_hint") from None
        if hint.iss != self._parts.issuer or (client and hint.aud != client):
            raise RequestRefused("id_token_hint")
        return hint

    def metadata(self, *, certificates: bool) -> Published:
        """The provider's metadata; ``certificates`` is whether the instance sees those of its clients."""
        return discovery.published(self._parts.issuer, certificates=certificates)

    async def purge(self) -> None:
        """Forget what is over: grants, pushed requests, logins, revoked tokens; look at the ring again."""
        await self._parts.db.transact(_purge)
        await self.keys.refresh()


def _purge() -> Step[Any]:
    for query in store.PURGE:
        yield query.run()
