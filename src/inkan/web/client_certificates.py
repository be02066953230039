"""The certificate of the connection's client, as a proxy that ends TLS passes it on (RFC 9440).

The proxies are named by the setting ``server.certificate_header``. Whoever else sends ``Client-Cert`` sends nothing:
the header is dropped before any route sees it (RFC 9440 §4).
"""

import binascii
import re
from collections.abc import Sequence
from functools import lru_cache
from ipaddress import ip_address, ip_network
from typing import Final

from inkan.kernel.errors import Malformed
from inkan.web.exchange import Exchange

HEADER: Final = "client-cert"
_LINE: Final = HEADER.encode()
_LIMIT: Final = 24 * 1024
# A byte sequence of RFC 8941 §3.3.5, with padding and without parameters.
_SEQUENCE: Final = re.compile(
    r":(?P<text>(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?):"
)


class CertificateHeaderWrong(Malformed):
    """A proxy sent ``Client-Cert`` in another form than RFC 9440 gives it."""

    code = "certificate_header_wrong"
    title = "The header with the client certificate is not well formed"
    public = ()


class CertificateProxies:
    """Who may say which certificate a connection has."""

    def __init__(self, networks: Sequence[str] = ()) -> None:
        """Believe these addresses and networks; nobody when there is none.

        Raises:
            ValueError: one is neither an address nor a network.
        """
        parsed = [ip_network(each) for each in networks]

        @lru_cache(maxsize=256)
        def believes(address: str) -> bool:
            try:
                peer = ip_address(address)
            except ValueError:
                return False
            return any(peer in network for network in parsed)

        self._believes = believes
        self._is_empty = not parsed

    def screen(self, exchange: Exchange) -> None:
        """Drop the header unless a believed proxy sent it."""
        if self._is_empty or not self._believes(exchange.address):
            exchange.drop(_LINE)


def client_certificate(exchange: Exchange) -> bytes | None:
    """The certificate of the client's connection in DER; None when no believed proxy names one.

    Raises:
        HeaderRepeated: it was sent twice.
        CertificateHeaderWrong: it is no byte sequence, or larger than any certificate.
    """
    value = exchange.header(HEADER)
    if value is None:
        return None
    found = _SEQUENCE.fullmatch(value) if len(value) <= _LIMIT else None
    if found is None or not found["text"]:
        raise CertificateHeaderWrong()
    return binascii.a2b_base64(found["text"])
