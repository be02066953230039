"""Asking a world's time-stamping authority, over HTTP and as another process would."""

from datetime import timedelta

import pytest

from inkan.crypto.tsp import build_request
from inkan.crypto.tsp_token import TimestampRefused, parse_reply, parse_token
from inkan.pki.service.timestamps import TimestampAuthority
from pki.hands import fetch
from support.timestamping import IMPRINT

QUERY = {"content-type": "application/timestamp-query"}
SECOND = timedelta(seconds=1)


async def post(world, body, headers=None):
    return await fetch(world, "/tsa", body=body, headers=headers or QUERY)


async def stamp(world, **options):
    """A token, its structure checked."""
    answer = await post(world, build_request(IMPRINT, **options))
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/timestamp-reply"
    return parse_token(parse_reply(answer.content))


async def failure(world, body=None, **options):
    """The HTTP status and the failure that a refusal names."""
    answer = await post(world, build_request(IMPRINT) if body is None else body, **options)
    assert answer.headers["content-type"] == "application/timestamp-reply"
    with pytest.raises(TimestampRefused) as caught:
        parse_reply(answer.content)
    return answer.status_code, caught.value.facts["failure"]


def another(world, **bent):
    """The authority of another process on the same database."""
    platform = world.platform
    parts = {
        "db": platform.db,
        "audit": platform.audit,
        "hierarchy": platform.pki.hierarchy,
        "clock": platform.clock,
        "accuracy": SECOND,
    }
    return TimestampAuthority(**parts | bent)


async def info_from(authority):
    """What a token of an authority states."""
    return parse_token(parse_reply(await authority.answer(build_request(IMPRINT)))).info


async def failure_of(authority):
    """The failure that an authority names."""
    with pytest.raises(TimestampRefused) as caught:
        await info_from(authority)
    return caught.value.facts["failure"]
