"""What the register said of a certificate at a time: its changes are rows that nobody ever changes."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from inkan.crypto.path import RevocationReason
from inkan.pki import store
from inkan.pki.model import (
    CertificateState,
    CertificateStep,
    CertificateUnknown,
    Hold,
    Standing,
    StatusAt,
)
from inkan.store.database import Step

# A serial that was only reserved, or whose certificate was never signed, was never anybody's certificate.
_NEVER_ISSUED = frozenset(
    {CertificateState.RESERVED, CertificateState.INTENDED, CertificateState.REFUSED}
)


def status_at(authority: str, serial: str, at: datetime) -> Step[StatusAt]:
    """Step: how the certificate with this serial (lower-case hexadecimal) stood at ``at``.

    Raises:
        CertificateUnknown: never issued.
    """
    row = yield store.BY_SERIAL.one(authority=authority, serial=serial)
    if row is None or row.state in _NEVER_ISSUED:
        raise CertificateUnknown()
    changes = yield store.CHANGES.all(certificate=row.id)
    return _told(row, at, [change for change in changes if change.at <= at])


def _told(row: Any, at: datetime, changes: list[Any]) -> StatusAt:
    ended = next((each for each in changes if each.step == CertificateStep.REVOKE), None)
    holds = tuple(_holds(changes))
    is_held = bool(holds) and holds[-1].until is None
    standing = _standing(row, at, is_revoked=ended is not None, is_held=is_held)
    reason = RevocationReason(ended.reason) if ended is not None else None
    return StatusAt(
        authority=row.authority,
        serial=row.serial,
        at=at,
        standing=standing,
        not_before=row.not_before,
        not_after=row.not_after,
        revoked_at=ended.at if ended is not None else None,
        reason=RevocationReason.CERTIFICATE_HOLD if reason is None and is_held else reason,
        invalid_since=ended.invalid_since if ended is not None else None,
        holds=holds,
    )


def _standing(row: Any, at: datetime, *, is_revoked: bool, is_held: bool) -> Standing:
    if is_revoked:
        return Standing.REVOKED
    if at > row.not_after:
        return Standing.EXPIRED
    if at < row.not_before:
        return Standing.NOT_YET_VALID
    return Standing.SUSPENDED if is_held else Standing.VALID


def _holds(changes: list[Any]) -> Iterable[Hold]:
    since: datetime | None = None
    for change in changes:
        if change.step == CertificateStep.SUSPEND:
            since = change.at
        elif since is not None:
            yield Hold(since=since, until=change.at)
            since = None
    if since is not None:
        yield Hold(since=since, until=None)
