"""Shards, the list of authorities, the end of entries, the past, and that three views agree; everything is linted."""

from datetime import timedelta

import pytest
from asn1crypto import x509 as asn1
from cryptography import x509

from inkan.crypto.crl import verify_crl
from inkan.crypto.ocsp import CertificateStatus
from inkan.crypto.workers.linters import lint_ocsp
from inkan.pki import ReasonRefused, RevocationReason, Standing, store
from pki.hands import (
    ask,
    authority,
    fetch,
    issue,
    on_sqlite,
    read,
    reinstate,
    revoke,
    rows,
    suspend,
)
from pki.lists import crl_at, path_of, told
from support.world import CLERK

FULL, DELTA = "/crl/card/full.crl", "/crl/card/delta.crl"
MINUTE = timedelta(minutes=1)


# --- shards ---------------------------------------------------------------------------------------------------


async def test_a_shard_is_named_alike_in_certificate_and_list(nation):
    made = [await issue(nation, n) for n in range(3)]
    for issued in made:
        serial = int(issued.serial, 16)
        assert path_of(issued) == f"/crl/card/{serial % 1024}.crl"
        crl = await crl_at(nation, path_of(issued))
        point = crl.extensions.get_extension_for_class(x509.IssuingDistributionPoint)
        assert point.critical
        named = asn1.Certificate.load(issued.der).crl_distribution_points_value[0]
        octets = named["distribution_point"].chosen.untag().contents
        assert octets in point.value.public_bytes()
        assert told(crl) == {}
    await revoke(nation, made[0])
    assert set(told(await crl_at(nation, path_of(made[0])))) == {int(made[0].serial, 16)}
    assert (await fetch(nation, "/crl/card/1024.crl")).status_code == 404


async def test_the_sweep_signs_what_changed_and_nothing_that_is_empty(nation):
    made = [await issue(nation, n) for n in range(2)]
    assert await nation.platform.pki.lists.refresh() == 0
    await revoke(nation, made[0], RevocationReason.SUPERSEDED)
    assert await nation.platform.pki.lists.refresh() == 1
    assert await nation.platform.pki.lists.refresh() == 0
    signed = [row for row in await rows(nation, store.crl, authority="card") if row.listed]
    assert [row.shard for row in signed] == [int(made[0].serial, 16) % 1024]
    nation.clock.advance(timedelta(hours=1))  # half of its life
    assert await nation.platform.pki.lists.refresh() == 1


async def test_shards_that_were_signed_together_fall_due_apart(nation):
    lists = nation.platform.pki.lists
    rows_ = {row.shard: row for row in await rows(nation, store.crl, authority="card")}
    now = nation.clock.now()

    class Row:
        def __init__(self, shard):
            self.shard, self.dirty, self.number, self.listed = shard, False, 1, 1
            self.this_update, self.next_update = now, now + timedelta(hours=2)

    due = []
    for _ in range(4):
        nation.clock.advance(timedelta(minutes=15))
        due.append(sum(lists._is_due(Row(shard)) for shard in rows_))
    assert due[:2] == [0, 0]
    assert due[3] == 1024
    nation.clock.advance(timedelta(0))
    assert len({lists._is_due(Row(shard)) for shard in rows_}) == 1


async def test_a_compromised_key_is_listed_without_waiting_for_the_sweep(nation):
    issued = await issue(nation, 1)
    await revoke(nation, issued, RevocationReason.KEY_COMPROMISE)
    await nation.instance.outbox.run_due()
    shard = int(issued.serial, 16) % 1024
    (row,) = await rows(nation, store.crl, authority="card", shard=shard)
    assert row.dirty is False
    assert set(told(x509.load_der_x509_crl(bytes(row.der)))) == {int(issued.serial, 16)}


async def test_a_list_whose_number_was_taken_and_never_stored_is_due(nation):
    issued = await issue(nation, 1)
    assert told(await crl_at(nation, path_of(issued))) == {}
    await revoke(nation, issued)
    shard = int(issued.serial, 16) % 1024
    from inkan.pki.service import lists

    await nation.platform.db.transact(
        lists._take, nation.platform.audit, "card", [shard], "list"
    )  # and then the process dies
    assert await nation.platform.pki.lists.refresh() == 1
    assert set(told(await crl_at(nation, path_of(issued)))) == {int(issued.serial, 16)}


async def test_a_slower_list_never_replaces_a_newer_one(nation, monkeypatch):
    issued = await issue(nation, 1)
    shard = int(issued.serial, 16) % 1024
    from inkan.pki.service import lists

    (slow,) = await nation.platform.db.transact(
        lists._take, nation.platform.audit, "card", [shard], "list"
    )
    (read_,) = await nation.platform.db.scan(lists._read, "card", [slow])
    await revoke(nation, issued)
    fresh = await nation.platform.pki.crl("card", shard)
    service, card = nation.platform.pki.lists, nation.platform.pki.hierarchy.get("card")
    frame = service._frame(card, shard, slow.number, read_)
    (kept,) = await nation.platform.db.transact(
        lists._store, nation.platform.audit, "card", [shard], [(frame, read_, b"stale")], "list"
    )
    assert kept == fresh


async def test_the_invalidity_date_is_told(nation):
    issued = await issue(nation, 1)
    since = nation.clock.now().replace(microsecond=0) - timedelta(days=3)
    pki = nation.platform.pki
    await nation.platform.db.transact(
        pki.revoke,
        issued.id,
        reason=RevocationReason.KEY_COMPROMISE,
        actor=CLERK,
        invalid_since=since,
    )
    (entry,) = await crl_at(nation, path_of(issued))
    told_ = entry.extensions.get_extension_for_class(x509.InvalidityDate).value
    assert told_.invalidity_date_utc == since
    found = await pki.find_serial(issued.serial, authority=None, at=None)
    assert found.invalid_since == since


@pytest.mark.parametrize("reason", ["certificateHold", "cACompromise", "aACompromise"])
@on_sqlite
async def test_a_holder_is_not_revoked_for_every_reason(nation, reason):
    issued = await issue(nation, 1)
    with pytest.raises(ReasonRefused):
        await revoke(nation, issued, RevocationReason(reason))
    assert told(await crl_at(nation, path_of(issued))) == {}


# --- the end of entries and of authorities ---------------------------------------------------------------------


async def test_an_entry_goes_after_one_list_past_the_term_and_is_purged(nation):
    end = nation.clock.now().replace(microsecond=0) + timedelta(days=10)
    issued = await issue(nation, 1, not_after=end)
    await revoke(nation, issued)
    await crl_at(nation, path_of(issued))
    await crl_at(nation, FULL)
    nation.clock.advance(timedelta(days=11))
    await nation.platform.pki.purge_answers()
    assert len(told(await crl_at(nation, path_of(issued)))) == 1
    nation.clock.advance(timedelta(hours=3))
    assert told(await crl_at(nation, path_of(issued))) == {}
    await nation.platform.pki.purge_answers()
    assert len(await rows(nation, store.revoked)) == 1  # the full list has yet to tell it
    assert len(told(await crl_at(nation, FULL))) == 1
    nation.clock.advance(timedelta(days=8))
    assert told(await crl_at(nation, FULL)) == {}
    await nation.platform.pki.purge_answers()
    await crl_at(nation, path_of(issued))
    await nation.platform.pki.purge_answers()
    assert await rows(nation, store.revoked) == []


async def test_an_authority_is_revoked_in_the_roots_list_and_issues_nothing(nation):
    pki = nation.platform.pki
    with pytest.raises(ReasonRefused):
        await pki.revoke_authority("card", reason=RevocationReason.CERTIFICATE_HOLD, actor=CLERK)
    assert told(await crl_at(nation, "/crl/root.crl")) == {}
    reason = RevocationReason.CA_COMPROMISE
    assert await pki.revoke_authority("card", reason=reason, actor=CLERK)
    assert await pki.revoke_authority("card", reason=reason, actor=CLERK) is False
    arl = await crl_at(nation, "/crl/root.crl")
    point = arl.extensions.get_extension_for_class(x509.IssuingDistributionPoint)
    assert point.critical
    assert point.value.only_contains_ca_certs
    assert told(arl) == {authority(nation, "card").serial: "cACompromise"}
    from inkan.pki.model import AuthorityUnknown

    with pytest.raises(AuthorityUnknown):
        await issue(nation, 2)
    events = await nation.events()
    assert list(events).count("pki.authority_revoked") == 1


# --- the past -------------------------------------------------------------------------------------------------


async def test_the_past_can_be_asked(nation):
    issued = await issue(nation, 1)
    pki, clock = nation.platform.pki, nation.clock
    marks = {"valid": clock.now()}
    for name, change in (
        ("held", suspend),
        ("back", reinstate),
        ("again", suspend),
        ("ended", revoke),
    ):
        clock.advance(timedelta(hours=1))
        await change(nation, issued)
        marks[name] = clock.now()

    async def at(moment):
        return await pki.find_serial(issued.serial, authority="card", at=moment)

    standings = {name: (await at(moment)).standing for name, moment in marks.items()}
    assert standings == {
        "valid": Standing.VALID,
        "held": Standing.SUSPENDED,
        "back": Standing.VALID,
        "again": Standing.SUSPENDED,
        "ended": Standing.REVOKED,
    }
    last = await at(issued.not_after + timedelta(days=400))
    assert last.standing is Standing.REVOKED
    assert last.revoked_at == marks["ended"]
    assert [(hold.since, hold.until) for hold in last.holds] == [
        (marks["held"], marks["back"]),
        (marks["again"], marks["ended"]),
    ]
    assert (await at(marks["held"])).holds[0].until is None
    assert (await at(marks["held"])).reason is RevocationReason.CERTIFICATE_HOLD
    assert (await at(issued.not_before - MINUTE)).standing is Standing.NOT_YET_VALID
    other = await issue(nation, 2)
    ended = await pki.find_serial(other.serial, authority="card", at=other.not_after + MINUTE)
    assert ended.standing is Standing.EXPIRED


@on_sqlite
async def test_the_past_over_http(nation):
    issued = await issue(nation, 1)
    await revoke(nation, issued)
    place = f"/status/card/{issued.serial}"
    answer = await fetch(nation, place)
    assert answer.json()["standing"] == "revoked"
    before = "2026-03-31T00:00:00%2B08:00"
    assert (await fetch(nation, f"{place}?at={before}")).json()["standing"] == "not_yet_valid"
    for wrong in (
        "/status/card/xyz",
        "/status/card/1_0",
        f"{place}?at=yesterday",
        f"{place}?at=2026-01-01",
    ):
        assert (await fetch(nation, wrong)).status_code == 400
    for unknown in ("/status/card/123", f"/status/phone/{issued.serial}", "/status/nobody/12"):
        assert (await fetch(nation, unknown)).status_code == 404


# --- three views ------------------------------------------------------------------------------------------------


async def agree(world, issued) -> bool:
    """Whether database, list and OCSP say the same, without anybody asking for a list to be made."""
    answer = await ask(world, issued)
    assert not lint_ocsp(answer).errors
    is_good = read(world, issued, answer).answer.status is CertificateStatus.GOOD
    found = await world.platform.pki.find_serial(issued.serial, authority="card", at=None)
    shard = int(issued.serial, 16) % 1024
    (row,) = await rows(world, store.crl, authority="card", shard=shard)
    der = bytes(row.der)
    verify_crl(der, issuer=authority(world, "card"), at=world.clock.now())
    is_listed = int(issued.serial, 16) in told(x509.load_der_x509_crl(der))
    return (found.standing is Standing.VALID) == is_good == (not is_listed)


async def test_three_views_agree_within_a_minute(nation):
    made = [await issue(nation, n) for n in range(4)]
    for issued in made:
        await fetch(nation, path_of(issued))
        assert await agree(nation, issued)
    steps = (
        (revoke, RevocationReason.SUPERSEDED),
        (revoke, RevocationReason.KEY_COMPROMISE),
        (suspend,),
        (reinstate,),
    )
    await suspend(nation, made[3])
    nation.clock.advance(MINUTE)
    for issued, (step, *more) in zip(made, steps, strict=True):
        await step(nation, issued, *more)
    nation.clock.advance(timedelta(seconds=60))
    await nation.instance.schedules.run_due()
    for issued in made:
        assert await agree(nation, issued)
