"""What a sandbox instance has that production has not: virtual phones, test persons, clock travel, faults.

Mounted only where the environment is ``sandbox``. Virtual phones are ``inkan.client.Phone`` and speak HTTP to the
instance itself; nothing here has a door into another feature that a real phone or relying party would not have, but
for the end of a phone's youth and the suspension of its certificate. Start with :class:`Sandbox`.
"""

from inkan.sandbox.model import Behaviour, PhoneOrder, VirtualPhone, WrongDatabase
from inkan.sandbox.rules import PERMISSIONS, PURGE_EVERY
from inkan.sandbox.service import Faults, Hit, Parts, Sandbox, refuse_sandbox
from inkan.sandbox.store import EVENT_PAIRS

__all__ = [
    "EVENT_PAIRS",
    "PERMISSIONS",
    "PURGE_EVERY",
    "Behaviour",
    "Faults",
    "Hit",
    "Parts",
    "PhoneOrder",
    "Sandbox",
    "VirtualPhone",
    "WrongDatabase",
    "refuse_sandbox",
]
