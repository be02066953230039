"""A resource server that asks for a stronger or fresher answer, over HTTP."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from client.resource_tokens import (
    API,
    MATCHED,
    STRONG,
    URL,
    server_of,
    shown,
    token,
)
from inkan.client.resource_server import TokenChallenge
from support.clock import StandingClock


@pytest.fixture
async def api(clock: StandingClock) -> AsyncIterator[httpx.AsyncClient]:
    """A resource that needs digits and an answer of the last five minutes."""
    server = server_of(clock)

    async def application(scope: Any, receive: Any, send: Any) -> None:
        headers = [(name.decode(), value.decode()) for name, value in scope["headers"]]
        try:
            server.verify(scope["method"], URL, headers, acr_values=[MATCHED], max_age_s=300)
            status, fields = 200, []
        except TokenChallenge as refused:
            status = refused.status
            fields = [(b"www-authenticate", refused.challenge.encode())]
        await send({"type": "http.response.start", "status": status, "headers": fields})
        await send({"type": "http.response.body", "body": b""})

    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app=application), base_url=API
    ) as caller:
        yield caller


async def asked(api: httpx.AsyncClient, clock: StandingClock, **bent: Any) -> tuple[int, str]:
    answer = await api.get("/filings", headers=shown(clock, token(clock, **bent)))
    return answer.status_code, answer.headers.get("www-authenticate", "")


@pytest.mark.behaviour("STEP-1")
async def test_a_weaker_answer_is_asked_again_with_the_level(
    api: httpx.AsyncClient, clock: StandingClock
):
    status, challenge = await asked(api, clock, acr="urn:inkan:acr:uv:none")
    assert status == 401
    assert 'error="insufficient_user_authentication"' in challenge
    assert f'acr_values="{MATCHED}"' in challenge


@pytest.mark.behaviour("STEP-2")
async def test_an_older_answer_is_asked_again_with_the_age(
    api: httpx.AsyncClient, clock: StandingClock
):
    status, challenge = await asked(api, clock, auth_time=1)
    assert status == 401
    assert 'error="insufficient_user_authentication"' in challenge
    assert 'max_age="300"' in challenge


@pytest.mark.behaviour("STEP-3")
async def test_a_stronger_answer_passes(api: httpx.AsyncClient, clock: StandingClock):
    assert await asked(api, clock, acr=STRONG) == (200, "")


@pytest.mark.behaviour("STEP-4")
async def test_a_login_that_was_used_again_is_too_weak(
    api: httpx.AsyncClient, clock: StandingClock
):
    status, _ = await asked(api, clock, acr="urn:inkan:acr:reused")
    assert status == 401


@pytest.mark.behaviour("STEP-5")
async def test_an_id_token_never_passes(api: httpx.AsyncClient, clock: StandingClock):
    status, challenge = await asked(api, clock, typ="JWT")
    assert (status, 'error="invalid_token"' in challenge) == (401, True)


@pytest.mark.behaviour("STEP-6")
async def test_a_token_for_another_resource_never_passes(
    api: httpx.AsyncClient, clock: StandingClock
):
    status, challenge = await asked(api, clock, aud="https://id.example/userinfo")
    assert (status, 'error="invalid_token"' in challenge) == (401, True)


@pytest.mark.behaviour("STEP-7")
async def test_without_a_token_nothing_is_said_of_errors(api: httpx.AsyncClient):
    answer = await api.get("/filings")
    assert (answer.status_code, answer.headers["www-authenticate"]) == (401, 'DPoP algs="ES256"')
