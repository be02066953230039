"""The address by which a browser or app hands a session to the wallet: ``{wallet origin}/l#1.{handle}``.

An https address of the wallet's origin and nothing else: a scheme of its own could be claimed by any app
(threat 3). The handle stands in the fragment, which no server and no referrer sees. It is worth one opening.
"""

import re

from inkan.kernel.errors import Malformed
from inkan.wire.wallet_paths import LINK_PATH

_HANDLE = re.compile(r"1\.([A-Za-z0-9_-]{16,64})")


class LinkMalformed(Malformed):
    """Not an address of this wallet."""

    code = "link_malformed"
    title = "This link does not belong to this service"


def address(origin: str, *, handle: str) -> str:
    """Return the address that opens a session.

    Args:
        origin: the wallet's web origin, without a trailing slash.
        handle: 16 to 64 characters of base64url.

    Raises:
        LinkMalformed: another handle.
    """
    fragment = f"1.{handle}"
    if _HANDLE.fullmatch(fragment) is None:
        raise LinkMalformed(where="", expected="a handle of 16 to 64 letters")
    return f"{origin}/{LINK_PATH}#{fragment}"


def parse_address(url: str, *, origin: str) -> str:
    """Return the handle of an address, unverified.

    Raises:
        LinkMalformed: another origin, path or version, or a second spelling.
    """
    prefix = f"{origin}/{LINK_PATH}#"
    found = _HANDLE.fullmatch(url, len(prefix)) if url.startswith(prefix) else None
    if found is None:
        raise LinkMalformed(where="", expected="an address of the wallet")
    return found[1]
