"""The card desk of the test country: the program beside a card reader, as long as the real card agent is not there."""

from inkan.apps.showcase.card_desk.application import card_desk
from inkan.apps.showcase.card_desk.signing import DeskCard

__all__ = ["DeskCard", "card_desk"]
