"""Binding at a kiosk, the phone's side (WAT-09): begin, show the registration key, say the number that the kiosk shows.

Between the two the phone makes its keys and sends them as of every binding (``phone_enrolment.prepare``).
"""

from typing import Final

import msgspec

from inkan.client.phone_api import Empty
from inkan.client.phone_enrolment import PhoneBound, begun, own_hashes, prepared_of, under_way
from inkan.client.phone_parts import PhoneParts
from inkan.client.phone_state import Enrolment
from inkan.wire.registration_key import number_challenge, registration_key, spell_key

_PATH: Final = "/phone/v1/registrations"


class KioskScheme(msgspec.Struct, frozen=True):
    """A rule set whose phones are bound at a kiosk, with the terms that the person accepts."""

    name: str
    title: str
    terms_version: str
    terms: str


class _Schemes(msgspec.Struct, frozen=True):
    schemes: list[KioskScheme]


async def kiosk_schemes(parts: PhoneParts) -> list[KioskScheme]:
    """Return the rule sets whose phones are bound at a kiosk, in the phone's language."""
    return (await parts.api.get("/phone/v1/kiosk-schemes", _Schemes)).schemes


async def begin(parts: PhoneParts, scheme: str, *, terms_version: str) -> Enrolment:
    """Begin a registration that is finished at a kiosk; ten minutes, one use.

    Args:
        parts: the phone.
        scheme: code of the rule set.
        terms_version: of the terms that the person has read and accepted.

    Raises:
        PhoneBound: the phone has a binding.
        EnrolmentSubstituted: another platform or another RP ID answers.
        CallRefused: unknown scheme, outdated terms, a scheme that is not bound at kiosks, among others.
    """
    state = parts.state
    if state.bound is not None:
        raise PhoneBound
    body = {
        "scheme": scheme,
        "terms_version": terms_version,
        "name": state.name,
        "back_end": state.back_end,
    }
    return begun(parts, await parts.api.post(_PATH, body, Enrolment, again=True))


def shown_key(parts: PhoneParts) -> str:
    """Return the registration key for the kiosk: 26 characters, computed from what this phone made.

    Raises:
        NothingToBind: nothing was prepared.
    """
    return spell_key(registration_key(**own_hashes(parts)))


async def say_number(parts: PhoneParts, number: str) -> None:
    """Say the six digits that the kiosk shows; the person confirms them with the passkey. Then ``collect``.

    Raises:
        NothingToBind: nothing was prepared.
        DeviceNumberMalformed: not six digits.
        UserNotVerified: the person was not recognised; no try is lost.
        CallRefused: a wrong number (with the tries that are left), among others.
    """
    prepared_of(parts)
    enrolment = under_way(parts)
    assertion = parts.assert_person(number_challenge(enrolment.nonce, number))
    body = {"number": number, "assertion": msgspec.structs.asdict(assertion)}
    # Not repeated by itself: a wrong number counts.
    await parts.api.post(f"/phone/v1/enrolments/{enrolment.id}/number", body, Empty)
