"""What this feature needs from outside the process."""

from collections.abc import Mapping
from typing import Protocol


class Heard(Protocol):
    """What the other side said."""

    @property
    def status(self) -> int:
        """The HTTP status code; redirects are answers too."""
        ...


class Post(Protocol):
    """Outgoing HTTP (``inkan.web.fetch``): public addresses only, resolved once, 5 s, 64 KiB, no redirects."""

    async def request(
        self, method: str, url: str, *, body: bytes = b"", headers: Mapping[str, str] | None = None
    ) -> Heard:
        """Send one request; an InkanError when the address is refused or gives no usable answer."""
        ...
