"""What can be refused about sessions: one clear sentence and one stable code each."""

from inkan.kernel.errors import Conflict, Forbidden, Gone, NotFound, TooMany, Unavailable


class SessionNotFound(NotFound):
    """Unknown, or another system's: one answer."""

    code = "session_not_found"
    title = "There is no such session"


class PurposeNotRegistered(Forbidden):
    """The system asks for what its registration does not name."""

    code = "purpose_not_registered"
    title = "This purpose is not registered for your system"


class DoorNotRegistered(Forbidden):
    """The system may not use this door, or this instance does not offer it."""

    code = "door_not_registered"
    title = "This door is not open to your system"


class ReturnNotRegistered(Forbidden):
    """The address to come back to is not one of the system's, letter by letter (threat 17)."""

    code = "origin_not_registered"
    title = "This return address is not registered for your system"


class WebhookNotRegistered(Forbidden):
    """The system has no webhook of this id."""

    code = "webhook_not_registered"
    title = "This webhook is not registered for your system"


class ClaimNotRegistered(Forbidden):
    """The purpose does not name this attribute."""

    code = "claim_not_registered"
    title = "This attribute is not registered for the purpose"
    public = ("claim",)


class CodeWrong(Forbidden):
    """The typed code is not the page's; the third wrong one ends the request."""

    code = "code_wrong"
    title = "This is not the code that the page shows"
    public = ("tries_left",)


class LinkStale(Conflict):
    """The address was used, replaced, or is none of this platform's."""

    code = "link_reused"
    title = "This link is no longer valid; start again on the page that gave it"


class BrowserNotFound(NotFound):
    """No known browser of this person has this id."""

    code = "browser_not_found"
    title = "There is no such known browser"


class PageNotFound(NotFound):
    """No session has this page, or another browser has begun it: one answer."""

    code = "page_not_found"
    title = "There is no such page, or it was begun in another browser"


class ConfirmationRefused(Forbidden):
    """Not open, over, used, or another passkey than that of the phone which answered: one answer for all."""

    code = "confirmation_refused"
    title = "This confirmation is not open, or it is not the passkey of the phone that answered"


class PushUnderWay(Conflict):
    """A push was sent to the person that was named on the page: no other way until it is over."""

    code = "push_under_way"
    title = "A message is on its way to the phone; go back and start again for another way"


class NotDecided(Conflict):
    """There is nothing to redeem yet."""

    code = "session_not_decided"
    title = "There is no answer to redeem yet"


class ReturnRefused(Forbidden):
    """Verifier or return code are not this session's; the session has ended (threat 3)."""

    code = "return_other_browser"
    title = "This answer belongs to another browser; the session has ended"


class LevelTooLow(Forbidden):
    """The demanded binding level cannot be reached by the door."""

    code = "level_too_low"
    title = "The binding level that is demanded cannot be reached this way"
    public = ("binding_min", "reachable")


class ReceiptNotReady(Conflict):
    """Nothing was released yet."""

    code = "receipt_not_ready"
    title = "There is no receipt yet: the session is not closed with an answer"
    public = ("state",)


class EvidenceSealed(Forbidden):
    """The purpose is registered for platform evidence: the proofs stay sealed here."""

    code = "evidence_sealed"
    title = "The evidence of this session stays sealed with the platform"


class ConsentWithdrawn(Gone):
    """The person took the consent back, and with it what the receipt would give."""

    code = "consent_withdrawn"
    title = "The person withdrew the consent; the attributes are given out no more"


class StatementDiffers(Conflict):
    """The signed statement is not the one that was given out."""

    code = "statement_differs"
    title = "The signed statement differs from the one that was asked"
    public = ("field",)


class ProofRefused(Forbidden):
    """The signature or the assertion does not prove this phone's decision."""

    code = "proof_refused"
    title = "The proofs of this decision do not hold"
    public = ("proof",)


class TooManyStreams(TooMany):
    """The phone has as many event streams open as it may; it polls, or closes one."""

    code = "too_many_streams"
    title = "This phone has too many event streams open"


class SessionPurged(Gone):
    """The session was readable until ``purge_at``; its receipt stays with the relying party."""

    code = "session_purged"
    title = "This session is no longer kept"


class CertificateNotGood(Forbidden):
    """The phone's certificate for this kind is expired, suspended or revoked."""

    code = "certificate_not_good"
    title = "The certificate on this phone is not valid any more"
    public = ("reason",)


class WebhookUndelivered(Unavailable):
    """The registered address answered with another status than 2xx."""

    code = "webhook_undelivered"
    title = "The webhook address did not take the message"


class WebhookResting(Unavailable):
    """The registered address failed shortly before; nothing was sent."""

    code = "webhook_resting"
    title = "Deliveries to this webhook address rest for a while"
