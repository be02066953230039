"""How a case moves, and how long it may take."""

from datetime import timedelta
from typing import Final

from inkan.counter.model import CaseState, CaseStep
from inkan.kernel.machine import Machine

CASE_LIFE: Final = timedelta(minutes=60)
"""A visit at a counter; afterwards its certificates are revoked and its card is cleared."""

DOCUMENT_LIFE: Final = timedelta(days=30)
"""Of a photo document behind its closed case: whoever complains of the visit does so within the month. Nothing else reads
it: papers are printed from the certificate. JPKI-20 asks that it is shown, and for no longer."""

PURGE_EVERY: Final = timedelta(hours=1)

SWEEP_EVERY: Final = timedelta(seconds=30)

COMMAND_LIFE: Final = timedelta(minutes=3)
CHALLENGE_LIFE: Final = timedelta(minutes=5)

# The five steps of JPKI-21; a PIN case (JPKI-31, JPKI-33) and a revocation (JPKI-25) take shorter ways.
MACHINE: Final[Machine[CaseState, CaseStep]] = Machine(
    CaseState.OPENED,
    {
        (CaseState.OPENED, CaseStep.IDENTIFY): CaseState.IDENTIFIED,
        (CaseState.IDENTIFIED, CaseStep.MAKE_KEYS): CaseState.KEYED,
        (CaseState.KEYED, CaseStep.ORDER): CaseState.ORDERED,
        (CaseState.ORDERED, CaseStep.WRITE): CaseState.WRITTEN,
        (CaseState.WRITTEN, CaseStep.HAND_OVER): CaseState.DONE,
        (CaseState.IDENTIFIED, CaseStep.UNLOCK): CaseState.DONE,
        (CaseState.IDENTIFIED, CaseStep.REVOKE): CaseState.DONE,
        (CaseState.OPENED, CaseStep.WITHDRAW): CaseState.WITHDRAWN,
        (CaseState.IDENTIFIED, CaseStep.WITHDRAW): CaseState.WITHDRAWN,
        (CaseState.KEYED, CaseStep.WITHDRAW): CaseState.WITHDRAWN,
        (CaseState.ORDERED, CaseStep.WITHDRAW): CaseState.WITHDRAWN,
        (CaseState.WRITTEN, CaseStep.WITHDRAW): CaseState.WITHDRAWN,
    },
)
