"""What each command does to a card. Whoever adds an act adds a row; nothing else touches a card here.

What a person has to say comes first, before the card is changed. Each act can be repeated: a card that was pulled out
in the middle has no certificate, or the first of two, and is finished or cleared by a later command.
"""

import hashlib
from collections.abc import Callable, Mapping
from typing import Final, NamedTuple

from inkan.client import guessable_pins
from inkan.client.card import CardRemoved, CardRequestDeclined, PINLocked
from inkan.client.card_agent.dialog import Ending
from inkan.client.card_manager.dialog import ManagerDialog, PINAsked
from inkan.client.card_manager.station import Station
from inkan.client.guessable_pins import Known
from inkan.client.piv_layout import KEYS, CardObject, KeyUse
from inkan.crypto import base64url
from inkan.crypto.keys import KeySpec
from inkan.kernel.sensitive import Secret
from inkan.wire.card_command import CardAct, CardCommand, CardCommandMalformed, CardSecrets

_SPECS: Final = {"RSA-2048": KeySpec.RSA2048, "P-256": KeySpec.P256}


class Result(NamedTuple):
    """What an act found or made, by key, in base64url: requests (DER), SHA-256 of certificates."""

    requests: dict[str, str]
    certificates: dict[str, str]


class Work(NamedTuple):
    """One command at work; ``secrets`` is None for ``look``."""

    command: CardCommand
    number: str
    station: Station
    dialog: ManagerDialog
    secrets: CardSecrets | None

    @property
    def management_key(self) -> Secret[bytes]:
        """Of this card."""
        return Secret(base64url.decode(self._given.management_key))

    @property
    def unlock_key(self) -> Secret[str]:
        """Of this card."""
        return Secret(self._given.unlock_key)

    @property
    def _given(self) -> CardSecrets:
        if self.secrets is None:
            raise CardCommandMalformed(where="/secrets", expected="the secrets of the card")
        return self.secrets

    @property
    def known(self) -> Known:
        """What no new PIN may be made of: the platform tells the birth date, a card may name another."""
        told = self.station.card(KeyUse.SIGNATURE).known()
        return Known(birth_date=self._given.birth_date or told.birth_date, numbers=told.numbers)

    def asked(
        self, use: KeyUse, tries_left: int | None = None, known: Known | None = None
    ) -> PINAsked:
        """What the dialog says."""
        return PINAsked(
            use=use,
            origin=self.command.origin,
            card=self.number,
            tries_left=tries_left,
            known=known or Known(),
        )


def _look(work: Work) -> Result:
    """Tell the certificates; keys of their own nobody can see in a PIV card."""
    found = {}
    for use in KeyUse:
        for each in work.station.card(use).certificates():
            found[use.value] = base64url.encode(hashlib.sha256(each.der).digest())
    return Result({}, found)


def _make_keys(work: Work) -> Result:
    """Let the person set both PINs, then make both keys; the PINs serve until the certificates are written."""
    pins = _new_pins(work, tuple(KeyUse))
    spec = _SPECS[work.command.key_spec]
    requests = {}
    for use, pin in pins.items():
        card = work.station.card(use)
        card.unlock(work.unlock_key, pin)
        request = card.make_key(spec, pin=pin, management_key=work.management_key)
        requests[use.value] = base64url.encode(request)
    work.station.remember(pins)
    return Result(requests, {})


def _write(work: Work) -> Result:
    """Write both certificates, a photo if one was given and the authorities' before them; tell what the card holds."""
    given = {KeyUse(name): base64url.decode(der) for name, der in _by_use(work.command)}
    issuers = [base64url.decode(der) for der in work.command.issuers]
    # In the order in which they were set, whatever the order of the command's members.
    pins = {use: _known_pin(work, use) for use in KeyUse if use in given}
    try:
        # Both PINs are right before anything is written: no card gets one certificate of two for a slip of the finger.
        for use, pin in pins.items():
            work.station.card(use).verify_pin(pin)
        if work.command.photo is not None:
            work.station.card(KeyUse.SIGNATURE).write_object(
                CardObject.PHOTO,
                base64url.decode(work.command.photo),
                management_key=work.management_key,
            )
        for use, der in given.items():
            work.station.card(use).put_certificate(
                der, issuers=issuers, pin=pins[use], management_key=work.management_key
            )
            issuers = []
    finally:
        work.station.forget()
    return _look(work)


def _unlock(work: Work) -> Result:
    """Let the person set new PINs for the keys that the command names (JPKI-31, JPKI-33)."""
    uses = tuple(_use(name) for name in work.command.keys)
    for use, pin in _new_pins(work, uses).items():
        work.station.card(use).unlock(work.unlock_key, pin)
    return Result({}, {})


def _clear(work: Work) -> Result:
    """Take both certificates out of a card that was left unfinished."""
    for use in KeyUse:
        work.station.card(use).clear_certificate(management_key=work.management_key)
    return _look(work)


ACTS: Final[Mapping[CardAct, Callable[[Work], Result]]] = {
    CardAct.LOOK: _look,
    CardAct.MAKE_KEYS: _make_keys,
    CardAct.WRITE: _write,
    CardAct.UNLOCK: _unlock,
    CardAct.CLEAR: _clear,
}


def _new_pins(work: Work, uses: tuple[KeyUse, ...]) -> dict[KeyUse, Secret[str]]:
    """The PINs that a person chose, before anything is done to the card.

    Raises:
        CardRequestDeclined, CardRemoved: nobody chose.
        PINMalformed, PINGuessable: a dialog let through what is none, or what others would guess.
    """
    # Whatever is remembered is not the PIN any more, and would cost a try.
    work.station.forget()
    pins, known = {}, work.known
    for use in uses:
        pin = _typed(work, work.dialog.new_pin, work.asked(use, known=known))
        if not KEYS[use].pin_form.fullmatch(pin.reveal()):
            raise KEYS[use].malformed
        guessable_pins.verify(pin, known)
        pins[use] = pin
    return pins


def _known_pin(work: Work, use: KeyUse) -> Secret[str]:
    pin = work.station.remembered(use)
    if pin is not None:
        return pin
    left = work.station.card(use).tries_left()
    if left == 0:
        raise PINLocked
    return _typed(work, work.dialog.pin, work.asked(use, left))


def _typed(
    work: Work, ask: Callable[[PINAsked, Ending], Secret[str]], asked: PINAsked
) -> Secret[str]:
    """What the person typed; a card that is pulled out ends the dialog, and that is what the page hears."""
    try:
        return ask(asked, work.station.ending)
    except CardRequestDeclined:
        if work.station.is_gone:
            raise CardRemoved from None
        raise


def _by_use(command: CardCommand) -> list[tuple[KeyUse, str]]:
    return [(_use(name), der) for name, der in command.certificates.items()]


def _use(name: str) -> KeyUse:
    try:
        return KeyUse(name)
    except ValueError:
        raise CardCommandMalformed(where="/keys", expected="keys of a card") from None
