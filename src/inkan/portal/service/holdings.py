"""The certificates that a person's phones hold, each taken apart and with its status of this moment (TW-36)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from inkan.crypto.certificate_view import CertificateView
from inkan.enrolment import Phone
from inkan.pki import PKI, IssuedCertificate, SerialState, Showing
from inkan.portal.model import CertificateNotFound


@dataclass(frozen=True, slots=True)
class Held:
    """One certificate of one of the person's phones.

    Attributes:
        use: what its key is for (``auth``, ``sign``, ``single``).
        is_coming: of a renewal that the phone has not confirmed yet.
        view: the certificate taken apart.
        state: what its status is now.
    """

    phone: Phone
    use: str
    is_coming: bool
    issued: IssuedCertificate
    view: CertificateView
    state: SerialState


class _Place(NamedTuple):
    """Where a certificate is held."""

    phone: Phone
    use: str
    is_coming: bool
    certificate: str


async def every_held(phones: Sequence[Phone], *, pki: PKI, showing: Showing) -> list[Held]:
    """Every certificate of these phones, of each phone those of a renewal under way last."""
    return [await _held(each, pki, showing) for each in _places(phones)]


async def one_held(
    phones: Sequence[Phone], certificate_id: str, *, pki: PKI, showing: Showing
) -> Held:
    """One of these.

    Raises:
        CertificateNotFound: none of these phones holds it.
    """
    for each in _places(phones):
        if each.certificate == certificate_id:
            return await _held(each, pki, showing)
    raise CertificateNotFound


async def _held(place: _Place, pki: PKI, showing: Showing) -> Held:
    issued = await pki.certificate(place.certificate)
    return Held(
        phone=place.phone,
        use=place.use,
        is_coming=place.is_coming,
        issued=issued,
        view=(await showing.show(issued.der)).view,
        state=await showing.state(issued.authority, issued.serial),
    )


def _places(phones: Sequence[Phone]) -> list[_Place]:
    return [
        _Place(phone, use, is_coming, each.id)
        for phone in phones
        for is_coming, group in ((False, phone.certificates), (True, phone.pending))
        for use, each in group.items()
    ]
