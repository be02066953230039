"""Consents: what a person gave to whom by which signed statement, and what they took back."""

import re
from collections.abc import Sequence
from typing import Final

import msgspec

from inkan.attributes import store
from inkan.attributes.model import Consent, ConsentNotFound, ConsentUnsigned
from inkan.attributes.rules import verify_codes
from inkan.audit import Actor, Audit
from inkan.kernel.ids import EventID, PersonID, SessionID, SystemID, new_id
from inkan.store.database import MOMENT, Step
from inkan.store.plan import Row
from inkan.store.sealing import Sealer

_SHA256: Final = re.compile(r"[A-Za-z0-9_-]{43}")


class _Given(msgspec.Struct, frozen=True):
    """The part of a consent that lies under the seal."""

    system: str
    session: str
    codes: tuple[str, ...]


class Consents:
    """Consents of one instance."""

    def __init__(self, *, audit: Audit, sealer: Sealer) -> None:
        self._audit = audit
        self._sealer = sealer

    def note_consent(
        self,
        person: PersonID,
        *,
        system: SystemID,
        session: SessionID,
        codes: Sequence[str],
        statement_sha256: str,
        event: EventID,
    ) -> Step[None]:
        """Step: write down what the person gave to whom; the signed statement is the consent.

        Without codes nothing was given and nothing is written.

        Args:
            person: who signed.
            system: to whom.
            session: in which session.
            codes: what was given.
            statement_sha256: base64url SHA-256 of the signed statement, whose ``claims`` are these codes.
            event: the audit event of the decision.

        Raises:
            ConsentUnsigned: that is no such hash.
            RowExists: this statement's consent is noted already.
        """
        if not codes:
            return
        if _SHA256.fullmatch(statement_sha256) is None:
            raise ConsentUnsigned
        given = _Given(system, session, tuple(str(claim) for claim in verify_codes(codes)))
        moment = yield MOMENT
        yield store.INSERT_CONSENT.run(
            id=new_id("con"),
            person=person,
            at=moment,
            statement_sha256=statement_sha256,
            detail=self._sealer.seal(
                store.DETAIL, place_of(person, statement_sha256), msgspec.json.encode(given)
            ),
            event_id=event,
        )

    def consents(self, person: PersonID) -> Step[list[Consent]]:
        """Step: the person's 100 newest consents, newest first."""
        rows = yield store.CONSENTS.all(person=person)
        return [self._consent(row) for row in rows]

    def withdraw_consent(
        self, person: PersonID, consent_id: str, *, actor: Actor
    ) -> Step[tuple[Consent, EventID | None]]:
        """Step: the person takes a consent back; twice is once.

        What was given before stays with whoever got it. The feature above stops giving it out.

        Returns:
            the consent as it stands now, and the audit event; without one it was withdrawn before.

        Raises:
            ConsentNotFound: unknown, or another person's: one answer.
        """
        row = yield store.HELD_CONSENT.one(consent_id=consent_id, person=person)
        if row is None:
            raise ConsentNotFound()
        consent = self._consent(row)
        if consent.withdrawn_at is not None:
            return consent, None
        event = yield from self._audit.record(
            "attributes.consent_withdrawn",
            actor=actor,
            subject=person,
            object=consent_id,
            details={"statement_sha256": consent.statement_sha256},
        )
        yield store.WITHDRAW_CONSENT.run(consent_id=consent_id, person=person, event=event)
        moment = yield MOMENT
        return msgspec.structs.replace(consent, withdrawn_at=moment), event

    def _consent(self, row: Row) -> Consent:
        given = None
        if row.detail is not None:
            place = place_of(row.person, row.statement_sha256)
            plain = self._sealer.open(store.DETAIL, place, row.detail).reveal()
            given = msgspec.json.decode(plain, type=_Given)
        return Consent(
            id=row.id,
            at=row.at,
            statement_sha256=row.statement_sha256,
            system=SystemID(given.system) if given else None,
            session=SessionID(given.session) if given else None,
            codes=given.codes if given else None,
            withdrawn_at=row.withdrawn_at,
        )


def place_of(*parts: str) -> str:
    """The name of a row under its seal: what it says of whom cannot be moved to another row."""
    return "/".join(parts)
