"""The settings about cards: of authorities that others run, and the program by which pages reach one."""

from typing import Annotated, Literal

import msgspec

OID = Annotated[str, msgspec.Meta(pattern=r"^[0-2](\.(0|[1-9][0-9]*))+$", max_length=128)]
LOOPBACK_AGENT = Annotated[str, msgspec.Meta(pattern=r"^(http://127\.0\.0\.1:[1-9][0-9]{0,4})?\Z")]


class CardAuthority(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A card authority that others run: what makes its cards acceptable, and where their status may be asked.

    ``chain`` names certificate files (DER or PEM) from the authority up to the anchor. ``policies`` holds
    certificate policies as dotted OIDs; a card asserts one of them. An address in a card's certificate is called
    only if its origin is among ``origins``; ``http`` is admitted, since lists and answers are signed.
    """

    name: Annotated[str, msgspec.Meta(pattern=r"^[a-z][a-z0-9-]{0,30}$")]
    chain: Annotated[tuple[str, ...], msgspec.Meta(min_length=1, max_length=4)]
    policies: Annotated[tuple[OID, ...], msgspec.Meta(min_length=1)]
    origins: Annotated[tuple[str, ...], msgspec.Meta(min_length=1)]
    profile: Literal["card-auth", "card-sign", "seal"] = "card-sign"


class Cards(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Cards of authorities that others run, each a table of the file: ``[[cards.authorities]]``.

    What a status service said is used until its nextUpdate, and for ``status_minutes`` at most. ``agent`` is where
    pages may find a card agent on the reader's computer beside the browser's extension; empty: the extension alone.
    """

    authorities: tuple[CardAuthority, ...] = ()
    status_minutes: int = 60
    agent: LOOPBACK_AGENT = ""
