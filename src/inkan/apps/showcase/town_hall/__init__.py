"""The town hall of the test country: forms that are signed with a card, sent, checked and filed (JPKI-34).

Start with ``checks``: the numbered plan by which a form is taken or refused. ``filing`` is the way from an empty form
to a filed one, ``application`` puts pages before it.
"""

from inkan.apps.showcase.town_hall.application import town_hall
from inkan.apps.showcase.town_hall.checks import Trusted

__all__ = ["Trusted", "town_hall"]
