"""The other side: an OpenID provider, as any client knows it from its issuer URL and its own registration."""

from base64 import b64encode
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import quote_plus, urlencode

import msgspec

from inkan.apps.showcase.reading_room.judging import is_same_origin, key_of
from inkan.client import AnswerMalformed, AsyncTransport, PlatformUnreachable
from inkan.client.exchange import Answer, Request, joined
from inkan.crypto.jose import Algorithm
from inkan.crypto.keys import PublicKey
from inkan.kernel.clock import Clock
from inkan.kernel.sensitive import Secret

DISCOVERY: Final = "/.well-known/openid-configuration"
FETCH_EVERY_S: Final = 60.0
ANSWER_LIMIT: Final = 64 * 1024
_FORM: Final = {
    "content-type": "application/x-www-form-urlencoded",
    "accept": "application/json",
}


class Registration(msgspec.Struct, frozen=True, kw_only=True):
    """What the library registered with the provider, once.

    Attributes:
        issuer: of the provider; everything else about it is discovered.
        secret: for HTTP Basic at the token endpoint (RFC 6749 §2.3.1).
        alg: of the ID tokens.
    """

    issuer: str
    client_id: str
    secret: Secret[str]
    redirect_uri: str
    post_logout_redirect_uri: str
    alg: Algorithm = Algorithm.RS256


class Metadata(msgspec.Struct, frozen=True):
    """The members of the provider's metadata that a code flow needs (OpenID Connect Discovery §3)."""

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    userinfo_endpoint: str
    jwks_uri: str
    end_session_endpoint: str = ""

    @property
    def addresses(self) -> tuple[str, ...]:
        """Every endpoint that it has."""
        named = (
            self.authorization_endpoint,
            self.token_endpoint,
            self.userinfo_endpoint,
            self.jwks_uri,
            self.end_session_endpoint,
        )
        return tuple(each for each in named if each)


class Tokens(msgspec.Struct, frozen=True):
    """The answer of the token endpoint (OpenID Connect Core §3.1.3.3)."""

    access_token: str
    token_type: str
    id_token: str


class _KeySet(msgspec.Struct, frozen=True):
    keys: list[dict[str, Any]]


class _Person(msgspec.Struct, frozen=True):
    sub: str


class Provider:
    """Calls to the provider. Each refusal that comes out is one of the client kit.

    Args:
        registration: of the library.
        transport: carries the requests.
        clock: tells how old the keys are.
    """

    def __init__(
        self, registration: Registration, *, transport: AsyncTransport, clock: Clock
    ) -> None:
        self.registration = registration
        self._transport = transport
        self._clock = clock
        self._metadata: Metadata | None = None
        self._keys: list[dict[str, Any]] = []
        self._keys_at: float | None = None

    async def metadata(self) -> Metadata:
        """What the provider says of itself; asked once.

        Raises:
            PlatformUnreachable: it does not answer, or not with this.
            AnswerMalformed: the document is another issuer's (Discovery §4.3), or leads elsewhere.
        """
        if self._metadata is None:
            issuer = self.registration.issuer
            found = (await self._get(joined(issuer, DISCOVERY))).read(Metadata)
            if found.issuer != issuer:
                raise AnswerMalformed("the metadata is another issuer's")
            if not all(is_same_origin(each, issuer) for each in found.addresses):
                raise AnswerMalformed("an endpoint lies on another origin")
            self._metadata = found
        return self._metadata

    async def ask_address(self, *, state: str, nonce: str, challenge: str, language: str) -> str:
        """Where a browser is led to log somebody in: an authentication request (Core §3.1.2.1, RFC 7636 §4.3).

        Raises:
            PlatformUnreachable, AnswerMalformed: see :meth:`metadata`.
        """
        own = self.registration
        return _with_query(
            (await self.metadata()).authorization_endpoint,
            {
                "response_type": "code",
                "scope": "openid",
                "client_id": own.client_id,
                "redirect_uri": own.redirect_uri,
                "state": state,
                "nonce": nonce,
                "code_challenge": challenge,
                "code_challenge_method": "S256",
                "ui_locales": language,
            },
        )

    async def leave_address(self, id_token: str, *, state: str) -> str:
        """Where a browser is led to log out there, too (RP-Initiated Logout §2); empty where there is no such place.

        Raises:
            PlatformUnreachable, AnswerMalformed: see :meth:`metadata`.
        """
        end = (await self.metadata()).end_session_endpoint
        members = {
            "id_token_hint": id_token,
            "client_id": self.registration.client_id,
            "post_logout_redirect_uri": self.registration.post_logout_redirect_uri,
            "state": state,
        }
        return _with_query(end, members) if end else ""

    async def tokens(self, code: str, verifier: Secret[str]) -> Tokens | None:
        """Change a code into tokens; None when the provider does not take it.

        Raises:
            PlatformUnreachable, AnswerMalformed: nobody knows.
        """
        own = self.registration
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": own.redirect_uri,
            "code_verifier": verifier.reveal(),
        }
        pair = f"{quote_plus(own.client_id)}:{quote_plus(own.secret.reveal())}"
        basic = b64encode(pair.encode()).decode()
        request = Request(
            method="POST",
            url=(await self.metadata()).token_endpoint,
            headers={**_FORM, "authorization": f"Basic {basic}"},
            body=urlencode(form).encode(),
            limit=ANSWER_LIMIT,
        )
        answer = _up(await self._transport.send(request))
        if answer.status != HTTPStatus.OK:
            return None
        found = answer.read(Tokens)
        return found if found.token_type.lower() == "bearer" else None

    async def key(self, kid: str) -> PublicKey | None:
        """The provider's key of this name; its set is asked again for a new name, at most once a minute.

        Raises:
            PlatformUnreachable, AnswerMalformed: the set cannot be read.
        """
        alg = self.registration.alg
        found = key_of(self._keys, kid, alg)
        now = self._clock.monotonic()
        is_young = self._keys_at is not None and now - self._keys_at < FETCH_EVERY_S
        if found is not None or is_young:
            return found
        self._keys = (await self._get((await self.metadata()).jwks_uri)).read(_KeySet).keys
        self._keys_at = now
        return key_of(self._keys, kid, alg)

    async def subject(self, access_token: str) -> str:
        """Whom the access token stands for, as the provider says at its userinfo endpoint; empty when it does not.

        Raises:
            PlatformUnreachable, AnswerMalformed: nobody knows.
        """
        request = Request(
            method="GET",
            url=(await self.metadata()).userinfo_endpoint,
            headers={"authorization": f"Bearer {access_token}", "accept": "application/json"},
            limit=ANSWER_LIMIT,
        )
        answer = _up(await self._transport.send(request))
        return answer.read(_Person).sub if answer.status == HTTPStatus.OK else ""

    async def _get(self, url: str) -> Answer:
        request = Request(
            method="GET", url=url, headers={"accept": "application/json"}, limit=ANSWER_LIMIT
        )
        answer = _up(await self._transport.send(request))
        if answer.status != HTTPStatus.OK:
            raise AnswerMalformed(f"status {answer.status}")
        return answer


def _up(answer: Answer) -> Answer:
    if answer.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        raise PlatformUnreachable(f"status {answer.status}")
    return answer


def _with_query(address: str, members: Mapping[str, str]) -> str:
    return f"{address}{'&' if '?' in address else '?'}{urlencode(members)}"
