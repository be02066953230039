"""The device grant (RFC 8628): what the device shows, and what the page shows of the device."""

import msgspec

from inkan.kernel.errors import NotFound


class DeviceAnswer(msgspec.Struct, frozen=True):
    """The answer of the device authorization endpoint (RFC 8628 §3.2)."""

    device_code: str
    user_code: str
    verification_uri: str
    verification_uri_complete: str
    expires_in: int
    interval: int


class DeviceView(msgspec.Struct, frozen=True):
    """What the page shows before anything is asked (RFC 8628 §5.4).

    Attributes:
        user_code: in groups of four.
        purpose: in the reader's language.
    """

    user_code: str
    client: str
    organisation: str
    domain: str
    purpose: str


class UserCodeUnknown(NotFound):
    """The code is unknown, over, answered, or taken by another browser: one answer."""

    code = "openid_user_code_unknown"
    title = "No device shows this code now"
