"""The library of the test country: a system that is registered as an OpenID client, and its reading room."""

from hashlib import sha256

import msgspec

from inkan.apps.showcase.reading_room import (
    BACKCHANNEL_PATH,
    GOODBYE_PATH,
    RETURN_PATH,
    Registration,
    reading_room,
)
from inkan.composition.platform import Platform
from inkan.crypto import base64url, jwk
from inkan.crypto.keys import KeySpec, generate
from inkan.demo.country import Country, read_world
from inkan.kernel.ids import random_bytes
from inkan.kernel.sensitive import Secret
from inkan.relying_parties import SystemRegistration
from inkan.web.app import Application


def library_origin(port: int) -> str:
    """The reading room's site, on the fourth port after the platform's."""
    return f"http://{read_world().library['domain']}:{port + 4}"


async def register_library(platform: Platform) -> Registration:
    """Register the library with the platform; what comes back is all that its reading room ever learns."""
    origin = library_origin(platform.settings.server.port)
    secret = Secret(base64url.encode(random_bytes(32)))
    world = read_world().library
    openid = {
        **world["openid"],
        "client_secret_sha256": base64url.encode(sha256(secret.reveal().encode()).digest()),
        "redirect_uris": [origin + RETURN_PATH],
        "post_logout_redirect_uris": [origin + GOODBYE_PATH],
        "backchannel_logout_uri": origin + BACKCHANNEL_PATH,
    }
    # A system has a key even where it proves itself by a secret; nobody keeps the private half of this one.
    key = jwk.to_jwk(generate(KeySpec.P256).public_key())
    members = {**world, "keys": [key], "openid": openid}
    registered = await platform.relying_parties.register(
        msgspec.convert(members, SystemRegistration)
    )
    return Registration(
        issuer=platform.settings.origins.platform,
        client_id=registered.code,
        secret=secret,
        redirect_uri=origin + RETURN_PATH,
        post_logout_redirect_uri=origin + GOODBYE_PATH,
    )


async def library_of(founded: Country) -> Application:
    """Register the library of the country and give its reading room; once for a country."""
    platform = founded.instance.platform
    return reading_room(
        origin=library_origin(platform.settings.server.port),
        registration=await register_library(platform),
        clock=founded.clock,
    )
