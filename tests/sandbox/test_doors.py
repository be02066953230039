"""Every behaviour by every door, as the relying party sees it; and what a developer does by hand."""

import asyncio
from typing import Any

import pytest

from identification.doorways import RETURN_URL
from inkan.client import begin_return
from inkan.client.exchange import CallConflict
from inkan.sandbox.model import Action, Behaviour
from inkan.sandbox.pages import DOOR_FORMS
from inkan.sandbox.service.doors import DOORS
from sandbox.conftest import Town
from sandbox.doorways import WAYS, Errand, sent_out
from support.waiting import eventually

# behaviour: (what came of the phone's last action, what the relying party sees)
EXPECTED: dict[Behaviour, tuple[str | None, str]] = {
    Behaviour.MANUAL: ("opened", "opened"),
    Behaviour.APPROVE: ("approved", "ok"),
    Behaviour.REFUSE: ("refused", "refused: user_refused"),
    Behaviour.REPORT: ("reported", "refused: user_reported_fraud"),
    Behaviour.SLOW: ("approved", "ok"),
    Behaviour.NO_RESPONSE: ("opened", "opened"),
    Behaviour.WRONG_CODE: ("sandbox_door_without_code", "presented"),
    Behaviour.SUSPENDED: ("approved", "failed: cert_suspended"),
    Behaviour.LOST: (None, "presented"),
    Behaviour.REVOKED: ("channel_proof_refused", "presented"),
}
# By push a phone acts without anybody's word; only an agreement shows (TW-49).
BY_PUSH: dict[Behaviour, str | None] = {
    Behaviour.MANUAL: None,
    Behaviour.WRONG_CODE: "code_wrong",
    Behaviour.REVOKED: None,
}
MATRIX = [(way, behaviour) for way in WAYS for behaviour in Behaviour if way[:9] != "redirect/"]
PAGE = [Behaviour.APPROVE, Behaviour.REFUSE, Behaviour.WRONG_CODE]
MATRIX += [(way, behaviour) for way in WAYS for behaviour in PAGE if way[:9] == "redirect/"]


@pytest.mark.parametrize(("name", "behaviour"), MATRIX)
async def test_a_behaviour_is_what_the_session_shows(
    small: Town, name: str, behaviour: Behaviour
) -> None:
    way = WAYS[name]
    last, shown = EXPECTED[behaviour]
    if way.is_push:
        last, shown = BY_PUSH.get(behaviour, last), "ok" if shown == "ok" else "presented"
    phone = await small.developer.make("agrees", behaviour=behaviour, after_s=0)
    errand = await sent_out(small, phone, way)
    await way.reach(errand)
    if last is not None:
        await small.last_of(phone, last)
    if shown == "ok":
        await way.back(errand)
    await errand.session.refresh()
    seen = errand.session.view
    assert shown == (
        f"{seen.outcome}: {seen.reason}" if seen.reason else seen.outcome or seen.state
    )
    assert (await errand.seen())["last"] == last
    if shown == "ok":
        assert seen.door == way.shows


@pytest.mark.parametrize("name", WAYS)
async def test_an_agreement_by_every_door_on_both_databases(town: Town, name: str) -> None:
    way = WAYS[name]
    phone = await town.developer.make("agrees")
    errand = await sent_out(town, phone, way)
    await way.reach(errand)
    await town.last_of(phone, "approved")
    await way.back(errand)
    await errand.session.refresh()
    seen = errand.session.view
    assert (seen.is_ok, seen.door) == (True, way.shows)
    await town.world.events()  # which sees that the log is whole


def test_every_door_has_a_row_an_action_and_a_form() -> None:
    opening = {each for each in Action.__args__ if each in DOORS}
    assert opening == set(DOORS)
    assert {each.action for each in DOOR_FORMS.values()} == set(DOORS)
    for name, form in DOOR_FORMS.items():
        assert form.action.__struct_config__.tag == name


# --- by hand -----------------------------------------------------------------------------------------


async def manual(town: Town, name: str = "push", **members: Any) -> tuple[dict[str, Any], Errand]:
    phone = await town.developer.make("agrees", behaviour="manual")
    errand = await sent_out(town, phone, WAYS[name])
    await town.world.instance.catch_up()
    return phone, errand


async def test_a_person_types_the_code_of_the_page(town: Town) -> None:
    _, errand = await manual(town)
    made = errand.session.doors.push
    assert made is not None
    wrong = f"{(int(made.code or '') + 1) % 10**6:06d}"
    mistyped = await errand.act("code", code=wrong)
    assert (mistyped["done"], mistyped["declined"]["code"]) == ("declined", "code_wrong")
    opened = await errand.act("code", code=made.code)
    assert opened["done"] == "opened"
    assert "tax.example" in opened["text"]
    assert (await errand.act("approve", approval=opened["approval"]))["done"] == "approved"
    assert (await town.end_of(errand.session)).is_ok


async def test_without_a_code_the_phone_types_what_the_page_shows(small: Town) -> None:
    _, errand = await manual(small)
    opened = await errand.act("code")
    assert opened["done"] == "opened"
    await errand.act("approve")
    seen = await small.end_of(errand.session)
    assert seen.binding is not None
    assert seen.binding.evidence == ("code_entered",)


async def test_three_wrong_codes_and_the_right_one_is_too_late(small: Town) -> None:
    _, errand = await manual(small)
    opened = None
    for _ in range(3):
        opened = await errand.act("code", code="x")
    assert opened is not None
    assert opened["declined"]["code"] == "code_wrong"
    assert (await errand.act("code"))["declined"]["code"] == "sandbox_nothing_waits"


async def test_a_code_for_what_was_not_pushed_here(small: Town) -> None:
    _, errand = await manual(small)
    foreign = await errand.act("code", approval="apr_none", code="123456")
    assert foreign["declined"]["code"] == "approval_not_found"
    other = await small.developer.make("refuses", behaviour="manual")
    nothing = await small.developer.act(other, "code")
    assert nothing["declined"]["code"] == "sandbox_nothing_waits"


async def test_a_tap_is_enough_where_the_system_says_so(small: Town) -> None:
    town = await small.with_another("tapping", tap_only=True)
    tapping = town.developer
    phone = await tapping.make("agrees", behaviour="wrong_code")
    tapped = await tapping.make("agrees", behaviour="manual")
    session = await town.push("agrees")
    assert session.doors.push is not None
    assert session.doors.push.code is None
    assert await town.last_of(phone, "sandbox_door_without_code")
    assert (await tapping.act(tapped, "code"))["done"] == "opened"


async def test_a_link_is_this_wallets_or_none(small: Town) -> None:
    phone, errand = await manual(small, "web_link")
    for foreign in ("https://evil.example/l#1.a", "javascript:alert(1)", "x" * 500):
        reply = await small.developer.call(
            "POST", f"phones/{phone['id']}/actions", {"action": "open", "link": foreign}
        )
        assert (reply.status, reply.json()["code"]) == (400, "link_malformed")
    made = errand.session.doors.web_link
    assert made is not None
    stale = await errand.act("open", link=made.url[:-1] + ("a" if made.url[-1] != "a" else "b"))
    assert stale["declined"]["code"] == "link_reused"


async def test_a_phone_says_where_its_browser_goes_until_it_goes_elsewhere(small: Town) -> None:
    phone, errand = await manual(small, "web_link")
    await errand.follow_web_link()
    answered = await errand.act("approve")
    assert answered["return_url"].startswith(RETURN_URL + "?")
    assert (await errand.seen())["return_url"] == answered["return_url"]
    session = await small.ask()
    await small.developer.act(phone, "scan", frame=session.frame())
    assert (await errand.seen())["return_url"] is None
    await small.developer.act(phone, "refuse")
    await small.developer.call("DELETE", f"phones/{phone['id']}")
    assert not small.sandbox.returns


async def test_the_way_back_of_a_removed_phone_is_forgotten(small: Town) -> None:
    phone, errand = await manual(small, "web_link")
    await errand.follow_web_link()
    await errand.act("approve")
    assert set(small.sandbox.returns) == {phone["id"]}
    await small.developer.call("DELETE", f"phones/{phone['id']}")
    assert not small.sandbox.returns


async def test_the_way_back_after_a_late_answer_is_on_the_phone(small: Town) -> None:
    phone = await small.developer.make("agrees", behaviour="slow", after_s=0)
    errand = await sent_out(small, phone, WAYS["web_link"])
    with pytest.raises(CallConflict):
        await errand.session.redeem(begin_return(RETURN_URL)[1], return_code="A" * 43)
    await errand.follow_web_link()
    await small.last_of(phone, "approved")
    await errand.phones_return()
    assert errand.session.view.is_ok


# --- by itself ---------------------------------------------------------------------------------------


async def test_two_phones_are_woken_and_one_is_first(town: Town) -> None:
    for _ in range(2):
        await town.developer.make("two_phones", behaviour="approve")
    session = await town.push("two_phones")
    assert (await town.end_of(session)).is_ok
    assert (await town.world.events()).count("identification.session_opened") == 1


async def test_the_named_phone_alone_is_woken(small: Town) -> None:
    first = await small.developer.make("two_phones", behaviour="approve", name="one")
    second = await small.developer.make("two_phones", behaviour="approve", name="two")
    session = await small.push("two_phones", phone_name="two")
    assert (await small.end_of(session)).is_ok
    assert await small.last_of(second, "approved")
    assert (await small.developer.call("GET", f"phones/{first['id']}")).json()["last"] is None


async def test_a_quota_silences_no_virtual_phone(small: Town) -> None:
    await small.developer.make("agrees")
    for _ in range(5):
        assert (await small.end_of(await small.push("agrees"))).is_ok
    assert "identification.prompt_kept_silent" in await small.world.events()


async def test_a_phone_that_was_lost_or_removed_meanwhile_does_nothing(small: Town) -> None:
    lost = await small.developer.make("agrees")
    removed = await small.developer.make("refuses")
    await small.developer.act(lost, "lose")
    await small.developer.call("DELETE", f"phones/{removed['id']}")
    sessions = [await small.push(person) for person in ("agrees", "refuses")]
    await eventually(lambda: small.sandbox._watch.size <= 1)  # no push goes to a phone that ended
    small.world.platform.db.bus.wake_all()
    await eventually(lambda: small.sandbox._watch.size == 0)
    for session in sessions:
        await session.refresh()
        assert session.view.state == "presented"


async def test_what_came_while_nothing_listened_is_seen_at_the_start(small: Town) -> None:
    phone = await small.developer.make("agrees")
    await small.sandbox._watch.finish()
    session = await small.push("agrees")
    await session.refresh()
    assert session.view.state == "presented"
    await small.sandbox._watch.start()
    assert await small.last_of(phone, "approved")
    assert (await small.end_of(session)).is_ok


async def test_nothing_is_watched_when_the_instance_has_ended(small: Town) -> None:
    await small.developer.make("agrees")
    await small.developer.make("refuses", behaviour="manual")
    assert small.sandbox._watch.size == 1  # a phone that waits for a button is not woken
    tasks = set(asyncio.all_tasks())
    await small.sandbox._watch.finish()
    assert small.sandbox._watch.size == 0
    assert len(tasks - set(asyncio.all_tasks())) == 1
    topics = small.world.platform.db.bus.waiters
    assert not [each for each in topics if each.startswith("phone:")]


async def test_the_end_of_the_instance_ends_the_watch(small: Town) -> None:
    await small.developer.make("agrees")
    world = small.world
    async with small.sandbox.reaching(world.transport, catch_up=world.instance.catch_up):
        assert small.sandbox._watch.size > 0
    assert small.sandbox._watch.size == 0


async def test_a_phone_mistypes_until_the_session_has_ended(small: Town) -> None:
    phone = await small.developer.make("types_wrong_code")
    session = await small.push("types_wrong_code")
    assert await small.last_of(phone, "code_wrong")
    assert (await small.world.events()).count("identification.code_wrong") == 2  # the third ends it
    nothing = await small.developer.act(phone, "code")
    assert nothing["declined"]["code"] == "sandbox_nothing_waits"
    await session.refresh()
    assert session.view.state == "presented"


async def test_few_phones_act_at_a_time(small: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    watch, gate = small.sandbox._watch, asyncio.Event()
    begun, ended = 0, 0

    async def held_up(_: object, seen: frozenset[str]) -> frozenset[str]:
        nonlocal begun, ended
        begun += 1
        await gate.wait()
        ended += 1
        return seen

    monkeypatch.setattr(watch, "_look", held_up)
    monkeypatch.setattr(watch, "_places", asyncio.Semaphore(2))
    for person in ("agrees", "refuses", "reports", "silent"):
        await small.developer.make(person)
    await eventually(lambda: begun == 2)
    await small.developer.call("GET", "phones")  # time enough for a third
    assert begun == 2
    gate.set()
    await eventually(lambda: ended == 4)


async def test_a_phone_that_fails_once_goes_on(
    small: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    phone = await small.developer.make("agrees")
    transport = small.sandbox._parts.transport
    small.sandbox._parts.transport = None
    first = await small.push("agrees")
    await eventually(lambda: small.sandbox._watch.size == 1)
    await first.refresh()
    assert first.view.state == "presented"
    small.sandbox._parts.transport = transport
    second = await small.push("agrees")
    assert (await small.end_of(second)).is_ok
    assert (await small.end_of(first)).is_ok  # it still waited
    assert await small.last_of(phone, "approved")


async def test_what_a_phone_left_alone_it_does_not_try_again(small: Town) -> None:
    town = await small.with_another("tapping", tap_only=True)
    phone = await town.developer.make("agrees", behaviour="wrong_code")
    tries: list[Any] = []
    act = small.sandbox._acting.act

    async def counted(virtual: Any, action: Any) -> Any:
        tries.append(action.approval)
        return await act(virtual, action)

    small.sandbox._acting.act = counted  # type: ignore[method-assign]
    first = await town.push(
        "agrees"
    )  # a tap is enough: there is no code to mistype, and it goes on waiting
    await eventually(lambda: len(tries) == 1)
    second = await town.push("agrees")
    await eventually(lambda: len(tries) >= 2)
    small.world.platform.db.bus.wake_all()
    await town.last_of(phone, "sandbox_door_without_code")
    await town.push("agrees")
    await eventually(lambda: len(tries) >= 3)
    assert len(set(tries)) == len(tries) == 3
    assert {first.view.state, second.view.state} == {"presented"}
