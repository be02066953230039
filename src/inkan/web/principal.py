"""Who sends a request, and what they may do: one matrix, checked by one function.

A feature's ``rules`` holds its rows (use case, roles, assurance, source); the composition joins them. A
route names its use case once (``opt=requires("counter.revoke")``) and the application checks it before
the handler runs, so no handler can forget to. A route without a use case has to say why it is public, or
the application does not start.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import IntEnum, StrEnum
from typing import Any, Final

from inkan.kernel.errors import Forbidden, Unauthenticated


class LoginRequired(Unauthenticated):
    """Nobody is known to send this request."""

    code = "login_required"
    title = "This needs somebody who has proved who they are"


class RoleMissing(Forbidden):
    """Known, but none of the roles that this use case is for."""

    code = "role_missing"
    title = "None of your roles allows this"


class AssuranceTooLow(Forbidden):
    """The right role, proved by less than this use case asks for."""

    code = "assurance_too_low"
    title = "This needs a stronger proof of who you are"
    public = ("needed",)


class VerificationStale(Forbidden):
    """The last proof by the person's own act lies too far back for this use case."""

    code = "verification_stale"
    title = "This needs a fresh proof that it is you"
    public = ("within_s",)


class PrincipalKind(StrEnum):
    """What kind of sender it is."""

    PERSON = "person"
    STAFF = "staff"
    SYSTEM = "system"
    PHONE = "phone"


class Assurance(IntEnum):
    """How a principal is proved, from weak to strong (NIST SP 800-63B §2)."""

    POSSESSION = 1
    """One key: a phone's channel key, a system's token."""
    TWO_FACTORS = 2
    """A second factor of the person, by a manual transfer (QR, code)."""
    PHISHING_RESISTANT = 3
    """A user-verified key that signs for this very origin (passkey, card in the reader)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Principal:
    """Somebody who is known to send this request."""

    kind: PrincipalKind
    id: str
    roles: frozenset[str]
    assurance: Assurance
    verified_at: datetime | None = None
    """When the person last acted to prove themselves (aware UTC)."""
    tenant: str = ""
    """Id of the organisation that the roles hold in; every query of that organisation's data names it."""
    record: Any = None
    """What the authenticating feature keeps of them (its login, system or phone); opaque to the toolkit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Permission:
    """One row: who may do this use case, proved how."""

    use_case: str
    roles: frozenset[str]
    source: str
    assurance: Assurance = Assurance.POSSESSION
    fresh_within: timedelta | None = None


class Matrix:
    """The rows of all features."""

    def __init__(self, rows: Iterable[Permission]) -> None:
        self.rows: dict[str, Permission] = {}
        for row in rows:
            if row.use_case in self.rows or not row.roles or not row.source:
                raise ValueError(f"{row.use_case}: stands twice, or names no role or no source")
            self.rows[row.use_case] = row

    def verify(self, principal: Principal | None, use_case: str, *, now: datetime) -> Principal:
        """Return the principal that may do ``use_case`` at ``now`` (aware).

        Raises:
            LoginRequired: nobody is known.
            RoleMissing: none of the principal's roles is in the row.
            AssuranceTooLow: the role is there, the strength of its proof is not.
            VerificationStale: the person's own act lies too far back.
            KeyError: the matrix has no such row, which the application refuses at its start.
        """
        row = self.rows[use_case]
        if principal is None:
            raise LoginRequired
        if not row.roles & principal.roles:
            raise RoleMissing(use_case=use_case, principal=principal.id)
        if principal.assurance < row.assurance:
            raise AssuranceTooLow(needed=row.assurance.name.lower())
        if row.fresh_within is not None:
            verified_at = principal.verified_at
            if verified_at is None or now - verified_at > row.fresh_within:
                raise VerificationStale(within_s=int(row.fresh_within.total_seconds()))
        return principal


@dataclass(frozen=True, slots=True)
class Access:
    """What a route says of its callers: the use case it carries out, or why it is open to anybody."""

    use_case: str | None = None
    reason: str = ""


ACCESS: Final = "inkan_access"


def requires(use_case: str) -> dict[str, Any]:
    """The ``opt`` of a Litestar handler that carries out ``use_case``; see :class:`Matrix`."""
    return {ACCESS: Access(use_case)}


def public(reason: str) -> dict[str, Any]:
    """The ``opt`` of a Litestar handler that anybody may call, with the reason for the manual."""
    return {ACCESS: open_to_all(reason)}


def open_to_all(reason: str) -> Access:
    """The access of a bare endpoint that anybody may call.

    Raises:
        ValueError: no reason is given.
    """
    if not reason:
        raise ValueError("say why this route is public")
    return Access(None, reason)
