"""The client of a request, by its name alone: what it has registered, and the keys that it signs with."""

from typing import Any

import msgspec

from inkan.federation.model.refusals import ClientUnknown
from inkan.federation.service.parts import Parts
from inkan.relying_parties import OpenIDRegistration, System, SystemNotFound


class RegisteredClient(msgspec.Struct, frozen=True):
    """An active system that uses the OpenID provider."""

    system: System
    openid: OpenIDRegistration
    keys: list[dict[str, Any]]

    @property
    def code(self) -> str:
        """The ``client_id``."""
        return self.system.code


async def find_client(parts: Parts, client_id: str, *, signs: bool = False) -> RegisteredClient:
    """The client of this name; with its keys when it ``signs`` a request object.

    Raises:
        ClientUnknown: no system, a suspended one, or one without an OpenID registration: one answer.
    """
    try:
        system = await parts.relying_parties.active(client_id)
    except SystemNotFound:
        raise ClientUnknown() from None
    if system.openid is None:
        raise ClientUnknown()
    keys = await parts.relying_parties.public_keys(client_id) if signs else []
    return RegisteredClient(system=system, openid=system.openid, keys=keys)
