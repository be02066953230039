"""Cross-site request forgery (threat 24): three checks, all of them on every unsafe request to a page.

1. ``Sec-Fetch-Site``, when the browser sends it, says ``same-origin``.
2. ``Origin``, when the browser sends it, is the site's own.
3. The token of the form (or the ``X-CSRF-Token`` header) belongs to the browser's cookie.

At least one of the two headers must be there: every browser of the last years sends one with a POST, and
a program has no business here. The token is an HMAC of a random ``__Host-`` cookie and the origin, so the
server keeps nothing, a restart breaks no open form, and a page of another site can neither read nor plant
either half.
"""

import hmac
from hashlib import sha256
from typing import Final

from inkan.kernel.errors import Forbidden
from inkan.kernel.ids import random_bytes
from inkan.kernel.sensitive import Secret

CSRF_COOKIE: Final = "__Host-inkan-csrf"
CSRF_FIELD: Final = "csrf_token"
CSRF_HEADER: Final = "x-csrf-token"
_COOKIE_LENGTH: Final = 64


class CSRFRefused(Forbidden):
    """An unsafe request does not come from this site's own page."""

    code = "csrf_refused"
    title = "This form was not sent from a page of this site, or it was open for too long"


class CSRF:
    """Makes and checks tokens under one key of the instance."""

    def __init__(self, key: Secret[bytes]) -> None:
        """``key`` has at least 32 bytes and outlives restarts, so that open forms do too."""
        self._key = key

    def new_cookie(self) -> str:
        """A fresh value for the browser: 256 random bits."""
        return random_bytes(_COOKIE_LENGTH // 2).hex()

    def token(self, cookie: str, origin: str) -> str:
        """The token that belongs to a cookie on an origin."""
        message = b"\0".join((b"inkan-csrf-v1", origin.encode(), cookie.encode()))
        return hmac.new(self._key.reveal(), message, sha256).hexdigest()

    def verify_sender(
        self, *, origin: str, sent_origin: str | None, fetch_site: str | None
    ) -> None:
        """Checks 1 and 2: they need no body, so they come before one is read.

        Raises:
            CSRFRefused: another site sent this, or nothing says which one did.
        """
        if fetch_site is None and sent_origin is None:
            raise CSRFRefused("neither Origin nor Sec-Fetch-Site")
        # 1. The browser's own judgement.
        if fetch_site not in {None, "same-origin"}:
            raise CSRFRefused("sent from another site")
        # 2. The origin of the page with the form.
        if sent_origin not in {None, origin}:
            raise CSRFRefused("sent from another origin")

    def verify_token(self, *, origin: str, cookie: str | None, token: str | None) -> None:
        """Check 3: the token was made for this browser's cookie on this origin.

        Raises:
            CSRFRefused: it was not, or one of both is missing.
        """
        if cookie is None or token is None or len(cookie) != _COOKIE_LENGTH:
            raise CSRFRefused("no token")
        if not hmac.compare_digest(token.encode(), self.token(cookie, origin).encode()):
            raise CSRFRefused("the token belongs to another browser or key")
