"""The use cases of bindings at kiosks, as pages and phones call them."""

from inkan.crypto import webauthn
from inkan.enrolment.model import RequestState
from inkan.enrolment.model.kiosk import Kiosk
from inkan.enrolment.service import kiosk as visits
from inkan.enrolment.service import registering
from inkan.enrolment.service.finishing import Accepted
from inkan.enrolment.service.joining import Joined
from inkan.enrolment.service.kiosk import NumberShown, Shown, Taken
from inkan.enrolment.service.parts import Parts
from inkan.wire.binding import BackEnd


class AtKiosk:
    """Registrations that a phone begins and a kiosk finishes."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def kiosk_of(self, key: str) -> Kiosk:
        """See :func:`inkan.enrolment.service.kiosk.kiosk_of`."""
        return visits.kiosk_of(self._parts.kiosks, key)

    async def begin(
        self,
        *,
        jkt: str,
        scheme: str,
        terms_version: str,
        name: str,
        back_end: BackEnd,
        address: str,
    ) -> Joined:
        """See :func:`inkan.enrolment.service.registering.begin`."""
        return await registering.begin(
            self._parts,
            jkt=jkt,
            scheme=scheme,
            terms_version=terms_version,
            name=name,
            back_end=back_end,
            address=address,
        )

    async def hand_in_number(
        self, request_id: str, *, jkt: str, number: str, assertion: webauthn.Assertion
    ) -> Accepted:
        """See :func:`inkan.enrolment.service.registering.hand_in_number`."""
        return await registering.hand_in_number(
            self._parts, request_id, jkt=jkt, number=number, assertion=assertion
        )

    async def take(self, kiosk: Kiosk, text: str) -> Taken:
        """See :func:`inkan.enrolment.service.kiosk.take`."""
        return await visits.take(self._parts, kiosk, text)

    async def sign(
        self, kiosk: Kiosk, visit: bytes, cms: bytes, *, photo_sha256: bytes | None = None
    ) -> Shown:
        """See :func:`inkan.enrolment.service.kiosk.sign`."""
        return await visits.sign(self._parts, kiosk, visit, cms, photo_sha256)

    async def show_number(self, kiosk: Kiosk, visit: bytes) -> NumberShown:
        """See :func:`inkan.enrolment.service.kiosk.show_number`."""
        return await visits.show_number(self._parts, kiosk, visit)

    async def leave(self, kiosk: Kiosk, visit: bytes) -> None:
        """See :func:`inkan.enrolment.service.kiosk.leave`."""
        await visits.leave(self._parts, kiosk, visit)

    async def state(self, kiosk: Kiosk, visit: bytes) -> RequestState:
        """See :func:`inkan.enrolment.service.kiosk.state`."""
        return await visits.state(self._parts, kiosk, visit)
