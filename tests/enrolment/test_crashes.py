"""A process that dies at any step of an acceptance: the outbox finishes exactly once, or gives all of it back."""

from collections import Counter
from datetime import timedelta

import pytest

from enrolment.hands import on_sqlite, prepared, raw_card, refusal, rows
from inkan.enrolment import store
from inkan.enrolment.service import accepting, finishing
from inkan.pki import LintRefused, RevocationReason
from inkan.pki import store as pki_store
from inkan.pki.service.issue import Issue
from support.world import CLERK


class Died(BaseException):
    """The process stops here: no handler of the product may catch it."""


def dies(*args, **kwargs):
    raise Died


async def dies_later(*args, **kwargs):
    raise Died


async def accepted(world, number=10):
    started, content, phone = await prepared(world, number)
    return started, (await raw_card(world)).sign(content), phone


async def submitting(world, message):
    """The use case itself: over HTTP the server would answer 500 for the death."""
    enrolment = world.platform.enrolment
    (row,) = await rows(world, store.request)
    from inkan.enrolment.service.parts import read_request

    return await enrolment.submit(read_request(row), message)


PLACES = {
    "before the issue": (accepting, "finish", dies_later),
    "before the first twin": (Issue, "_intend", dies_later),
    "before the signature": (Issue, "_sign", dies_later),
    "after the signature": (Issue, "_signed", dies),
    "before the phone is active": (finishing, "_activate", dies),
}


@pytest.mark.parametrize("place", PLACES)
async def test_the_outbox_finishes_what_a_crash_left(world, monkeypatch, place):
    started, message, phone = await accepted(world)
    module, name, death = PLACES[place]
    with monkeypatch.context() as patch:
        patch.setattr(module, name, death)
        with pytest.raises(Died):
            await submitting(world, message)
    (request,) = await rows(world, store.request)
    (row,) = await rows(world, store.phone)
    assert (request.state, row.state) == ("accepted", "issuing")
    assert await refusal(phone.api.post("/phone/v1/renew/begin", {}, dict)) == "role_missing"
    await world.leap(timedelta(seconds=11))
    (request,) = await rows(world, store.request)
    (row,) = await rows(world, store.phone)
    assert (request.state, row.state) == ("issued", "active")
    made = Counter(each.profile for each in await rows(world, pki_store.certificate, owner=row.id))
    assert made == {"phone-auth": 1, "phone-sign": 1}
    events = Counter(await world.events())
    assert events["enrolment.accepted"] == events["enrolment.bound"] == 1
    assert events["pki.certificate_issued"] == 3
    assert (await started.submit(message)).phone == row.id


@on_sqlite
@pytest.mark.parametrize("place", PLACES)
async def test_the_same_bytes_again_finish_it_too(world, monkeypatch, place):
    started, message, _ = await accepted(world)
    module, name, death = PLACES[place]
    with monkeypatch.context() as patch:
        patch.setattr(module, name, death)
        with pytest.raises(Died):
            await submitting(world, message)
    answer = await started.submit(message)
    assert answer.state == "issued"
    await world.leap(timedelta(seconds=11))
    assert Counter(await world.events())["enrolment.bound"] == 1
    assert len(await rows(world, pki_store.certificate, owner=answer.phone)) == 2


async def test_a_certificate_that_cannot_be_issued_gives_the_slot_back(world, monkeypatch):
    started, message, phone = await accepted(world)

    async def findings(self, twin):
        return ["pkix.broken"]

    with monkeypatch.context() as patch:
        patch.setattr(Issue, "_findings", findings)
        patch.setattr(world.platform.pki._issue, "_lint", True)
        with pytest.raises(LintRefused):
            await submitting(world, message)
    assert await rows(world, store.phone) == []
    assert await rows(world, store.slot) == []
    (request,) = await rows(world, store.request)
    assert (request.state, request.refusal) == ("refused", "lint_refused")
    seen = await phone.api.get(f"/phone/v1/enrolments/{phone.joined['id']}", dict)
    assert (seen["state"], seen["refusal"]) == ("refused", "lint_refused")
    states = Counter(row.state for row in await rows(world, pki_store.certificate))
    assert states == {"valid": 1, "refused": 1, "revoked": 1}  # the card; what was ordered
    await world.leap(timedelta(seconds=30))
    assert await refusal(started.submit(message)) == "enrolment_expired"
    again, content, _ = await prepared(world, 30)
    assert (await again.submit((await raw_card(world)).sign(content))).state == "issued"


async def test_a_card_that_ends_while_certificates_are_issued_leaves_none(world, monkeypatch):
    started, message, _ = await accepted(world)
    with monkeypatch.context() as patch:
        patch.setattr(Issue, "_sign", dies_later)
        with pytest.raises(Died):
            await submitting(world, message)
    card = (await raw_card(world)).certificate
    platform = world.platform
    await platform.db.transact(
        platform.pki.revoke, card.id, reason=RevocationReason.KEY_COMPROMISE, actor=CLERK
    )
    await world.instance.outbox.run_due()  # the event is on its way at once
    await world.leap(timedelta(seconds=30))
    (row,) = await rows(world, store.phone)
    assert row.state == "revoked"
    assert await rows(world, store.slot) == []
    states = Counter(each.state for each in await rows(world, pki_store.certificate, owner=row.id))
    assert states == {"revoked": 2}
    assert await refusal(started.submit(message)) == "enrolment_expired"
    assert (await started.status()).state == "refused"
