"""OCSP answers (RFC 6960): signed at the first question, stored, served as bytes until half their life.

A revocation deletes the stored answers in its own transaction, so the next question is answered by the register.
An answer is stored only while the register still says what it says: state, reason and time of the last change are
compared in the transaction that stores, which holds the row. A question with a nonce or about several certificates
is answered live and never stored; a serial that was never issued is never good.
"""

import asyncio
import hashlib
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from typing import Any, NamedTuple

import msgspec

from inkan.crypto.certificates import parse_certificate
from inkan.crypto.foreign_keys import signing
from inkan.crypto.key_providers import KeyPurpose
from inkan.crypto.keys import PrivateKey
from inkan.crypto.ocsp import (
    CertID,
    CertificateStatus,
    OCSPAnswer,
    OCSPRequest,
    ResponderError,
    build_error,
    cert_id_of,
    parse_request,
)
from inkan.crypto.ocsp_encoding import OCSPSigner
from inkan.crypto.path import Revocation, RevocationReason
from inkan.kernel.errors import InkanError
from inkan.pki import store
from inkan.pki.model import Authority, CertificateState, Role
from inkan.pki.rules import OCSP_MAX_AGE_S
from inkan.pki.service.hierarchy import Hierarchy
from inkan.store.database import Database, Step

TRIES = 3
"""How often a question is asked again whose answer was overtaken by a change."""


class Reply(msgspec.Struct, frozen=True):
    """What goes back to whoever asked.

    Attributes:
        max_age_s: how long others may keep it; 0: not at all.
        this_update: when it was true; None for an error.
        until: when the responder itself makes it again; None where it does not keep it.
    """

    der: bytes
    max_age_s: int = 0
    this_update: datetime | None = None
    until: datetime | None = None


class _Stated(NamedTuple):
    """An answer, and the state of the register that it rests on; None for a serial that was never issued."""

    answer: OCSPAnswer
    version: tuple[Any, ...] | None


class _Signer(NamedTuple):
    encoder: OCSPSigner
    key: PrivateKey
    not_after: datetime


# By digest: how requests name an authority, (hash of its name, hash of its key).
_Names = dict[str, tuple[bytes, bytes]]

# What a state of the register is called in OCSP; what stands not here was never issued to anybody.
_GOOD = frozenset({CertificateState.VALID})
_REVOKED = frozenset({CertificateState.REVOKED, CertificateState.SUSPENDED})

_ERRORS = {error: Reply(build_error(error)) for error in ResponderError}


def _nothing() -> None:
    """Admits everybody."""


class Responder:
    """Answers for every issuing authority with its delegated signer."""

    def __init__(self, *, db: Database, hierarchy: Hierarchy, life: timedelta) -> None:
        self._db = db
        self._hierarchy = hierarchy
        self._life = life
        self._names: dict[bytes, _Names] = {}
        self._signers: dict[bytes, _Signer] = {}
        self._turns: dict[tuple[str, CertID], asyncio.Future[Reply]] = {}

    async def answer(
        self, name: str, der: bytes, *, admit: Callable[[], object] = _nothing
    ) -> Reply:
        """The response to a DER request.

        Every failure has its own unsigned response (RFC 6960 §2.3); nothing is raised. ``admit`` is called before an
        answer is signed that cannot be stored, and refuses by an error of its own.
        """
        authority = self._hierarchy.find(name)
        if authority is None or authority.role is not Role.ISSUING:
            return _ERRORS[ResponderError.UNAUTHORIZED]
        try:
            request = parse_request(der)
        except InkanError:
            return _ERRORS[ResponderError.MALFORMED_REQUEST]
        if not self._is_about(authority, request.cert_ids):
            return _ERRORS[ResponderError.UNAUTHORIZED]
        try:
            if request.nonce is not None or len(request.cert_ids) > 1:
                admit()
                return await self._live(authority, request)
            return await self._stored(authority, request.cert_ids[0], admit)
        except InkanError:
            return _ERRORS[ResponderError.TRY_LATER]

    async def _live(self, authority: Authority, request: OCSPRequest) -> Reply:
        signer = self._signer(authority)
        stated = [
            (cert_id, (await self._ask(authority.name, cert_id, signer)).answer)
            for cert_id in request.cert_ids
        ]
        return Reply(await self._sign(signer, stated, nonce=request.nonce))

    async def _stored(
        self, authority: Authority, cert_id: CertID, admit: Callable[[], object]
    ) -> Reply:
        row = await self._db.read(_stored, authority.name, cert_id)
        if row is not None and self._db.now() < _half(row.produced_at, row.next_update):
            return _reply(bytes(row.der), row.produced_at, row.next_update)
        turn = self._turns.get((authority.name, cert_id))
        if turn is None:
            signer = self._signer(authority)
            stated = await self._ask(authority.name, cert_id, signer)
            if stated.version is None:
                admit()
                return Reply(await self._sign(signer, [(cert_id, stated.answer)]))
            turn = asyncio.ensure_future(self._make(authority, cert_id, stated))
            self._turns[authority.name, cert_id] = turn
            turn.add_done_callback(lambda _: self._turns.pop((authority.name, cert_id), None))
        return await asyncio.shield(turn)

    async def _make(self, authority: Authority, cert_id: CertID, stated: _Stated) -> Reply:
        """Sign and store what the register says; once for all who ask at the same time."""
        signer = self._signer(authority)
        for _ in range(TRIES):
            answer = stated.answer
            der = await self._sign(signer, [(cert_id, answer)])
            if await self._db.transact(_store, authority.name, cert_id, stated, der):
                return _reply(der, answer.this_update, answer.next_update)
            stated = await self._ask(authority.name, cert_id, signer)
        return Reply(await self._sign(signer, [(cert_id, stated.answer)]))

    async def _ask(self, name: str, cert_id: CertID, signer: _Signer) -> _Stated:
        row = await self._db.read(_status, name, f"{cert_id.serial:x}")
        now = self._db.now().replace(microsecond=0)
        status, revocation = _standing(row)
        answer = OCSPAnswer(
            status=status,
            this_update=now,
            next_update=min(now + self._life, signer.not_after),
            revocation=revocation,
        )
        is_issued = status is not CertificateStatus.UNKNOWN
        return _Stated(answer, tuple(row) if is_issued else None)

    async def _sign(
        self,
        signer: _Signer,
        stated: list[tuple[CertID, OCSPAnswer]],
        *,
        nonce: bytes | None = None,
    ) -> bytes:
        produced_at = stated[0][1].this_update
        sign = partial(signer.encoder.sign, stated, produced_at=produced_at, nonce=nonce)
        return await signing(signer.key, sign)

    def _signer(self, authority: Authority) -> _Signer:
        """The responder of an authority, its certificate read once."""
        found = self._hierarchy.signer_for(authority, Role.OCSP)
        signer = self._signers.get(found.certificate)
        if signer is None:
            key = self._hierarchy.key_of(found, KeyPurpose.OCSP)
            encoder = OCSPSigner(parse_certificate(found.certificate), key)
            signer = self._signers[found.certificate] = _Signer(encoder, key, found.not_after)
        return signer

    def _is_about(self, authority: Authority, cert_ids: tuple[CertID, ...]) -> bool:
        names = self._names.get(authority.certificate)
        if names is None:
            names = self._names[authority.certificate] = _names(authority)
        return all(
            (each.issuer_name_hash, each.issuer_key_hash) == names[each.digest] for each in cert_ids
        )


def _names(authority: Authority) -> _Names:
    # A request names the issuer of what it asks about: here the authority's own name and key.
    certificate = parse_certificate(authority.certificate)
    name = certificate.subject.public_bytes()
    hashes = {
        "sha1": hashlib.sha1(name, usedforsecurity=False).digest(),
        "sha256": hashlib.sha256(name).digest(),
    }
    return {
        digest: (hashed, cert_id_of(certificate, certificate, digest=digest).issuer_key_hash)
        for digest, hashed in hashes.items()
    }


def _half(begin: datetime, end: datetime) -> datetime:
    return begin + (end - begin) / 2


def _reply(der: bytes, this_update: datetime, next_update: datetime) -> Reply:
    return Reply(
        der=der,
        max_age_s=OCSP_MAX_AGE_S,
        this_update=this_update,
        until=_half(this_update, next_update),
    )


def _standing(row: Any) -> tuple[CertificateStatus, Revocation | None]:
    """What the register's row is called in OCSP; no row is a serial that was never issued."""
    state = row and CertificateState(row.state)
    if state not in _REVOKED:
        return (CertificateStatus.GOOD if state in _GOOD else CertificateStatus.UNKNOWN), None
    return CertificateStatus.REVOKED, Revocation(
        revoked_at=row.changed_at.replace(microsecond=0),
        reason=RevocationReason(row.reason or RevocationReason.UNSPECIFIED),
    )


def _key(name: str, cert_id: CertID) -> dict[str, str]:
    return {"authority": name, "serial": f"{cert_id.serial:x}", "hash_alg": cert_id.digest}


def _stored(name: str, cert_id: CertID) -> Step[Any]:
    return (yield store.OCSP.one(**_key(name, cert_id)))


def _status(name: str, serial: str) -> Step[Any]:
    return (yield store.STANDING.one(authority=name, serial=serial))


def _store(name: str, cert_id: CertID, stated: _Stated, der: bytes) -> Step[bool]:
    """Store the answer unless the certificate was changed; its row is held, so that nothing comes in between."""
    row = yield store.HELD_STANDING.one(authority=name, serial=f"{cert_id.serial:x}")
    if row is None or tuple(row) != stated.version:
        return False
    yield store.STORE_OCSP.run(
        **_key(name, cert_id),
        der=der,
        produced_at=stated.answer.this_update,
        next_update=stated.answer.next_update,
    )
    return True
