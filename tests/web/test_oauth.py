"""Refusals in OAuth's language."""

import msgspec
import pytest

from inkan.kernel.errors import (
    Category,
    Forbidden,
    Malformed,
    TooLarge,
    Unauthenticated,
    Unavailable,
)
from inkan.web import oauth
from inkan.web.exchange import Exchange
from inkan.web.oauth import oauth_error
from inkan.wire.oauth import OAuthError


class NobodyKnown(OAuthError, Unauthenticated):
    code = "test_nobody"
    error = "invalid_client"


class NotAllowed(OAuthError, Forbidden):
    code = "test_forbidden"
    error = "access_denied"


def exchange(*headers: tuple[bytes, bytes]) -> Exchange:
    return Exchange({"method": "POST", "path": "/", "headers": list(headers)}, None, None)


def rendered(error, *headers):
    answer = oauth_error(error, exchange(*headers))
    body = msgspec.json.decode(answer.body)
    return answer.status, body["error"], dict(answer.headers)


@pytest.mark.parametrize(
    ("error", "status", "name"),
    [
        (NobodyKnown(), 401, "invalid_client"),
        (NotAllowed(), 400, "access_denied"),
        (Malformed(), 400, "invalid_request"),
        (TooLarge(), 400, "invalid_request"),
        (Unavailable(), 503, "temporarily_unavailable"),
    ],
)
def test_status_and_name(error, status, name):
    assert rendered(error)[:2] == (status, name)
    assert rendered(error)[2][b"cache-control"] == b"no-store"


def test_the_challenge_is_of_the_scheme_that_was_tried():
    for value, scheme in ((b"Basic x", b"Basic "), (b"basic x", b"Basic "), (b"DPoP x", b"DPoP ")):
        headers = rendered(NobodyKnown(), (b"authorization", value))[2]
        assert headers[b"www-authenticate"].startswith(scheme)
    twice = [(b"authorization", b"Basic x")] * 2
    assert rendered(NobodyKnown(), *twice)[2][b"www-authenticate"].startswith(b"DPoP ")
    assert b"www-authenticate" not in rendered(NotAllowed())[2]


def test_a_nonce_is_handed_out():
    assert rendered(NotAllowed(dpop_nonce="n"))[2][b"dpop-nonce"] == b"n"
    assert b"dpop-nonce" not in rendered(NotAllowed())[2]


def test_every_category_has_a_status():
    assert set(oauth._STATUS) == set(Category)
