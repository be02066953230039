"""What a session is about and where it stands: the enums that RP API, receipts and client share."""

from enum import StrEnum


class Kind(StrEnum):
    """What a relying party asks for."""

    IDENTIFY = "identify"
    APPROVE = "approve"
    SIGN = "sign"


class SessionState(StrEnum):
    """Where a session stands. The machine over these states belongs to the feature ``approvals``."""

    CREATED = "created"
    PRESENTED = "presented"
    OPENED = "opened"
    DECIDED = "decided"
    CLOSED = "closed"
    CANCELLED = "cancelled"
    EXPIRED = "expired"


class Outcome(StrEnum):
    """How a decided session ended. What a person did is data, never an HTTP error."""

    OK = "ok"
    REFUSED = "refused"
    FAILED = "failed"
    BLOCKED = "blocked"


class EvidenceMode(StrEnum):
    """What the relying party gets beside the receipt."""

    PLATFORM = "platform"  # pairwise reference and blinded commitments; the evidence stays sealed
    FULL = "full"  # statement, certificate and assertion: the person is told so before deciding
