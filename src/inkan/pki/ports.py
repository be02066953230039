"""What this feature needs from outside the process."""

from typing import Protocol

from inkan.pki.model import Authority, CardStatus


class StatusSource(Protocol):
    """Where the status of an authority's cards is asked. Whoever cannot answer raises StatusUnavailable."""

    async def status(self, authority: Authority, serial: str) -> CardStatus:
        """The status of a serial (lower-case hexadecimal) now."""
        ...

    async def lists(self, authority: Authority, serial: str) -> tuple[bytes, ...]:
        """The CRLs (DER) that cover the serial's certificate and the authorities above it."""
        ...
