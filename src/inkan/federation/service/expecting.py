"""Whom the client expects: a hint, an ID token, or the ``sub`` of the ``claims`` parameter; compared after the answer."""

from typing import Final, Protocol

import msgspec

from inkan.federation.model.refusals import RequestRefused
from inkan.federation.model.request import Asked
from inkan.federation.service.claims import wanted_sub
from inkan.federation.service.parameters import Parameters

SUB_LIMIT: Final = 255
"""OIDC Core §2: letters of a ``sub``."""


class Hint(Protocol):
    """What an ID token of this provider says."""

    @property
    def sub(self) -> str:
        """The person, as the client was told."""


class Hinted(Protocol):
    """Reads an ID token of this provider, which may have ended, for one client."""

    async def __call__(self, id_token: str, client: str) -> Hint:
        """Refuse what is no ID token of this provider for that client."""


async def expecting(hinted: Hinted, client: str, parameters: Parameters, asked: Asked) -> Asked:
    """The request with the one person whom it expects, if it names any (OIDC Core §3.1.2.1, §3.1.2.2).

    Raises:
        RequestRefused: two different persons, or an ``id_token_hint`` that is no ID token for this client.
    """
    named = {asked.login_hint, wanted_sub(asked) or ""}
    if parameters.get("id_token_hint"):
        named.add((await hinted(parameters.get("id_token_hint"), client)).sub)
    named.discard("")
    if len(named) > 1:
        raise RequestRefused("the hints name different persons")
    if any(len(sub) > SUB_LIMIT for sub in named):
        raise RequestRefused("no sub has so many letters")
    return msgspec.structs.replace(asked, login_hint=named.pop() if named else "")
