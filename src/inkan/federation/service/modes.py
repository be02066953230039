"""Response modes: where an answer stands in the redirect, and whether it is a signed token (JARM)."""

from collections.abc import Mapping
from typing import Final, NamedTuple

from inkan.relying_parties import OpenIDRegistration


class Mode(NamedTuple):
    """One response mode of the code flow.

    Attributes:
        is_form: the browser posts it (OAuth 2.0 Form Post Response Mode §2); else it stands in the query.
        is_signed: one parameter ``response`` (JARM §2.3).
    """

    is_form: bool
    is_signed: bool
    source: str


MODES: Final[Mapping[str, Mode]] = {
    "query": Mode(is_form=False, is_signed=False, source="OAuth 2.0 Multiple Response Types §2.1"),
    "form_post": Mode(is_form=True, is_signed=False, source="OAuth 2.0 Form Post Response Mode §2"),
    "jwt": Mode(is_form=False, is_signed=True, source="JARM §2.3.4: query.jwt for the code flow"),
    "query.jwt": Mode(is_form=False, is_signed=True, source="JARM §2.3.1"),
    "form_post.jwt": Mode(is_form=True, is_signed=True, source="JARM §2.3.3"),
}

# FAPI 2.0 Message Signing §5.4: such a client gets signed answers only.
_SIGNED_ONLY: Final = "fapi2_message_signing"


def modes_of(client: OpenIDRegistration) -> list[str]:
    """The modes that this client may ask for."""
    signed = client.profile == _SIGNED_ONLY
    return [name for name, mode in MODES.items() if mode.is_signed or not signed]


def default_mode(client: OpenIDRegistration) -> str:
    """The mode of a request that names none."""
    return "jwt" if client.profile == _SIGNED_ONLY else "query"
