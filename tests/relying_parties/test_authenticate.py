"""Every request of a system: the token, its proof, its key, and whether the system is active now."""

import asyncio
from collections import Counter

import pytest
import sqlalchemy as sa

from inkan.crypto import base64url
from inkan.crypto.keys import KeySpec, generate
from inkan.relying_parties import store as register
from inkan.store.query import Query
from inkan.wire.binding import Door
from relying_parties.hands import REQUEST, System
from support.world import PLATFORM

on_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture
async def system(world):
    return await System.registered(world)


def code(answer):
    return answer.status_code, answer.json()["code"]


GOOD = 404  # who is known hears that there is no such session


@on_sqlite
async def test_proofs_that_do_not_fit(system, world):
    token = await system.token()
    other = await system.token()
    table = {
        "another token's ath": system.proof(
            method="GET", url=PLATFORM + REQUEST, access_token=other + "x"
        ),
        "no ath": system.proof(method="GET", url=PLATFORM + REQUEST),
        "another key": system.proof(
            method="GET",
            url=PLATFORM + REQUEST,
            access_token=token,
            key=generate(KeySpec.P256),
        ),
        "another method": system.proof(url=PLATFORM + REQUEST, access_token=token),
        "another path": system.proof(method="GET", url=PLATFORM + "/x", access_token=token),
        "junk": "a.b.c",
    }
    for name, proof in table.items():
        assert (await system.call(token, proof=proof)).status_code == 401, name
    assert (await system.call(token)).status_code == GOOD


@on_sqlite
async def test_authorization_that_is_none(system):
    token = await system.token()
    proof = system.proof(method="GET", url=PLATFORM + REQUEST, access_token=token)
    async with system.web as web:
        for headers in (
            {},
            {"dpop": proof},
            {"authorization": f"DPoP {token}"},
            {"authorization": f"Bearer {token}", "dpop": proof},
            {"authorization": "DPoP", "dpop": proof},
            {"authorization": "DPoP ", "dpop": proof},
            {"authorization": f"dpop{token}", "dpop": proof},
        ):
            answer = await web.get(REQUEST, headers=headers)
            assert answer.status_code == 401, headers
            assert "DPoP" in answer.headers["www-authenticate"]


@on_sqlite
async def test_a_token_that_was_changed_or_made_by_somebody_else(system, world):
    token = await system.token()
    head, payload, signature = token.split(".")
    turned = base64url.encode(base64url.decode(payload).replace(b"tax-office", b"tax-offic3"))
    for forged in (
        f"{head}.{turned}.{signature}",
        f"{head}.{payload}.{'A' * len(signature)}",
        f"{head}.{payload}",
        system.assertion(typ="at+jwt"),
        system.assertion(typ="at+jwt", cnf={"jkt": "x" * 43}),
        "x",
    ):
        assert code(await system.call(forged)) == (401, "token_refused")


async def test_a_proof_is_used_once(system):
    token = await system.token()
    proof = system.proof(method="GET", url=PLATFORM + REQUEST, access_token=token)
    assert (await system.call(token, proof=proof)).status_code == GOOD
    assert code(await system.call(token, proof=proof)) == (401, "proof_replayed")
    fresh = system.proof(method="GET", url=PLATFORM + REQUEST, access_token=token)
    answers = await asyncio.gather(*(system.call(token, proof=fresh) for _ in range(6)))
    assert Counter(answer.status_code for answer in answers) == {GOOD: 1, 401: 5}


@on_sqlite
async def test_a_token_ends_after_600_seconds(system, world):
    token = await system.token()
    world.clock.tick(599)
    assert (await system.call(token)).status_code == GOOD
    world.clock.tick(1)
    assert code(await system.call(token)) == (401, "token_refused")


@on_sqlite
async def test_a_leap_of_the_instance_ends_no_token(system, world):
    from datetime import timedelta

    token = await system.token()
    world.clock.advance(timedelta(days=1))  # tokens live by true time
    assert (await system.call(token)).status_code == GOOD


async def test_a_suspension_holds_at_once_and_ends_at_once(system, world):
    token = await system.token()
    register = world.platform.relying_parties
    assert (await system.call(token)).status_code == GOOD
    await register.suspend("tax-office")
    assert code(await system.call(token)) == (403, "rp_suspended")
    await register.suspend("tax-office")
    await register.resume("tax-office")
    assert (await system.call(token)).status_code == GOOD
    events = Counter(await world.events())
    assert events["relying_parties.system_suspended"] == 1
    assert events["relying_parties.system_resumed"] == 1


async def test_a_token_of_one_system_is_no_other_systems(system, world):
    other = await System.registered(world, "bank")
    token = await system.token()
    assert (await other.call(token)).status_code == 401


async def test_a_change_of_the_row_is_seen_by_the_next_request(system, world):
    """What is known of a row holds for that very row: whatever column changes, the next request reads it."""
    parties = world.platform.relying_parties
    before = (await parties.named("tax-office")).system
    assert (await parties.named("tax-office")).system is before
    changes = {
        "name": "Another Office",
        "doors": '["qr","push"]',
        "return_urls": '["https://tax.example/back"]',
        "purposes": "[]",
        "tap_only": True,
    }
    for column, value in changes.items():
        change = Query(sa.update(register.system).values({column: sa.literal_column(repr(value))}))
        await world.platform.db.transact(_run, change)
    after = (await parties.named("tax-office")).system
    assert (after.name, after.doors) == ("Another Office", {Door.QR, Door.PUSH})
    assert (after.return_urls, after.purposes) == ({"https://tax.example/back"}, {})
    assert after.tap_only


def _run(query):
    yield query.run()
