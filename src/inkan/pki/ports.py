"""What this feature needs from outside the process."""

from collections.abc import Mapping
from typing import Protocol

from inkan.pki.model import Authority, CardStatus, RevocationEvidence


class StatusSource(Protocol):
    """Where the status of an authority's cards is asked. Whoever cannot answer raises StatusUnavailable."""

    async def status(
        self, authority: Authority, serial: str, certificate: bytes | None
    ) -> CardStatus:
        """The status of a card now.

        Args:
            authority: its issuer.
            serial: lower-case hexadecimal.
            certificate: DER, or None when only the serial is known.
        """
        ...

    async def evidence(
        self, authority: Authority, serial: str, certificate: bytes
    ) -> RevocationEvidence:
        """Lists and answers (DER), in force now, about the card and the authorities above it."""
        ...


class Fetched(Protocol):
    """What the other side said."""

    @property
    def status(self) -> int:
        """The HTTP status code."""
        ...

    @property
    def body(self) -> bytes:
        """The content, within the limit that was asked for."""
        ...


class Fetch(Protocol):
    """Outgoing HTTP (``inkan.web.fetch``): safe addresses, bounded time and size, no redirects."""

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
