"""The settings about waking phones (docs/push.md)."""

from typing import Annotated

import msgspec

Host = Annotated[str, msgspec.Meta(pattern=r"^\.?[a-z0-9-]+(\.[a-z0-9-]+)+$", max_length=253)]
Subject = Annotated[str, msgspec.Meta(pattern=r"^((mailto:|https://)[!-~]+)?$", max_length=320)]


class Push(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How phones are woken.

    ``subject`` (``mailto:`` or ``https:``, default the sender of mail) tells a push service whom to ask about
    messages. ``hosts`` names the push services that are called, exactly or as ``.push.example`` with all names
    under it; none admits every public host, since a phone's browser chooses its service.
    """

    subject: Subject = ""
    hosts: tuple[Host, ...] = ()
