"""The figures of client authentication and access tokens."""

import re
from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated, Final

from msgspec import Meta

from inkan.relying_parties.model import SystemState

ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

# Design §5.5: a client assertion lives at most 60 s and is used once; a token lives 10 minutes.
ASSERTION_LIFE = timedelta(seconds=60)
CLOCK_LEEWAY = timedelta(seconds=5)
TOKEN_LIFE = timedelta(minutes=10)
ACCESS_TOKEN_TYP = "at+jwt"  # noqa: S105  RFC 9068 §2.1: the header type, no secret
ASSERTION_TYPS = frozenset({"JWT", "client-authentication+jwt"})
MAX_FORM_BYTES = 8192
LANGUAGES = frozenset({"en", "ja", "zh-Hant"})
TOKEN_CACHE = 4096

# RFC 3986 in the one spelling that is admitted: lower-case host, no user, no fragment, no dot segment, no
# second spelling of a port; addresses are compared letter by letter, so each has exactly one form (threat 17).
_LABEL: Final = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_HOST: Final = rf"{_LABEL}(?:\.{_LABEL})*"
_PORT: Final = r"(?::[1-9][0-9]{0,4})?"
_PATH: Final = r"/(?:[A-Za-z0-9._~!$&'()*+,;=:@/-]|%[0-9A-F]{2})*"
_QUERY: Final = r"(?:\?(?:[A-Za-z0-9._~!$'()*+,;=:@/?&-]|%[0-9A-F]{2})*)?"
_HTTPS: Final = re.compile(rf"https://(?P<host>{_HOST})(?P<port>{_PORT})(?P<path>{_PATH}){_QUERY}")
_LOOPBACK: Final = re.compile(
    rf"https?://(?P<host>(?:{_LABEL}\.)*localhost|127\.0\.0\.1)(?P<port>{_PORT})(?P<path>{_PATH}){_QUERY}"
)
_NUMERIC_HOST: Final = re.compile(r"(?:.*\.)?[0-9]+")
_DEFAULT_PORTS: Final = frozenset({":443", ":80"})


def is_address(url: str, *, loopback: bool) -> bool:
    """Whether ``url`` may be registered to lead browsers or webhooks to.

    Args:
        url: an absolute address.
        loopback: whether plain http to this very machine is admitted; never in production.
    """
    found = _HTTPS.fullmatch(url) or (_LOOPBACK.fullmatch(url) if loopback else None)
    if found is None or found["port"] in _DEFAULT_PORTS or int(found["port"][1:] or 1) > 65535:
        return False
    segments = found["path"].split("/")
    is_local = found["host"] == "127.0.0.1" or found["host"].split(".")[-1] == "localhost"
    if is_local and not loopback:
        return False
    if _NUMERIC_HOST.fullmatch(found["host"]) and not is_local:
        return False
    return not any(segment in {".", ".."} for segment in segments) and "//" not in found["path"]


# The instance's own system (persons log in by a session of it). It has no key, so nobody gets a token for it.
OWN_SYSTEM = "inkan"

# A number of seconds that is a date: the last one of the year 9999 (RFC 7519 §2, NumericDate).
NumericDate = Annotated[int, Meta(ge=0, le=253402300799)]
JTI = Annotated[str, Meta(min_length=16, max_length=128)]

USE_CASE_OF_STATE: Mapping[SystemState, str] = {
    SystemState.ACTIVE: "relying_parties.system_resumed",
    SystemState.SUSPENDED: "relying_parties.system_suspended",
}
