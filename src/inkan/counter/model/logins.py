"""What a clerk's card is asked to sign to log a browser in."""

import msgspec

from inkan.kernel.sensitive import Secret


class CardChallenge(msgspec.Struct, frozen=True, kw_only=True):
    """A challenge to a card.

    Attributes:
        id: to be sent back with the answer.
        content: what the authentication key signs, canonical JSON.
        content_type: OID of the CMS.
        browser: for a cookie of the browser that asked; 43 letters of base64url.
    """

    id: str
    content: bytes
    content_type: str
    browser: Secret[str]
