"""Access tokens of a provider as tests need them, and a resource server that believes its keys."""

from typing import Any

import msgspec

from inkan.client.resource_server import ResourceServer, read_provider_keys
from inkan.client.webhooks import NonceMemory
from inkan.crypto import dpop, jose, jwk
from inkan.crypto.jose import Algorithm
from inkan.crypto.keys import KeySpec, generate
from inkan.kernel.clock import to_seconds
from support.clock import StandingClock

ISSUER = "https://id.example"
API = "https://api.tax.example/"
URL = "https://api.tax.example/filings"
MATCHED, STRONG = "urn:inkan:acr:uv:matched", "urn:inkan:acr:uv:strong"

PROVIDER = generate(KeySpec.P256)
STRANGER = generate(KeySpec.P256)
CLIENT = generate(KeySpec.P256)
RSA = generate(KeySpec.RSA2048)
JKT = jwk.thumbprint(CLIENT.public_key())


def key_set(**others: Any) -> bytes:
    keys = [
        jwk.to_jwk(key.public_key()) | {"kid": kid, "use": "sig"}
        for kid, key in {"k1": PROVIDER, **others}.items()
    ]
    return msgspec.json.encode({"keys": keys})


def server_of(clock: StandingClock, **options: Any) -> ResourceServer:
    return ResourceServer(
        **{
            "issuer": ISSUER,
            "audience": API,
            "keys": read_provider_keys(key_set(rsa=RSA)),
            "seen": NonceMemory(),
            "clock": clock,
            **options,
        }
    )


def token(clock: StandingClock, *, key: Any = PROVIDER, typ: str = "at+jwt", **bent: Any) -> str:
    header = {"kid": bent.pop("kid", "k1")}
    alg = bent.pop("alg", Algorithm.ES256)
    now = to_seconds(clock.wire_now())
    claims = {
        "iss": ISSUER,
        "aud": API,
        "sub": "pairwise",
        "client_id": "shop",
        "scope": "openid filings",
        "jti": "grt_1.x",
        "iat": now,
        "exp": now + 600,
        "acr": MATCHED,
        "amr": ["pop", "user", "mfa"],
        "auth_time": now - 100,
        "cnf": {"jkt": JKT},
        **bent,
    }
    told = {name: each for name, each in claims.items() if each is not None}
    return jose.sign_compact(msgspec.json.encode(told), key, alg=alg, typ=typ, header=header)


def shown(clock: StandingClock, given: str, **bent: Any) -> dict[str, str]:
    made = {"method": "GET", "url": URL, "at": clock.wire_now(), "access_token": given}
    key = bent.pop("key", CLIENT)
    return {
        "Authorization": f"DPoP {given}",
        "DPoP": dpop.build_proof(key, **made | bent),
    }
