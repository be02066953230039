"""A certificate of the person's phones as the platform shows it: fields for people, no parser needed."""

from typing import Any, Final

import msgspec

from inkan.client.phone_parts import PhoneParts
from inkan.client.phone_presence import get_with_presence

CERTIFICATES: Final = "/phone/v1/certificates"


class ShownCertificate(msgspec.Struct, frozen=True):
    """What a viewer shows; texts are in the phone's language.

    Attributes:
        subject, issuer, key, policies: lines of ``term``, ``value`` and ``words``.
        serial, thumbprint_sha256: upper-case hexadecimal in pairs.
        back_end: where the key is kept, as the phone declared.
        status: ``state``, ``since``, ``reason`` and ``at``.
    """

    subject: list[dict[str, Any]]
    issuer: list[dict[str, Any]]
    issuer_name: str
    serial: str
    key: list[dict[str, Any]]
    key_usage: list[str]
    policies: list[dict[str, Any]]
    extensions: list[dict[str, Any]]
    back_end: str
    thumbprint_sha256: str
    status: dict[str, Any]


class ViewedCertificate(msgspec.Struct, frozen=True):
    """A certificate of this person; ``shown`` is None while the platform cannot read it for people."""

    id: str
    profile: str
    not_before: str
    not_after: str
    shown: ShownCertificate | None


async def view_certificate(parts: PhoneParts, certificate: str) -> ViewedCertificate:
    """Read a certificate of any of the person's phones, by its id."""
    return await get_with_presence(parts, f"{CERTIFICATES}/{certificate}", ViewedCertificate)
