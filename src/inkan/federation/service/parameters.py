"""Reading the parameters of a request, each of them once (RFC 6749 §3.1)."""

from collections.abc import Iterable, Mapping
from typing import Any, Final
from urllib.parse import parse_qsl

import msgspec

from inkan.federation.model.refusals import RequestRefused

REQUEST_LIMIT: Final = 16_384
"""Bytes of a whole request in a query; a pushed one may have twice as many."""
_FIELD_LIMIT: Final = 64
_VALUE_LIMIT: Final = 4_096
_LONG: Final = {"request": 16_384, "claims": 8_192, "authorization_details": 16_384}
_RESOURCES_LIMIT: Final = 5

# Members of a request object that are no text there; written as the parameter would have them.
_JSON_MEMBERS: Final = frozenset({"claims", "authorization_details"})


class Parameters(msgspec.Struct, frozen=True):
    """The parameters of a request; ``resource`` alone may be repeated (RFC 8707 §2).

    An empty value counts as left out (RFC 6749 §3.1).
    """

    values: Mapping[str, str]
    resource: list[str] = []

    def get(self, name: str) -> str:
        """The value, empty when it is missing."""
        return self.values.get(name, "")

    def words(self, name: str) -> list[str]:
        """A list that blanks divide, each member once, in its order."""
        return list(dict.fromkeys(self.get(name).split(" "))) if self.get(name) else []


def read_parameters(raw: bytes) -> Parameters:
    """Read ``application/x-www-form-urlencoded`` text of a query or a body.

    Raises:
        RequestRefused: not such text in UTF-8, too many or too long parameters, or one stands twice.
    """
    try:
        pairs = parse_qsl(
            raw.decode("ascii"),
            keep_blank_values=True,
            strict_parsing=bool(raw),
            errors="strict",
            max_num_fields=_FIELD_LIMIT,
        )
    except ValueError:
        raise RequestRefused("the parameters are not form text in UTF-8") from None
    return _collected(pairs)


def parameters_of(members: Mapping[str, Any]) -> Parameters:
    """The parameters that a request object holds as JSON members (RFC 9101 §4).

    Raises:
        RequestRefused: a member of another type than its parameter can be, or too long.
    """
    pairs: list[tuple[str, str]] = []
    for name, value in members.items():
        if name == "resource" and isinstance(value, list):
            pairs += [(name, _text(name, each)) for each in value]
        elif name in _JSON_MEMBERS and isinstance(value, dict | list):
            pairs.append((name, msgspec.json.encode(value).decode()))
        elif name not in _JWT_MEMBERS:
            pairs.append((name, _text(name, value)))
    return _collected(pairs)


# Claims of the JWT itself (RFC 7519 §4.1); everything else in a request object is a parameter.
_JWT_MEMBERS: Final = frozenset({"iss", "aud", "exp", "nbf", "iat", "jti", "sub"})


def _collected(pairs: Iterable[tuple[str, str]]) -> Parameters:
    values: dict[str, str] = {}
    resources: list[str] = []
    for name, value in pairs:
        if len(value) > _LONG.get(name, _VALUE_LIMIT):
            raise RequestRefused("a parameter is too long")
        if name == "resource":
            resources.append(value)
        elif name in values:
            raise RequestRefused("a parameter stands twice")
        else:
            values[name] = value
    if len(resources) > _RESOURCES_LIMIT:
        raise RequestRefused("too many resources")
    return Parameters(values={k: v for k, v in values.items() if v}, resource=resources)


def _text(name: str, value: Any) -> str:
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise RequestRefused(f"{name} has another type")
    return str(value)
