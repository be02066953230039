"""The root of refusals that speak OAuth's own language (RFC 6749 §5.2) instead of a problem document."""

from typing import ClassVar

from inkan.kernel.errors import InkanError


class OAuthError(InkanError):
    """A refusal of an OAuth endpoint; rendered as RFC 6749 §5.2, not as a problem.

    Attributes:
        error: the code of the standard.
    """

    error: ClassVar[str] = "invalid_request"
