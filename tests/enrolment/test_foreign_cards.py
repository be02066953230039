"""Cards of an authority that others run: their status is asked over HTTP, and nothing but a good one binds."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest

from enrolment.hands import RawCard, footprint, on_sqlite, person_of, prepared, raw_card, rows
from inkan.enrolment import store
from inkan.enrolment.service.parts import read_request
from inkan.kernel.errors import InkanError
from inkan.pki import CardRevoked, StatusUnavailable
from inkan.pki import store as pki_store
from inkan.store.database import Database
from support.clock import StandingClock
from support.pki import Authority
from support.status_server import DAY, HOUR, CardCountry, Reply, StatusServer
from support.world import World, world_on


@dataclass
class Border:
    """Our instance and a foreign card authority."""

    world: World
    abroad: CardCountry

    async def card(self, **bent) -> RawCard:
        """A foreign card of a person of ours."""
        person = await person_of(self.world)
        made = self.abroad.card(person.subject_serial, **bent)
        return RawCard(made.key, made.der, ())

    async def submit(self, card: RawCard):
        """Hand in a request that the card signed; not over HTTP, whose client would patiently ask again."""
        started, content, _ = await prepared(self.world)
        (row,) = await rows(self.world, store.request, id=started.id)
        enrolment = self.world.platform.enrolment
        return await enrolment.submit(read_request(row), card.sign(content))

    async def refused(self, card: RawCard) -> InkanError:
        """The refusal of a request, which must leave nothing behind."""
        before = await footprint(self.world)
        with pytest.raises(InkanError) as caught:
            await self.submit(card)
        assert await footprint(self.world) == before
        assert await rows(self.world, pki_store.foreign_card) == []
        return caught.value


@pytest.fixture
async def border(database: Database, clock: StandingClock, tmp_path: Path) -> AsyncIterator[Border]:
    async with StatusServer().running() as server:
        abroad = CardCountry(server, clock)
        fetcher = abroad.fetcher()
        async with world_on(
            database, clock, tmp_path, foreign=[abroad.foreign()], fetch=fetcher
        ) as world:
            yield Border(world, abroad)
        await fetcher.aclose()


SOURCES = {
    "list": ({"ocsp_url": None}, {"card.crl", "root.crl"}),
    "answer": ({"crl_url": None}, {"ocsp", "root.crl"}),
    "both": ({}, {"ocsp", "root.crl"}),
}


@pytest.mark.req("HCA-19", "JPKI-10")
@pytest.mark.parametrize("source", SOURCES)
async def test_a_good_card_binds(border, source):
    bent, asked = SOURCES[source]
    card = await border.card(**bent)
    accepted = await border.submit(card)
    (phone,) = await rows(border.world, store.phone)
    assert accepted.phone == phone.id
    assert phone.parent_authority == "foreign.national"
    assert phone.state == "active"
    # once each: the checks of one request share what was fetched
    assert border.abroad.server.seen == dict.fromkeys(asked, 1)


@on_sqlite
@pytest.mark.req("HCA-19", "JPKI-10")
@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize("reason", ["", "keyCompromise", "certificateHold"])
async def test_a_revoked_card_binds_nothing(border, source, reason):
    card = await border.card(**SOURCES[source][0])
    (certificate,) = border.abroad.cards.values()
    border.abroad.revoked[certificate] = reason
    assert isinstance(await border.refused(card), CardRevoked)


@on_sqlite
async def test_a_card_of_a_revoked_authority_binds_nothing(border):
    border.abroad.revoked[border.abroad.issuing.certificate] = "cACompromise"
    assert isinstance(await border.refused(await border.card()), CardRevoked)


@on_sqlite
@pytest.mark.parametrize("silence", ["gone", "empty", "stale"])
async def test_an_unreachable_or_stale_status_binds_nothing_and_loses_nothing(border, silence):
    abroad = border.abroad
    now = abroad.clock.now().replace(microsecond=0)
    answers = {
        "gone": Reply(b"", 503),
        "empty": Reply(b""),
        "stale": Reply(abroad.crl(next_update=now - HOUR / 2)),
    }
    honest = dict(abroad.server.paths)
    abroad.server.paths |= dict.fromkeys(["ocsp", "card.crl"], lambda _: answers[silence])
    card = await border.card()
    assert isinstance(await border.refused(card), StatusUnavailable)
    abroad.server.paths = honest
    await border.submit(card)


# --- whom we call -------------------------------------------------------------------------------------


@on_sqlite
@pytest.mark.req("HCA-19")
async def test_an_address_outside_the_settings_is_not_called(border):
    port = border.abroad.server.port
    card = await border.card(
        crl_url=f"http://other.localhost:{port}/card.crl",
        ocsp_url=f"http://other.localhost:{port}/ocsp",
    )
    assert isinstance(await border.refused(card), StatusUnavailable)
    assert not border.abroad.server.seen


@on_sqlite
async def test_whoever_only_claims_the_issuer_is_not_asked_about(border):
    forger = Authority.root("Foreign Root", **border.abroad.term).subordinate(
        "Foreign Card CA", **border.abroad.term
    )
    card = await border.card(issuer=forger)
    assert (await border.refused(card)).code == "card_untrusted"
    assert not border.abroad.server.seen


@on_sqlite
@pytest.mark.parametrize("bent", [{"usage": ["digital_signature"]}, {"policies": ["2.25.1.2"]}])
async def test_a_card_for_something_else_binds_nothing(border, bent):
    assert (await border.refused(await border.card(**bent))).code == "card_wrong_purpose"


@on_sqlite
async def test_an_expired_card_is_expired_without_a_question(border):
    now = border.world.clock.now().replace(microsecond=0)
    card = await border.card(not_before=now - 3 * DAY, not_after=now - DAY)
    assert (await border.refused(card)).code == "card_expired"
    assert not border.abroad.server.seen


@on_sqlite
async def test_our_own_cards_are_asked_for_at_home(border):
    started, content, _ = await prepared(border.world)
    message = (await raw_card(border.world)).sign(content)
    assert (await started.submit(message)).state == "issued"
    assert not border.abroad.server.seen


# --- later ----------------------------------------------------------------------------------------------


async def bound(border):
    card = await border.card()
    await border.submit(card)
    return border.abroad.cards[next(iter(border.abroad.cards))]


async def test_the_daily_check_ends_the_phone_of_a_revoked_card(border):
    certificate = await bound(border)
    border.abroad.revoked[certificate] = "keyCompromise"
    border.world.clock.tick(DAY + HOUR)
    await border.world.platform.enrolment.check_parents()
    (phone,) = await rows(border.world, store.phone)
    assert phone.state in {"revoked", "suspended"}


@on_sqlite
async def test_an_outage_changes_nothing_and_is_asked_again(border):
    certificate = await bound(border)
    border.abroad.revoked[certificate] = "keyCompromise"
    border.world.clock.tick(DAY + HOUR)
    paths, border.abroad.server.paths = border.abroad.server.paths, {}
    await border.world.platform.enrolment.check_parents()
    assert [row.state for row in await rows(border.world, store.phone)] == ["active"]
    border.abroad.server.paths = paths
    await border.world.platform.enrolment.check_parents()
    assert [row.state for row in await rows(border.world, store.phone)] != ["active"]


@on_sqlite
async def test_an_authority_that_left_the_settings_has_no_status(border):
    await bound(border)
    border.world.platform.pki._cards._foreign.clear()
    (phone,) = await rows(border.world, store.phone)
    with pytest.raises(StatusUnavailable):
        await border.world.platform.pki.card_status(phone.parent_authority, phone.parent_serial)


@on_sqlite
async def test_a_foreign_certificate_is_kept_sealed_and_forgotten_in_the_end(border):
    certificate = await bound(border)
    (row,) = await rows(border.world, pki_store.foreign_card)
    assert certificate.der not in row.certificate_sealed
    assert "陳怡君".encode() not in row.certificate_sealed
    border.world.clock.tick(2001 * DAY)
    await border.world.platform.pki.purge_answers()
    assert len(await rows(border.world, pki_store.foreign_card)) == 1
    border.world.clock.tick(400 * DAY)
    await border.world.platform.pki.purge_answers()
    assert await rows(border.world, pki_store.foreign_card) == []


@on_sqlite
async def test_what_was_good_an_hour_ago_is_asked_again(border):
    certificate = await bound(border)
    world = border.world
    (phone,) = await rows(world, store.phone)
    place = (phone.parent_authority, phone.parent_serial)
    border.abroad.revoked[certificate] = "superseded"
    assert (await world.platform.pki.card_status(*place)).state == "good"  # still in force
    world.clock.tick(timedelta(minutes=61))
    status = await world.platform.pki.card_status(*place)
    assert (status.state, status.reason) == ("revoked", "superseded")
