"""Values that refuse to print.

``Secret`` holds key material and passphrases, ``Personal`` holds what identifies a person. Both hide in
``repr`` (so a traceback is safe) and raise on ``str``, ``format`` and pickling (so a log line, an f-string
or a cache is not). The value comes out only by ``reveal()``, which a reader can search for (threat 28).
"""

import hmac
from typing import Generic, NoReturn, TypeVar

T = TypeVar("T", str, bytes)


class _Guarded(Generic[T]):
    __slots__ = ("_value",)

    def __init__(self, value: T) -> None:
        self._value: T = value

    def reveal(self) -> T:
        """Return the bare value. Every call is a place where it may leak: keep it short-lived."""
        return self._value

    def __repr__(self) -> str:
        return f"<{type(self).__name__}>"

    def __str__(self) -> NoReturn:  # noqa: PLE0307 - refusing is its whole purpose
        self._refuse()

    def __format__(self, spec: str) -> NoReturn:
        self._refuse()

    def __reduce__(self) -> NoReturn:
        self._refuse()

    def __eq__(self, other: object) -> bool:
        if type(other) is not type(self):
            return NotImplemented
        return hmac.compare_digest(_raw(self._value), _raw(other._value))

    def __hash__(self) -> int:
        return hash((type(self).__name__, self._value))

    def __bool__(self) -> bool:
        return bool(self._value)

    def _refuse(self) -> NoReturn:
        raise TypeError(f"a {type(self).__name__} does not turn into text; call reveal()")


def _raw(value: str | bytes) -> bytes:
    return value.encode() if isinstance(value, str) else value


class Secret(_Guarded[T]):
    """Key material, a passphrase, a one-time code."""


class Personal(_Guarded[T]):
    """A name, a national ID, a birth date: whatever identifies a person."""
