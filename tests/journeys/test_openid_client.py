"""npm's openid-client, strict as it is, against the running platform; a phone answers.

What the client checks by itself: metadata and issuer, ``iss`` and ``state`` of the return, signature, ``aud``, ``nonce``,
``at_hash`` and times of ID tokens, the type of access tokens, the retry with a DPoP nonce, ``sub`` at userinfo.
"""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from joserfc import jwt
from joserfc.jwk import ECKey, KeySet

from inkan.client import AsyncTransport
from inkan.client.exchange import Request
from inkan.crypto import base64url, jwk
from inkan.crypto.keys import KeySpec, generate
from inkan.demo.country import Country, country
from inkan.kernel.ids import random_bytes
from inkan.relying_parties import SystemRegistration
from journeys.openid_person import Person
from journeys.test_tax_office_browser import _bound
from support.openid_client import Clients, ClientSaysNo, OpenIDClient, openid_clients
from support.ports import free_port
from support.thrift import thrift

CHEN = "A234567893"
CIBA = "urn:openid:params:grant-type:ciba"
DEVICE = "urn:ietf:params:oauth:grant-type:device_code"
RESOURCE = "https://api.stock.localhost/"
BACK = "https://{host}/back"
LEFT = "https://{host}/left"
TEXT = {"en": "Log in", "ja": "ログイン", "zh-Hant": "登入"}


@dataclass
class Town:
    """The running country, the process of the clients, and 陳怡君 with her phone."""

    country: Country
    clients: Clients
    person: Person

    @property
    def issuer(self) -> str:
        return self.country.platform_origin

    async def register(self, code: str, key: EllipticCurvePrivateKey, **openid: Any) -> None:
        """A system that is an OpenID client."""
        host = f"{code}.localhost"
        members = {
            "organisation": code,
            "organisation_name": {"en": code, "ja": code, "zh-Hant": code},
            "sector": "finance",
            "code": code,
            "name": code,
            "domain": host,
            "doors": ["redirect", "push"],
            "purposes": [{"code": "login", "kinds": ["identify"], "text": TEXT}],
            "keys": [jwk.to_jwk(key.public_key())],
            "openid": {
                "purpose": "login",
                "redirect_uris": [BACK.format(host=host)],
                "post_logout_redirect_uris": [LEFT.format(host=host)],
                **openid,
            },
        }
        registration = msgspec.convert(members, SystemRegistration)
        await self.country.instance.platform.relying_parties.register(registration)

    async def stock(self, **members: Any) -> OpenIDClient:
        """A stock client: secret, RS256, Bearer tokens."""
        secret = base64url.encode(random_bytes(32))
        await self.register(
            "stock",
            p256(),
            grant_types=["authorization_code", "client_credentials", CIBA, DEVICE],
            token_endpoint_auth_method="client_secret_basic",
            client_secret_sha256=base64url.encode(sha256(secret.encode()).digest()),
            backchannel_token_delivery_mode="poll",
            inkan_code=True,
            resources=[RESOURCE],
        )
        auth = {"method": "client_secret_basic", "secret": secret}
        client, _ = await self.clients.open("stock", issuer=self.issuer, auth=auth, **members)
        return client

    async def bank(self, profile: str = "fapi2", **members: Any) -> OpenIDClient:
        """A bank: FAPI 2.0, private_key_jwt, DPoP."""
        await self.register_bank(key := p256(), profile)
        return await self.open_bank(key, **members)

    async def register_bank(self, key: EllipticCurvePrivateKey, profile: str = "fapi2") -> None:
        await self.register(
            "bank",
            key,
            profile=profile,
            grant_types=["authorization_code", "refresh_token", CIBA],
            token_endpoint_auth_method="private_key_jwt",
            sender_constraint="dpop",
            id_token_signed_response_alg="ES256",
            backchannel_token_delivery_mode="poll",
            inkan_code=True,
        )

    async def open_bank(
        self, key: EllipticCurvePrivateKey, *, spoil: dict[str, Any] | None = None, **members: Any
    ) -> OpenIDClient:
        """The bank's own program; ``spoil`` bends what its assertions claim."""
        auth = {
            "method": "private_key_jwt",
            "kid": thumbprint(key),
            "jwk": private_jwk(key),
            "spoil": spoil or {},
        }
        metadata = {"id_token_signed_response_alg": "ES256"}
        client, _ = await self.clients.open(
            "bank", issuer=self.issuer, auth=auth, dpop=True, metadata=metadata, **members
        )
        return client


def p256() -> EllipticCurvePrivateKey:
    made = generate(KeySpec.P256)
    assert isinstance(made, EllipticCurvePrivateKey)
    return made


def thumbprint(key: EllipticCurvePrivateKey) -> str:
    return jwk.thumbprint(key.public_key())


def private_jwk(key: EllipticCurvePrivateKey) -> dict[str, Any]:
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return dict(ECKey.import_key(pem).as_dict(private=True))


@pytest.fixture
async def town(tmp_path: Path) -> AsyncIterator[Town]:
    async with AsyncExitStack() as stack:
        stack.enter_context(thrift())
        enter = stack.enter_async_context
        clients = await enter(openid_clients())
        founded = await enter(country(tmp_path / "country", port=free_port()))
        phone = await enter(await _bound(founded))
        transport = await enter(AsyncTransport())
        person = Person(phone, transport, founded.platform_origin, founded.wallet_origin)
        yield Town(founded, clients, person)


async def log_in(
    town: Town,
    client: OpenIDClient,
    code: str,
    *,
    par: bool = False,
    jar: bool = False,
    **asked: str,
) -> tuple[dict[str, Any], str]:
    """A whole login; returns the tokens and the address that the browser came back with."""
    parameters = {"redirect_uri": BACK.format(host=f"{code}.localhost"), **asked}
    url = await client.ask("begin", flow="login", parameters=parameters, par=par, jar=jar)
    back = await town.person.log_in(url)
    max_age = {"maxAge": int(asked["max_age"])} if "max_age" in asked else {}
    return await client.ask("finish", flow="login", url=back, **max_age), back


async def test_a_stock_client_by_code_and_pkce(town: Town) -> None:
    client = await town.stock()
    tokens, back = await log_in(town, client, "stock", max_age="300")
    assert tokens["token_type"] == "bearer"
    claims = tokens["claims"]
    assert claims["iss"] == town.issuer
    assert claims["acr"]
    assert claims["amr"]
    found = await client.ask("userinfo", token=tokens["access_token"], subject=claims["sub"])
    assert found["sub"] == claims["sub"]
    with pytest.raises(ClientSaysNo) as refused:
        await client.ask("finish", flow="login", url=back)
    assert refused.value.error == "invalid_grant"
    with pytest.raises(ClientSaysNo):  # the reused code took the token with it
        await client.ask("userinfo", token=tokens["access_token"], subject=claims["sub"])


async def test_a_wrong_verifier_gets_nothing(town: Town) -> None:
    client = await town.stock()
    parameters = {"redirect_uri": BACK.format(host="stock.localhost")}
    url = await client.ask("begin", flow="login", parameters=parameters)
    back = await town.person.log_in(url)
    with pytest.raises(ClientSaysNo) as refused:
        await client.ask("finish", flow="login", url=back, spoil={"verifier": "A" * 43})
    assert refused.value.error == "invalid_grant"


async def test_a_bank_by_par_private_key_jwt_and_dpop(town: Town) -> None:
    client = await town.bank()
    tokens, back = await log_in(
        town, client, "bank", par=True, scope="openid offline_access", prompt="consent"
    )
    assert tokens["token_type"] == "dpop"
    assert parse_qs(urlsplit(back).query)["iss"] == [town.issuer]
    subject = tokens["claims"]["sub"]
    found = await client.ask("userinfo", token=tokens["access_token"], subject=subject)
    assert found["sub"] == subject
    renewed = await client.ask("refresh", token=tokens["refresh_token"])
    again = await client.ask("userinfo", token=renewed["access_token"], subject=subject)
    assert again == found
    seen = await client.ask("introspect", token=renewed["access_token"])
    assert seen["active"]
    assert seen["sub"] == subject
    await client.ask("revoke", token=tokens["refresh_token"])
    seen = await client.ask("introspect", token=renewed["access_token"])
    assert seen == {"active": False}
    with pytest.raises(ClientSaysNo) as refused:
        await client.ask("refresh", token=tokens["refresh_token"])
    assert refused.value.error == "invalid_grant"


async def test_signed_request_and_signed_answer(town: Town) -> None:
    client = await town.bank("fapi2_message_signing", jarm=True)
    tokens, back = await log_in(town, client, "bank", par=True, jar=True, response_mode="jwt")
    assert set(parse_qs(urlsplit(back).query)) == {"response"}
    assert tokens["claims"]["sub"]


async def test_the_same_person_is_another_one_to_each_client(town: Town) -> None:
    stock, _ = await log_in(town, await town.stock(), "stock")
    bank, _ = await log_in(town, await town.bank(), "bank", par=True)
    assert stock["claims"]["sub"] != bank["claims"]["sub"]


async def test_a_client_for_itself(town: Town) -> None:
    """The resource knows nothing of the platform but its key set."""
    client = await town.stock()
    tokens = await client.ask("credentials", parameters={"resource": RESOURCE})
    address = f"{town.issuer}/openid/jwks"
    published = await town.person.transport.send(Request(method="GET", url=address))
    keys = KeySet.import_key_set(published.read(dict[str, Any]))  # type: ignore[arg-type]
    token = jwt.decode(tokens["access_token"], keys, algorithms=["ES256"])
    assert token.header["typ"] == "at+jwt"
    assert token.claims["aud"] == RESOURCE
    assert (token.claims["iss"], token.claims["client_id"]) == (town.issuer, "stock")


async def test_an_assertion_for_another_place_is_refused(town: Town) -> None:
    await town.register_bank(key := p256())
    asked = {"parameters": {"redirect_uri": BACK.format(host="bank.localhost")}, "par": True}
    assert await (await town.open_bank(key)).ask("begin", flow="a", **asked)
    for audience in (f"{town.issuer}/token", f"{town.issuer}/par", [town.issuer]):
        client = await town.open_bank(key, spoil={"aud": audience})
        with pytest.raises(ClientSaysNo) as refused:
            await client.ask("begin", flow="a", **asked)
        assert refused.value.status == 401


async def test_a_client_that_asks_a_person_without_a_browser(town: Town) -> None:
    client = await town.stock()
    asked = {"scope": "openid", "login_hint": f"national_id:{CHEN}", "binding_message": "K7Q2"}
    begun = await client.ask("ciba", parameters=asked)
    await town.country.instance.catch_up()
    [waiting] = await town.person.phone.waiting()
    opened = await town.person.phone.open_push(waiting.approval, begun["inkan_code"])
    assert "K7Q2" in opened.text
    await town.person.phone.approve()
    tokens = await client.ask("ciba_poll", begun=begun | {"interval": 1})
    subject = tokens["claims"]["sub"]
    found = await client.ask("userinfo", token=tokens["access_token"], subject=subject)
    assert found["sub"] == subject
    with pytest.raises(ClientSaysNo) as refused:
        await client.ask("ciba_poll", begun=begun | {"interval": 1})
    assert refused.value.error == "invalid_grant"


async def test_somebody_who_says_no_without_a_browser(town: Town) -> None:
    client = await town.stock()
    asked = {"scope": "openid", "login_hint": f"national_id:{CHEN}", "requested_expiry": "30"}
    begun = await client.ask("ciba", parameters=asked)
    await town.country.instance.catch_up()
    [waiting] = await town.person.phone.waiting()
    await town.person.phone.open_push(waiting.approval, begun["inkan_code"])
    await town.person.phone.refuse()
    once = {"auth_req_id": begun["auth_req_id"]}
    with pytest.raises(ClientSaysNo) as refused:
        await client.ask("grant", type=CIBA, parameters=once)
    assert refused.value.error == "authorization_pending", "a refusal by push is not told"


async def test_a_device_by_the_page(town: Town) -> None:
    client = await town.stock()
    begun = await client.ask("device", parameters={"scope": "openid"})
    browser = town.person.browser()
    page = await browser.open(begun["verification_uri_complete"])
    code = begun["user_code"]
    assert code in page
    page = await browser.send(begun["verification_uri"], page, user_code=code)
    assert "Is this your device?" in page
    confirm = f"{begun['verification_uri']}/confirm"
    page = await browser.send(confirm, page, user_code=code, say="mine")
    done = await town.person.answer(browser, page)
    assert "Your device goes on by itself" in done
    tokens = await client.ask("device_poll", begun=begun | {"interval": 1})
    assert tokens["claims"]["acr"]


async def test_a_logout_that_the_client_begins(town: Town) -> None:
    client = await town.stock()
    browser = town.person.browser()
    asked = {"redirect_uri": BACK.format(host="stock.localhost")}
    url = await client.ask("begin", flow="login", parameters=asked)
    back = await town.person.log_in(url, browser)
    tokens = await client.ask("finish", flow="login", url=back)
    leave = {
        "id_token_hint": tokens["id_token"],
        "post_logout_redirect_uri": LEFT.format(host="stock.localhost"),
        "state": "s",
    }
    led = await browser.open(await client.ask("leave", parameters=leave))
    assert led == f"{LEFT.format(host='stock.localhost')}?state=s"
