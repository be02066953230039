"""What client_credentials gives to whom, by itself."""

import msgspec
import pytest

from inkan.relying_parties.model import (
    OAuthInvalidScope,
    OAuthInvalidTarget,
    OAuthUnauthorizedClient,
)
from inkan.relying_parties.service.client_credentials import ClientCredentials
from relying_parties.test_proofs import client

ISSUER = "https://id.example"
GRANT = ClientCredentials(None, issuer=ISSUER)  # type: ignore[arg-type]
RESOURCES = {"resources": ["https://a.example/", f"{ISSUER}/userinfo", ISSUER]}
MACHINE = client(grant_types=["client_credentials"], **RESOURCES)


def test_what_each_request_is_for():
    assert GRANT.is_for_own_api(client(), {"resource": "https://a.example/", "scope": "x"})
    assert GRANT.is_for_own_api(MACHINE, {})
    assert not GRANT.is_for_own_api(MACHINE, {"resource": "https://a.example/"})


@pytest.mark.parametrize("resource", [ISSUER, f"{ISSUER}/userinfo", "https://b.example/", ""])
def test_resources_of_others_and_of_the_platform(resource):
    with pytest.raises(OAuthInvalidTarget):
        GRANT.is_for_own_api(MACHINE, {"resource": resource})


def test_scopes_and_methods():
    with pytest.raises(OAuthInvalidScope):
        GRANT.is_for_own_api(MACHINE, {"scope": "openid"})
    for method in ("client_secret_basic", "client_secret_post"):
        by_secret = msgspec.structs.replace(MACHINE, method=method)
        with pytest.raises(OAuthUnauthorizedClient):
            GRANT.is_for_own_api(by_secret, {})
    without = client(grant_types=["authorization_code"], **RESOURCES)
    with pytest.raises(OAuthUnauthorizedClient):
        GRANT.is_for_own_api(without, {"resource": "https://a.example/"})
