"""OCSP answers (RFC 6960): signed at the first question, stored, served as bytes until half their life.

A revocation deletes the stored answers in its own transaction, so the next question is answered by the
register. A question with a nonce is answered live and never stored; a serial that was never issued is
never good.
"""

import hashlib
from datetime import timedelta
from functools import partial
from typing import Any

import msgspec

from inkan.crypto.certificates import parse_certificate
from inkan.crypto.foreign_keys import signing
from inkan.crypto.key_providers import KeyPurpose
from inkan.crypto.ocsp import (
    CertID,
    CertificateStatus,
    OCSPAnswer,
    OCSPRequest,
    ResponderError,
    build_error,
    build_response,
    cert_id_of,
    parse_request,
)
from inkan.crypto.path import Revocation, RevocationReason
from inkan.kernel.errors import InkanError
from inkan.pki import store
from inkan.pki.model import Authority, CertificateState, Role
from inkan.pki.service.hierarchy import Hierarchy
from inkan.store.database import Database, Step


class _Names(msgspec.Struct, frozen=True):
    """How requests name an authority, per digest: (name hash, key hash)."""

    sha1: tuple[bytes, bytes]
    sha256: tuple[bytes, bytes]


# What a state of the register is called in OCSP; what stands not here was never issued to anybody.
_GOOD = frozenset({CertificateState.VALID})
_REVOKED = frozenset({CertificateState.REVOKED, CertificateState.SUSPENDED})


class Responder:
    """Answers for every issuing authority with its delegated signer."""

    def __init__(self, *, db: Database, hierarchy: Hierarchy, life: timedelta) -> None:
        self._db = db
        self._hierarchy = hierarchy
        self._life = life
        self._names: dict[bytes, _Names] = {}

    async def answer(self, name: str, der: bytes) -> tuple[bytes, int]:
        """The DER response to a DER request, and the seconds for which it may be cached (0: not at all).

        Every failure has its own unsigned response (RFC 6960 §2.3); nothing is raised.
        """
        authority = self._hierarchy.find(name)
        if authority is None or authority.role is not Role.ISSUING:
            return build_error(ResponderError.UNAUTHORIZED), 0
        try:
            request = parse_request(der)
        except InkanError:
            return build_error(ResponderError.MALFORMED_REQUEST), 0
        if not self._is_about(authority, request.cert_id):
            return build_error(ResponderError.UNAUTHORIZED), 0
        try:
            return await self._respond(authority, request)
        except InkanError:
            return build_error(ResponderError.TRY_LATER), 0

    async def _respond(self, authority: Authority, request: OCSPRequest) -> tuple[bytes, int]:
        serial = f"{request.cert_id.serial:x}"
        digest = request.cert_id.digest
        if request.nonce is None:
            row = await self._db.read(_stored, authority.name, serial, digest)
            now = self._db.now()
            if row is not None and now < row.produced_at + (row.next_update - row.produced_at) / 2:
                return bytes(row.der), 60
        answer = await self._ask(authority.name, serial)
        signer = self._hierarchy.signer_for(authority, Role.OCSP)
        responder = parse_certificate(signer.certificate)
        key = self._hierarchy.key_of(signer, KeyPurpose.OCSP)
        build = partial(build_response, request, answer, responder=responder, key=key)
        der = await signing(key, build)
        if request.nonce is None and answer.status is not CertificateStatus.UNKNOWN:
            await self._db.transact(_store, authority.name, serial, digest, answer, der)
        return der, 60 if request.nonce is None else 0

    async def _ask(self, name: str, serial: str) -> OCSPAnswer:
        row = await self._db.read(_status, name, serial)
        now = self._db.now().replace(microsecond=0)
        status, revocation = _standing(row)
        return OCSPAnswer(
            status=status, this_update=now, next_update=now + self._life, revocation=revocation
        )

    def _is_about(self, authority: Authority, cert_id: CertID) -> bool:
        names = self._names.get(authority.certificate)
        if names is None:
            names = self._names[authority.certificate] = _names(authority)
        asked = (cert_id.issuer_name_hash, cert_id.issuer_key_hash)
        return asked == (names.sha1 if cert_id.digest == "sha1" else names.sha256)


def _names(authority: Authority) -> _Names:
    # A request names the issuer of what it asks about: here the authority's own name and key.
    certificate = parse_certificate(authority.certificate)
    name = certificate.subject.public_bytes()
    keys = [
        cert_id_of(certificate, certificate, digest=digest).issuer_key_hash
        for digest in ("sha1", "sha256")
    ]
    return _Names(
        sha1=(hashlib.sha1(name, usedforsecurity=False).digest(), keys[0]),
        sha256=(hashlib.sha256(name).digest(), keys[1]),
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


def _stored(name: str, serial: str, digest: str) -> Step[Any]:
    return (yield store.OCSP.one(authority=name, serial=serial, hash_alg=digest))


def _status(name: str, serial: str) -> Step[Any]:
    return (yield store.BY_SERIAL.one(authority=name, serial=serial))


def _store(name: str, serial: str, digest: str, answer: OCSPAnswer, der: bytes) -> Step[None]:
    # A revocation that committed since the question was asked must not be covered by an older answer.
    row = yield store.HELD_SERIAL.one(authority=name, serial=serial)
    if row is None or _standing(row) != (answer.status, answer.revocation):
        return
    yield store.STORE_OCSP.run(
        authority=name,
        serial=serial,
        hash_alg=digest,
        der=der,
        produced_at=answer.this_update,
        next_update=answer.next_update,
    )
