"""The card program of a counter: it does to a card what the platform signed for this terminal, and nothing else.

A page only carries commands and answers (:mod:`inkan.wire.card_command`). Start with :class:`CardManager`.
"""

from inkan.client.card_manager.admission import CommandNotAdmitted
from inkan.client.card_manager.configuration import (
    ManagerConfiguration,
    TerminalKeys,
    read_configuration,
)
from inkan.client.card_manager.dialog import ManagerDialog, PINAsked
from inkan.client.card_manager.program import CardManager
from inkan.client.card_manager.station import CardNumberDiffers

__all__ = [
    "CardManager",
    "CardNumberDiffers",
    "CommandNotAdmitted",
    "ManagerConfiguration",
    "ManagerDialog",
    "PINAsked",
    "TerminalKeys",
    "read_configuration",
]
