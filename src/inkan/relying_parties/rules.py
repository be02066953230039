"""The figures of client authentication and access tokens."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated

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

# The instance's own system (persons log in by a session of it). It has no key, so nobody gets a token for it.
OWN_SYSTEM = "inkan"

# A number of seconds that is a date: the last one of the year 9999 (RFC 7519 §2, NumericDate).
NumericDate = Annotated[int, Meta(ge=0, le=253402300799)]
JTI = Annotated[str, Meta(min_length=16, max_length=128)]

USE_CASE_OF_STATE: Mapping[SystemState, str] = {
    SystemState.ACTIVE: "relying_parties.system_resumed",
    SystemState.SUSPENDED: "relying_parties.system_suspended",
}
