"""The one error tree of the platform.

A leaf is a fact about a request (``ApprovalExpired``) and lives in the ``model`` of the feature that
states it. It knows nothing of HTTP: ``web/problems.py`` maps the category to a status (RFC 9457), the
OAuth and OCSP renderers map the same leaves to their own error languages.
"""

from enum import StrEnum
from typing import Any, ClassVar


class Category(StrEnum):
    """What kind of refusal it is; the only thing a protocol renderer looks at besides the code."""

    MALFORMED = "malformed"
    TOO_LARGE = "too_large"
    UNAUTHENTICATED = "unauthenticated"
    FORBIDDEN = "forbidden"
    NOT_FOUND = "not_found"
    CONFLICT = "conflict"
    GONE = "gone"
    TOO_MANY = "too_many"
    UNAVAILABLE = "unavailable"


class InkanError(Exception):
    """A refusal that a caller can understand.

    Attributes:
        code: stable slug, the key of the error catalogue.
        category: see :class:`Category`.
        title: one English sentence for people without the catalogue.
        public: names of the facts that the caller may see; all facts go to the audit.
    """

    code: ClassVar[str] = "internal"
    category: ClassVar[Category] = Category.UNAVAILABLE
    title: ClassVar[str] = "Something failed on our side"
    public: ClassVar[tuple[str, ...]] = ()

    def __init__(self, detail: str = "", /, **facts: Any) -> None:
        super().__init__(detail or self.title)
        self.detail = detail
        self.facts = facts

    @property
    def public_facts(self) -> dict[str, Any]:
        """The facts that may leave the platform."""
        return {name: self.facts[name] for name in self.public if name in self.facts}


class Malformed(InkanError):
    """The bytes do not have the form that was asked for."""

    code = "malformed"
    category = Category.MALFORMED
    title = "The request is not well formed"
    public: ClassVar[tuple[str, ...]] = ("where", "expected")


class TooLarge(InkanError):
    """The bytes are more than the named limit; nothing of them was parsed."""

    code = "too_large"
    category = Category.TOO_LARGE
    title = "The request is larger than allowed"
    public: ClassVar[tuple[str, ...]] = ("limit_bytes",)


class Unauthenticated(InkanError):
    """Nobody, or somebody whose proof does not hold."""

    code = "unauthenticated"
    category = Category.UNAUTHENTICATED
    title = "The request does not prove who sends it"


class Forbidden(InkanError):
    """Somebody, but without the right."""

    code = "forbidden"
    category = Category.FORBIDDEN
    title = "This is not allowed"


class NotFound(InkanError):
    """Unknown, or not yours: both get this very answer."""

    code = "not_found"
    category = Category.NOT_FOUND
    title = "There is nothing here under that name"


class Conflict(InkanError):
    """The state does not admit this step."""

    code = "conflict"
    category = Category.CONFLICT
    title = "This does not fit the present state"


class Gone(InkanError):
    """It was here and its time is over."""

    code = "gone"
    category = Category.GONE
    title = "This has ended"


class TooMany(InkanError):
    """A quota is used up."""

    code = "too_many"
    category = Category.TOO_MANY
    title = "Too many requests"
    public: ClassVar[tuple[str, ...]] = ("retry_after_s",)


class Unavailable(InkanError):
    """Something this needs cannot be reached; nothing was decided."""

    code = "unavailable"
    category = Category.UNAVAILABLE
    title = "This cannot be answered at the moment"
    public: ClassVar[tuple[str, ...]] = ("retry_after_s",)


def all_errors() -> list[type[InkanError]]:
    """Every leaf and node of the tree that is imported, by code."""
    found: dict[str, type[InkanError]] = {}
    stack: list[type[InkanError]] = [InkanError]
    while stack:
        error = stack.pop()
        found.setdefault(error.code, error)
        stack.extend(error.__subclasses__())
    return [found[code] for code in sorted(found)]
