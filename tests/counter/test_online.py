"""The online window's use case: a card ends its own certificates, and nothing else does."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest

from counter.online_hands import MadeCard, counter_card, make_card
from enrolment.hands import RawCard, person_of, raw_card, rows
from inkan.counter.model import CardChallengeEnded, CardState
from inkan.counter.model.online import (
    Acceptance,
    CardContentDiffers,
    CauseNotOnline,
    RevokeChallenge,
)
from inkan.counter.store.tables import challenge
from inkan.crypto import base64url
from inkan.pki import (
    CardExpired,
    CardRequestMalformed,
    CardRevoked,
    CardUntrusted,
    CardWrongPurpose,
    CertificateState,
    RevocationReason,
)
from inkan.pki import store as pki_store
from inkan.store.connect import database as database_of
from inkan.wire import card_request as wire
from inkan.wire.enrolment_request import RevokeCause
from inkan.wire.shown import Language
from support.clock import StandingClock
from support.status_server import CardCountry, StatusServer
from support.world import CLERK, PIN, World, world_on

CAUSE = RevokeCause.NO_LONGER_NEEDED


@pytest.fixture
async def world(database_url: str, clock: StandingClock, tmp_path: Path) -> AsyncIterator[World]:
    db = database_of(database_url, clock=clock)
    await db.open()
    async with world_on(db, clock, tmp_path) as made:
        yield made
    await db.close()


on_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


async def begin(world: World, card: MadeCard, cause: RevokeCause = CAUSE) -> RevokeChallenge:
    return await world.platform.counter.online.begin(card.signature.der, cause)


async def take(world: World, given: RevokeChallenge, cms: bytes) -> Acceptance:
    return await world.platform.counter.online.take(cms, browser=given.browser.reveal())


def signed(card: MadeCard, given: RevokeChallenge) -> bytes:
    return card.sign(given.content, given.content_type)


async def states(world: World, card: MadeCard) -> list[CertificateState]:
    pki = world.platform.pki
    found = [
        await pki.find_by_serial(each.authority, each.serial) for each in card.certificates.values()
    ]
    return [each.state for each in found if each is not None]


@pytest.mark.req("JPKI-23", "JPKI-26")
async def test_a_card_of_the_counter_ends_with_both_certificates(world: World) -> None:
    card = await counter_card(world)
    given = await begin(world, card, RevokeCause.SUSPECTED_MISUSE)
    accepted = await take(world, given, signed(card, given))
    assert [each.serial for each in accepted.certificates] == [
        each.serial for each in card.certificates.values()
    ]
    assert accepted.cause is RevokeCause.SUSPECTED_MISUSE
    assert set(await states(world, card)) == {CertificateState.REVOKED}
    status = await world.platform.pki.find_by_serial(
        card.signature.authority, card.signature.serial
    )
    assert status is not None
    assert status.reason is RevocationReason.KEY_COMPROMISE
    held = await world.platform.db.read(world.platform.counter.cases.card, card.number)
    assert held.state is CardState.ENDED
    events = await world.events()
    assert events.count("counter.revoked_online") == events.count("counter.card_ended") == 1
    inbox = await world.platform.notices.inbox(card.person.id, language=Language.EN)
    assert [each.template.value for each in inbox].count("card_ended") == 1


@pytest.mark.req("JPKI-26")
async def test_a_card_of_elsewhere_ends_by_itself_and_alone(world: World) -> None:
    card = await make_card(world)
    other = await make_card(world)
    given = await begin(world, card)
    accepted = await take(world, given, signed(card, given))
    assert [each.serial for each in accepted.certificates] == [card.signature.serial]
    assert await states(world, card) == [CertificateState.REVOKED, CertificateState.VALID]
    assert set(await states(world, other)) == {CertificateState.VALID}


@on_sqlite
async def test_the_software_card_of_the_country_can_do_it_too(world: World) -> None:
    citizen = await world.citizen()
    given = await world.platform.counter.online.begin(citizen.certificate.der, CAUSE)
    with citizen.card as card:
        cms = card.sign_request(
            given.content, content_type=given.content_type, pin=PIN, confirm=lambda _: ""
        )
    accepted = await take(world, given, cms)
    assert accepted.certificates[0].serial == citizen.certificate.serial


@on_sqlite
@pytest.mark.parametrize(
    "cause", [RevokeCause.LOST, RevokeCause.STOLEN, RevokeCause.DAMAGED], ids=str
)
async def test_what_belongs_to_a_counter_is_sent_there(world: World, cause: RevokeCause) -> None:
    with pytest.raises(CauseNotOnline):
        await world.platform.counter.online.begin(b"anything", cause)


@on_sqlite
async def test_an_answer_counts_once(world: World) -> None:
    card = await make_card(world)
    given = await begin(world, card)
    cms = signed(card, given)
    await take(world, given, cms)
    assert await rows(world, challenge) == []
    with pytest.raises(CardRevoked):
        await take(world, given, cms)


async def test_two_answers_at_once_end_it_once(world: World) -> None:
    card = await counter_card(world)
    first, second = await begin(world, card), await begin(world, card)
    answers = [
        (first, signed(card, first)),
        (second, signed(card, second)),
        (first, signed(card, first)),
    ]
    done = await asyncio.gather(
        *(take(world, given, cms) for given, cms in answers), return_exceptions=True
    )
    assert sum(isinstance(each, Acceptance) for each in done) == 1
    refused = [each for each in done if not isinstance(each, Acceptance)]
    assert all(isinstance(each, CardRevoked | CardChallengeEnded) for each in refused), refused
    assert (await world.events()).count("counter.revoked_online") == 1


@on_sqlite
async def test_another_browser_cannot_send_it(world: World) -> None:
    card = await make_card(world)
    given, other = await begin(world, card), await begin(world, card)
    cms = signed(card, given)
    for browser in ("", other.browser.reveal()):
        with pytest.raises(CardChallengeEnded):
            await world.platform.counter.online.take(cms, browser=browser)
    assert set(await states(world, card)) == {CertificateState.VALID}


@on_sqlite
async def test_it_has_to_be_sent_in_time(world: World) -> None:
    card = await make_card(world)
    given = await begin(world, card)
    cms = signed(card, given)
    world.clock.advance(timedelta(minutes=5))
    with pytest.raises(CardChallengeEnded):
        await take(world, given, cms)


@pytest.mark.req("HCA-22")
@on_sqlite
@pytest.mark.parametrize(
    "change",
    [
        {"cause": RevokeCause.MISUSED},
        {"origin": "https://evil.example"},
        {"aud": "https://evil.example"},
        {"at": "2020-01-01T00:00:00Z"},
        {"certificate_sha256": base64url.encode(bytes(32))},
    ],
    ids=lambda change: next(iter(change)),
)
async def test_other_bytes_than_those_given_end_nothing(
    world: World, change: dict[str, object]
) -> None:
    card = await make_card(world)
    given = await begin(world, card)
    content = msgspec.structs.replace(wire.parse_revoke(given.content), **change)
    cms = card.sign(wire.content_bytes(content), given.content_type)
    with pytest.raises(CardContentDiffers):
        await take(world, given, cms)
    assert set(await states(world, card)) == {CertificateState.VALID}


@on_sqlite
async def test_a_card_ends_its_own_certificate_only(world: World) -> None:
    """Somebody else's certificate is named, one's own card signs."""
    victim, thief = await make_card(world), await make_card(world, "lin")
    given = await begin(world, victim)
    with pytest.raises(CardContentDiffers):
        await take(world, given, signed(thief, given))
    assert set(await states(world, victim)) == {CertificateState.VALID}


@pytest.mark.req("HCA-22")
@on_sqlite
async def test_a_card_that_has_ended_is_told_so(world: World) -> None:
    card = await make_card(world)
    given = await begin(world, card)
    cms = signed(card, given)
    await world.platform.db.transact(
        lambda: world.platform.pki.revoke(
            card.signature.id, reason=RevocationReason.SUPERSEDED, actor=CLERK
        )
    )
    with pytest.raises(CardRevoked):
        await take(world, given, cms)
    late = await make_card(world, "lin", years=1)
    world.clock.advance(timedelta(days=366))
    again = await begin(world, late)
    with pytest.raises(CardExpired):
        await take(world, again, signed(late, again))


@on_sqlite
async def test_the_authentication_key_ends_nothing(world: World) -> None:
    card = await raw_card(world, profile="card-auth")
    given = await world.platform.counter.online.begin(card.der, CAUSE)
    with pytest.raises(CardWrongPurpose):
        await take(world, given, card.sign(given.content, content_type=given.content_type))


@on_sqlite
@pytest.mark.parametrize(
    "junk", [b"", b"0", b"\x30\x80", b"x_aaaa"], ids=["none", "0", "open", "text"]
)
async def test_junk_is_refused_as_such(world: World, junk: bytes) -> None:
    card = await make_card(world)
    given = await begin(world, card)
    with pytest.raises(CardRequestMalformed):
        await take(world, given, junk)


@on_sqlite
async def test_a_login_is_no_revocation(world: World) -> None:
    """What the card signed for another purpose is refused by its type."""
    card = await raw_card(world)
    given = await world.platform.counter.online.begin(card.der, CAUSE)
    login = wire.CONTENT_TYPES[wire.CardPurpose.LOGIN]
    with pytest.raises(CardRequestMalformed):
        await take(world, given, card.sign(given.content, content_type=login))
    with pytest.raises(CardRequestMalformed):
        await take(world, given, card.sign(b"{}", content_type=given.content_type))


@pytest.mark.req("HCA-22")
@on_sqlite
async def test_a_foreign_card_is_a_strangers_and_leaves_nothing(
    database_url: str, clock: StandingClock, tmp_path: Path
) -> None:
    db = database_of(database_url, clock=clock)
    await db.open()
    async with StatusServer().running() as server:
        abroad = CardCountry(server, clock)
        fetcher = abroad.fetcher()
        async with world_on(
            db, clock, tmp_path, foreign=[abroad.foreign()], fetch=fetcher
        ) as world:
            person = await person_of(world)
            made = abroad.card(person.subject_serial)
            card = RawCard(made.key, made.der, ())
            given = await world.platform.counter.online.begin(card.der, CAUSE)
            with pytest.raises(CardUntrusted):
                await take(world, given, card.sign(given.content, content_type=given.content_type))
            assert server.seen == {}
            assert await rows(world, pki_store.foreign_card) == []
        await fetcher.aclose()
    await db.close()


@on_sqlite
async def test_a_challenge_that_runs_out_while_the_answer_is_judged_is_over(
    world: World, clock: StandingClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    card = await make_card(world)
    given = await begin(world, card)
    cms, db = signed(card, given), world.platform.db
    transact = db.transact

    async def late(step, *args, **named):
        if getattr(step, "__self__", None) is world.platform.counter.online:
            clock.advance(timedelta(minutes=5))
        return await transact(step, *args, **named)

    monkeypatch.setattr(db, "transact", late)
    with pytest.raises(CardChallengeEnded):
        await take(world, given, cms)
    assert set(await states(world, card)) == {CertificateState.VALID}
