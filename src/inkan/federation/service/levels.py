"""``acr`` and ``amr``: what a token says of how the person answered.

The tables stand in :mod:`inkan.wire.authentication_context` and :mod:`inkan.federation.rules.levels`. A token never
says more than the session shows.
"""

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from inkan.federation.model.request import Asked
from inkan.federation.rules.levels import AMR_ROWS, Fact
from inkan.identification import SessionView
from inkan.wire.authentication_context import (
    REUSED,
    ROWS,
    meets,
    told,
    value_of,
    weakest_level,
)
from inkan.wire.binding import BindingLevel

View = SessionView | Mapping[str, Any]
"""A session view, or its members as they are kept with a grant."""

ACR_VALUES: Final = tuple(row.value for row in ROWS)
"""``acr_values_supported`` (OIDC Discovery §3), from weak to strong."""


def acr_of(view: View, *, reused: bool = False) -> str:
    """The value of ``acr`` for an answer.

    Args:
        view: of the closed session.
        reused: the answer was given for another client and is used again (design §5.7).
    """
    if reused:
        return REUSED
    binding = members_of(view).get("binding")
    return value_of(BindingLevel(binding["level"]) if binding else BindingLevel.NONE)


def amr_of(view: View) -> list[str]:
    """The values of ``amr`` for an answer, in the order of the table; none for a session that nobody agreed to."""
    seen = _facts(members_of(view))
    return [row.value for row in AMR_ROWS if row.needs <= seen]


def binding_min(asked: Asked) -> BindingLevel | None:
    """What the session has to demand so that an essential ``acr`` can be reached; None: its own default."""
    return weakest_level(asked.essential_acr)


def members_of(view: View) -> Mapping[str, Any]:
    """The members of a session view, whichever form it has."""
    return view if isinstance(view, Mapping) else msgspec.to_builtins(view)


def _facts(view: Mapping[str, Any]) -> frozenset[str]:
    if view.get("outcome") != "ok":
        return frozenset()
    # Nothing ends well without both proofs (design §5.3): the statement's signature and an assertion with UV.
    seen = {str(Fact.SIGNED), str(Fact.USER_VERIFIED)}
    seen |= set((view.get("binding") or {}).get("evidence", ()))
    if view.get("attested") is True:
        seen.add(str(Fact.ATTESTED))
    return frozenset(seen)


__all__ = [
    "ACR_VALUES",
    "View",
    "acr_of",
    "amr_of",
    "binding_min",
    "meets",
    "members_of",
    "told",
]
