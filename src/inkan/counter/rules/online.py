"""What the online window offers; each row cites its source."""

from typing import Final

from inkan.wire.enrolment_request import RevokeCause

# A card that signs is neither lost nor broken: those causes are reported at a counter (JPKI-24). Misuse is reported
# there as well, but nobody should have to wait for opening hours to end a certificate.
ONLINE_CAUSES: Final = (
    RevokeCause.NO_LONGER_NEEDED,  # JPKI-23
    RevokeCause.SUSPECTED_MISUSE,  # JPKI-24
    RevokeCause.MISUSED,  # JPKI-24
)
