"""The online window: a card ends its own certificates (JPKI-23, JPKI-26).

Numbered plan of :meth:`Online.take`:

1. the message is what the signature key of a good card signed (:meth:`inkan.pki.PKI.verify_request`: profile, key
   usage, path, term, revocation now), and an authority of this instance issued the card's certificate;
2. it signed the very bytes of a challenge of this browser, drawn within five minutes: they name the platform, its
   origin, the cause and the certificate; the card program compares the origin with the one that the browser states;
3. the certificate that signed is the one that the challenge names;
4. one transaction: the challenge is used up, the certificate is revoked, and with it whatever else is in the card
   when the card was made at a counter here; the person is told. Locks are taken in the order of
   :mod:`inkan.counter.service.holding`.

Before step 4 nothing is written, so a card that is pulled out leaves nothing behind. Any card certificate of this
instance may come, also of a card that was made elsewhere.
"""

import hashlib
from typing import Any, Final

import msgspec

from inkan.audit import Actor, ActorKind
from inkan.counter.model import CardChallengeEnded, HeldCard, ReportCause
from inkan.counter.model.online import (
    Acceptance,
    CardContentDiffers,
    CardNotOurs,
    CauseNotOnline,
    EndedCertificate,
    RevokeChallenge,
)
from inkan.counter.rules import CHALLENGE_LIFE, PROFILES, REASON_OF_CAUSE
from inkan.counter.rules.online import ONLINE_CAUSES
from inkan.counter.service.parts import Parts
from inkan.counter.service.reading import PLATFORM, read_card
from inkan.counter.service.revoking import end_card
from inkan.counter.store import cards as card_store
from inkan.counter.store import logins as store
from inkan.crypto import base64url
from inkan.kernel.clock import rfc3339
from inkan.kernel.ids import PersonID, random_bytes
from inkan.kernel.sensitive import Secret
from inkan.people import Person
from inkan.pki import (
    CardRequest,
    CardRequestMalformed,
    CardRevoked,
    CertificateState,
    CertificateStatus,
    KeyUsage,
)
from inkan.store.database import MOMENT, Step
from inkan.wire import card_request as wire
from inkan.wire.card_request import CardPurpose, CardRevokeContent
from inkan.wire.enrolment_request import RevokeCause

RANDOM_BYTES: Final = 32
NOTICE: Final = "card_ended"
_PURPOSE: Final = CardPurpose.REVOKE
_LIVING: Final = frozenset({CertificateState.VALID, CertificateState.SUSPENDED})


class _Signed(msgspec.Struct, frozen=True):
    """A card's answer that passed every check that needs no transaction."""

    request: CardRequest
    content: CardRevokeContent
    key: dict[str, object]


class Online:
    """What a person does with a card and without a clerk."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    async def begin(self, certificate: bytes, cause: RevokeCause) -> RevokeChallenge:
        """Draw a challenge for one browser; good for five minutes and one answer.

        Args:
            certificate: DER of the card's signature certificate; only hashed here.
            cause: why it is to end.

        Raises:
            CauseNotOnline: a cause that is reported at a counter.
        """
        if cause not in ONLINE_CAUSES:
            raise CauseNotOnline(where="cause")
        digest = base64url.encode(hashlib.sha256(certificate).digest())
        return await self._parts.db.transact(self._begin, digest, cause)

    async def take(self, cms: bytes, *, browser: str) -> Acceptance:
        """End the certificates of the card that signed; see the plan of this module.

        Args:
            cms: DER of the CMS.
            browser: what the browser's cookie holds.

        Raises:
            CardRequestMalformed, CardUntrusted, CardExpired, CardRevoked, CardWrongPurpose, StatusUnavailable: 1.
            CardChallengeEnded, CardContentDiffers: 2.
            CardContentDiffers, CardNotOurs: 3.
            CardChallengeEnded, CardRevoked: 4, another answer was faster.
        """
        request = await self._parts.pki.verify_request(  # 1
            cms,
            content_type=wire.CONTENT_TYPES[_PURPOSE],
            profile=PROFILES["signature"],
            key_usage=KeyUsage.CONTENT_COMMITMENT,
            own=True,
        )
        signed = await self._matched(request, browser)  # 2, 3
        status = await self._parts.pki.find_by_serial(request.authority, request.serial)
        if status is None:
            raise CardNotOurs
        return await self._parts.db.transact(self._take, signed, status)  # 4

    async def _matched(self, request: CardRequest, browser: str) -> _Signed:
        try:
            content = wire.parse_revoke(request.content)
        except wire.CardContentMalformed as wrong:
            raise CardRequestMalformed(wrong.detail) from None
        key: dict[str, object] = {
            "nonce": hashlib.sha256(base64url.decode(content.nonce)).digest(),
            "browser": _hash(browser),
            "wanted": _PURPOSE.value,
        }
        given = await self._parts.db.read(_find, key)
        certificate = base64url.encode(hashlib.sha256(request.certificate).digest())
        if request.content != given or content.certificate_sha256 != certificate:
            raise CardContentDiffers
        return _Signed(request, content, key)

    def _begin(self, certificate_sha256: str, cause: RevokeCause) -> Step[RevokeChallenge]:
        moment = yield MOMENT
        yield store.PURGE_CHALLENGES.run()
        nonce, browser = random_bytes(RANDOM_BYTES), base64url.encode(random_bytes(RANDOM_BYTES))
        content = wire.content_bytes(
            CardRevokeContent(
                aud=self._parts.issuer,
                origin=self._parts.issuer,
                nonce=base64url.encode(nonce),
                certificate_sha256=certificate_sha256,
                cause=cause,
                at=rfc3339(moment),
            )
        )
        yield store.INSERT_CHALLENGE.run(
            nonce_sha256=hashlib.sha256(nonce).digest(),
            purpose=_PURPOSE.value,
            browser_sha256=_hash(browser),
            content=content.decode(),
            expires_at=moment + CHALLENGE_LIFE,
        )
        return RevokeChallenge(
            content=content, content_type=wire.CONTENT_TYPES[_PURPOSE], browser=Secret(browser)
        )

    def _take(self, signed: _Signed, status: CertificateStatus) -> Step[Acceptance]:
        moment = yield MOMENT
        if not (yield store.TAKE_CHALLENGE.run(**signed.key)):
            raise CardChallengeEnded
        person = yield from self._parts.people.find_by_serial(signed.request.subject_serial)
        card = None
        if person is not None:
            yield from self._parts.people.hold(person.id)
            card = yield from _card_with(person.id, status.id)
        event = yield from self._record(signed, person, status)
        actor = Actor(ActorKind.PERSON, person.id) if person else PLATFORM
        cause = signed.content.cause
        reason = REASON_OF_CAUSE[ReportCause(cause.value)]
        if not (yield from self._parts.pki.revoke(status.id, reason=reason, actor=actor)):
            raise CardRevoked  # by somebody else, since it was checked
        ended = [EndedCertificate(authority=status.authority, serial=status.serial)]
        if card is not None:
            ended += yield from self._living_beside(card, status.id)
        if card is None or (
            (yield from end_card(self._parts, card.number, reason=reason, actor=actor)) is None
        ):
            yield from self._tell(person)
        return Acceptance(number=event, at=moment, cause=cause, certificates=tuple(ended))

    def _record(
        self, signed: _Signed, person: Person | None, status: CertificateStatus
    ) -> Step[str]:
        return (
            yield from self._parts.audit.record(
                "counter.revoked_online",
                actor=Actor(ActorKind.PERSON, person.id) if person else PLATFORM,
                subject=person.id if person else None,
                object=status.id,
                details={
                    "cause": signed.content.cause.value,
                    "cms_sha256": signed.request.cms_sha256,
                },
            )
        )

    def _living_beside(self, card: HeldCard, signs: str) -> Step[list[EndedCertificate]]:
        """What else is in the card and ends with it."""
        found = []
        for certificate in card.certificates.values():
            status = yield from self._parts.pki.find_status(certificate)
            if certificate != signs and status is not None and status.state in _LIVING:
                found.append(EndedCertificate(authority=status.authority, serial=status.serial))
        return found

    def _tell(self, person: Person | None) -> Step[None]:
        if person is not None:
            yield from self._parts.notices.notify(person.id, NOTICE, {})


def _card_with(person: PersonID, certificate: str) -> Step[HeldCard | None]:
    """The card of a person that holds a certificate; None for a card of elsewhere."""
    for row in (yield card_store.CARDS_OF.all(person=person)):
        card = read_card(row)
        if card is not None and certificate in card.certificates.values():
            return card
    return None


def _find(key: dict[str, object]) -> Step[bytes]:
    row: Any = yield store.CHALLENGE.one(**key)
    if row is None:
        raise CardChallengeEnded
    content: str = row.content
    return content.encode()


def _hash(browser: str) -> bytes:
    return hashlib.sha256(browser.encode()).digest()
