"""Logout below HTTP: what strangers send as a hint, and rivals that change a grant at the same moment."""

import asyncio
import json
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from federation.leavers import granted, openid_client, person_of, state_of
from inkan.crypto import base64url, jose
from inkan.crypto.jose import Algorithm
from inkan.crypto.keys import KeySpec, generate
from inkan.federation.model.grant import GrantState
from inkan.federation.model.logout import ClientGrantsNotFound, LogoutRefused, LogoutWish
from inkan.federation.model.refusals import GrantRefused
from inkan.federation.service import grants, logout
from inkan.federation.service.logout import Logout
from inkan.federation.service.tokens import Tokens
from support.world import PLATFORM, World


class Ring:
    """One key in memory, which believes what it signed; the payload of any other token is what it says."""

    def __init__(self) -> None:
        self.key = generate(KeySpec.P256)

    async def sign(self, payload: bytes) -> str:
        return jose.sign_compact(
            payload, self.key, alg=Algorithm.ES256, typ="JWT", header={"kid": "k"}
        )

    async def verify(self, token: str, *, typ: str, algs: Any) -> jose.VerifiedJWS:
        parsed = jose.parse_compact(token, typ=typ, required=("kid",))
        return jose.verify_signature(parsed, self.key.public_key(), algs=algs)


RING = Ring()


@pytest.fixture(scope="module")
def reader() -> Logout:
    parts: Any = SimpleNamespace(issuer=PLATFORM)
    tokens: Any = SimpleNamespace(keys=RING, _parts=parts)
    return Logout(parts, hinted=lambda hint, client: Tokens.hinted(tokens, hint, client))


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner),
    max_leaves=8,
)
_PARTS = st.lists(
    st.binary(max_size=40).map(base64url.encode) | st.text(max_size=20), min_size=0, max_size=5
)


@given(hint=st.text(max_size=200) | _PARTS.map(".".join))
def test_a_hint_of_any_form_is_refused_in_one_way(reader: Logout, hint: str) -> None:
    if hint:
        with pytest.raises(LogoutRefused):
            asyncio.run(reader.check(LogoutWish(id_token_hint=hint)))


@given(claims=st.dictionaries(st.sampled_from(["iss", "aud", "sub", "sid"]), _JSON))
def test_claims_of_any_form_are_refused_in_one_way(reader: Logout, claims: dict[str, Any]) -> None:
    """Even under our own signature: no member is used that is not the text it should be."""

    async def check() -> None:
        token = await RING.sign(json.dumps(claims).encode())
        with pytest.raises(LogoutRefused):
            await reader._read_hint(token)

    asyncio.run(check())


async def test_a_rival_on_a_grant_does_not_stop_an_end(
    told: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop, person = await openid_client(told, "shop"), await person_of(told)
    bank = await openid_client(told, "bank")
    at_shop, at_bank = await granted(told, shop, person), await granted(told, bank, person)
    real, rivals = grants.change, [2]

    def change(*args: Any, **more: Any) -> Any:
        if rivals[0]:
            rivals[0] -= 1
            raise GrantRefused("a rival came first")
        return (yield from real(*args, **more))

    monkeypatch.setattr(grants, "change", change)
    await told.platform.openid.logout.revoke_client(person, shop.id)
    assert await state_of(told, at_shop) is GrantState.REVOKED
    rivals[0] = logout.RIVALS + 1
    with pytest.raises(GrantRefused):
        await told.platform.openid.logout.revoke_client(person, bank.id)
    assert await state_of(told, at_bank) is GrantState.USED


async def test_what_ended_is_not_found_again(told: World) -> None:
    shop, person = await openid_client(told, "shop"), await person_of(told)
    await granted(told, shop, person)
    provider = told.platform.openid.logout
    assert [each.system for each in await provider.clients(person)] == [shop.id]
    await provider.revoke_client(person, shop.id)
    assert await provider.clients(person) == []
    with pytest.raises(ClientGrantsNotFound):
        await provider.revoke_client(person, shop.id)
