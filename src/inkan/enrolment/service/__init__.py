"""Phones: bound with a card, renewed without it, revoked by their person or with the card's end."""

from collections.abc import AsyncIterator
from datetime import datetime, timedelta

from inkan.audit import Actor
from inkan.crypto import webauthn
from inkan.enrolment import store
from inkan.enrolment.model import (
    ChannelKey,
    Phone,
    PhoneCertificate,
    PhoneFacts,
    PhonePrincipal,
    Request,
    RequestState,
)
from inkan.enrolment.service import (
    accepting,
    desk,
    finishing,
    freezing,
    joining,
    parents,
    phones,
    preparing,
    remote_keys,
    renewing,
    requests,
    settling,
    watching,
)
from inkan.enrolment.service.at_kiosk import AtKiosk
from inkan.enrolment.service.desk import Started, ToSign
from inkan.enrolment.service.finishing import FINISH_JOB, Accepted, FinishJob
from inkan.enrolment.service.joining import Joined
from inkan.enrolment.service.parts import Parts, phone_topic, read_phone
from inkan.enrolment.service.preparing import Handed, Registration
from inkan.enrolment.service.remote_keys import END_KEYS_JOB, EndKeysJob
from inkan.enrolment.service.renewing import Begun, Renewed
from inkan.enrolment.service.renewing_remote import Brought
from inkan.enrolment.service.requests import Progress
from inkan.enrolment.service.watching import camera_name
from inkan.kernel.ids import PersonID, PhoneID
from inkan.people import PersonDeceased
from inkan.pki import CertificateRevoked
from inkan.schemes import ParentEnd
from inkan.store.database import MOMENT, Step
from inkan.wire.binding import BackEnd
from inkan.wire.enrolment_request import RevokeCause

KEEP_ENDED = timedelta(days=1)


class Enrolment:
    """The use cases and steps of phones."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self.at_kiosk = AtKiosk(parts)

    @property
    def rp_id(self) -> str:
        """The WebAuthn RP ID of phones: the wallet's host exactly."""
        return self._parts.rp_id

    # --- the desk --------------------------------------------------------------------------------

    async def start(self, *, scheme: str, terms_version: str) -> Started:
        """See :func:`inkan.enrolment.service.desk.start`."""
        return await desk.start(self._parts, scheme=scheme, terms_version=terms_version)

    async def for_desk(self, request_id: str, *, secret: bytes) -> Request:
        """The request of the page that holds its secret.

        Raises:
            EnrolmentNotFound: unknown, or another page's.
        """
        return await self._parts.db.read(requests.for_desk, request_id, secret)

    def progress(self, request: Request) -> Progress:
        """See :func:`inkan.enrolment.service.requests.progress`."""
        return requests.progress(request, self._parts.db.now())

    def code(self, request: Request) -> str:
        """See :func:`inkan.enrolment.service.desk.draw_code`."""
        return desk.draw_code(self._parts, request, self._parts.db.now())

    def content(self, request: Request) -> ToSign:
        """See :func:`inkan.enrolment.service.desk.content_to_sign`."""
        return desk.content_to_sign(request, self._parts.db.now())

    async def submit(self, request: Request, cms: bytes) -> Accepted:
        """See :func:`inkan.enrolment.service.accepting.submit`."""
        return await accepting.submit(self._parts, request, cms)

    def states(self, request_id: str, *, secret: bytes) -> AsyncIterator[RequestState]:
        """See :func:`inkan.enrolment.service.watching.states`."""
        return watching.states(self._parts, request_id, secret=secret)

    async def seen_by_camera(self, name: str) -> Request:
        """See :func:`inkan.enrolment.service.watching.seen_by_camera`."""
        return await watching.seen_by_camera(self._parts, name)

    # --- the joining phone -----------------------------------------------------------------------

    async def join(
        self,
        *,
        jkt: str,
        frame: str,
        name: str,
        back_end: BackEnd,
        arrived: datetime,
        address: str,
    ) -> Joined:
        """See :func:`inkan.enrolment.service.joining.join`."""
        return await joining.join(
            self._parts,
            jkt=jkt,
            frame=frame,
            name=name,
            back_end=back_end,
            arrived=arrived,
            address=address,
        )

    async def prepare(
        self, request_id: str, *, jkt: str, csrs: dict[str, str], registration: Registration
    ) -> Handed:
        """See :func:`inkan.enrolment.service.preparing.prepare`."""
        return await preparing.prepare(
            self._parts, request_id, jkt=jkt, csrs=csrs, registration=registration
        )

    async def for_phone(self, request_id: str, *, jkt: str) -> Request:
        """The request that this channel key joined.

        Raises:
            EnrolmentNotFound: unknown, or another phone's.
        """
        return await self._parts.db.read(requests.for_phone, request_id, jkt)

    async def certificates_of(self, request: Request) -> dict[str, str]:
        """Ids of the certificates that were issued for a request, by use; empty before."""
        if request.phone is None:
            return {}
        phone = await self._parts.db.read(_phone, request.phone)
        return {} if phone is None else {use: c.id for use, c in phone.certificates.items()}

    # --- bound phones ----------------------------------------------------------------------------

    async def principal_of(self, jkt: str) -> tuple[PhonePrincipal | ChannelKey, datetime | None]:
        """The active phone of a channel key and its last assertion, else the bare key.

        Raises:
            ChannelProofRefused: the key of a phone that was revoked or suspended.
        """
        return await self._parts.db.read(phones.principal_of, jkt)

    def hold(self, phone: PhonePrincipal) -> Step[bool]:
        """Step: see :func:`inkan.enrolment.service.phones.hold`."""
        return phones.hold(phone)

    def hold_asserted(self, phone: PhonePrincipal, *, sign_count: int) -> Step[bool]:
        """Step: see :func:`inkan.enrolment.service.phones.hold_asserted`."""
        return phones.hold_asserted(phone, sign_count=sign_count)

    def hold_counted(self, facts: PhoneFacts, *, sign_count: int) -> Step[bool]:
        """Step: see :func:`inkan.enrolment.service.phones.hold_counted`."""
        return phones.hold_counted(facts, sign_count=sign_count)

    def facts(self, phone_id: PhoneID) -> Step[PhoneFacts | None]:
        """Step: see :func:`inkan.enrolment.service.phones.facts`."""
        return phones.facts(phone_id)

    def hold_active(self, phone_id: PhoneID) -> Step[bool]:
        """Step: see :func:`inkan.enrolment.service.phones.hold_active`."""
        return phones.hold_active(phone_id)

    def is_active(self, phone_id: PhoneID) -> Step[bool]:
        """Step: see :func:`inkan.enrolment.service.phones.is_active`."""
        return phones.is_active(phone_id)

    async def owner_of(self, phone_id: str) -> PersonID | None:
        """The person of a phone, whatever state it is in; None when no phone has this id."""
        phone = await self._parts.db.read(_phone, phone_id)
        return None if phone is None else phone.person

    def phones_of(self, person: PersonID) -> Step[list[Phone]]:
        """Step: see :func:`inkan.enrolment.service.phones.phones`."""
        return phones.phones(person)

    async def phones(self, person: PersonID) -> list[Phone]:
        """Every phone of a person that is not revoked."""
        return await self._parts.db.read(phones.phones, person)

    async def phone_names(self, person: PersonID) -> dict[str, str]:
        """See :func:`inkan.enrolment.service.phones.names`."""
        return await self._parts.db.read(phones.names, person)

    async def find_holder(self, person: PersonID, certificate_id: str) -> Phone | None:
        """The person's phone that holds a certificate, one of a renewal included; None if none does."""
        for phone in await self.phones(person):
            held = (*phone.certificates.values(), *phone.pending.values())
            if any(certificate_id == each.id for each in held):
                return phone
        return None

    async def begin_assertion(self, phone: PhonePrincipal) -> str:
        """See :func:`inkan.enrolment.service.phones.begin_assertion`."""
        return await phones.begin_assertion(self._parts, phone)

    async def prove_presence(
        self, phone: PhonePrincipal, assertion: webauthn.Assertion
    ) -> datetime:
        """See :func:`inkan.enrolment.service.phones.prove_presence`."""
        return await phones.prove_presence(self._parts, phone, assertion)

    async def revoke(
        self, sender: PhonePrincipal, phone_id: str, *, cause: RevokeCause | None = None
    ) -> None:
        """See :func:`inkan.enrolment.service.phones.revoke_by_phone`."""
        await phones.revoke_by_phone(self._parts, sender, phone_id, cause=cause)

    async def revoke_own(
        self, person: PersonID, phone_id: str, *, cause: RevokeCause, actor: Actor
    ) -> None:
        """See :func:`inkan.enrolment.service.phones.revoke_by_person`."""
        await phones.revoke_by_person(self._parts, person, phone_id, cause=cause, actor=actor)

    async def freeze(self, person: PersonID, *, actor: Actor) -> int:
        """See :func:`inkan.enrolment.service.freezing.freeze`."""
        return await freezing.freeze(self._parts, person, actor=actor)

    def settle(self, phone_id: PhoneID, *, actor: Actor) -> Step[bool]:
        """Step: see :func:`inkan.enrolment.service.settling.settle`; sandboxes only."""
        return settling.settle(self._parts, phone_id, actor=actor)

    def end_phone(self, phone_id: PhoneID, *, actor: Actor) -> Step[bool]:
        """Step: see :func:`inkan.enrolment.service.settling.end`; sandboxes only."""
        return settling.end(self._parts, phone_id, actor=actor)

    # --- keys of back end B ----------------------------------------------------------------------

    async def release_statement(
        self,
        facts: PhoneFacts,
        certificate: PhoneCertificate,
        *,
        statement: bytes,
        assertion: webauthn.Assertion,
        address: str,
    ) -> str:
        """See :func:`inkan.enrolment.service.remote_keys.release_statement`."""
        return await remote_keys.release_statement(
            self._parts,
            facts,
            certificate,
            statement=statement,
            assertion=assertion,
            address=address,
        )

    async def end_keys(self, job: EndKeysJob) -> None:
        """The outbox's :data:`END_KEYS_JOB`."""
        await remote_keys.end(self._parts, job)

    # --- renewal ---------------------------------------------------------------------------------

    async def begin_renewal(self, sender: PhonePrincipal, *, address: str) -> Begun:
        """See :func:`inkan.enrolment.service.renewing.begin`."""
        return await renewing.begin(self._parts, sender, address=address)

    async def renew(
        self,
        sender: PhonePrincipal,
        *,
        brought: Brought,
        csrs: dict[str, str],
        assertion: webauthn.Assertion,
    ) -> Renewed:
        """See :func:`inkan.enrolment.service.renewing.submit`."""
        return await renewing.submit(
            self._parts, sender, brought=brought, csrs=csrs, assertion=assertion
        )

    async def confirm_renewal(self, sender: PhonePrincipal) -> Renewed:
        """See :func:`inkan.enrolment.service.renewing.confirm`."""
        return await renewing.confirm(self._parts, sender)

    # --- schedules, jobs, events -----------------------------------------------------------------

    async def check_parents(self) -> None:
        """Ask for the status of every card once a day; hourly work, so that an outage heals within the hour."""
        await parents.check(self._parts)

    async def end_parent(
        self,
        *,
        authority: str,
        serial: str,
        cause: ParentEnd,
        reported_loss: datetime | None = None,
    ) -> int:
        """See :func:`inkan.enrolment.service.parents.end`."""
        return await parents.end(
            self._parts,
            authority=authority,
            serial=serial,
            cause=cause,
            reported_loss=reported_loss,
        )

    async def on_certificate_revoked(self, event: CertificateRevoked) -> None:
        """Reaction: when the certificate was a card's, its phones get the scheme's effect at once."""
        status = await self._parts.db.read(self._parts.pki.find_status, event.certificate)
        if status is not None and status.reason is not None:
            await parents.end(
                self._parts,
                authority=status.authority,
                serial=status.serial,
                cause=parents.cause_of(status.reason),
                reported_loss=status.changed_at,
            )

    async def on_person_deceased(self, event: PersonDeceased) -> None:
        """Reaction: every phone of somebody who died gets the scheme's effect at once."""
        await parents.end_of_person(self._parts, event.person, cause=ParentEnd.DECEASED)

    async def make_up(self, request_id: str) -> None:
        """The outbox's :data:`FINISH_JOB`."""
        await finishing.make_up(self._parts, request_id)

    async def purge(self) -> None:
        """Forget requests and renewals that ended a day ago; a schedule's work."""
        await self._parts.db.transact(_purge)


def _phone(phone_id: str) -> Step[Phone | None]:
    return read_phone((yield store.PHONE_BY_ID.one(key=phone_id)))


def _purge() -> Step[None]:
    moment = yield MOMENT
    yield store.PURGE_PHOTOS.run(before=moment - KEEP_ENDED)
    yield store.PURGE_KIOSK.run(before=moment - KEEP_ENDED)
    yield store.PURGE_REQUESTS.run(before=moment - KEEP_ENDED)
    yield store.PURGE_RENEWALS.run(before=moment - KEEP_ENDED)


__all__ = [
    "END_KEYS_JOB",
    "FINISH_JOB",
    "Accepted",
    "AtKiosk",
    "Begun",
    "Brought",
    "EndKeysJob",
    "Enrolment",
    "FinishJob",
    "Handed",
    "Joined",
    "Parts",
    "Progress",
    "Registration",
    "Renewed",
    "Started",
    "ToSign",
    "camera_name",
    "phone_topic",
]
