"""`strong`: the browser that began shows a passkey of the very phone that answered (design §5.4, threat 1).

The passkeys of phones belong to the wallet's origin, the page that began to the platform's. So the proof goes by
three steps, and none of them alone is worth anything:

1. *begin*, on the platform's page, by the browser that began: a handle, kept as a hash, that lives as long as the
   answer awaits its return. Beginning anew ends the handle before it.
2. *prove*, on the wallet's page, by whoever has the handle: an assertion with user verification over a challenge of
   this session, its return, the page's browser and a nonce. It must be by the credential of the phone that decided,
   and its counter must have risen. One assertion wins; it gives a token, kept as a hash, and nothing else.
3. *confirm*, on the platform's page again: the cookie of the browser that began together with the token. Only this
   writes the evidence, by compare-and-set while the answer awaits its return.

Whoever is lured to another's handle proves to a page that is not theirs: the token lies in the victim's browser, the
cookie in the attacker's. The challenge names no credential, so a handle tells nobody who answered, and whatever is
wrong with a handle or an assertion has one answer.
"""

import hashlib
from typing import Any

import msgspec

from inkan.approvals import Approval, ApprovalEnded, ApprovalMoved, state_at
from inkan.audit import Actor, ActorKind
from inkan.crypto import base64url, webauthn
from inkan.crypto.webauthn_options import AssertionOptions
from inkan.enrolment import PhoneFacts
from inkan.identification import store
from inkan.identification.model import ConfirmationRefused, PageNotFound, Session
from inkan.identification.rules import ATTACHED, Attachment
from inkan.identification.service import announcing
from inkan.identification.service.page import is_ours, read_page
from inkan.identification.service.parts import Parts, read_session
from inkan.identification.service.returning import page_url
from inkan.kernel.errors import InkanError
from inkan.kernel.ids import PhoneID, random_bytes
from inkan.store.database import MOMENT, Step
from inkan.wire import wallet_paths
from inkan.wire.binding import Evidence
from inkan.wire.session import SessionState

LABEL = "inkan-confirmation-v1"
_SECRET_BYTES = 32
_PAGE = Actor(ActorKind.PLATFORM, "redirect-page")


class Confirmation(msgspec.Struct, frozen=True):
    """What the wallet's page shows of the question that was answered."""

    relying_party: str
    domain: str


class Proved(msgspec.Struct, frozen=True):
    """Where the browser goes back to, and what it brings."""

    page: str
    token: str


class _Proof(msgspec.Struct, frozen=True):
    """A verified assertion on its way into the database."""

    facts: PhoneFacts
    sign_count: int
    evidence: Evidence
    token_sha256: str


class _Open(msgspec.Struct, frozen=True):
    """A handle that waits for its assertion, with what its challenge is about."""

    session: Session
    approval: Approval
    nonce: str

    @property
    def challenge(self) -> bytes:
        """32 bytes: SHA-256 of the label, a zero byte, and what the assertion is bound to."""
        bound = (
            LABEL,
            self.session.id,
            self.session.terms.return_binding or "",
            self.session.page_browser or "",
            self.nonce,
        )
        return hashlib.sha256("\x00".join(bound).encode()).digest()


class Strengthening:
    """The use cases of the passkey in the browser that began."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    @property
    def origin(self) -> str:
        """Of the wallet: the passkeys of phones are its own."""
        return self._parts.wallet_origin

    @property
    def platform(self) -> str:
        """The origin of the page that began."""
        return self._parts.issuer

    async def begin(self, handle: str, *, browser: str) -> str:
        """The address of the wallet's page on which this browser confirms.

        Args:
            handle: of the redirect page.
            browser: its cookie.

        Raises:
            PageNotFound: no such page, or another browser has begun it.
            ConfirmationRefused: no answer awaits its return.
        """
        drawn, nonce = _secret(), _secret()
        await self._parts.db.transact(_begin, self._parts, handle, browser, _hash(drawn), nonce)
        return f"{self._parts.wallet_origin}/{wallet_paths.CONFIRMATION_PATH}/{drawn}"

    async def find(self, handle: str) -> Confirmation:
        """What the wallet's page shows.

        Raises:
            ConfirmationRefused: unknown, used, over.
        """
        found = await self._parts.db.read(_find, self._parts, handle)
        asker = found.approval.question.relying_party
        return Confirmation(relying_party=asker.name, domain=asker.domain)

    async def options(self, handle: str) -> dict[str, Any]:
        """PublicKeyCredentialRequestOptionsJSON: any passkey of the wallet, so that nothing is told of the person.

        Raises:
            ConfirmationRefused: unknown, used, over.
        """
        found = await self._parts.db.read(_find, self._parts, handle)
        asked = AssertionOptions(rp_id=self._parts.enrolment.rp_id, challenge=found.challenge)
        return asked.to_json()

    async def prove(
        self, handle: str, assertion: webauthn.Assertion, *, attachment: Attachment
    ) -> Proved:
        """Verify the assertion of the wallet's page; nothing is counted before :func:`confirm`.

        Args:
            handle: of the confirmation.
            assertion: as received.
            attachment: where the browser says that the authenticator is; unsigned.

        Raises:
            ConfirmationRefused: whatever is wrong.
        """
        found = await self._parts.db.read(_find, self._parts, handle)
        phone = PhoneID(found.approval.phone or "")
        facts = await self._parts.db.read(self._parts.enrolment.facts, phone)
        if facts is None:
            raise ConfirmationRefused()
        token = _secret()
        proof = _Proof(
            facts=facts,
            sign_count=_verified(self._parts, found, facts, assertion),
            evidence=ATTACHED[attachment],
            token_sha256=_hash(token),
        )
        await self._parts.db.transact(_prove, self._parts, handle, proof)
        return Proved(page=page_url(self._parts, found.session), token=token)

    async def confirm(self, handle: str, token: str, *, browser: str) -> None:
        """Count what was proved, for the browser that began and brings the token.

        Args:
            handle: of the redirect page.
            token: of :func:`prove`.
            browser: the cookie.

        Raises:
            PageNotFound: no such page, or another browser has begun it.
            ConfirmationRefused: another token, used, over, or the answer was given out.
        """
        try:
            await self._parts.db.transact(_confirm, self._parts, handle, token, browser)
        except (ApprovalEnded, ApprovalMoved):
            raise ConfirmationRefused() from None


def _begin(parts: Parts, handle: str, browser: str, drawn: str, nonce: str) -> Step[None]:
    page = yield from read_page(parts, handle)
    if not is_ours(page, browser):
        raise PageNotFound()
    session, approval = page.session, page.approval
    yield from _verify_waits(approval)
    event = yield from parts.audit.record(
        "identification.confirmation_begun",
        actor=_PAGE,
        object=session.id,
        details={"approval": approval.id},
    )
    yield store.BEGIN_CONFIRMATION.run(
        session=session.id,
        handle_sha256=drawn,
        nonce=nonce,
        evidence=None,
        token_sha256=None,
        expires_at=approval.redeem_until,
        event_id=event,
    )


def _find(parts: Parts, handle: str) -> Step[_Open]:
    row = yield store.CONFIRMATION.one(handle=_hash(handle))
    session = None if row is None else read_session((yield store.BY_ID.one(key=row.session)))
    if session is None:
        raise ConfirmationRefused()
    approval = yield from parts.approvals.get(session.approval)
    yield from _verify_waits(approval)
    return _Open(session=session, approval=approval, nonce=row.nonce)


def _verify_waits(approval: Approval) -> Step[None]:
    """Check that an answer awaits its return now.

    Raises:
        ConfirmationRefused: nothing was decided yet, it was given out, or its minute is over.
    """
    moment = yield MOMENT
    if state_at(approval, moment) is not SessionState.DECIDED:
        raise ConfirmationRefused()


def _verified(parts: Parts, found: _Open, facts: PhoneFacts, assertion: webauthn.Assertion) -> int:
    """The counter of an assertion by the credential of this phone."""
    # Any passkey was asked for, so the browser names its owner by a handle that the platform keeps nowhere; that the
    # credential is the deciding phone's own says more.
    anonymous = msgspec.structs.replace(assertion, user_handle=None)
    known = webauthn.KnownCredential(
        id=facts.credential_id,
        cose_key=facts.cose_key,
        backup_eligible=facts.backup_eligible,
        sign_count=facts.sign_count,
    )
    try:
        result = webauthn.verify_assertion(
            anonymous,
            known=known,
            challenge=found.challenge,
            origin=parts.wallet_origin,
            rp_id=parts.enrolment.rp_id,
        )
    except InkanError:
        # Also what cannot be read: it is read after the credential was compared. Which check failed is not told.
        raise ConfirmationRefused() from None
    return result.sign_count


def _prove(parts: Parts, handle: str, proof: _Proof) -> Step[None]:
    held = yield from parts.enrolment.hold_counted(proof.facts, sign_count=proof.sign_count)
    found = yield from _find(parts, handle)
    if not held or found.approval.phone != proof.facts.phone:
        raise ConfirmationRefused()
    event = yield from parts.audit.record(
        "identification.passkey_proved",
        actor=Actor(ActorKind.PHONE, proof.facts.phone),
        subject=proof.facts.person,
        object=found.session.id,
        details={"approval": found.approval.id, "evidence": proof.evidence.value},
    )
    proved = yield store.PROVE_CONFIRMATION.run(
        handle=_hash(handle),
        new_evidence=proof.evidence,
        new_token=proof.token_sha256,
        event=event,
    )
    if not proved:
        raise ConfirmationRefused()


def _confirm(parts: Parts, handle: str, token: str, browser: str) -> Step[None]:
    page = yield from read_page(parts, handle)
    if not is_ours(page, browser):
        raise PageNotFound()
    session, approval = page.session, page.approval
    row = yield store.TAKE_CONFIRMATION.one(key=session.id, token=_hash(token))
    if row is None:
        raise ConfirmationRefused()
    event = yield from parts.audit.record(
        "identification.strengthened",
        actor=_PAGE,
        subject=approval.person,
        object=session.id,
        details={"approval": approval.id, "evidence": row.evidence},
    )
    # Refuses what was given out meanwhile, or whose minute is over.
    stronger = yield from parts.approvals.strengthen(
        approval, evidence=Evidence(row.evidence), event=event
    )
    yield from announcing.changed(session, before=approval, after=stronger)


def _secret() -> str:
    return base64url.encode(random_bytes(_SECRET_BYTES))


def _hash(secret: str) -> str:
    return base64url.encode(hashlib.sha256(secret.encode()).digest())
