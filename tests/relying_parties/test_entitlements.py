"""Who may use My Numbers: granted with a basis and an end, withdrawn at once, and all others are refused."""

from datetime import timedelta

import pytest

from composition.my_number_sweep import listening, rows_of
from inkan.audit import Actor, ActorKind
from inkan.client import CallMalformed, RelyingParty
from inkan.client.session_view import ContentOrder, SubjectHint
from inkan.kernel.sensitive import Personal
from inkan.relying_parties.model.entitlement import EntitlementNotFound, EntitlementWrong
from support.world import World

OFFICER = Actor(ActorKind.OPERATOR, "officer")
NUMBER = "123456789018"
BASIS = "Article 9, paragraph 1"
CONTENT = ContentOrder(id="c1", name=f"Pension record {NUMBER}", digest="A" * 43)


CHEN = SubjectHint("national_id", Personal("A234567893"))


async def ask(agency: RelyingParty) -> object:
    return await agency.create_session(
        "approve", purpose="approve_payment", contents=[CONTENT], doors=["push"], subject_hint=CHEN
    )


async def grant(world: World, **bent: object) -> None:
    given = {"basis": BASIS, "until": world.clock.now() + timedelta(days=30), "actor": OFFICER}
    organisation = bent.pop("organisation", "pension-org")
    await world.platform.relying_parties.entitlements.grant(organisation, **given | bent)


@pytest.mark.req("WAT-62")
async def test_only_who_is_entitled_names_a_number_and_only_while_it_lasts(world: World) -> None:
    pension, tax = (
        await world.agency("pension", doors=["push"]),
        await world.agency("tax", doors=["push"]),
    )
    for agency in (pension, tax):
        with pytest.raises(CallMalformed, match="my_number_refused"):
            await ask(agency)
    await grant(world)
    await ask(pension)
    with pytest.raises(CallMalformed, match="my_number_refused"):
        await ask(tax)
    await world.platform.relying_parties.entitlements.withdraw("pension-org", actor=OFFICER)
    with pytest.raises(CallMalformed, match="my_number_refused"):
        await ask(pension)
    await grant(world)
    await ask(pension)
    await world.leap(timedelta(days=31))
    with pytest.raises(CallMalformed, match="my_number_refused"):
        await ask(pension)
    events = await world.events()
    assert events.count("relying_parties.my_number_granted") == 2
    assert events.count("relying_parties.my_number_withdrawn") == 1


@pytest.mark.req("WAT-62")
async def test_an_entitled_number_stands_in_no_log_and_no_event(world: World) -> None:
    pension = await world.agency("pension", doors=["push"])
    await grant(world)
    with listening(world.clock) as findings:
        await ask(pension)
        await world.instance.catch_up()
        await world.platform.audit.sequence_once()
    rows = await rows_of(world.platform.db)
    found = findings.find({name: rows[name] for name in rows if name.startswith("audit_")})
    assert [each for each in found if not each.startswith("sealed")] == []


async def test_an_entitled_organisation_is_refused_elsewhere_too(world: World) -> None:
    pension = await world.agency("pension", doors=["push"])
    await grant(world)
    with pytest.raises(CallMalformed, match="my_number_refused"):
        await pension.create_session(
            "identify", purpose="login", phone_name=NUMBER, doors=["push"], subject_hint=CHEN
        )


async def test_what_cannot_be_noted(world: World) -> None:
    await world.agency("pension", doors=["push"])
    for bent in ({"basis": ""}, {"basis": "x\ny"}, {"basis": "x" * 201}):
        with pytest.raises(EntitlementWrong):
            await grant(world, **bent)
    with pytest.raises(EntitlementWrong):
        await grant(world, until=world.clock.now())
    with pytest.raises(EntitlementNotFound):
        await grant(world, organisation="nobody")
    for code in ("nobody", "pension-org"):
        with pytest.raises(EntitlementNotFound):
            await world.platform.relying_parties.entitlements.withdraw(code, actor=OFFICER)
    assert await world.platform.relying_parties.entitlements.all() == []
    assert "relying_parties.my_number_withdrawn" not in await world.events()


async def test_a_second_grant_replaces_the_first(world: World) -> None:
    await world.agency("pension", doors=["push"])
    await grant(world)
    await grant(world, basis="Article 19")
    [only] = await world.platform.relying_parties.entitlements.all()
    assert (only.organisation, only.basis, only.ended_at) == ("pension-org", "Article 19", None)
