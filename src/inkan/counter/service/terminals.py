"""Terminals: the computers of a counter whose card program takes commands, and the two public keys of each."""

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime
from typing import Any, Final

import msgspec
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePublicKey

from inkan.audit import Actor, ActorKind
from inkan.counter.model import OfficeUnknown, TerminalKeysMalformed, TerminalUnknown
from inkan.counter.service.parts import Parts
from inkan.counter.store import terminals as store
from inkan.crypto import jwk
from inkan.crypto.key_providers import KeyExists, KeyPurpose, KeyUnknown
from inkan.crypto.keys import KeySpec, PrivateKey
from inkan.kernel.errors import InkanError
from inkan.kernel.ids import new_id
from inkan.store.database import MOMENT, Step

OPERATOR: Final = Actor(ActorKind.OPERATOR, "counter")
KEY_LABEL: Final = "counter-command-1"
USES: Final = ("sig", "enc")


class Terminal(msgspec.Struct, frozen=True, kw_only=True):
    """A terminal in service.

    Attributes:
        sign: verifies its answers.
        agree: secrets of cards are encrypted to it.
    """

    id: str
    office: str
    sign: EllipticCurvePublicKey
    agree: EllipticCurvePublicKey


class Listed(msgspec.Struct, frozen=True):
    """A terminal as operators list it."""

    id: str
    office: str
    created_at: datetime


class Terminals:
    """The terminals of all offices."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._key: PrivateKey | None = None

    async def add(
        self, office: str, keys: Mapping[str, Any], *, actor: Actor = OPERATOR
    ) -> dict[str, Any]:
        """Register a terminal; return the configuration that is pinned there.

        Args:
            office: code of its office.
            keys: the terminal's JWK set: one P-256 key with ``use`` ``sig``, another one with ``enc``.
            actor: who registers it.

        Raises:
            OfficeUnknown: there is no such office.
            TerminalKeysMalformed: other keys.
        """
        public = _public(keys)
        kept = {"keys": [{**jwk.to_jwk(key), "use": use} for use, key in public.items()]}
        id_ = new_id("term")
        await self._parts.db.transact(self._add, id_, office, kept, actor)
        return await self.configuration(id_)

    async def end(self, terminal: str, *, actor: Actor = OPERATOR) -> None:
        """Take a terminal out of service: no command is given to it, and no answer of it counts.

        Raises:
            TerminalUnknown: there is none in service.
        """
        await self._parts.db.transact(self._end, terminal, actor)

    async def terminals(self) -> list[Listed]:
        """The terminals in service, by office."""
        return await self._parts.db.scan(_list)

    async def configuration(self, terminal: str) -> dict[str, Any]:
        """What the card program of a terminal pins (``inkan.client.card_manager``)."""
        key = await self.command_key()
        issuer = self._parts.issuer
        return {
            "v": 1,
            "iss": issuer,
            "origin": issuer,
            "terminal": terminal,
            "keys": [jwk.to_jwk(key.public_key())],
        }

    async def command_key(self) -> PrivateKey:
        """The platform's key that signs commands; made at its first use.

        Raises:
            KeyStoreLocked and its like: it cannot be had now.
        """
        if self._key is None:
            self._key = await asyncio.to_thread(self._open_key)
        return self._key

    def of(self, office: str, terminal: str) -> Step[Terminal]:
        """Step: a terminal in service of this office.

        Raises:
            TerminalUnknown: there is none.
        """
        row = yield store.TERMINAL.one(key=terminal)
        if row is None or row.office != office:
            raise TerminalUnknown
        keys = _public(row.jwk)
        return Terminal(id=row.id, office=row.office, sign=keys["sig"], agree=keys["enc"])

    def _open_key(self) -> PrivateKey:
        keys = self._parts.keys
        try:
            return keys.signer(KEY_LABEL, KeyPurpose.COUNTER)
        except KeyUnknown:
            pass
        with suppress(KeyExists):  # another process came first
            keys.generate(KEY_LABEL, KeySpec.P256, {KeyPurpose.COUNTER})
        return keys.signer(KEY_LABEL, KeyPurpose.COUNTER)

    def _add(self, id_: str, office: str, keys: dict[str, Any], actor: Actor) -> Step[None]:
        if (yield store.OFFICE.one(code=office)) is None:
            raise OfficeUnknown
        event = yield from self._parts.audit.record(
            "counter.terminal_added",
            actor=actor,
            object=id_,
            details={"office": office, "keys": keys["keys"]},
        )
        moment = yield MOMENT
        yield store.INSERT_TERMINAL.run(
            id=id_, office=office, jwk=keys, created_at=moment, ended_at=None, event_id=event
        )

    def _end(self, terminal: str, actor: Actor) -> Step[None]:
        event = yield from self._parts.audit.record(
            "counter.terminal_ended", actor=actor, object=terminal
        )
        if not (yield store.END_TERMINAL.run(key=terminal, event=event)):
            raise TerminalUnknown


def _list() -> Step[list[Listed]]:
    rows = yield store.TERMINALS.all()
    return [Listed(row.id, row.office, row.created_at) for row in rows]


def _public(keys: Mapping[str, Any]) -> dict[str, EllipticCurvePublicKey]:
    """The two keys by their use, and nothing besides."""
    given = keys.get("keys")
    if set(keys) != {"keys"} or not isinstance(given, list) or len(given) != len(USES):
        raise TerminalKeysMalformed(where="/keys")
    found = dict(_used(each) for each in given)
    if set(found) != set(USES) or len({jwk.thumbprint(key) for key in found.values()}) != len(USES):
        raise TerminalKeysMalformed(where="/keys")
    return found


def _used(given: object) -> tuple[str, EllipticCurvePublicKey]:
    if not isinstance(given, dict):
        raise TerminalKeysMalformed(where="/keys")
    try:
        key = jwk.load_jwk(given)
    except InkanError as error:
        raise TerminalKeysMalformed(error.detail, where="/keys") from None
    if not isinstance(key, EllipticCurvePublicKey) or not isinstance(key.curve, SECP256R1):
        raise TerminalKeysMalformed("a terminal has keys of P-256", where="/keys")
    return str(given.get("use")), key
