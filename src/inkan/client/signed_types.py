"""What a card signs: the types, how each is read, and what the person agrees to before the PIN.

One table for every card, in a file, in a reader or behind a module: whoever adds a type adds a row and its dialog.
"""

import hmac
from collections.abc import Callable, Mapping
from typing import Final, NamedTuple

from inkan.client.card import CardRequestRefused, Confirm, DigitsMismatch, Giving
from inkan.kernel.errors import Malformed, TooLarge
from inkan.wire import card_request, ceremony_approval
from inkan.wire import enrolment_request as requests
from inkan.wire.enrolment_request import BindContent, Purpose, RevokeContent


class Typed(NamedTuple):
    """A content that the card understood, and the digits that belong to it."""

    giving: Giving
    digits: str


def _bind(content: bytes) -> Typed:
    bind = requests.parse_bind(content)
    return Typed(_giving(bind, bind.phone_name, needs_digits=True), requests.pairing_digits(bind))


def _revoke(content: bytes) -> Typed:
    return Typed(_giving(requests.parse_revoke(content), None, needs_digits=False), "")


def _ceremony(content: bytes) -> Typed:
    approval = ceremony_approval.parse_approval(content)
    giving = Giving(
        purpose=approval.type,
        scheme=approval.title,
        audience=f"SHA-256 {approval.file_sha256}",
        phone_name=None,
        needs_digits=False,
    )
    return Typed(giving, "")


def _card_login(content: bytes) -> Typed:
    login = card_request.parse_login(content)
    return Typed(_asked(login.purpose, login.aud, login.origin), "")


def _card_revoke(content: bytes) -> Typed:
    revoke = card_request.parse_revoke(content)
    lines = (("cause", revoke.cause.value),)
    return Typed(_asked(revoke.purpose, revoke.aud, revoke.origin, lines), "")


def _submission(content: bytes) -> Typed:
    form = card_request.parse_submission(content)
    lines = (("form", form.title), *((field.label, field.value) for field in form.fields))
    return Typed(_asked(form.purpose, form.aud, form.origin, lines), "")


def _asked(
    purpose: str, audience: str, origin: str, lines: tuple[tuple[str, str], ...] = ()
) -> Giving:
    return Giving(
        purpose=purpose,
        scheme="",
        audience=audience,
        phone_name=None,
        needs_digits=False,
        origin=origin,
        lines=lines,
    )


def _giving(
    content: BindContent | RevokeContent, phone_name: str | None, *, needs_digits: bool
) -> Giving:
    return Giving(
        purpose=content.purpose,
        scheme=content.scheme,
        audience=content.aud,
        phone_name=phone_name,
        needs_digits=needs_digits,
    )


# What a card signs. A renewal is signed by the phone's old key and never by a card (TW-32).
SIGNED_TYPES: Final[Mapping[str, Callable[[bytes], Typed]]] = {
    requests.CONTENT_TYPES[Purpose.BIND]: _bind,
    requests.CONTENT_TYPES[Purpose.REVOKE]: _revoke,
    ceremony_approval.CONTENT_TYPE: _ceremony,
    card_request.CONTENT_TYPES[card_request.CardPurpose.LOGIN]: _card_login,
    card_request.CONTENT_TYPES[card_request.CardPurpose.REVOKE]: _card_revoke,
    card_request.CONTENT_TYPES[card_request.CardPurpose.SUBMISSION]: _submission,
}


def agree(content: bytes, *, content_type: str, confirm: Confirm) -> None:
    """Read the request, show the person what it gives, and compare the digits that were typed.

    Plan:
        1. The content is a request of the purpose that its type names; nothing else is ever signed.
        2. The dialog names what is being given, and the person agrees.
        3. The digits that were typed are those of these very bytes.

    Raises:
        CardRequestRefused: step 1.
        CardRequestDeclined: step 2, raised by the dialog.
        DigitsMismatch: step 3.
    """
    typed = _read(content, content_type)
    answer = confirm(typed.giving)
    if not _same_digits(answer, typed):
        raise DigitsMismatch


def _read(content: bytes, content_type: str) -> Typed:
    read = SIGNED_TYPES.get(content_type)
    if read is None:
        raise CardRequestRefused(f"nothing of the type {content_type} is signed")
    try:
        return read(content)
    except (Malformed, TooLarge) as error:
        raise CardRequestRefused(error.detail or error.title) from None


def _same_digits(answer: str, typed: Typed) -> bool:
    if not typed.giving.needs_digits:
        return True
    return hmac.compare_digest(answer.encode(), typed.digits.encode())
