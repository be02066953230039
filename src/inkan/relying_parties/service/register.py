"""The register: organisations, their systems and the keys that prove them."""

from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any

import msgspec

from inkan.audit import Actor, ActorKind, Audit
from inkan.kernel.ids import RelyingPartyID, SystemID, new_id
from inkan.relying_parties import store
from inkan.relying_parties.model import (
    Purpose,
    RegistrationWrong,
    System,
    SystemExists,
    SystemKeyNotFound,
    SystemNotFound,
    SystemRegistration,
    SystemState,
    SystemSuspended,
)
from inkan.relying_parties.model.application import ImportRequired, OrganisationTaken
from inkan.relying_parties.model.openid import OpenIDRegistration
from inkan.relying_parties.model.window import KeysFull, LiveKey
from inkan.relying_parties.rules import KEYS_LIMIT, OWN_SYSTEM, USE_CASE_OF_STATE
from inkan.relying_parties.service.checking import Keys, check_registration, read_keys
from inkan.relying_parties.service.client_secrets import draw_secret, with_kept_secret
from inkan.store.database import MOMENT, Database, Step
from inkan.store.schema import from_json
from inkan.wire.binding import BindingLevel, Door

OPERATOR = Actor(ActorKind.OPERATOR, "register")
PLATFORM = Actor(ActorKind.PLATFORM, "register")


@dataclass(frozen=True, kw_only=True)
class Origin:
    """Where a registration comes from.

    Attributes:
        owner: whose the organisation is; None for an operator's own entry, which asks nobody.
        number: of the organisation.
        application: of the system; None for an operator's own entry and for an import.
    """

    actor: Actor
    owner: str | None = None
    number: str | None = None
    application: str | None = None


class Register:
    """Reads and changes the register."""

    def __init__(
        self,
        *,
        db: Database,
        audit: Audit,
        issuer: str,
        loopback: bool,
        imports_only: bool = False,
    ) -> None:
        self._db = db
        self._audit = audit
        self.issuer = issuer
        self.loopback = loopback
        self._imports_only = imports_only

    async def add(self, registration: SystemRegistration, *, actor: Actor) -> System:
        """Register an organisation (once) and one system of it.

        Raises:
            ImportRequired: this instance takes systems by signed exports only.
            SystemExists: the code is taken (TW-66) or the instance's own, or a key belongs to another system.
            RegistrationWrong: a text misses a language or does not fit a statement, a purpose stands twice, an
                address is none, or a key is no public P-256 JWK.
        """
        if self._imports_only:
            raise ImportRequired()
        keys = self.check(registration)
        return await self._db.transact(self._add, registration, keys, Origin(actor=actor))

    async def own(self, registration: SystemRegistration) -> System:
        """The instance's own system as it is to be: written down at its first use, changed when it differs.

        Raises:
            SystemSuspended: an operator has suspended it.
            ValueError: another code than the own one's, or keys: a mistake of the program.
        """
        if registration.code != OWN_SYSTEM or registration.keys:
            raise ValueError("the own system has its own code and no key")
        row = await self._db.read(_by_code, OWN_SYSTEM)
        if row is None or _differs(read_system(row), registration):
            try:
                row = await self._db.transact(self._own, registration)
            except SystemExists:  # a rival process wrote it first
                row = await self._db.read(_by_code, OWN_SYSTEM)
        if row.state != SystemState.ACTIVE:
            raise SystemSuspended()
        return read_system(row)

    async def add_key(self, code: str, public: dict[str, Any], *, actor: Actor) -> str:
        """Give a system one more key and return its thumbprint; both hold until the old one is ended.

        Raises:
            SystemNotFound: no such code.
            SystemExists: the key is registered, for this or another system.
            RegistrationWrong: it is no public P-256 JWK (or RSA with client metadata), or the system is the instance's
                own.
            KeysFull: the system has two live keys.
        """
        if code == OWN_SYSTEM:
            raise RegistrationWrong(where="/code", expected="a system of a relying party")
        keys = read_keys([public], rsa=True)
        await self._db.transact(self._add_key, code, keys, actor)
        return next(iter(keys))

    async def end_key(self, code: str, thumbprint: str, *, at: datetime, actor: Actor) -> None:
        """Let a key of a system prove nothing from ``at`` on (an aware instant of the instance).

        Raises:
            SystemKeyNotFound: the system has no such key.
        """
        await self._db.transact(self._end_key, code, thumbprint, at, actor)

    async def draw_secret(self, code: str, *, actor: Actor) -> str:
        """See :func:`inkan.relying_parties.service.client_secrets.draw_secret`."""
        return await self._db.transact(draw_secret, self._audit, code, actor)

    async def set_state(self, code: str, state: SystemState, *, actor: Actor) -> None:
        """Suspend or resume a system; what stands already changes nothing.

        Raises:
            SystemNotFound: no such code.
        """
        await self._db.transact(self._set_state, code, state, actor)

    # --- steps that an application and an import join ------------------------------------------------

    def check(self, registration: SystemRegistration) -> Keys:
        """The keys of a registration that this instance can take, by thumbprint.

        Raises:
            SystemExists: the code is the instance's own.
            RegistrationWrong: see :func:`check_registration`.
        """
        if registration.code == OWN_SYSTEM:
            raise SystemExists("the instance's own system")
        return check_registration(registration, loopback=self.loopback, issuer=self.issuer)

    def put(self, registration: SystemRegistration, keys: Keys, origin: Origin) -> Step[System]:
        """Step: register a system of an application or an export, or say anew what it is.

        Keys are added, never taken away, and one that was ended stays ended: keys rotate by themselves.

        Raises:
            SystemExists: the code is another organisation's or an operator's own entry, or a key another system's.
            OrganisationTaken: the organisation is another owner's.
            KeysFull: the system would have more than two live keys.
        """
        row = yield store.BY_CODE.one(code=registration.code)
        if row is None:
            return (yield from self._add(registration, keys, origin))
        event = yield from self._audit.record(
            "relying_parties.system_changed", actor=origin.actor, object=row.id
        )
        organisation = yield from _organisation(registration, origin, event)
        replaced = yield store.REPLACE_SYSTEM.run(
            code=registration.code,
            whose=organisation,
            event=event,
            new_application=origin.application,
            new_name=registration.name,
            new_domain=registration.domain,
            new_doors=[str(door) for door in registration.doors],
            new_purposes=registration.purposes,
            new_binding_min=registration.binding_min,
            new_return_urls=registration.return_urls,
            new_webhooks=registration.webhooks,
            new_openid=with_kept_secret(registration.openid, row.openid),
        )
        if not replaced:  # another organisation's, which has another owner
            raise SystemExists()
        live = yield store.LIVE_KEYS.all(whose=row.id)
        known = {each.thumbprint for each in (yield store.EVERY_KEY.all(whose=row.id))}
        new = {name: public for name, public in keys.items() if name not in known}
        if new and len(live) + len(new) > KEYS_LIMIT:
            raise KeysFull(limit=KEYS_LIMIT)
        yield from _insert_keys(row.id, new, event)
        return read_system((yield store.BY_CODE.one(code=registration.code)))

    def _add(self, registration: SystemRegistration, keys: Keys, origin: Origin) -> Step[System]:
        system_id = SystemID(new_id("sys"))
        event = yield from self._audit.record(
            "relying_parties.system_registered",
            actor=origin.actor,
            object=system_id,
            details={"code": registration.code, "keys": sorted(keys)},
        )
        organisation = yield from _organisation(registration, origin, event)
        made = yield store.INSERT_SYSTEM.run(
            id=system_id,
            organisation=organisation,
            code=registration.code,
            name=registration.name,
            domain=registration.domain,
            state=SystemState.ACTIVE,
            doors=[str(door) for door in registration.doors],
            purposes=registration.purposes,
            internal=registration.internal,
            binding_min=registration.binding_min,
            sector=organisation,
            return_urls=registration.return_urls,
            webhooks=registration.webhooks,
            tap_only=registration.tap_only,
            openid=registration.openid,
            application=origin.application,
            version=1,
            event_id=event,
        )
        if not made:
            raise SystemExists()
        yield from _insert_keys(system_id, keys, event)
        return read_system((yield store.BY_CODE.one(code=registration.code)))

    def _own(self, registration: SystemRegistration) -> Step[Any]:
        row = yield from _by_code(OWN_SYSTEM)
        if row is None:
            yield from self._add(registration, {}, Origin(actor=PLATFORM))
        else:
            event = yield from self._audit.record(
                "relying_parties.system_changed", actor=PLATFORM, object=row.id
            )
            yield store.CHANGE_SYSTEM.run(
                code=OWN_SYSTEM,
                seen=row.version,
                new_name=registration.name,
                new_domain=registration.domain,
                new_doors=[str(door) for door in registration.doors],
                new_purposes=registration.purposes,
                event=event,
            )
        return (yield from _by_code(OWN_SYSTEM))

    def _add_key(self, code: str, keys: Keys, actor: Actor) -> Step[None]:
        row = yield from get_row(code)
        if row.openid is None:
            read_keys(list(keys.values()))
        event = yield from self._audit.record(
            "relying_parties.key_added", actor=actor, object=row.id, details={"keys": sorted(keys)}
        )
        yield store.TOUCH_SYSTEM.run(key=row.id, event=event)
        if len((yield store.LIVE_KEYS.all(whose=row.id))) >= KEYS_LIMIT:
            raise KeysFull(limit=KEYS_LIMIT)
        yield from _insert_keys(row.id, keys, event)

    def _end_key(self, code: str, thumbprint: str, at: datetime, actor: Actor) -> Step[None]:
        row = yield from get_row(code)
        event = yield from self._audit.record(
            "relying_parties.key_ended", actor=actor, object=row.id, details={"key": thumbprint}
        )
        ended = yield store.END_KEY.run(
            thumbprint=thumbprint, system_id=row.id, new_ends_at=at, event=event
        )
        if not ended:
            raise SystemKeyNotFound()

    def _set_state(self, code: str, state: SystemState, actor: Actor) -> Step[None]:
        row = yield from get_row(code)
        if row.state == state:
            return
        event = yield from self._audit.record(USE_CASE_OF_STATE[state], actor=actor, object=row.id)
        yield store.SET_STATE.run(code=code, new_state=state, event=event)


def get_row(code: str) -> Step[Any]:
    """Step: the row of a system.

    Raises:
        SystemNotFound: no such code.
    """
    row = yield store.BY_CODE.one(code=code)
    if row is None:
        raise SystemNotFound()
    return row


def _by_code(code: str) -> Step[Any]:
    return (yield store.BY_CODE.one(code=code))


def _differs(system: System, registration: SystemRegistration) -> bool:
    """Whether the row says something else than this release and its settings."""
    return (
        system.name != registration.name
        or system.domain != registration.domain
        or system.doors != frozenset(registration.doors)
        or list(system.purposes.values()) != registration.purposes
    )


def live_keys(system_id: str) -> Step[list[LiveKey]]:
    """Step: the keys that prove a system now, the oldest first."""
    rows = yield store.LIVE_KEYS.all(whose=system_id)
    return [LiveKey(**row._asdict()) for row in rows]


def systems_of(owner: str) -> Step[list[tuple[System, str]]]:
    """Step: the systems of an owner's organisations and their state, by code."""
    rows = yield store.OF_OWNER.all(whose=owner)
    return [(read_system(row), row.state) for row in rows]


def find(system_id: SystemID) -> Step[System | None]:
    """Step: the system of that id, or None."""
    row = yield store.BY_ID.one(key=system_id)
    return read_system(row) if row else None


def all_systems() -> Step[list[tuple[System, str]]]:
    """Step: every system and its state, by code."""
    rows = yield store.ALL.all()
    return [(read_system(row), row.state) for row in rows]


# Every request of a system reads its row, and finds the same one but for the rarest of times.
@lru_cache(maxsize=1024)
def read_text_row(row: Any) -> System:
    """The system of a row of ``TEXT_BY_CODE``; the whole row is the key, so nothing that changed is missed."""
    values = {name: from_json(getattr(row, name)) for name in store.JSON_COLUMNS}
    return read_system(row._replace(**values))


def read_system(row: Any) -> System:
    """The system of a row."""
    purposes = msgspec.convert(row.purposes, list[Purpose])
    return System(
        id=SystemID(row.id),
        organisation=RelyingPartyID(row.organisation),
        organisation_name=row.organisation_name,
        code=row.code,
        name=row.name,
        domain=row.domain,
        doors=frozenset(Door(door) for door in row.doors),
        purposes={purpose.code: purpose for purpose in purposes},
        internal=row.internal,
        binding_min=BindingLevel(row.binding_min) if row.binding_min else None,
        sector=row.sector,
        return_urls=frozenset(row.return_urls),
        webhooks={webhook["id"]: webhook["url"] for webhook in row.webhooks},
        tap_only=row.tap_only,
        openid=msgspec.convert(row.openid, OpenIDRegistration | None),
    )


def _organisation(
    registration: SystemRegistration, origin: Origin, event: str
) -> Step[RelyingPartyID]:
    """The organisation, made at its first system; systems of one see the same person references, so it has one owner."""
    yield store.INSERT_ORGANISATION.run(
        id=new_id("org"),
        code=registration.organisation,
        name=registration.organisation_name,
        sector=registration.sector,
        owner=origin.owner,
        number=origin.number,
        event_id=event,
    )
    row = yield store.ORGANISATION.one(code=registration.organisation)
    if origin.owner is not None and (row.owner, row.number) != (origin.owner, origin.number):
        raise OrganisationTaken()
    return RelyingPartyID(row.id)


def _insert_keys(system_id: str, keys: Keys, event: str) -> Step[None]:
    moment = yield MOMENT
    for thumbprint, public in keys.items():
        added = yield store.INSERT_KEY.run(
            thumbprint=thumbprint,
            system=system_id,
            jwk=public,
            added_at=moment,
            ends_at=None,
            event_id=event,
        )
        if not added:
            raise SystemExists("the key is registered already")
