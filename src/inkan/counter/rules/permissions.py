"""Who may do what at a counter; the office, the shift and the case are asked by the use cases themselves."""

from datetime import timedelta
from typing import Final

from inkan.web.principal import Assurance, Permission

FRESH: Final = timedelta(minutes=10)
"""A second pair of eyes has shown by its own card just now that it is there."""

_CLERKS: Final = frozenset({"clerk"})

PERMISSIONS: Final = (
    Permission(
        use_case="counter.enter",
        roles=_CLERKS,
        source="JPKI-21, design §1",
        assurance=Assurance.PHISHING_RESISTANT,
    ),
    Permission(
        use_case="counter.act",
        roles=_CLERKS,
        source="JPKI-21, JPKI-25, JPKI-31",
        assurance=Assurance.PHISHING_RESISTANT,
    ),
    Permission(
        use_case="counter.confirm",
        roles=_CLERKS,
        source="JPKI-20, design §3, four eyes",
        assurance=Assurance.PHISHING_RESISTANT,
        fresh_within=FRESH,
    ),
)
