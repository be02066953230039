"""Lives, the machine of a request, and what the end of a card means for a phone."""

from collections.abc import Mapping
from datetime import timedelta

from inkan.crypto.path import RevocationReason
from inkan.enrolment.model import RequestState, RequestStep
from inkan.kernel.machine import Machine
from inkan.schemes import ParentEnd
from inkan.wire.binding import BackEnd
from inkan.wire.enrolment_request import RevokeCause

# Design §5.2 step 1; NIST SP 800-63B-4 §4.1.2: a binding code lives at most ten minutes.
REQUEST_LIFE = timedelta(minutes=10)
RENEWAL_LIFE = timedelta(minutes=10)
CHALLENGE_LIFE = timedelta(minutes=5)
# Design §5.6: records, certificates and settings need an assertion of the last ten minutes.
ASSERTION_LIFE = timedelta(minutes=10)
# Issue point 4: a device number is good for that registration only, 5 minutes and 3 tries; a kiosk wipes after 60 s.
NUMBER_LIFE = timedelta(minutes=5)
NUMBER_TRIES = 3
KIOSK_IDLE = timedelta(seconds=60)
PARENT_CHECK_EVERY = timedelta(hours=24)

MACHINE: Machine[RequestState, RequestStep] = Machine(
    RequestState.STARTED,
    {
        (RequestState.STARTED, RequestStep.JOIN): RequestState.JOINED,
        (RequestState.JOINED, RequestStep.PREPARE): RequestState.PREPARED,
        (RequestState.PREPARED, RequestStep.ACCEPT): RequestState.ACCEPTED,
        # At a kiosk the phone says the device number between the card's signature and the acceptance (WAT-09 step 7).
        (RequestState.PREPARED, RequestStep.SIGN): RequestState.SIGNED,
        (RequestState.SIGNED, RequestStep.ACCEPT): RequestState.ACCEPTED,
        (RequestState.ACCEPTED, RequestStep.ISSUE): RequestState.ISSUED,
        (RequestState.STARTED, RequestStep.REFUSE): RequestState.REFUSED,
        (RequestState.JOINED, RequestStep.REFUSE): RequestState.REFUSED,
        (RequestState.PREPARED, RequestStep.REFUSE): RequestState.REFUSED,
        (RequestState.SIGNED, RequestStep.REFUSE): RequestState.REFUSED,
        # The certificates cannot be issued (lint, or ended before they were signed): the slot is given back.
        (RequestState.ACCEPTED, RequestStep.REFUSE): RequestState.REFUSED,
    },
)

# The certificate profile by back end and use: the policy in the certificate says where the key is kept (design §5.1).
PROFILE_OF_BACK_END: Mapping[BackEnd, str] = {
    BackEnd.A: "phone-{use}",
    BackEnd.B: "phone-{use}-remote",
    BackEnd.C: "phone-{use}",
    BackEnd.PLAIN: "phone-{use}",
}


def profile_of_key(back_end: BackEnd, use: str) -> str:
    """The profile of a phone's certificate."""
    return PROFILE_OF_BACK_END[back_end].format(use=use)


# RFC 5280 §5.3.1 reason of a card certificate → cause in the scheme's table (design §5.2 step 8). What no
# reason expresses (stolen, deceased) is told by whoever ends the card, not read from a list.
CAUSE_OF_REASON: Mapping[RevocationReason, ParentEnd] = {
    RevocationReason.UNSPECIFIED: ParentEnd.USER_REVOKED,
    RevocationReason.KEY_COMPROMISE: ParentEnd.KEY_COMPROMISE,
    RevocationReason.CA_COMPROMISE: ParentEnd.ISSUE_FRAUD,
    RevocationReason.AFFILIATION_CHANGED: ParentEnd.FACTS_CHANGED,
    RevocationReason.SUPERSEDED: ParentEnd.USER_REVOKED,
    RevocationReason.CESSATION_OF_OPERATION: ParentEnd.USER_REVOKED,
    RevocationReason.CERTIFICATE_HOLD: ParentEnd.LOST,
    RevocationReason.PRIVILEGE_WITHDRAWN: ParentEnd.ISSUE_FRAUD,
    RevocationReason.AA_COMPROMISE: ParentEnd.ISSUE_FRAUD,
}

# Why a person revokes (JPKI-23, JPKI-24) → RFC 5280 §5.3.1 reason: whoever may hold the key now is a compromise.
REASON_OF_CAUSE: Mapping[RevokeCause, RevocationReason] = {
    RevokeCause.NO_LONGER_NEEDED: RevocationReason.CESSATION_OF_OPERATION,
    RevokeCause.DAMAGED: RevocationReason.CESSATION_OF_OPERATION,
    RevokeCause.LOST: RevocationReason.KEY_COMPROMISE,
    RevokeCause.STOLEN: RevocationReason.KEY_COMPROMISE,
    RevokeCause.MISUSED: RevocationReason.KEY_COMPROMISE,
    RevokeCause.SUSPECTED_MISUSE: RevocationReason.KEY_COMPROMISE,
}
