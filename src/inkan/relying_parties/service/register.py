"""The register: organisations, their systems and the keys that prove them."""

from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any

import msgspec
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePublicKey

from inkan.audit import Actor, ActorKind, Audit
from inkan.crypto import jwk
from inkan.kernel.errors import InkanError
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
from inkan.relying_parties.rules import LANGUAGES, OWN_SYSTEM, USE_CASE_OF_STATE, is_address
from inkan.store.database import MOMENT, Database, Step
from inkan.store.schema import from_json
from inkan.wire.binding import BindingLevel, Door

OPERATOR = Actor(ActorKind.OPERATOR, "register")
PLATFORM = Actor(ActorKind.PLATFORM, "register")
Keys = dict[str, dict[str, str]]


class Register:
    """Reads and changes the register."""

    def __init__(self, *, db: Database, audit: Audit, loopback: bool) -> None:
        self._db = db
        self._audit = audit
        self._loopback = loopback

    async def add(self, registration: SystemRegistration, *, actor: Actor) -> System:
        """Register an organisation (once) and one system of it.

        Raises:
            SystemExists: the code is taken (TW-66) or the instance's own, or a key belongs to another system.
            RegistrationWrong: a text misses a language, a purpose stands twice, or a key is no public P-256 JWK.
        """
        if registration.code == OWN_SYSTEM:
            raise SystemExists("the instance's own system")
        keys = _read_keys(registration.keys)
        _check_purposes(registration)
        _check_texts(registration)
        _check_addresses(registration, loopback=self._loopback)
        return await self._db.transact(self._add, registration, keys, actor)

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
            RegistrationWrong: it is no public P-256 JWK, or the system is the instance's own.
        """
        if code == OWN_SYSTEM:
            raise RegistrationWrong(where="/code", expected="a system of a relying party")
        keys = _read_keys([public])
        await self._db.transact(self._add_key, code, keys, actor)
        return next(iter(keys))

    async def end_key(self, code: str, thumbprint: str, *, at: datetime, actor: Actor) -> None:
        """Let a key of a system prove nothing from ``at`` on (an aware instant of the instance).

        Raises:
            SystemKeyNotFound: the system has no such key.
        """
        await self._db.transact(self._end_key, code, thumbprint, at, actor)

    async def set_state(self, code: str, state: SystemState, *, actor: Actor) -> None:
        """Suspend or resume a system; what stands already changes nothing.

        Raises:
            SystemNotFound: no such code.
        """
        await self._db.transact(self._set_state, code, state, actor)

    def _add(self, registration: SystemRegistration, keys: Keys, actor: Actor) -> Step[System]:
        system_id = SystemID(new_id("sys"))
        event = yield from self._audit.record(
            "relying_parties.system_registered",
            actor=actor,
            object=system_id,
            details={"code": registration.code, "keys": sorted(keys)},
        )
        organisation = yield from _organisation(registration, event)
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
            yield from self._add(registration, {}, PLATFORM)
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
        event = yield from self._audit.record(
            "relying_parties.key_added", actor=actor, object=row.id, details={"keys": sorted(keys)}
        )
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
    )


def _organisation(registration: SystemRegistration, event: str) -> Step[RelyingPartyID]:
    yield store.INSERT_ORGANISATION.run(
        id=new_id("org"),
        code=registration.organisation,
        name=registration.organisation_name,
        sector=registration.sector,
        event_id=event,
    )
    row = yield store.ORGANISATION.one(code=registration.organisation)
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


def _read_keys(publics: Sequence[dict[str, Any]]) -> Keys:
    """The keys by thumbprint; ES256 is what a client assertion is signed with, so only P-256 helps."""
    found: Keys = {}
    for index, public in enumerate(publics):
        try:
            key = jwk.load_jwk(public)
        except InkanError as wrong:
            raise RegistrationWrong(str(wrong), where=f"/keys/{index}") from None
        if not (isinstance(key, EllipticCurvePublicKey) and isinstance(key.curve, SECP256R1)):
            raise RegistrationWrong(where=f"/keys/{index}", expected="a public P-256 key")
        found[jwk.thumbprint(key)] = jwk.to_jwk(key)
    if not found:
        raise RegistrationWrong(where="/keys", expected="at least one key")
    return found


def _check_purposes(registration: SystemRegistration) -> None:
    codes = [purpose.code for purpose in registration.purposes]
    if len(set(codes)) != len(codes):
        raise RegistrationWrong(where="/purposes", expected="each code once")


def _check_addresses(registration: SystemRegistration, *, loopback: bool) -> None:
    addresses = [(f"/return_urls/{i}", url) for i, url in enumerate(registration.return_urls)]
    addresses += [(f"/webhooks/{i}/url", each.url) for i, each in enumerate(registration.webhooks)]
    for where, url in addresses:
        if not is_address(url, loopback=loopback):
            raise RegistrationWrong(where=where, expected="an https address in its plain form")
    ids = [webhook.id for webhook in registration.webhooks]
    if len(set(ids)) != len(ids):
        raise RegistrationWrong(where="/webhooks", expected="each id once")


def _check_texts(registration: SystemRegistration) -> None:
    texts = [("/organisation_name", registration.organisation_name)]
    texts += [(f"/purposes/{each.code}/text", each.text) for each in registration.purposes]
    for where, text in texts:
        if text.keys() != LANGUAGES:
            raise RegistrationWrong(where=where, expected="en, ja and zh-Hant")
