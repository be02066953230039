"""What notices need from outside the process: ways to wake a phone, and the one way out."""

from collections.abc import Mapping
from typing import Protocol

from inkan.notices.model import Delivery, PushAddress, WakeUp


class Carrier(Protocol):
    """A way to wake phones. Every one passes the same contract test (``tests/notices/carrier_contract.py``)."""

    def admit(self, address: PushAddress | None) -> None:
        """Make sure that a phone may subscribe so; nothing is called.

        Args:
            address: what the phone gave; None when it gave nothing.

        Raises:
            PushSubscriptionRefused, PushKeysMalformed: this carrier cannot wake anybody there.
        """
        ...

    async def carry(self, address: PushAddress | None, message: WakeUp) -> Delivery:
        """Try once. The same message may come again; an InkanError counts as a try that failed."""
        ...


class Fetched(Protocol):
    """What the other side said."""

    @property
    def status(self) -> int:
        """The HTTP status code."""
        ...

    @property
    def headers(self) -> Mapping[str, str]:
        """The header lines, names in lower case."""
        ...


class Fetch(Protocol):
    """Outgoing HTTP (``inkan.web.fetch``): safe addresses, bounded time and size, no redirects."""

    def verify(self, url: str) -> None:
        """Refuse an address that would not be called; a Forbidden InkanError."""
        ...

    async def request(
        self,
        method: str,
        url: str,
        *,
        body: bytes = b"",
        headers: Mapping[str, str] | None = None,
        limit_bytes: int | None = None,
    ) -> Fetched:
        """Send one request; an InkanError when there is no usable answer."""
        ...
