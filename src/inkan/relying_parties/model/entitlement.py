"""That an organisation may use My Numbers: granted by law to few, noted here with its basis and its end (WAT-62)."""

from datetime import datetime

import msgspec

from inkan.kernel.errors import Malformed, NotFound


class EntitlementWrong(Malformed):
    """An entitlement without a basis in one line, or one that ends before it begins."""

    code = "entitlement_wrong"
    title = "This entitlement cannot be noted"


class EntitlementNotFound(NotFound):
    """No organisation has this code, or it has no entitlement in force."""

    code = "entitlement_not_found"
    title = "There is no such organisation or entitlement"


class MyNumberEntitlement(msgspec.Struct, frozen=True, kw_only=True):
    """One entitlement.

    Attributes:
        organisation: code.
        basis: the provision of law.
        granted_at, until: aware; the end is included.
        ended_at: when it was withdrawn, or None.
    """

    organisation: str
    basis: str
    granted_at: datetime
    until: datetime
    ended_at: datetime | None
