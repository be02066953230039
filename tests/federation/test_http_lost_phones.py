"""Shared Signals: what is told of revoked certificates and lost phones, and to whom (rows SSF-)."""

import json

import pytest

from federation.leavers import (
    BACKCHANNEL,
    EVENTS,
    Browser,
    Receiver,
    granted,
    id_token,
    logged_in,
    logout_token,
    person_of,
    state_of,
    sub_of,
)
from federation.receivers import (
    COMPROMISE,
    CREDENTIAL_CHANGE,
    SESSION_REVOKED,
    STREAMS,
    Caller,
    Country,
    heard,
    system_of,
)
from inkan.audit import Actor, ActorKind
from inkan.federation.model.grant import GrantState
from inkan.pki import CertificateRevoked, RevocationReason
from inkan.store.database import Step
from inkan.wire.enrolment_request import RevokeCause
from support.clock import StandingClock
from support.world import CLERK, PLATFORM, World


@pytest.mark.behaviour("SSF-24")
async def test_a_lost_phone_is_told_to_who_knows_the_person(
    country: Country, receiver: Receiver, clock: StandingClock
) -> None:
    await country.revoke(RevokeCause.LOST)
    told = await country.told(receiver)
    assert set(told) == {COMPROMISE, CREDENTIAL_CHANGE, SESSION_REVOKED}
    sub = sub_of(country.world, country.person, await country.system())
    at = {"event_timestamp": int(clock.wire_now().timestamp())}
    assert told[COMPROMISE]["events"][COMPROMISE] == {"credential_type": "x509"} | at
    assert (
        told[CREDENTIAL_CHANGE]["events"][CREDENTIAL_CHANGE]
        == {
            "credential_type": "x509",
            "change_type": "revoke",
        }
        | at
    )
    assert told[SESSION_REVOKED]["events"][SESSION_REVOKED] == at
    for each in told.values():
        assert each["sub_id"] == {"format": "iss_sub", "iss": PLATFORM, "sub": sub}
        assert each["aud"] == "shop"
        assert set(each) == {"iss", "aud", "iat", "jti", "sub_id", "events"}


@pytest.mark.behaviour("SSF-25")
async def test_who_was_never_given_the_person_hears_nothing(
    country: Country, receiver: Receiver
) -> None:
    await country.revoke(RevokeCause.STOLEN)
    assert receiver.at(EVENTS)
    assert receiver.at(f"{EVENTS}/bank") == []


@pytest.mark.behaviour("SSF-26")
async def test_two_receivers_find_nothing_in_common(country: Country, receiver: Receiver) -> None:
    await country.bank.identify(country.world, country.phone)
    await country.revoke(RevokeCause.LOST)
    listener, bank = await country.told(receiver), await country.told(receiver, f"{EVENTS}/bank")
    assert set(listener) == set(bank)
    for type_ in listener:
        assert listener[type_]["jti"] != bank[type_]["jti"]
        assert listener[type_]["sub_id"]["sub"] != bank[type_]["sub_id"]["sub"]
        assert "serial" not in json.dumps([listener[type_], bank[type_]])


@pytest.mark.behaviour("SSF-27")
async def test_a_phone_given_up_in_good_order_ends_no_session(
    country: Country, receiver: Receiver
) -> None:
    grant = await granted(country.world, await country.system(), country.person)
    await country.revoke(RevokeCause.NO_LONGER_NEEDED)
    told = await country.told(receiver)
    assert set(told) == {CREDENTIAL_CHANGE}
    assert told[CREDENTIAL_CHANGE]["events"][CREDENTIAL_CHANGE]["change_type"] == "revoke"
    assert await state_of(country.world, grant) is GrantState.USED
    assert receiver.at(BACKCHANNEL) == []


@pytest.mark.behaviour("SSF-28")
async def test_frozen_phones_end_sessions_and_are_no_compromise(
    country: Country, receiver: Receiver
) -> None:
    actor = Actor(ActorKind.PERSON, country.person)
    await country.world.platform.enrolment.freeze(country.person, actor=actor)
    await country.world.instance.outbox.run_due()
    told = await country.told(receiver)
    assert set(told) == {CREDENTIAL_CHANGE, SESSION_REVOKED}
    assert told[CREDENTIAL_CHANGE]["events"][CREDENTIAL_CHANGE]["change_type"] == "update"


@pytest.mark.behaviour("SSF-29")
async def test_a_lost_phone_ends_what_every_client_holds(
    country: Country, receiver: Receiver
) -> None:
    world, lin = country.world, await person_of(country.world, "lin")
    held = [
        await granted(world, await country.system("shop"), country.person),
        await granted(
            world,
            await country.system("bank"),
            country.person,
            scope=("openid", "offline_access"),
        ),
    ]
    theirs = await granted(world, await country.system("shop"), lin)
    await country.revoke(RevokeCause.LOST)
    assert [await state_of(world, each) for each in held] == [GrantState.REVOKED] * 2
    assert await state_of(world, theirs) is GrantState.USED
    said = [await logout_token(world, body) for body in receiver.at(BACKCHANNEL)]
    assert sorted(each["aud"] for each in said) == ["bank", "shop"]
    assert all("sid" not in each for each in said)
    assert SESSION_REVOKED in await country.told(receiver)  # and once, though grants ended too


@pytest.mark.behaviour("SSF-30")
async def test_what_another_phone_answered_since_then_lives_on(
    country: Country, clock: StandingClock
) -> None:
    world = country.world
    actor = Actor(ActorKind.PERSON, country.person)
    await world.platform.enrolment.revoke_own(
        country.person, country.phone_id, cause=RevokeCause.LOST, actor=actor
    )
    clock.tick(5)  # the reaction comes late
    later = await granted(world, await country.system(), country.person)
    await world.instance.outbox.run_due()
    assert await state_of(world, later) is GrantState.USED


@pytest.mark.behaviour("SSF-31")
async def test_a_reaction_that_runs_twice_tells_once(country: Country, receiver: Receiver) -> None:
    [bound] = await country.world.platform.enrolment.phones(country.person)
    certificate = next(iter(bound.certificates.values()))
    await country.revoke(RevokeCause.LOST)
    before = len(receiver.at(EVENTS))
    event = CertificateRevoked(
        certificate=certificate.id, owner=country.phone_id, reason="keyCompromise"
    )
    for _ in range(2):
        await country.world.platform.openid.on_certificate_revoked(event)
    await country.world.instance.outbox.run_due()
    assert len(receiver.at(EVENTS)) == before == 3


@pytest.mark.behaviour("SSF-32")
async def test_the_end_of_a_card_is_told_by_what_it_does_to_phones(
    country: Country, receiver: Receiver
) -> None:
    world = country.world
    card = (await world.citizen("chen")).certificate

    def lose() -> Step[None]:
        yield from world.platform.pki.revoke(
            card.id, reason=RevocationReason.KEY_COMPROMISE, actor=CLERK
        )

    await world.platform.db.transact(lose)
    await world.instance.outbox.run_due()
    told = await country.told(receiver)
    [bound] = await world.platform.enrolment.phones(country.person) or [None]
    # The scheme puts the phone on hold, or ends it: one of both is told, and each type once.
    change = told[CREDENTIAL_CHANGE]["events"][CREDENTIAL_CHANGE]["change_type"]
    assert change == ("revoke" if bound is None else "update")


@pytest.mark.behaviour("SSF-33")
async def test_only_requested_types_come(country: Country, receiver: Receiver) -> None:
    [made] = (await country.shop.call("GET", STREAMS)).json()
    body = {"stream_id": made["stream_id"], "events_requested": [COMPROMISE]}
    assert (await country.shop.call("PATCH", STREAMS, body=body)).status_code == 200
    await country.revoke(RevokeCause.LOST)
    assert set(await country.told(receiver)) == {COMPROMISE}


@pytest.mark.behaviour("SSF-34")
async def test_a_logout_is_told_as_the_end_of_one_session(
    told: World, listener: Caller, receiver: Receiver
) -> None:
    await listener.begin()
    system, person = await system_of(told, "shop"), await person_of(told)
    login, cookie = await logged_in(told, person)
    grant = await granted(told, system, person, login=login)
    hint = await id_token(told, grant)
    await Browser(told, cookie).see(f"/openid/logout?id_token_hint={hint}")
    await told.instance.outbox.run_due()
    [body] = receiver.at(EVENTS)
    said = await heard(told, body)
    assert said["sub_id"] == {
        "format": "complex",
        "user": {"format": "iss_sub", "iss": PLATFORM, "sub": grant.sub},
        "session": {"format": "opaque", "id": grant.sid},
    }
    assert said["events"][SESSION_REVOKED]["initiating_entity"] == "user"
