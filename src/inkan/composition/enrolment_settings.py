"""The settings about binding phones (docs/enrolment.md)."""

import msgspec

from inkan.enrolment import CardClient, Kiosk


class EnrolmentSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The programs beside a card reader that the enrolment page leads to, in this order.

    Without any the page says how to go on with a program that the person has. ``name`` holds a text for each of
    ``en``, ``ja`` and ``zh-Hant``; ``url`` is https, or http on ``*.localhost`` outside production, without ``#``.

    ``kiosks`` are the terminals at which phones are bound, each with ``name``, ``kind`` (``copier`` or ``reader``),
    ``place`` in the three languages, and ``secret_sha256``: base64url SHA-256 of the secret that is typed into its
    browser once. ``photo`` registers the SHA-256 of the photo in the card.
    """

    card_clients: tuple[CardClient, ...] = ()
    kiosks: tuple[Kiosk, ...] = ()
