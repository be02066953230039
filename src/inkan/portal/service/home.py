"""A person's login by an answered session, and what the person's home gathers.

How a login is bound to the browser that began it: the browser keeps a verifier of 256 random bits in a
``__Host-`` cookie, and the session was created under an Idempotency-Key that is a hash of it. So nothing is kept
here, the session's id is worth nothing to anybody, and who holds the verifier is the browser that began. Between
the two stands the camera name: enough to see the present code as text, not enough to log in.

    verifier → SHA-256 → camera name → SHA-256 → Idempotency-Key
"""

import hashlib
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlsplit

import msgspec

from inkan.accounts import Accounts, LoginToken
from inkan.approvals import Asker, UsageFilter, UsageRecord
from inkan.audit import Actor
from inkan.crypto import base64url
from inkan.enrolment import Enrolment, Phone, PhoneNotFound
from inkan.identification import (
    Answer,
    ConsentView,
    Identification,
    KnownBrowser,
    LogEntry,
    SessionNotFound,
    SessionOrder,
)
from inkan.kernel.clock import Clock
from inkan.kernel.ids import PersonID, random_bytes
from inkan.kernel.sensitive import Secret
from inkan.notices import NewsItem, Notice, Notices
from inkan.people import MaskedIdentity, People
from inkan.pki import PKI, Showing
from inkan.portal.model import LoginStage, LoginTry, LoginUnproved
from inkan.portal.rules import (
    CHALLENGE_BYTES,
    FINISH_WITHIN,
    ORGANISATION_NAMES,
    OUTCOME_STAGES,
    PURPOSE,
    PURPOSE_TEXTS,
    STAGES,
    VERIFIER_BYTES,
)
from inkan.portal.service import holdings
from inkan.portal.service.holdings import Held
from inkan.relying_parties import (
    OWN_SYSTEM,
    Purpose,
    RelyingParties,
    System,
    SystemRegistration,
)
from inkan.web.languages import Language
from inkan.wire.binding import Door
from inkan.wire.enrolment_request import RevokeCause
from inkan.wire.session import SessionState


@dataclass(frozen=True, slots=True)
class Home:
    """What a person reads first: who they are here, their phones, the newest uses, notices and announcements."""

    identity: MaskedIdentity
    phones: list[Phone]
    records: list[UsageRecord]
    notices: list[Notice]
    news: list[NewsItem]


@dataclass(frozen=True, slots=True)
class Use:
    """One use as its page shows it.

    Attributes:
        phone_name: what the person called the phone; empty when nobody knows any more.
        log: its place in the audit log.
    """

    record: UsageRecord
    phone_name: str
    log: LogEntry


class Portal:
    """The person's login and home of one instance."""

    def __init__(
        self,
        *,
        clock: Clock,
        accounts: Accounts,
        people: People,
        enrolment: Enrolment,
        identification: Identification,
        notices: Notices,
        relying_parties: RelyingParties,
        pki: PKI,
        showing: Showing,
        origin: str,
    ) -> None:
        """Gather from these features; ``origin`` is the platform's, whose host persons read on the phone."""
        self._clock = clock
        self._accounts = accounts
        self._people = people
        self._enrolment = enrolment
        self._identification = identification
        self._notices = notices
        self._relying_parties = relying_parties
        self._pki = pki
        self._showing = showing
        self._registration = registration(origin)

    # --- the login -------------------------------------------------------------------------------

    async def begin(self) -> Secret[str]:
        """Ask anybody's phone for a login; return the verifier for the browser that asked.

        Raises:
            SystemSuspended: an operator has suspended these logins.
        """
        system = await self._system()
        verifier = base64url.encode(random_bytes(VERIFIER_BYTES))
        order = SessionOrder(
            kind="identify",
            purpose=PURPOSE,
            challenge=base64url.encode(random_bytes(CHALLENGE_BYTES)),
            doors=[Door.QR],
        )
        await self._identification.create(
            system,
            order,
            body=msgspec.json.encode(order),
            idempotency_key=_key_of(camera_name(verifier)),
        )
        return Secret(verifier)

    async def find_try(self, verifier: str) -> LoginTry | None:
        """Where the try of the browser with this verifier stands; None when it began none, or long ago."""
        system = await self._system()
        session = await self._find(camera_name(verifier), system)
        if session is None:
            return None
        seen, _ = await self._identification.get(session, system=system.id)
        if seen.next.action == "present":
            # A phone let its minute pass: the code is drawn anew, as the second that ended has decided.
            await self._identification.frame(session, system=system.id)
            seen, _ = await self._identification.get(session, system=system.id)
        stage = OUTCOME_STAGES[seen.outcome] if seen.outcome else STAGES[seen.state]
        if stage is LoginStage.ANSWERED and await self._answer(session, system) is None:
            stage = LoginStage.OVER
        return LoginTry(session=session, state=str(seen.state), stage=stage)

    async def frame(self, camera: str) -> str | None:
        """The frame of this second; None when there is nothing to scan.

        Args:
            camera: of :func:`camera_name`.
        """
        system = await self._system()
        session = await self._find(camera, system)
        if session is None:
            return None
        return await self._identification.frame(session, system=system.id)

    async def states(self, verifier: str) -> AsyncIterator[SessionState]:
        """Every state of this browser's try from now to its end; none when it began none."""
        system = await self._system()
        session = await self._find(camera_name(verifier), system)
        if session is not None:
            async for seen, _ in self._identification.follow(session, system=system.id):
                if seen.next.action == "present":
                    await self._identification.frame(session, system=system.id)
                yield seen.state

    async def finish(self, verifier: str, *, replaces: str | None) -> LoginToken:
        """Log the person in whose phone answered the try of this very browser.

        1. the verifier is of a session of Inkan's own system;
        2. a phone answered it with yes, within the last 60 s;
        3. it has opened no login before (see :meth:`inkan.accounts.Accounts.login_person`).

        Args:
            verifier: as the browser's cookie holds it.
            replaces: the token of the login that the browser carried before; it ends.

        Raises:
            LoginUnproved: 1 or 2.
            AnswerUsed: 3.
            AccountClosed: the person's account has ended.
        """
        system = await self._system()
        session = await self._find(camera_name(verifier), system)
        answer = None if session is None else await self._answer(session, system)
        if answer is None:
            raise LoginUnproved
        return await self._accounts.login_person(
            answer.person, session=answer.session, replaces=replaces
        )

    async def _system(self) -> System:
        return await self._relying_parties.own_system(self._registration)

    async def _find(self, camera: str, system: System) -> str | None:
        with suppress(SessionNotFound):
            return await self._identification.session_of_key(_key_of(camera), system=system.id)
        return None

    async def _answer(self, session: str, system: System) -> Answer | None:
        """The answer while it is fresh."""
        answer = await self._identification.answer(session, system=system.id)
        if answer is None or self._clock.now() - answer.decided_at > FINISH_WITHIN:
            return None
        return answer

    # --- the home --------------------------------------------------------------------------------

    async def home(self, person: PersonID, language: Language) -> Home:
        """What the person reads first; every list newest first but the phones, oldest first."""
        return Home(
            identity=await self._people.masked(person),
            phones=await self._enrolment.phones(person),
            records=await self._identification.records(person, before=None),
            notices=await self._notices.inbox(person, language=language),
            news=await self._notices.news(language),
        )

    async def messages(
        self, person: PersonID, language: Language
    ) -> tuple[list[Notice], list[NewsItem]]:
        """The person's notices of a year (at most 50) and the announcements to all (TW-39)."""
        notices = await self._notices.inbox(person, language=language)
        return notices, await self._notices.news(language)

    async def news(self, language: Language) -> list[NewsItem]:
        """The announcements to all (TW-39), for those who are not logged in as well."""
        return await self._notices.news(language)

    # --- phones and certificates -----------------------------------------------------------------

    def now(self) -> datetime:
        """The instance's time, by which terms and waiting times are judged."""
        return self._clock.now()

    async def phones(self, person: PersonID) -> list[Phone]:
        """Every phone of the person that is not revoked, oldest first."""
        return await self._enrolment.phones(person)

    async def phone(self, person: PersonID, phone_id: str) -> Phone:
        """One of these.

        Raises:
            PhoneNotFound: unknown, revoked, or another person's: one answer.
        """
        found = [each for each in await self.phones(person) if each.id == phone_id]
        if not found:
            raise PhoneNotFound
        return found[0]

    async def revoke(
        self, person: PersonID, phone_id: str, *, cause: RevokeCause, actor: Actor
    ) -> None:
        """See :meth:`inkan.enrolment.Enrolment.revoke_own`."""
        await self._enrolment.revoke_own(person, phone_id, cause=cause, actor=actor)

    async def freeze(self, person: PersonID, *, actor: Actor) -> int:
        """See :meth:`inkan.enrolment.Enrolment.freeze`."""
        return await self._enrolment.freeze(person, actor=actor)

    async def certificates(self, person: PersonID) -> list[Held]:
        """Every certificate of the person's phones, a renewal's included (TW-36)."""
        return await holdings.every_held(
            await self.phones(person), pki=self._pki, showing=self._showing
        )

    async def certificate(self, person: PersonID, certificate_id: str) -> Held:
        """One of these.

        Raises:
            CertificateNotFound: unknown, or another person's: one answer.
        """
        return await holdings.one_held(
            await self.phones(person), certificate_id, pki=self._pki, showing=self._showing
        )

    # --- the uses --------------------------------------------------------------------------------

    async def records(
        self, person: PersonID, *, below: str | None, only: UsageFilter | None = None
    ) -> list[UsageRecord]:
        """Fifty usage records of the person: the newest, or those below one of them in the list (TW-38)."""
        if below is None:
            return await self._identification.records(person, before=None, only=only)
        return await self._identification.records_below(person, below, only=only)

    async def askers(self, person: PersonID) -> list[Asker]:
        """Who has asked the person, the latest first."""
        return await self._identification.askers(person)

    async def use(self, person: PersonID, record_id: str) -> Use:
        """One use, the name of its phone and its place in the audit log.

        Raises:
            RecordNotFound: unknown, or another person's: one answer.
        """
        record = await self._identification.record(person, record_id)
        names = await self._enrolment.phone_names(person)
        log = await self._identification.log_entry(record)
        return Use(record=record, phone_name=names.get(record.phone, ""), log=log)

    async def use_proof(self, person: PersonID, record_id: str) -> bytes:
        """See :meth:`inkan.identification.Identification.use_proof`."""
        return await self._identification.use_proof(person, record_id)

    async def report_use(self, person: PersonID, record_id: str, *, actor: Actor) -> UsageRecord:
        """See :meth:`inkan.identification.Identification.report_use`."""
        return await self._identification.report_use(person, record_id, actor=actor)

    def every_record(self, person: PersonID) -> AsyncIterator[list[UsageRecord]]:
        """All usage records of the person, newest first, some at a time."""
        return self._identification.every_record(person)

    async def phone_names(self, person: PersonID) -> dict[str, str]:
        """What the person called each phone, by its id; revoked phones too."""
        return await self._enrolment.phone_names(person)

    # --- consents and browsers -------------------------------------------------------------------

    async def consents(self, person: PersonID) -> list[ConsentView]:
        """The person's 100 newest consents, newest first."""
        return await self._identification.consents(person)

    async def withdraw_consent(self, person: PersonID, consent_id: str, *, actor: Actor) -> None:
        """See :meth:`inkan.identification.Identification.withdraw_consent`."""
        await self._identification.withdraw_consent(person, consent_id, actor=actor)

    async def browsers(self, person: PersonID) -> list[KnownBrowser]:
        """The person's known browsers, newest first."""
        return await self._identification.browsers(person)

    async def forget_browser(self, person: PersonID, browser_id: str, *, actor: Actor) -> None:
        """See :meth:`inkan.identification.Identification.unpair`."""
        await self._identification.unpair(person, browser_id, actor=actor)


def registration(origin: str) -> SystemRegistration:
    """How Inkan stands in its own register: one door, one purpose, no key."""
    return SystemRegistration(
        organisation=OWN_SYSTEM,
        organisation_name=ORGANISATION_NAMES,
        sector="other",
        code=OWN_SYSTEM,
        name="Inkan",
        domain=urlsplit(origin).hostname or "",
        doors=[Door.QR],
        purposes=[Purpose(code=PURPOSE, kinds=["identify"], text=PURPOSE_TEXTS)],
        keys=[],
    )


def camera_name(verifier: str) -> str:
    """The name under which the present code of a try can be read as text; says nothing about the verifier."""
    return _hashed(b"inkan-login-camera-v1", verifier)


def _key_of(camera: str) -> str:
    return _hashed(b"inkan-login-session-v1", camera)


def _hashed(label: bytes, text: str) -> str:
    return base64url.encode(hashlib.sha256(label + b"\0" + text.encode()).digest())
