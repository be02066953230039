"""What can go wrong with a real card beyond what any card may refuse (:mod:`inkan.client.card`).

Service, reader, card and answer have refusals of their own, because each is mended by somebody else.
"""

from inkan.client.card import PINMalformed
from inkan.kernel.errors import Conflict, Forbidden, Malformed, Unavailable


class CardServiceMissing(Unavailable):
    """The smart card service of this computer does not run, or its library is not installed."""

    code = "card_service_missing"
    title = "The smart card service of this computer does not run"


class SeveralCards(Conflict):
    """More than one reader holds a card and none was named."""

    code = "card_several"
    title = "Several readers hold a card: name one"


class CardInUse(Conflict):
    """Another program has the card for itself."""

    code = "card_in_use"
    title = "Another program is using the card"


class CardReset(Conflict):
    """Another program reset the card; whatever was shown to it before is forgotten."""

    code = "card_reset"
    title = "Another program reset the card"


class CardUnknown(Malformed):
    """The card has no application that is known here."""

    code = "card_unknown"
    title = "This kind of card is not known"


class CardAnswerMalformed(Malformed):
    """What the card answered is not what the command asks for."""

    code = "card_answer_malformed"
    title = "The card's answer cannot be read"


class CardCommandRefused(Malformed):
    """The card refuses a command with a status word that has no meaning of its own here."""

    code = "card_command_refused"
    title = "The card refuses the command"
    public = ("status",)


class CardAccessDenied(Forbidden):
    """The object or key asks for a PIN or a management key that was not presented."""

    code = "card_access_denied"
    title = "The card does not give this without the right key or PIN"


class WrongManagementKey(Forbidden):
    """The card does not accept the management key."""

    code = "card_wrong_management_key"
    title = "The management key is not that of this card"


class WrongUnlockKey(Forbidden):
    """The unlock key is wrong; ``tries_left`` says how many tries remain."""

    code = "card_wrong_unlock_key"
    title = "The unlock key is wrong"
    public = ("tries_left",)


class UnlockKeyLocked(Forbidden):
    """No try is left for the unlock key: the card stays locked."""

    code = "card_unlock_key_locked"
    title = "The unlock key is locked after too many wrong entries"


class SignaturePINMalformed(PINMalformed):
    """The PIN of the signature key is not 6 to 16 letters and digits."""

    code = "card_signature_pin_malformed"
    title = "The PIN of the signature key has 6 to 16 letters and digits"


class AuthenticationPINMalformed(PINMalformed):
    """The PIN of the authentication key is not 4 digits."""

    code = "card_authentication_pin_malformed"
    title = "The PIN of the authentication key has 4 digits"
