"""The paths of the wallet's origin that a phone takes over; what they carry stands in the fragment.

What an address opens stands in its path, so that no scanner takes the one for the other.
"""

from typing import Final

SESSION_PATH: Final = "q"
ENROLMENT_PATH: Final = "e"
LINK_PATH: Final = "l"

CONFIRMATION_PATH: Final = "s"
"""No phone takes this one over: the browser that began confirms here with a passkey of the wallet's origin."""
