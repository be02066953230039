"""The figures of client authentication and access tokens."""

from datetime import timedelta

ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

# Design §5.5: a client assertion lives at most 60 s and is used once; a token lives 10 minutes.
ASSERTION_LIFE = timedelta(seconds=60)
CLOCK_LEEWAY = timedelta(seconds=5)
TOKEN_LIFE = timedelta(minutes=10)
ACCESS_TOKEN_TYP = "at+jwt"  # noqa: S105  RFC 9068 §2.1: the header type, no secret
ASSERTION_TYPS = frozenset({"JWT", "client-authentication+jwt"})
MAX_FORM_BYTES = 8192
LANGUAGES = frozenset({"en", "ja", "zh-Hant"})
