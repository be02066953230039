"""What an office refuses, in words for clerks and for people in front of the desk."""

from inkan.kernel.errors import Conflict, Forbidden, Malformed, NotFound


class OfficeUnknown(NotFound):
    """No office has this code."""

    code = "office_unknown"
    title = "There is no such office"


class OutsideJurisdiction(Forbidden):
    """The person lives elsewhere: another office is in charge (JPKI-08)."""

    code = "outside_jurisdiction"
    title = "Another office is in charge of this person"


class ClerkNotOnDuty(Forbidden):
    """Nobody acts at a counter without a shift at that counter's office."""

    code = "clerk_not_on_duty"
    title = "Begin your shift first"


class CaseUnknown(NotFound):
    """No case of this office has this id."""

    code = "case_unknown"
    title = "There is no such case at this office"


class CaseOutOfOrder(Conflict):
    """The case is at another step, or somebody else moved it on at this very moment."""

    code = "case_out_of_order"
    title = "The case is at another step"
    public = ("state",)


class CaseExpired(Conflict):
    """Nobody went on with the case in time."""

    code = "case_expired"
    title = "The case has run out"


class CaseOpenElsewhere(Conflict):
    """The person, or the card, has another open case."""

    code = "case_open_elsewhere"
    title = "There is an open case for this person or this card"


class PhotoDocumentMissing(Malformed):
    """No photo document was shown, or it has ended (JPKI-19, JPKI-20)."""

    code = "photo_document_missing"
    title = "A valid official document with a photo is needed"
    public = ("where",)


class SecondClerkNeeded(Forbidden):
    """Without evidence from a card's chip another clerk has to look as well."""

    code = "second_clerk_needed"
    title = "A second clerk has to confirm the person first"


class SameClerk(Forbidden):
    """Two pairs of eyes belong to two people."""

    code = "same_clerk"
    title = "Somebody else has to confirm this"


class FeeMissing(Conflict):
    """The fee has not been paid (JPKI-19)."""

    code = "fee_missing"
    title = "The fee has not been recorded as paid"


class TermsNotAccepted(Malformed):
    """The person has not accepted the present terms (JPKI-07)."""

    code = "counter_terms_not_accepted"
    title = "The present terms have to be accepted first"


class ResidentUnknown(NotFound):
    """The register of this office has no address of this person."""

    code = "resident_unknown"
    title = "No resident of this office was found"


class CardTaken(Conflict):
    """The card belongs to somebody else, or carries certificates that are still good."""

    code = "card_taken"
    title = "This card cannot be used for this person"


class CardNumberUnknown(NotFound):
    """No card of this number was handed out here."""

    code = "card_number_unknown"
    title = "No card of this number was handed out here"


class TerminalUnknown(NotFound):
    """No terminal of this office has this id, or it has been taken out of service."""

    code = "terminal_unknown"
    title = "This terminal is not registered at this office"


class TerminalKeysMalformed(Malformed):
    """Not the two public keys of a terminal: P-256, one to sign and another one to agree on keys."""

    code = "terminal_keys_malformed"
    title = "These are not the two public keys of a terminal"
    public = ("where",)


class CardAnswerRefused(Forbidden):
    """The answer is of another terminal, case, card or command than the one that was given."""

    code = "card_answer_refused"
    title = "The card program's answer does not belong to this step"


class CardLoginRefused(Forbidden):
    """The card logs nobody in here. Unknown, ended, foreign or revoked: all get this very answer (ASVS 6.3.8)."""

    code = "card_login_refused"
    title = "This card does not log in here"


class CardChallengeEnded(Conflict):
    """The challenge is unknown, was answered before, or is too old."""

    code = "card_challenge_ended"
    title = "This took too long, or was answered before"


class CounterEntryMalformed(Malformed):
    """A code, name, address or telephone number that no register holds; the fact ``where`` names the field."""

    code = "counter_entry_malformed"
    title = "The entry does not have the required form"
    public = ("where",)


class NotAClerk(Forbidden):
    """The account does not have the role of a clerk."""

    code = "not_a_clerk"
    title = "The account does not have the role of a clerk"
