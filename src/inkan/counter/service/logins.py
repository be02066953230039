"""How a clerk logs in: by the authentication key of a card.

Numbered plan:

1. the browser holds the cookie of a challenge that was drawn for a login here, within five minutes;
2. the message is what an authentication key of a good card signed (:meth:`inkan.pki.PKI.verify_request`: profile,
   key usage, path, term, revocation now);
3. it signed the very bytes of the challenge, which name this platform's origin; the card program compares that
   with the origin that the browser states, so that a page elsewhere gets no answer worth anything here;
4. this instance issued the certificate, and its card is not one that was left unfinished;
5. one transaction: the challenge is used up, the holder is a clerk now, their account logs in.

Whatever fails in 2 to 5 is one answer, except that nobody can say how the card stands.
"""

import hashlib
from typing import Final

from inkan.accounts import LoginRefused, LoginToken
from inkan.counter.model import CardChallengeEnded, CardLoginRefused, CardState
from inkan.counter.model.logins import CardChallenge
from inkan.counter.rules import CHALLENGE_LIFE, PROFILES
from inkan.counter.service.parts import Parts
from inkan.counter.store import logins as store
from inkan.crypto import base64url
from inkan.kernel.clock import rfc3339
from inkan.kernel.errors import Category, InkanError
from inkan.kernel.ids import AccountID, random_bytes
from inkan.kernel.sensitive import Secret
from inkan.pki import CardRequest, KeyUsage
from inkan.store.database import MOMENT, Step
from inkan.wire.card_request import CONTENT_TYPES, CardPurpose, LoginContent, content_bytes

RANDOM_BYTES: Final = 32
_PURPOSE: Final = CardPurpose.LOGIN


class Logins:
    """Logs clerks in by their cards."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    async def begin(self) -> CardChallenge:
        """Draw a challenge for one browser; good for five minutes and one answer."""
        return await self._parts.db.transact(self._begin)

    async def finish(
        self, challenge: str, *, cms: bytes, browser: str, replaces: str | None
    ) -> LoginToken:
        """Log a browser in by what a card signed; see the plan of this module.

        Args:
            challenge: its id.
            cms: DER of the CMS.
            browser: what the browser's cookie holds.
            replaces: the token that the browser held before.

        Raises:
            CardChallengeEnded: 1, or 5 when another answer was faster.
            StatusUnavailable: 2, when nobody can say how the card stands.
            CardLoginRefused: 2 to 5.
        """
        key = _key(challenge, browser)
        content = await self._parts.db.read(_find, key)  # 1
        request = await self._verify(cms)  # 2
        if request.content != content:  # 3
            raise CardLoginRefused(check="content")
        issued = await self._parts.pki.find_by_serial(request.authority, request.serial)  # 4
        if issued is None:
            raise CardLoginRefused(check="issuer")
        try:
            return await self._parts.db.transact(
                self._finish, key, request, issued.id, replaces
            )  # 5
        except LoginRefused as wrong:
            raise CardLoginRefused(check=wrong.code) from wrong

    async def purge(self) -> None:
        """Forget challenges that nobody answered; a schedule's work."""
        await self._parts.db.transact(_purge)

    def _begin(self) -> Step[CardChallenge]:
        moment = yield MOMENT
        nonce, browser = random_bytes(RANDOM_BYTES), base64url.encode(random_bytes(RANDOM_BYTES))
        issuer = self._parts.issuer
        content = content_bytes(
            LoginContent(
                aud=issuer, origin=issuer, nonce=base64url.encode(nonce), at=rfc3339(moment)
            )
        )
        digest = hashlib.sha256(nonce).digest()
        yield store.INSERT_CHALLENGE.run(
            nonce_sha256=digest,
            purpose=_PURPOSE.value,
            browser_sha256=_hash(browser),
            content=content.decode(),
            expires_at=moment + CHALLENGE_LIFE,
        )
        return CardChallenge(
            id=base64url.encode(digest),
            content=content,
            content_type=CONTENT_TYPES[_PURPOSE],
            browser=Secret(browser),
        )

    async def _verify(self, cms: bytes) -> CardRequest:
        try:
            return await self._parts.pki.verify_request(
                cms,
                content_type=CONTENT_TYPES[_PURPOSE],
                profile=PROFILES["authentication"],
                key_usage=KeyUsage.DIGITAL_SIGNATURE,
                own=True,
            )
        except InkanError as wrong:
            if wrong.category is Category.UNAVAILABLE:
                raise
            raise CardLoginRefused(check=wrong.code) from wrong

    def _finish(
        self, key: dict[str, object], request: CardRequest, certificate: str, replaces: str | None
    ) -> Step[LoginToken]:
        taken = yield store.TAKE_CHALLENGE.run(**key)
        if not taken:
            raise CardChallengeEnded
        person = yield from self._parts.people.find_by_serial(request.subject_serial)
        clerk = (yield store.CLERK_OF_PERSON.one(whose=person.id)) if person else None
        if person is None or clerk is None:
            raise CardLoginRefused(check="clerk")
        for card in (yield store.CARDS_OF_PERSON.all(whose=person.id)):
            is_meant = card.certificates.get("authentication") == certificate
            if is_meant and card.state is not CardState.LIVE:
                raise CardLoginRefused(check="card")
        return (
            yield from self._parts.accounts.log_in_by_card(
                AccountID(clerk.account), replaces=replaces, details={"certificate": certificate}
            )
        )


def _find(key: dict[str, object]) -> Step[bytes]:
    row = yield store.CHALLENGE.one(**key)
    if row is None:
        raise CardChallengeEnded
    content: str = row.content
    return content.encode()


def _purge() -> Step[None]:
    yield store.PURGE_CHALLENGES.run()


def _key(challenge: str, browser: str) -> dict[str, object]:
    try:
        nonce = base64url.decode(challenge)
    except InkanError:
        raise CardChallengeEnded from None
    return {"nonce": nonce, "browser": _hash(browser), "wanted": _PURPOSE.value}


def _hash(browser: str) -> bytes:
    return hashlib.sha256(browser.encode()).digest()
