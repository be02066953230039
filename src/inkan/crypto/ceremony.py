"""What registration and assertion have in common: the checks of the client data and of the flags, and their names.

Both ceremonies refuse alike (WebAuthn Level 3 §7.1, §7.2); only the refusal's own leaf tells them apart.
"""

import hashlib
from collections.abc import Collection
from enum import StrEnum
from typing import TypeAlias

from inkan.crypto import base64url
from inkan.crypto.authenticator_data import AuthenticatorData, parse_client_data
from inkan.kernel.errors import Forbidden


class Check(StrEnum):
    """Which check of a ceremony did not hold."""

    TYPE = "type"
    CHALLENGE = "challenge"
    ORIGIN = "origin"
    CROSS_ORIGIN = "cross_origin"
    TOP_ORIGIN = "top_origin"
    RP_ID = "rp_id"
    USER_PRESENT = "user_present"
    USER_VERIFIED = "user_verified"
    BACKUP_FLAGS = "backup_flags"
    BACKUP_ELIGIBILITY = "backup_eligibility"
    CREDENTIAL_ID = "credential_id"
    CREDENTIAL_DATA = "credential_data"
    USER_HANDLE = "user_handle"
    ALGORITHM = "algorithm"
    DEVICE_BOUND = "device_bound"
    ATTESTED = "attested"
    SIGNATURE = "signature"


class RegistrationRefused(Forbidden):
    """A new credential fails a check; the fact ``check`` says which."""

    code = "registration_refused"
    title = "The new credential does not fit the request"
    public = ("check",)


class AssertionRefused(Forbidden):
    """An assertion fails a check; the fact ``check`` says which."""

    code = "assertion_refused"
    title = "The confirmation by the device does not fit the request"
    public = ("check",)


Refusal: TypeAlias = type[RegistrationRefused] | type[AssertionRefused]


def refused(refusal: Refusal, check: Check) -> RegistrationRefused | AssertionRefused:
    """Return the refusal that names ``check``."""
    return refusal(f"check: {check}", check=str(check))


def verify_client_data(
    client_data_json: bytes,
    kind: str,
    challenge: bytes,
    origins: Collection[str],
    refusal: Refusal,
) -> None:
    """Compare type, challenge and origin; refuse pages in frames of another origin.

    Raises:
        AuthenticatorDataMalformed: not readable.
        RegistrationRefused, AssertionRefused: as ``refusal`` says, with the check.
    """
    received = parse_client_data(client_data_json)
    if received.kind != kind:
        raise refused(refusal, Check.TYPE)
    if received.challenge != base64url.encode(challenge):
        raise refused(refusal, Check.CHALLENGE)
    # Not "in": a single origin given as text would be searched for a part of itself.
    if not any(received.origin == origin for origin in origins):
        raise refused(refusal, Check.ORIGIN)
    if received.cross_origin:
        raise refused(refusal, Check.CROSS_ORIGIN)
    if received.top_origin is not None:
        raise refused(refusal, Check.TOP_ORIGIN)


def verify_flags(
    data: AuthenticatorData, rp_id: str, refusal: Refusal, *, require_uv: bool
) -> None:
    """Compare the RP ID and check presence, verification and the consistency of the backup flags.

    Raises:
        RegistrationRefused, AssertionRefused: as ``refusal`` says, with the check.
    """
    if data.rp_id_hash != hashlib.sha256(rp_id.encode()).digest():
        raise refused(refusal, Check.RP_ID)
    if not data.user_present:
        raise refused(refusal, Check.USER_PRESENT)
    if require_uv and not data.user_verified:
        raise refused(refusal, Check.USER_VERIFIED)
    if data.backed_up and not data.backup_eligible:
        raise refused(refusal, Check.BACKUP_FLAGS)
