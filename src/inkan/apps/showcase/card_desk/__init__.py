"""The card desk of the test country: the program beside a card reader, as long as the real card agent is not there."""

from inkan.apps.showcase.card_desk.application import card_desk
from inkan.apps.showcase.card_desk.asking import DeskDialog
from inkan.apps.showcase.card_desk.reader_pages import ReaderPages
from inkan.apps.showcase.card_desk.signing import DeskCard

__all__ = ["DeskCard", "DeskDialog", "ReaderPages", "card_desk"]
