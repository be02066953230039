"""Access tokens by themselves: what was made here and is not for here is refused."""

from functools import partial

import msgspec
import pytest

from inkan.crypto import jose
from inkan.crypto.jose import Algorithm
from inkan.crypto.keys import KeySpec, generate
from inkan.kernel.clock import to_seconds
from inkan.relying_parties import TokenRefused
from inkan.relying_parties.model import OAuthInvalidTarget
from inkan.relying_parties.service.tokens import Tokens, is_same_certificate

ISSUER = "https://id.example"
KEY = generate(KeySpec.P256)


@pytest.fixture
def tokens(clock):
    return Tokens(clock=clock, issuer=ISSUER, key=KEY)


def signed(clock, **bent):
    now = to_seconds(clock.wire_now())
    claims = {
        "iss": ISSUER,
        "aud": ISSUER,
        "sub": "shop",
        "exp": now + 600,
        "cnf": {"jkt": "k" * 43},
        **bent,
    }
    return jose.sign_compact(msgspec.json.encode(claims), KEY, alg=Algorithm.ES256, typ="at+jwt")


def test_what_is_read(tokens, clock):
    read = tokens.verify(signed(clock, cnf={"jkt": "k" * 43, "x5t#S256": "x" * 43}))
    assert (read.code, read.jkt, read.x5t) == ("shop", "k" * 43, "x" * 43)


@pytest.mark.parametrize(
    "bent",
    [
        {"aud": "https://api.example/"},
        {"aud": [ISSUER]},
        {"iss": "https://elsewhere.example"},
        {"cnf": {}},
        {"cnf": {"jkt": ""}},
        {"cnf": None},
    ],
)
def test_what_is_not_for_here(tokens, clock, bent):
    with pytest.raises(TokenRefused):
        tokens.verify(signed(clock, **bent))


async def test_what_is_made_for_a_resource_is_not_for_here(tokens):
    asked = partial(tokens.make, "shop", jkt="k" * 43, resource="https://api.example/")
    with pytest.raises(OAuthInvalidTarget):
        await asked()

    async def sign(payload, *, typ):
        return jose.sign_compact(payload, KEY, alg=Algorithm.ES256, typ=typ)

    tokens.sign_for_resources = sign
    made = await asked()
    with pytest.raises(TokenRefused):
        tokens.verify(made)
    assert tokens.verify(await tokens.make("shop", jkt="k" * 43)).jkt == "k" * 43


def test_certificates_are_compared_by_their_hash():
    assert not is_same_certificate("", None)
    assert not is_same_certificate("", b"certificate")
    assert not is_same_certificate("x" * 43, None)
