"""Made-up staff with passkeys, and the ways in."""

import hashlib
import json
from dataclasses import dataclass, field
from typing import Any

from inkan.accounts import Accounts, Ceremony, Invitation, Login, LoginToken, Role
from inkan.audit import Actor, ActorKind
from inkan.crypto import base64url
from inkan.kernel.ids import PersonID, SessionID, new_id
from inkan.kernel.sensitive import Personal
from support.authenticator import Authenticator, b64

ORIGIN = "https://id.example"
RP_ID = "id.example"
CONSOLE = Actor(ActorKind.OPERATOR, "console")


@dataclass
class Device:
    """A device with one passkey, as a browser would speak for it."""

    name: str = "chen"
    handle: bytes = b""
    authenticator: Authenticator = field(init=False)

    def __post_init__(self) -> None:
        identifier = hashlib.sha256(self.name.encode()).digest()
        self.authenticator = Authenticator(rp_id=RP_ID, origin=ORIGIN, credential_id=identifier)

    def create(self, ceremony: Ceremony, **bent: Any) -> bytes:
        """RegistrationResponseJSON."""
        self.handle = base64url.decode(ceremony.options["user"]["id"])
        challenge = base64url.decode(ceremony.options["challenge"])
        return self.authenticator.register(challenge, **bent)

    def get(self, ceremony: Ceremony, **bent: Any) -> bytes:
        """AuthenticationResponseJSON; the counter goes up by one."""
        self.authenticator.sign_count += 1
        challenge = base64url.decode(ceremony.options["challenge"])
        made = self.authenticator.answer(challenge, **{"user_handle": self.handle, **bent})
        response = {
            "clientDataJSON": b64(made.client_data_json),
            "authenticatorData": b64(made.authenticator_data),
            "signature": b64(made.signature),
            "userHandle": b64(made.user_handle) if made.user_handle else None,
        }
        identifier = b64(made.credential_id)
        return json.dumps(
            {
                "id": identifier,
                "rawId": identifier,
                "type": "public-key",
                "response": response,
                "clientExtensionResults": {},
            }
        ).encode()


def code_of(invitation: Invitation) -> str:
    """The code in an invitation's link."""
    assert invitation.link is not None
    return invitation.link.reveal().partition("#")[2]


async def invite(accounts: Accounts, *roles: Role, name: str = "陳美", **more: Any) -> Invitation:
    wanted = roles or (Role.ADMINISTRATOR,)
    return await accounts.invite(wanted, name=Personal(name), **{"actor": CONSOLE, **more})


async def accept(accounts: Accounts, code: str, device: Device, **more: Any) -> LoginToken:
    ceremony = await accounts.begin_acceptance(code)
    return await accounts.accept(code, ceremony=ceremony.id, answer=device.create(ceremony), **more)


async def hire(accounts: Accounts, *roles: Role, name: str = "chen") -> tuple[Login, Device]:
    """Somebody with an account, a passkey and a login."""
    device = Device(name)
    invitation = await invite(accounts, *roles, name=name)
    token = await accept(accounts, code_of(invitation), device)
    return token.login, device


async def log_in_person(accounts: Accounts, person: PersonID, **more: Any) -> LoginToken:
    """Log a person in by a session of their own."""
    return await accounts.login_person(person, **{"session": SessionID(new_id("ses")), **more})


async def log_in(accounts: Accounts, device: Device, **more: Any) -> LoginToken:
    ceremony = await accounts.begin_login()
    return await accounts.log_in(ceremony.id, answer=device.get(ceremony), **more)
