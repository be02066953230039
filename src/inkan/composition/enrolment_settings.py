"""The settings about binding phones (docs/enrolment.md)."""

import msgspec

from inkan.enrolment import CardClient


class EnrolmentSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The programs beside a card reader that the enrolment page leads to, in this order.

    Without any the page says how to go on with a program that the person has. ``name`` holds a text for each of
    ``en``, ``ja`` and ``zh-Hant``; ``url`` is https, or http on ``*.localhost`` outside production, without ``#``.
    """

    card_clients: tuple[CardClient, ...] = ()
