"""Our side of ``openid.py``: a founded country with two OpenID clients, served with the stub or without."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import msgspec
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from openid_flows import CIBA, REDIRECT_URI, RESOURCE, Paths, Side
from openid_peer import p256
from rig import Rig, found_rig

from inkan.crypto import base64url, jwk
from inkan.demo.country import Country, read_world
from inkan.kernel.ids import random_bytes
from inkan.relying_parties import SystemRegistration

BASIC, KEYED = "bench-basic", "bench-keyed"
SERVER = str(Path(__file__).parent / "openid_server.py")
PATHS = Paths(
    authorization="/authorize",
    token="/token",
    pushed="/par",
    backchannel="/bc-authorize",
    userinfo="/userinfo",
    jwks="/openid/jwks",
)
REUSE_S = 1800
_CODE = "authorization_code"


@dataclass
class Founded:
    """The country at rest.

    Attributes:
        person: id of the citizen who agrees.
        login_hint: how CIBA names her.
    """

    rig: Rig
    secret: str
    key: EllipticCurvePrivateKey
    person: str
    login_hint: str


async def founded(folder: Path, *, port: int) -> Founded:
    """Found the country and register the clients."""
    secret, key = base64url.encode(random_bytes(32)), p256()
    people: list[Any] = []

    async def prepare(country: Country) -> None:
        people.append(country.citizens["chen"])
        for members in _clients(secret, key):
            registration = msgspec.convert(members, SystemRegistration)
            await country.instance.platform.relying_parties.register(registration)

    rig = await found_rig(folder, port=port, prepare=prepare)
    return Founded(
        rig, secret, key, people[0].person.id, f"national_id:{people[0].part.national_id}"
    )


@contextmanager
def serving(made: Founded, *, stub: bool = True) -> Iterator[Side]:
    """Run the server until the block ends."""
    rig = made.rig
    settings = {"INKAN_OPENID__REUSE_S": str(REUSE_S), "BENCH_PERSON": made.person}
    with rig.serving(program=SERVER if stub else "", **settings):
        assert rig.server is not None
        yield Side(
            name="inkan",
            host="id.localhost",
            port=rig.port,
            pid=rig.server.pid,
            paths=PATHS,
            basic=BASIC,
            secret=made.secret,
            keyed=KEYED,
            client_key=made.key,
            kid=jwk.thumbprint(made.key.public_key()),
            proof_key=p256(),
            login_hint=made.login_hint,
        )


def _clients(secret: str, key: EllipticCurvePrivateKey) -> list[dict[str, Any]]:
    purpose = next(each for each in read_world().system["purposes"] if each["code"] == "login")
    common = {
        **read_world().system,
        "purposes": [purpose],
        "doors": ["redirect", "push"],
        "tap_only": True,
    }
    openid = {
        "purpose": "login",
        "redirect_uris": [REDIRECT_URI],
        "id_token_signed_response_alg": "ES256",
    }
    basic = {
        "grant_types": [_CODE, "client_credentials", CIBA],
        "token_endpoint_auth_method": "client_secret_basic",
        "client_secret_sha256": base64url.encode(sha256(secret.encode()).digest()),
        "backchannel_token_delivery_mode": "poll",
        "resources": [RESOURCE],
    }
    keyed = {
        "profile": "fapi2",
        "grant_types": [_CODE],
        "token_endpoint_auth_method": "private_key_jwt",
        "sender_constraint": "dpop",
    }
    other = jwk.to_jwk(p256().public_key())
    return [
        {**common, "code": BASIC, "keys": [other], "openid": openid | basic},
        {**common, "code": KEYED, "keys": [jwk.to_jwk(key.public_key())], "openid": openid | keyed},
    ]
