"""Origins and issuers of contents, by the forms of the wire."""

from typing import Final

import msgspec

from inkan.wire.forms import Issuer, Origin

_PARTS: Final = 3


class _Named(msgspec.Struct):
    value: Issuer


class _Listed(msgspec.Struct):
    value: Origin


def origin_of(issuer: str) -> str | None:
    """The origin of an issuer URL; None when it is none."""
    try:
        msgspec.convert({"value": issuer}, _Named)
    except msgspec.ValidationError:
        return None
    return "/".join(issuer.split("/")[:_PARTS])


def is_origin(text: str) -> bool:
    """Whether it is an origin as browsers serialise it: https, or http of loopback."""
    try:
        msgspec.convert({"value": text}, _Listed)
    except msgspec.ValidationError:
        return False
    return True
