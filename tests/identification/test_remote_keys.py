"""Back end B from end to end: the holder's keys under the card's digits, and one signature for one assertion."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from enrolment.hands import on_sqlite, refusal, rows
from identification.callers import PhoneCaller, WebClient
from inkan.client import EnrolmentClient, Phone, RelyingParty, phone_renewal
from inkan.client.certificate_keys import WrappedKey, certificate_request
from inkan.client.exchange import CallRefused
from inkan.client.phone_approval import _decide
from inkan.client.phone_enrolment import EnrolmentSubstituted
from inkan.client.phone_enrolment import remote_keys as keys_behind
from inkan.composition.settings import Activation
from inkan.crypto import base64url, oids, webauthn
from inkan.crypto.activation.pinned import PinnedKeys
from inkan.crypto.activation.port import ActivatedKeyUnknown, ActivationRefused, ActivationUsed
from inkan.crypto.certificates import parse_certificate
from inkan.crypto.key_providers import KeyStoreLocked
from inkan.crypto.keys import spki_der
from inkan.crypto.remote.activation import RemoteActivatedKeys
from inkan.crypto.remote.client import RemoteKeyProvider
from inkan.enrolment import store as enrolment_store
from inkan.enrolment.model import PhoneKeysUnavailable
from inkan.kernel.clock import Clock
from inkan.schemes import get_scheme
from inkan.store.database import Database
from inkan.wire.binding import BackEnd
from inkan.wire.enrolment_request import KeyUse
from support.activation import files, holder
from support.clock import StandingClock
from support.keyring import ec_key
from support.remote_scheme import NAME, ship_remote_scheme
from support.signer import signer_thread
from support.world import PURPOSES, SCHEME, World, settings_for, world_on

USES = (KeyUse.AUTH, KeyUse.SIGN)
INSIDE = Activation(networks=("127.0.0.0/8", "::1/128"))


@pytest.fixture
def pinned(tmp_path: Path) -> Any:
    folder = tmp_path / "holder"
    folder.mkdir(mode=0o700)
    with holder(files(folder), folder) as made:
        yield made


@pytest.fixture
async def world(
    database: Database,
    clock: StandingClock,
    tmp_path: Path,
    pinned: PinnedKeys,
    monkeypatch: pytest.MonkeyPatch,
) -> AsyncIterator[World]:
    """An instance whose signer is a process of its own, as far as it can tell."""
    ship_remote_scheme(monkeypatch)
    settings = msgspec.structs.replace(settings_for(tmp_path), activation=INSIDE)
    others = files(tmp_path / "others")
    with signer_thread(others, tmp_path / "signer", activated=pinned) as path:
        remote = RemoteKeyProvider(path, monotonic=Clock().monotonic, deadline_s=5)
        async with world_on(
            database, clock, tmp_path, settings=settings, activated=RemoteActivatedKeys(remote)
        ) as made:
            yield made
        remote.close()


def new_phone(world: World, **options: Any) -> Phone:
    return world.new_phone(**{"back_end": BackEnd.B, **options})


async def joined(world: World, phone: Phone, scheme: str = NAME) -> Any:
    desk = EnrolmentClient(world.origins.platform, transport=world.transport)
    started = await desk.start(scheme, terms_version=get_scheme(scheme).terms.version)
    await phone.join(await started.frame())
    return started


async def bound(world: World, key: str = "chen", **options: Any) -> Phone:
    phone = new_phone(world, **options)
    started = await joined(world, phone)
    citizen = await world.citizen(key)
    await started.submit(await world.sign(started, citizen, await phone.prepare()))
    await phone.collect()
    return phone


async def agency(world: World) -> RelyingParty:
    return await world.agency(purposes=PURPOSES)


def decision(phone: Phone, held: Any) -> tuple[bytes, webauthn.Assertion]:
    """The statement and the assertion that a phone would send."""
    body = msgspec.json.decode(_decide(phone._parts, held))
    parts = {name: base64url.decode(value) for name, value in body["assertion"].items()}
    return base64url.decode(body["statement"]), webauthn.Assertion(**parts)


async def test_a_phone_is_bound_and_answers_and_everybody_can_see_where_its_key_is(
    world: World,
) -> None:
    phone = await bound(world)
    office = await agency(world)
    session = await world.identify(office, phone)
    assert (session.view.outcome, session.view.back_end) == ("ok", "B")
    fetched = await session.receipt()
    assert fetched.report is not None
    assert fetched.receipt.back_end is not None
    assert fetched.receipt.back_end.kind is BackEnd.B
    certificate = parse_certificate(phone.certificates[KeyUse.AUTH].der)
    assert {oids.POLICY_PHONE_AUTH, oids.POLICY_PHONE_KEYS_REMOTE} == set(certificate.policies)
    view = await phone.certificate(phone.certificates[KeyUse.AUTH].id)
    assert view.shown is not None
    assert view.shown.back_end == "B"
    (row,) = await rows(world, enrolment_store.phone)
    assert row.back_end == "B"
    await world.events()


async def test_the_phone_holds_no_key_and_needs_no_prf(world: World) -> None:
    phone = await bound(world, prf_at_creation=False)
    assert phone.binding is not None
    assert all(key.wrapped == b"" for key in phone.binding.keys.values())
    await world.identify(await agency(world), phone)


@pytest.mark.req("TW-26")
@on_sqlite
async def test_taiwans_scheme_sends_such_a_phone_elsewhere(world: World) -> None:
    with pytest.raises(CallRefused) as refused:
        await joined(world, new_phone(world), SCHEME)
    problem = refused.value.problem
    assert (problem.status, problem.code) == (403, "back_end_refused")
    assert "counter" in problem.title


@pytest.mark.req("HCA-39")
@on_sqlite
async def test_outside_the_institutions_network_nothing_is_made_or_signed(
    world: World, clock: StandingClock
) -> None:
    phone, office = await bound(world), await agency(world)
    parts = world.platform.enrolment._parts
    for networks in ((), ("10.0.0.0/8",)):
        session = await office.create_session("identify", purpose="login")
        await phone.open_frame(session.frame())
        object.__setattr__(parts, "networks", networks)
        assert await refusal(joined(world, new_phone(world))) == "outside_network"
        assert await refusal(phone.approve()) == "outside_network"
    object.__setattr__(parts, "networks", INSIDE.networks)


@pytest.mark.req("TW-26", "HCA-39")
@on_sqlite
async def test_a_phone_hears_which_places_for_keys_are_open_to_it(world: World) -> None:
    parts = world.platform.enrolment._parts

    async def told(scheme: str) -> Any:
        desk = EnrolmentClient(world.origins.platform, transport=world.transport)
        started = await desk.start(scheme, terms_version=get_scheme(scheme).terms.version)
        body = {"frame": await started.frame(), "name": "ASUS", "back_end": "A"}
        api = world.new_phone()._parts.api
        return (await api.post("/phone/v1/enrolments", body, dict))["key_backends"]

    assert await told(NAME) == ["A", "B", "C"]
    assert await told(SCHEME) == ["A", "C"]
    object.__setattr__(parts, "networks", ("10.0.0.0/8",))
    assert await told(NAME) == ["A", "C"]
    object.__setattr__(parts, "networks", INSIDE.networks)
    object.__setattr__(parts, "activated", None)
    assert await told(NAME) == ["A", "C"]


@on_sqlite
async def test_where_nobody_holds_such_keys_they_are_not_offered(world: World) -> None:
    object.__setattr__(world.platform.enrolment._parts, "activated", None)
    assert await refusal(joined(world, new_phone(world))) == "back_end_refused"


async def test_a_holder_that_is_silent_decides_nothing(
    world: World, pinned: PinnedKeys, monkeypatch: pytest.MonkeyPatch
) -> None:
    phone, office = await bound(world), await agency(world)
    session = await office.create_session("identify", purpose="login")
    await phone.open_frame(session.frame())

    async def silent(*_: Any) -> None:
        raise KeyStoreLocked("gone")

    with monkeypatch.context() as patch:
        patch.setattr(pinned, "release", silent)
        patch.setattr(pinned, "make", silent)
        with pytest.raises(CallRefused) as refused:
            await phone.approve()
        assert (refused.value.problem.status, refused.value.problem_code) == (
            503,
            "phone_keys_unavailable",
        )
        assert (await session.refresh()).state == "opened"
        other = new_phone(world)
        await joined(world, other)
        assert await refusal(other.prepare()) == "phone_keys_unavailable"
    # The same bytes again, once it answers: the assertion was not used up.
    await phone.approve()
    await session.wait(timeout_s=5)
    assert session.view.outcome == "ok"
    assert len(await other.prepare()) == 8


async def test_an_answer_that_was_lost_behind_the_signature_needs_the_person_again(
    world: World, pinned: PinnedKeys, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Any] = []
    phone = await bound(world, verify_user=lambda ceremony: asked.append(ceremony) or True)
    session = await (await agency(world)).create_session("identify", purpose="login")
    await phone.open_frame(session.frame())
    release = pinned.release

    async def lost(wish: Any) -> bytes:
        await release(wish)
        raise KeyStoreLocked("gone after it signed")

    with monkeypatch.context() as patch:
        patch.setattr(pinned, "release", lost)
        # The client sends the same bytes again after the first 503, and the holder knows them.
        assert await refusal(phone.approve()) == "activation_used"
    before = len(asked)
    assert (await session.refresh()).state == "opened"
    await phone.approve()
    assert len(asked) == before + 1
    await session.wait(timeout_s=5)
    assert session.view.outcome == "ok"


async def test_the_platform_cannot_sign_for_a_phone(
    world: World, web: WebClient, clock: StandingClock
) -> None:
    """Replays, other bytes and another phone's assertion, as a platform that was taken over would try them."""
    phone, other = await bound(world), await bound(world, "lin")
    office = await agency(world)
    first = await office.create_session("identify", purpose="login")
    held = await phone.open_frame(first.frame())
    platform = world.platform.enrolment
    principal, _ = await platform.principal_of(phone._parts.api.channel_jkt)
    facts = principal.facts  # type: ignore[union-attr]
    certificate = facts.certificates["auth"]
    said, assertion = decision(phone, held)

    async def sign(**bent: Any) -> str:
        wanted = {"statement": said, "assertion": assertion, "address": "127.0.0.1", **bent}
        return await platform.release_statement(facts, certificate, **wanted)

    changed = said.replace(b'"purpose":"login"', b'"purpose":"other"')
    assert changed != said
    for bent in ({"statement": changed}, {"statement": b"{}"}):
        with pytest.raises(ActivationRefused):
            await sign(**bent)
    _, theirs = decision(other, held)
    with pytest.raises(ActivationRefused):
        await sign(assertion=theirs)
    await sign()
    with pytest.raises(ActivationUsed):
        await sign()


async def test_a_jws_of_its_own_helps_a_phone_as_little_as_a_bare_statement_helps_another(
    world: World, web: WebClient, clock: StandingClock
) -> None:
    own, office = await world.bind("lin"), await agency(world)
    session = await office.create_session("identify", purpose="login")
    held = await own.open_frame(session.frame())
    body = msgspec.json.decode(_decide(own._parts, held))
    statement = body["jws"].split(".")[1]
    caller = PhoneCaller(web, own, clock)
    for sent, code in (
        ({"statement": statement}, "back_end_refused"),
        ({}, "malformed"),
        ({"statement": statement, "jws": body["jws"]}, "malformed"),
    ):
        answer = await caller.decide(held.id, {"assertion": body["assertion"], **sent})
        assert answer.json()["code"] == code
    assert (await session.refresh()).state == "opened"


@on_sqlite
async def test_a_phone_cannot_have_its_own_key_certified_as_the_holders(world: World) -> None:
    phone = new_phone(world)
    started = await joined(world, phone)
    state = phone._parts.state
    assert state.enrolment is not None
    digits = await phone.prepare()
    assert len(digits) == 8
    assert state.prepared is not None
    body = msgspec.json.decode(state.prepared.body)
    path = f"/phone/v1/enrolments/{state.enrolment.id}/csr"
    answer = await phone._parts.api.post(path, body, dict)
    keys = {str(use): base64url.encode(key.spki) for use, key in state.prepared.keys.items()}
    assert answer["spkis"] == keys
    body["csrs"] = {
        use: base64url.encode(certificate_request(ec_key(number)))
        for number, use in enumerate(("auth", "sign"))
    }
    assert await refusal(phone._parts.api.post(path, body, dict)) == "key_outside_scheme"
    assert (await started.to_sign()).content


@pytest.mark.req("TW-32")
async def test_a_renewal_has_new_keys_made_and_the_old_one_released_once(world: World) -> None:
    phone, office = await bound(world), await agency(world)
    assert phone.binding is not None
    before = {use: key.spki for use, key in phone.binding.keys.items()}
    await world.leap(timedelta(days=330))
    begun = await phone._parts.api.post("/phone/v1/renew/begin", {}, dict)
    proved = keys_behind(USES, "P-256", begun["csrs"])
    assert begun["spkis"] == {use: base64url.encode(key.spki) for use, key in proved.items()}
    renewed = await phone.renew()
    assert set(before.values()).isdisjoint(key.spki for key in renewed.keys.values())
    certificate = parse_certificate(renewed.certificates[KeyUse.AUTH].der)
    assert oids.POLICY_PHONE_KEYS_REMOTE in certificate.policies
    assert (await world.identify(office, phone)).view.outcome == "ok"
    await world.events()


async def test_revoking_a_phone_ends_its_keys_at_the_holder(
    world: World, pinned: PinnedKeys, monkeypatch: pytest.MonkeyPatch
) -> None:
    phone = await bound(world)
    assert phone.binding is not None
    session = await (await agency(world)).create_session("identify", purpose="login")
    held = await phone.open_frame(session.frame())
    principal, _ = await world.platform.enrolment.principal_of(phone._parts.api.channel_jkt)
    facts = principal.facts  # type: ignore[union-attr]
    said, assertion = decision(phone, held)
    end, silent = pinned.end, []

    async def later(digest: bytes) -> None:
        if not silent:
            silent.append(digest)
            raise KeyStoreLocked("gone")
        await end(digest)

    monkeypatch.setattr(pinned, "end", later)
    await phone.revoke(phone.binding.phone)
    for _ in range(3):  # the first try meets a silent holder
        world.clock.tick(600)  # type: ignore[attr-defined]
        await world.instance.outbox.run_due()
    assert silent
    with pytest.raises(PhoneKeysUnavailable, match=ActivatedKeyUnknown.code):
        await world.platform.enrolment.release_statement(
            facts,
            facts.certificates["auth"],
            statement=said,
            assertion=assertion,
            address="127.0.0.1",
        )


@pytest.mark.parametrize("bent", ["missing", "twice", "other kind", "not a request"])
def test_the_phone_takes_no_other_keys_than_it_asked_for(bent: str) -> None:
    auth, sign = (base64url.encode(certificate_request(ec_key(number))) for number in (1, 2))
    uses = (KeyUse.AUTH, KeyUse.SIGN)
    csrs = {KeyUse.AUTH: auth, KeyUse.SIGN: sign}
    assert len(keys_behind(uses, "P-256", csrs)) == 2
    changes: dict[str, dict[KeyUse, str]] = {
        "missing": {KeyUse.AUTH: auth},
        "twice": {KeyUse.AUTH: auth, KeyUse.SIGN: auth},
        "other kind": csrs,
        "not a request": csrs | {KeyUse.SIGN: "AAAA"},
    }
    with pytest.raises(EnrolmentSubstituted):
        keys_behind(uses, "RSA-2048" if bent == "other kind" else "P-256", changes[bent])


@on_sqlite
async def test_a_renewal_certifies_no_key_of_the_phones_own(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    phone = await bound(world)
    await world.leap(timedelta(days=330))
    own = {use: WrappedKey(spki=spki_der(ec_key(n).public_key())) for n, use in enumerate(USES)}
    monkeypatch.setattr(phone_renewal, "remote_keys", lambda *_: own)
    assert await refusal(phone.renew()) == "key_substituted"
