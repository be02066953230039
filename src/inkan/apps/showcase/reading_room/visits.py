"""The visits of the reading room: a login under way in one browser, or a reader who is in."""

from collections import OrderedDict
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Final
from urllib.parse import parse_qs

from inkan.apps.showcase.reading_room.judging import (
    FOREIGN,
    NOT_BELIEVED,
    Expected,
    IDToken,
    LogoutToken,
    judge_id_token,
    judge_logout_token,
    judge_return,
    parse_logout_token,
    parse_token,
)
from inkan.apps.showcase.reading_room.provider import Provider, Tokens
from inkan.crypto import base64url
from inkan.crypto.jose import JWSMalformed, JWSTooLarge
from inkan.kernel.clock import Clock, to_seconds
from inkan.kernel.ids import random_bytes
from inkan.kernel.sensitive import Secret

VISITS_KEPT: Final = 1000
TOKENS_SEEN: Final = 1000


def draw() -> str:
    """256 fresh random bits: a state, a nonce, a verifier, a cookie."""
    return base64url.encode(random_bytes(32))


@dataclass(frozen=True)
class Reader:
    """Somebody who is in.

    Attributes:
        id_token: as it came, to log out with.
    """

    claims: IDToken
    id_token: str


@dataclass
class Visit:
    """One browser's visit: the secrets of its question, and the reader once the answer was believed."""

    state: str = field(default_factory=draw)
    nonce: str = field(default_factory=draw)
    verifier: Secret[str] = field(default_factory=lambda: Secret(draw()))
    is_answered: bool = False
    reader: Reader | None = None

    @property
    def challenge(self) -> str:
        """RFC 7636 §4.2, S256."""
        return base64url.encode(sha256(self.verifier.reveal().encode()).digest())


class Visits:
    """Visits, each under the token that its browser's cookie holds."""

    def __init__(self, provider: Provider, *, clock: Clock) -> None:
        self.provider = provider
        self._clock = clock
        self._visits: OrderedDict[str, Visit] = OrderedDict()
        self._heard: OrderedDict[str, None] = OrderedDict()

    async def begin(self, language: str) -> tuple[str, str]:
        """Open a visit; returns the browser's token and where the browser goes.

        Raises:
            PlatformUnreachable, AnswerMalformed: the provider does not say where.
        """
        visit = Visit()
        address = await self.provider.ask_address(
            state=visit.state, nonce=visit.nonce, challenge=visit.challenge, language=language
        )
        return self._keep(visit), address

    def find(self, token: str | None) -> Visit | None:
        """The visit of the browser that holds this token."""
        return self._visits.get(token or "")

    def end(self, token: str | None) -> Visit | None:
        """Forget a visit; returns what it was."""
        return self._visits.pop(token or "", None)

    async def come_back(self, token: str | None, query: str) -> tuple[str, str]:
        """Finish the login that this very browser began: its new token, or the cause why nobody is in.

        A login is answered once, whatever the answer was; a reader gets a token that was never sent before.

        Raises:
            PlatformUnreachable, AnswerMalformed: the provider does not answer, or not with this; nobody is in.
        """
        visit = self.find(token)
        issuer = self.provider.registration.issuer
        if visit is None or visit.is_answered:
            return "", FOREIGN
        cause = judge_return(query, state=visit.state, issuer=issuer)
        if cause == FOREIGN:
            return "", cause  # the login that was begun here goes on
        visit.is_answered = True
        visit.reader = None if cause else await self._believed(visit, parse_qs(query)["code"][0])
        self.end(token)
        if visit.reader is None:
            return "", cause or NOT_BELIEVED
        return self._keep(visit), ""

    async def hear(self, token: str) -> bool:
        """The provider says over the back channel that a session is over; whether that holds. A repetition ends nothing.

        Raises:
            PlatformUnreachable, AnswerMalformed: its keys cannot be read.
        """
        claims = await self._heard_of(token)
        if claims is None:
            return False
        if claims.jti in self._heard:
            return True
        self._heard[claims.jti] = None
        while len(self._heard) > TOKENS_SEEN:
            self._heard.popitem(last=False)
        for each in [name for name, visit in self._visits.items() if _is_meant(visit, claims)]:
            self.end(each)
        return True

    async def _believed(self, visit: Visit, code: str) -> Reader | None:
        tokens = await self.provider.tokens(code, visit.verifier)
        if tokens is None:
            return None
        claims = await self._claims(visit, tokens)
        # Core §5.3.2: an answer about another person is not used.
        if claims is None or await self.provider.subject(tokens.access_token) != claims.sub:
            return None
        return Reader(claims, tokens.id_token)

    async def _claims(self, visit: Visit, tokens: Tokens) -> IDToken | None:
        try:
            kid = parse_token(tokens.id_token).header["kid"]
        except (JWSMalformed, JWSTooLarge):
            return None
        key = await self.provider.key(kid)
        if key is None:
            return None
        return judge_id_token(
            tokens.id_token,
            key,
            self._expected(),
            nonce=visit.nonce,
            access_token=tokens.access_token,
        )

    async def _heard_of(self, token: str) -> LogoutToken | None:
        try:
            kid = parse_logout_token(token).header["kid"]
        except (JWSMalformed, JWSTooLarge):
            return None
        key = await self.provider.key(kid)
        return None if key is None else judge_logout_token(token, key, self._expected())

    def _expected(self) -> Expected:
        own = self.provider.registration
        now = to_seconds(self._clock.wire_now())
        return Expected(issuer=own.issuer, client_id=own.client_id, alg=own.alg, now=now)

    def _keep(self, visit: Visit) -> str:
        token = draw()
        self._visits[token] = visit
        while len(self._visits) > VISITS_KEPT:
            self._visits.popitem(last=False)
        return token


def _is_meant(visit: Visit, claims: LogoutToken) -> bool:
    """A session where one is named, else every session of the person."""
    if visit.reader is None:
        return False
    mine = visit.reader.claims
    return mine.sid == claims.sid if claims.sid else mine.sub == claims.sub
