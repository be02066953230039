"""The use cases of attributes: record, read what can be given, note what was given.

Nothing here gives anything away: the phone's signed statement does, and ``identification`` reads the values in
the transaction that takes it.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec

from inkan.attributes import store
from inkan.attributes.model import (
    AttributeLevelTooLow,
    AttributeNotRecorded,
    AttributeValueWrong,
    Available,
    Facts,
    Form,
    MaskedValue,
    Source,
    SourceKind,
    Value,
)
from inkan.attributes.rules import (
    MIN_LEVEL,
    ROWS,
    find_claim,
    mask,
    texts_of,
    verify_codes,
    verify_source,
    verify_value,
)
from inkan.attributes.service.consents import Consents, place_of
from inkan.audit import Actor, Audit
from inkan.kernel.clock import rfc3339
from inkan.kernel.ids import PersonID, new_id
from inkan.kernel.sensitive import Personal
from inkan.people import People, verify_free_text
from inkan.schemes import LevelOfAssurance, get_scheme
from inkan.store.database import MOMENT, Database, Step
from inkan.store.plan import Row
from inkan.store.sealing import Sealer
from inkan.wire.claims import Claim


class _Sealed(msgspec.Struct, frozen=True):
    """A recorded attribute as it lies under the seal."""

    value: Any
    level: int
    as_of: datetime
    valid_until: datetime | None


class Attributes(Consents):
    """Attributes and consents of one instance."""

    def __init__(self, *, db: Database, audit: Audit, people: People, sealer: Sealer) -> None:
        super().__init__(audit=audit, sealer=sealer)
        self._db = db
        self._people = people

    # --- asking and giving ---------------------------------------------------------------------------

    def check(self, codes: Sequence[str]) -> None:
        """Refuse a request for what is no attribute, before anybody is asked.

        Raises:
            AttributeUnknown, Malformed: see :func:`~inkan.attributes.rules.verify_codes`.
        """
        verify_codes(codes)

    def available(self, person: PersonID, codes: Sequence[str], *, scheme: str) -> Step[Available]:
        """Step: what can be given of these attributes now, and what is missing.

        Missing is what was never recorded, whose term is over, or whose level is below 2 (WAT-43). Of several
        sources the highest level counts, then the newest.

        Args:
            person: whose.
            codes: of the session; an empty list costs no query.
            scheme: the scheme of the answering phone: it says what the card's proof is worth and which day it is.

        Raises:
            AttributeUnknown: a code that is none.
            PersonNotFound: nobody has this id.
        """
        claims = verify_codes(codes)
        found: dict[Claim, Value] = {}
        if any(ROWS[claim].derive for claim in claims):
            found |= yield from self._derived(person, claims, scheme)
        if not all(ROWS[claim].derive for claim in claims):
            found |= yield from self._recorded(person, claims)
        values = {claim: found[claim] for claim in claims if claim in found}
        return Available(values, tuple(claim for claim in claims if claim not in found))

    # --- recording -----------------------------------------------------------------------------------

    async def record(
        self,
        person: PersonID,
        code: str,
        value: Any,
        *,
        source: Source,
        level: LevelOfAssurance,
        valid_until: datetime | None,
        actor: Actor,
    ) -> None:
        """Keep what an authority or issuer says of a person; what the same source said before is replaced.

        Args:
            person: whose.
            code: of the attribute.
            value: of the form that the attribute's row names; a record is a dictionary of texts.
            source: who says so; of a kind that the row admits.
            level: of the source's own proofing; 2 at least.
            valid_until: when the source's word ends; None when it has no term.
            actor: who records it here.

        Raises:
            AttributeUnknown, AttributeValueWrong, AttributeLevelTooLow: see the rules.
            MyNumberRefused: the value holds one (WAT-62).
            PersonNotFound: nobody has this id.
        """
        await self._db.transact(
            self.record_step,
            person,
            code,
            value,
            source=source,
            level=level,
            valid_until=valid_until,
            actor=actor,
        )

    def record_step(
        self,
        person: PersonID,
        code: str,
        value: Any,
        *,
        source: Source,
        level: LevelOfAssurance,
        valid_until: datetime | None,
        actor: Actor,
    ) -> Step[None]:
        """Step: :meth:`record`."""
        claim = find_claim(code)
        verify_source(claim, source.kind, source.name)
        if level < MIN_LEVEL:
            raise AttributeLevelTooLow
        checked = verify_value(claim, value)
        for text in texts_of(checked):
            verify_free_text(text, where="value")
        yield from self._people.get(person)
        moment = yield MOMENT
        if valid_until is not None and valid_until <= moment:
            raise AttributeValueWrong(where="valid_until", expected="a moment to come")
        event = yield from self._audit.record(
            "attributes.recorded",
            actor=actor,
            subject=person,
            details={"code": str(claim), "source": source.text, "level": int(level)},
        )
        sealed = _Sealed(checked, int(level), moment, valid_until)
        yield store.PUT.run(
            id=new_id("atr"),
            person=person,
            code=str(claim),
            source=source.text,
            value=self._sealer.seal(
                store.VALUE, place_of(person, claim, source.text), msgspec.json.encode(sealed)
            ),
            valid_until=valid_until,
            event_id=event,
        )

    async def withdraw(self, person: PersonID, code: str, *, source: Source, actor: Actor) -> None:
        """Forget what a source recorded; what was given before stays with whoever got it.

        Raises:
            AttributeUnknown: no such code.
            AttributeNotRecorded: this source recorded nothing of the kind.
        """
        await self._db.transact(self._withdraw, person, find_claim(code), source, actor)

    async def masked(self, person: PersonID) -> list[MaskedValue]:
        """What a screen may show of everything recorded of a person, to themself as well (HCA-48)."""
        return await self._db.read(self._masked, person)

    def erase(self, person: PersonID) -> Step[None]:
        """Step: forget what was recorded of a person, and what the consents gave to whom.

        That a consent was signed, and by which statement, stays and stays provable.
        """
        yield store.REMOVE_ALL.run(person=person)
        yield store.ERASE_CONSENTS.run(person=person)

    async def purge(self) -> None:
        """Forget what is out of its term."""
        await self._db.transact(_purge)

    # --- rows ----------------------------------------------------------------------------------------

    def _derived(
        self, person: PersonID, claims: Sequence[Claim], scheme_name: str
    ) -> Step[dict[Claim, Value]]:
        scheme = get_scheme(scheme_name)
        level = scheme.assurance.built_for
        if level < MIN_LEVEL:
            return {}
        known = yield from self._people.get(person)
        identity = yield from self._people.get_identity(person)
        moment = yield MOMENT
        facts = Facts(
            identity.name, identity.birth_date, identity.residence, scheme.local_day(moment)
        )
        source = Source(SourceKind.CARD).text
        found = {}
        for claim in claims:
            row = ROWS[claim]
            if row.derive is not None:
                as_of = moment if row.form is Form.BOOLEAN else known.identity_at
                found[claim] = Value(_guarded(row.derive(facts)), source, level, as_of)
        return found

    def _recorded(self, person: PersonID, claims: Sequence[Claim]) -> Step[dict[Claim, Value]]:
        rows = yield store.OF_PERSON.all(person=person)
        moment = yield MOMENT
        found: dict[Claim, Value] = {}
        for row in rows:
            claim = find_claim(row.code)
            sealed = self._open(row)
            ended = sealed.valid_until is not None and sealed.valid_until <= moment
            if claim not in claims or ended or sealed.level < MIN_LEVEL:
                continue
            level = LevelOfAssurance(sealed.level)
            value = Value(_guarded(sealed.value), row.source, level, sealed.as_of)
            best = found.get(claim)
            if best is None or (best.level, best.as_of) < (value.level, value.as_of):
                found[claim] = value
        return found

    def _masked(self, person: PersonID) -> Step[list[MaskedValue]]:
        rows = yield store.OF_PERSON.all(person=person)
        return [self._mask(row) for row in rows]

    def _mask(self, row: Row) -> MaskedValue:
        claim, sealed = find_claim(row.code), self._open(row)
        return MaskedValue(
            code=claim,
            value=mask(claim, sealed.value),
            source=row.source,
            level=LevelOfAssurance(sealed.level),
            as_of=sealed.as_of,
            valid_until=sealed.valid_until,
        )

    def _withdraw(self, person: PersonID, claim: Claim, source: Source, actor: Actor) -> Step[None]:
        removed = yield store.REMOVE.run(person=person, code=str(claim), source=source.text)
        if not removed:
            raise AttributeNotRecorded
        yield from self._audit.record(
            "attributes.withdrawn",
            actor=actor,
            subject=person,
            details={"code": str(claim), "source": source.text},
        )

    def _open(self, row: Row) -> _Sealed:
        place = place_of(row.person, row.code, row.source)
        plain = self._sealer.open(store.VALUE, place, row.value).reveal()
        return msgspec.json.decode(plain, type=_Sealed)


def receipt_claims(values: Mapping[Claim, Value]) -> dict[str, Any]:
    """The member ``claims`` of a receipt: for each code what it is, who says so, how surely and since when.

    This is the one place where values leave their wrapping; call it only for a signed consent.
    """
    return {
        str(claim): {
            "value": value.reveal(),
            "source": value.source,
            "level": int(value.level),
            "as_of": rfc3339(value.as_of),
        }
        for claim, value in values.items()
    }


def _purge() -> Step[None]:
    yield store.PURGE.run()


def _guarded(value: Any) -> Personal[str]:
    return Personal(msgspec.json.encode(value).decode())
