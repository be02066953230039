"""The status of foreign cards over HTTP: whom we call, what counts as an answer, and that all else is none."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp as library

from inkan.crypto.path import RevocationReason
from inkan.pki import StatusUnavailable
from inkan.pki.model import CardState
from inkan.pki.service import foreign
from inkan.pki.service.foreign import ForeignSource
from support.clock import StandingClock
from support.inline_workers import InlineWorkers
from support.pki import Authority
from support.status_server import DAY, HOUR, CardCountry, Reply, StatusServer
from support.waiting import eventually


class Asking:
    """A source and the authority that it asks."""

    def __init__(self, abroad: CardCountry, **bent) -> None:
        self.abroad = abroad
        self.seen = abroad.server.seen
        self.fetcher = abroad.fetcher()
        self.foreign = abroad.foreign(**bent)
        self.source = ForeignSource(
            self.foreign,
            fetch=self.fetcher,
            workers=InlineWorkers(),
            clock=abroad.clock,
            life=timedelta(hours=1),
        )

    async def status(self, card):
        return await self.source.status(
            self.foreign.authority, f"{card.certificate.serial:x}", card.der
        )

    async def refusal(self, card) -> str:
        """Why there is no status."""
        with pytest.raises(StatusUnavailable) as caught:
            await self.status(card)
        with pytest.raises(StatusUnavailable):
            await self.source.evidence(self.foreign.authority, "", card.der)
        return caught.value.detail


@pytest.fixture
async def asking(clock: StandingClock) -> AsyncIterator[Asking]:
    async with StatusServer().running() as server:
        made = Asking(CardCountry(server, clock))
        yield made
        await made.fetcher.aclose()


def past(abroad, hours=0.0):
    """So many hours ago, to the second."""
    return abroad.clock.now().replace(microsecond=0) - hours * HOUR


LIST_ONLY, ANSWER_ONLY = {"ocsp_url": None}, {"crl_url": None}


@pytest.mark.req("JPKI-10")
@pytest.mark.parametrize("bent", [LIST_ONLY, ANSWER_ONLY, {}])
async def test_what_the_authority_says(asking, bent):
    card = asking.abroad.card(**bent)
    status = await asking.status(card)
    assert (status.state, status.reason, status.since) == (CardState.GOOD, None, None)
    asking.abroad.revoked[card.certificate] = "certificateHold"
    asking.abroad.clock.tick(2 * HOUR)
    status = await asking.status(card)
    assert (status.state, status.reason) == (
        CardState.SUSPENDED,
        RevocationReason.CERTIFICATE_HOLD,
    )
    asking.abroad.revoked[card.certificate] = "keyCompromise"
    asking.abroad.clock.tick(2 * HOUR)
    status = await asking.status(card)
    assert (status.state, status.reason) == (CardState.REVOKED, RevocationReason.KEY_COMPROMISE)
    assert status.since == past(asking.abroad, 2)


async def test_evidence_holds_one_proof_for_each_certificate(asking):
    card = asking.abroad.card()
    found = await asking.source.evidence(asking.foreign.authority, "", card.der)
    assert (len(found.ocsp), len(found.crls)) == (1, 1)
    found = await asking.source.evidence(
        asking.foreign.authority, "", asking.abroad.card(number=71, **LIST_ONLY).der
    )
    assert (len(found.ocsp), len(found.crls)) == (0, 2)


async def test_a_serial_alone_has_no_status(asking):
    with pytest.raises(StatusUnavailable):
        await asking.source.status(asking.foreign.authority, "1f", None)
    assert not asking.seen


async def test_a_card_past_its_term_is_expired_and_one_of_an_ended_authority_has_no_status(asking):
    card = asking.abroad.card(not_after=past(asking.abroad) + DAY)
    asking.abroad.clock.tick(DAY + HOUR)
    assert (await asking.status(card)).state is CardState.EXPIRED
    outlives = asking.abroad.card(number=71, not_after=past(asking.abroad) + 3000 * DAY)
    asking.abroad.clock.tick(2000 * DAY)
    assert "ended" in await asking.refusal(outlives)
    assert not asking.seen


# --- answers that do not count -----------------------------------------------------------------------------


def by_a_stranger(abroad):
    responder = Authority.root("Stranger", **abroad.term).responder(**abroad.term)
    return lambda body: Reply(abroad.ocsp(body, responder=responder))


def try_later(abroad):
    later = library.OCSPResponseBuilder.build_unsuccessful(library.OCSPResponseStatus.TRY_LATER)
    return lambda _: Reply(later.public_bytes(Encoding.DER))


def flipped(abroad):
    def answer(body):
        der = bytearray(abroad.ocsp(body))
        der[len(der) // 4] ^= 1
        return Reply(bytes(der))

    return answer


def of_another_card(abroad):
    other = abroad.card(number=71).certificate
    dates = {"this_update": past(abroad, 1), "next_update": past(abroad, -1)}
    return lambda _: Reply(abroad.issuing.ocsp(other, responder=abroad.responder, **dates))


ANSWERS = {
    "not found": lambda _: lambda _: Reply(b"", 404),
    "an error": lambda abroad: lambda body: Reply(abroad.ocsp(body), 500),
    "nothing": lambda _: lambda _: Reply(b""),
    "a page": lambda _: lambda _: Reply(b"<html>good</html>"),
    "elsewhere": lambda abroad: lambda _: Reply(b"", 302, {"location": abroad.url("good")}),
    "compressed": lambda abroad: (
        lambda body: Reply(abroad.ocsp(body), headers={"content-encoding": "gzip"})
    ),
    "too much": lambda abroad: lambda body: Reply(abroad.ocsp(body) + bytes(16 * 1024)),
    "unknown": lambda abroad: lambda body: Reply(abroad.ocsp(body, status="unknown")),
    "try later": try_later,
    "of another card": of_another_card,
    "by a stranger": by_a_stranger,
    "a flipped bit": flipped,
    "stale": lambda abroad: (
        lambda body: Reply(
            abroad.ocsp(body, this_update=past(abroad, 3), next_update=past(abroad, 1))
        )
    ),
    "of the future": lambda abroad: (
        lambda body: Reply(
            abroad.ocsp(body, this_update=past(abroad, -1), next_update=past(abroad, -2))
        )
    ),
    "without an end": lambda abroad: lambda body: Reply(abroad.ocsp(body, next_update=None)),
}


@pytest.mark.req("HCA-19")
@pytest.mark.parametrize("kind", ANSWERS)
async def test_an_answer_that_does_not_count_is_no_status(asking, kind):
    abroad = asking.abroad
    abroad.server.paths |= {"good": abroad.server.paths["ocsp"], "ocsp": ANSWERS[kind](abroad)}
    detail = await asking.refusal(abroad.card(**ANSWER_ONLY))
    assert ("fetch_answer_refused" in detail) == (kind in {"too much", "compressed"})
    assert asking.seen["ocsp"] == 2  # a refusal is not kept
    assert asking.seen["good"] == 0


def sibling(abroad, of):
    """An authority of the same name with another key."""
    text = "Foreign Root" if of is abroad.root else "Foreign Card CA"
    return Authority.root(text, **abroad.term)


LISTS = {
    "not found": lambda abroad, of: Reply(b"", 404),
    "a page": lambda abroad, of: Reply(b"<html>nobody is revoked</html>"),
    "too much": lambda abroad, of: Reply(abroad.crl(of) + bytes(4 * 1024 * 1024)),
    "stale": lambda abroad, of: Reply(abroad.crl(of, next_update=past(abroad, 0.5))),
    "of the future": lambda abroad, of: Reply(
        abroad.crl(of, this_update=past(abroad, -1), next_update=past(abroad, -2))
    ),
    "of the other one": lambda abroad, of: Reply(
        abroad.crl(abroad.issuing if of is abroad.root else abroad.root)
    ),
    "by another key": lambda abroad, of: Reply(abroad.crl(of, signer=sibling(abroad, of))),
    "by another key under its name": lambda abroad, of: Reply(
        abroad.crl(of, signer=sibling(abroad, of), aki=of.certificate.subject_key_id)
    ),
    "of another point": lambda abroad, of: Reply(abroad.crl(of, url=abroad.url("other.crl"))),
    "of the other kind": lambda abroad, of: Reply(
        abroad.crl(
            of,
            idp={
                "only_contains_user_certs": of is abroad.root,
                "only_contains_ca_certs": of is abroad.issuing,
            },
        )
    ),
    "indirect": lambda abroad, of: Reply(abroad.crl(of, idp={"indirect_crl": True})),
    "of some reasons": lambda abroad, of: Reply(
        abroad.crl(of, idp={"only_some_reasons": frozenset({x509.ReasonFlags.key_compromise})})
    ),
    "a delta": lambda abroad, of: Reply(abroad.crl(of, delta_of=1)),
    "with a delta elsewhere": lambda abroad, of: Reply(
        abroad.crl(of, freshest=abroad.url("delta.crl"))
    ),
    "without a number": lambda abroad, of: Reply(abroad.crl(of, number=None)),
}


@pytest.mark.req("HCA-19")
@pytest.mark.parametrize("path", ["card.crl", "root.crl"])
@pytest.mark.parametrize("kind", LISTS)
async def test_a_list_that_does_not_count_is_no_status(asking, kind, path):
    abroad = asking.abroad
    bad = LISTS[kind](abroad, abroad.root if path == "root.crl" else abroad.issuing)
    abroad.server.paths[path] = lambda _: bad
    detail = await asking.refusal(abroad.card(**LIST_ONLY))
    assert ("fetch_answer_refused" in detail) == (kind == "too much")
    assert asking.seen[path] == 2


async def test_a_card_that_names_a_delta_list_has_no_status_by_the_base_alone(asking):
    card = asking.abroad.card(freshest=asking.abroad.url("delta.crl"), **LIST_ONLY)
    assert "delta" in await asking.refusal(card)


async def test_a_list_for_the_named_point_counts(asking):
    abroad = asking.abroad
    shard = Reply(abroad.crl(url=abroad.url("card.crl")))
    abroad.server.paths["card.crl"] = lambda _: shard
    assert (await asking.status(abroad.card(**LIST_ONLY))).state is CardState.GOOD


async def test_nobody_there(asking):
    asking.abroad.server.paths = {}
    detail = await asking.refusal(asking.abroad.card())
    assert "/ocsp" in detail
    assert "/card.crl" in detail


async def test_a_list_takes_over_when_the_responder_fails(asking):
    asking.abroad.server.paths["ocsp"] = lambda _: Reply(b"", 503)
    assert (await asking.status(asking.abroad.card())).state is CardState.GOOD
    assert asking.seen == {"ocsp": 1, "card.crl": 1, "root.crl": 1}


async def test_a_list_does_not_talk_over_a_responder_that_does_not_know(asking):
    asking.abroad.server.paths["ocsp"] = ANSWERS["unknown"](asking.abroad)
    await asking.refusal(asking.abroad.card())
    assert asking.seen["card.crl"] == 0


async def test_a_service_that_never_ends_is_left(asking, monkeypatch):
    monkeypatch.setattr(foreign, "PATIENCE_S", 0.05)
    asking.abroad.server.gate.clear()
    assert "slowly" in await asking.refusal(asking.abroad.card())
    asking.abroad.server.gate.set()


# --- whom we call ---------------------------------------------------------------------------------------------


@pytest.mark.req("HCA-19")
@pytest.mark.parametrize(
    "address",
    [
        "http://other.localhost:{0}/card.crl",
        "http://ca.localhost:{0}@other.localhost:{0}/card.crl",
        "http://x@ca.localhost:{0}/card.crl",
        "http://ca.localhost/card.crl",
        "https://ca.localhost:{0}/card.crl",
        "ldap://ca.localhost:{0}/card.crl",
        "http://[ca.localhost:{0}/card.crl",
        "/card.crl",
    ],
)
async def test_an_address_of_another_origin_is_not_called(asking, address):
    url = address.format(asking.abroad.server.port)
    for name, other in (("crl_url", "ocsp_url"), ("ocsp_url", "crl_url")):
        detail = await asking.refusal(asking.abroad.card(**{name: url, other: None}))
        assert detail == "no admitted address"
    assert not asking.seen


async def test_no_more_addresses_are_tried_than_a_certificate_needs(asking):
    points = [
        x509.DistributionPoint(
            [x509.UniformResourceIdentifier(asking.abroad.url(f"{number}.crl"))], None, None, None
        )
        for number in range(9)
    ]
    card = asking.abroad.card(
        crl_url=None, ocsp_url=None, extra=[(x509.CRLDistributionPoints(points), False)]
    )
    with pytest.raises(StatusUnavailable):
        await asking.status(card)
    assert sum(asking.seen.values()) == foreign.MAX_ADDRESSES


# --- what is kept -----------------------------------------------------------------------------------------------


async def test_what_holds_is_asked_once_in_its_time(asking):
    card = asking.abroad.card(**LIST_ONLY)
    other = asking.abroad.card(number=71, **LIST_ONLY)
    for each in (card, other, card):
        assert (await asking.status(each)).state is CardState.GOOD
    assert asking.seen == {"card.crl": 1, "root.crl": 1}
    asking.abroad.clock.tick(HOUR)
    await asking.status(card)
    assert asking.seen == {"card.crl": 2, "root.crl": 2}


async def test_nothing_is_kept_past_its_next_update(asking):
    abroad = asking.abroad
    soon = Reply(abroad.crl(next_update=past(abroad, -0.25)))
    abroad.server.paths["card.crl"] = lambda _: soon
    card = abroad.card(**LIST_ONLY)
    assert (await asking.status(card)).state is CardState.GOOD
    abroad.clock.tick(HOUR / 2)
    await asking.refusal(card)


async def test_many_who_wait_ask_once(asking):
    asking.abroad.server.gate.clear()
    cards = [asking.abroad.card(number=70 + number, **LIST_ONLY) for number in range(3)]
    waiting = [asyncio.create_task(asking.status(each)) for each in cards * 5]
    await eventually(lambda: bool(asking.seen))
    asking.abroad.server.gate.set()
    assert {(await each).state for each in waiting} == {CardState.GOOD}
    assert asking.seen == {"card.crl": 1, "root.crl": 1}


async def test_an_older_list_does_not_undo_a_newer_one(asking):
    """Whoever sits on the line of plain HTTP replays a list from before the revocation, still in force."""
    abroad = asking.abroad
    card = abroad.card(**LIST_ONLY)
    old = Reply(abroad.crl(this_update=past(abroad, 3), next_update=past(abroad, -30)))
    abroad.revoked[card.certificate] = "keyCompromise"
    assert (await asking.status(card)).state is CardState.REVOKED
    abroad.server.paths["card.crl"] = lambda _: old
    abroad.clock.tick(2 * HOUR)
    assert (await asking.status(card)).state is CardState.REVOKED
