"""``audit verify`` names the first index that does not hold, whatever somebody does to any one row."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta

from audit.acts import MAC_KEY
from audit.tampering import (
    EVENTS,
    HEADS,
    LOSE_STATE,
    PENDING,
    Change,
    Log,
    Row,
    add,
    columns_changed,
    delete,
    key_of,
    other_values,
    remove,
    set_column,
    update,
)
from inkan.audit import Audit, FindingKind, Report
from inkan.audit.rules import PAGE, PENDING_GRACE, TILE_WIDTH
from inkan.kernel.ids import EventID
from inkan.kernel.sensitive import Secret
from inkan.store.database import Database
from support.clock import StandingClock
from support.keyring import ec_key

Write = Callable[[int], Awaitable[list[EventID]]]


async def test_an_untouched_log_is_intact(log: Log) -> None:
    report = await log.verify()
    assert report == Report(events=EVENTS, heads=3, pending=PENDING, findings=[])


async def test_a_changed_event_is_named(log: Log) -> None:
    for index, row in enumerate(log.events):
        changes = columns_changed("audit_event", row, untyped=log.untyped)
        assert await log.expect(changes, broken_at=index) > 20


async def test_a_deleted_event_is_named(log: Log) -> None:
    for index, row in enumerate(log.events):
        assert await log.expect([remove("audit_event", row)], broken_at=index) == 1


async def test_two_exchanged_events_are_named(log: Log) -> None:
    for index, row in enumerate(log.events[:-1]):
        for other in log.events[index + 1 :: 3]:
            assert await log.expect([exchange(row, other, ["position"])], broken_at=index) == 1


async def test_an_exchange_with_its_chain_values_is_named_too(log: Log) -> None:
    row, other = log.events[3], log.events[30]
    assert await log.expect([exchange(row, other, ["position", "chain"])], broken_at=3) == 1


def exchange(row: Row, other: Row, columns: Sequence[str]) -> Change:
    free = [(update("audit_event", "position"), key_of("audit_event", row) | {"value": None})]
    swaps = [
        (update("audit_event", column), key_of("audit_event", to) | {"value": source[column]})
        for to, source in ((other, row), (row, other))
        for column in columns
    ]
    return Change(f"{row['position']} and {other['position']} exchanged", [*free, *swaps])


async def test_an_inserted_event_is_named(log: Log) -> None:
    copies = [row | {"id": "ev_copy", "position": EVENTS} for row in log.events]
    inserted = [add("audit_event", copy) for copy in copies]
    assert await log.expect(inserted, broken_at=EVENTS) == EVENTS
    before_all = add("audit_event", log.events[0] | {"id": "ev_copy", "position": -1})
    assert await log.expect([before_all], broken_at=None) == 1


async def test_an_event_put_among_the_pending_is_forged(log: Log) -> None:
    for row in (log.events[5], log.pending[0]):
        copy = row | {"id": "ev_copy", "position": None, "chain": None}
        report = await log.verify(add("audit_event", copy))
        assert report is not None
        assert [(f.kind, f.where) for f in report.findings] == [(FindingKind.FORGED, "ev_copy")]


async def test_a_changed_pending_event_is_named(log: Log) -> None:
    row = log.pending[0]
    columns = [column for column in row if column not in {"id", "position"}]
    for column in columns:
        for value in other_values("audit_event", row, column, untyped=log.untyped):
            if value == row[column]:
                continue
            report = await log.verify(set_column("audit_event", row, column, value))
            assert report is not None
            assert [f.kind for f in report.findings] == [FindingKind.FORGED], (column, value)
    report = await log.verify(set_column("audit_event", row, "id", "ev_other"))
    assert report is not None
    assert {f.kind for f in report.findings} == {
        FindingKind.FORGED,
        FindingKind.STATE_WITHOUT_EVENT,
    }
    beyond = set_column("audit_event", row, "position", EVENTS)
    assert await log.expect([beyond], broken_at=EVENTS) == 1


async def test_a_deleted_pending_event_is_missed_by_its_state(log: Log) -> None:
    row = log.pending[0]
    report = await log.verify(remove("audit_event", row))
    assert report is not None
    [finding] = report.findings
    assert (finding.kind, finding.index) == (FindingKind.STATE_WITHOUT_EVENT, None)
    assert finding.where == f"tests: row of {row['id']}"


async def test_a_changed_head_is_named_by_the_first_event_it_leaves_unsigned(log: Log) -> None:
    for number, row in enumerate(log.heads):
        uncovered = [0, *HEADS][number]
        changes = columns_changed("audit_head", row, untyped=log.untyped)
        assert await log.expect(changes, broken_at=uncovered) >= 5
        assert await log.expect([remove("audit_head", row)], broken_at=uncovered) == 1


async def test_exchanged_and_inserted_heads_are_named(log: Log) -> None:
    first, second, third = log.heads
    swapped = [
        (update("audit_head", "jws"), key_of("audit_head", first) | {"value": second["jws"]}),
        (update("audit_head", "jws"), key_of("audit_head", second) | {"value": first["jws"]}),
    ]
    assert await log.expect([Change("heads exchanged", swapped)], broken_at=0) == 1
    more = add("audit_head", third | {"number": 3, "size": EVENTS + 1})
    assert await log.expect([more], broken_at=EVENTS) == 1
    earlier = add("audit_head", first | {"number": -1, "size": 5})
    assert await log.expect([earlier], broken_at=None) == 1


async def test_a_changed_tile_is_named_by_its_first_wrong_leaf(log: Log) -> None:
    for row in log.tiles:
        first = row["number"] * TILE_WIDTH
        changes = columns_changed("audit_tile", row, untyped=log.untyped)
        ends = row["hashes"][:-1] + bytes([row["hashes"][-1] ^ 128])
        whole = [c for c in changes if c.statements[0][1]["value"] != ends]
        assert await log.expect(whole, broken_at=first) >= 5
        assert await log.expect([remove("audit_tile", row)], broken_at=first) == 1
        last = first + len(row["hashes"]) // 32 - 1 if row["level"] == 0 else first
        change = set_column("audit_tile", row, "hashes", ends)
        assert await log.expect([change], broken_at=last) == 1


async def test_inserted_and_grown_tiles_are_named(log: Log) -> None:
    stray = [
        add("audit_tile", {"level": level, "number": number, "hashes": bytes(32)})
        for level, number in ((0, 2), (1, 1), (2, 0), (-1, 0), (0, -1))
    ]
    assert await log.expect(stray, broken_at=EVENTS) == 5
    begun = log.tiles[1]
    assert (begun["level"], begun["number"]) == (0, 1)
    longer = set_column("audit_tile", begun, "hashes", begun["hashes"] + bytes(32))
    assert await log.expect([longer], broken_at=EVENTS) == 1


async def test_a_changed_tip_is_found(log: Log) -> None:
    changes = [
        *columns_changed("audit_tip", log.tip, untyped=log.untyped),
        remove("audit_tip", log.tip),
    ]
    changes.append(add("audit_tip", log.tip | {"name": "another"}))
    for change in changes:
        report = await log.verify(change)
        assert report is not None
        assert [f.kind for f in report.findings] == [FindingKind.TIP], change.what


async def test_an_older_tip_does_not_hide_what_came_after(
    log: Log, audit: Audit, write: Write
) -> None:
    """Somebody who kept an old tip, whose MAC holds, and cuts the log at another place."""
    await audit.sequence_once()
    old = [
        (update("audit_tip", column), {"key_name": "log", "value": value})
        for column, value in log.tip.items()
        if column != "name"
    ]
    report = await log.verify(Change("old tip", old))
    assert report is not None
    assert report.broken_at == EVENTS
    heads_gone = [(delete("audit_head"), key_of("audit_head", log.heads[-1]))]
    report = await log.verify(Change("last head cut", heads_gone))
    assert report is not None
    assert report.broken_at == HEADS[-2]


async def test_state_without_event_is_named(log: Log) -> None:
    row = f"row of {log.events[7]['id']}"
    report = await log.verify(Change("state changed", [(LOSE_STATE, {"row": row})]))
    assert report is not None
    assert [(f.kind, f.where) for f in report.findings] == [
        (FindingKind.STATE_WITHOUT_EVENT, f"tests: {row}")
    ]


async def test_events_left_without_an_index_are_named(
    log: Log, audit: Audit, clock: StandingClock
) -> None:
    clock.tick(PENDING_GRACE)
    assert (await audit.verify()).is_intact
    clock.tick(timedelta(microseconds=1))
    report = await audit.verify()
    assert [f.where for f in report.findings] == sorted(row["id"] for row in log.pending)
    assert {f.kind for f in report.findings} == {FindingKind.UNSEQUENCED}


async def test_another_key_fits_nothing(log: Log, database: Database) -> None:
    stranger = Audit(db=database, mac_key=Secret(bytes(32)), head_signer=ec_key())
    report = await stranger.verify()
    assert report.broken_at == 0
    assert {f.kind for f in report.findings} == {
        FindingKind.EVENT,
        FindingKind.TIP,
        FindingKind.FORGED,
    }
    other_signer = Audit(db=database, mac_key=MAC_KEY, head_signer=ec_key(1))
    report = await other_signer.verify()
    assert [(f.kind, f.index) for f in report.findings] == [(FindingKind.HEAD, 0)]


async def test_an_empty_log_is_intact(audit: Audit) -> None:
    assert (await audit.verify()).is_intact


async def test_a_long_log_is_read_in_pages(audit: Audit, database: Database, write: Write) -> None:
    await write(PAGE + 1)
    await audit.work()
    seen: list[tuple[int, int]] = []
    report = await audit.verify(progress=lambda *at: seen.append(at))
    assert (report.events, report.is_intact) == (PAGE + 1, True)
    assert seen == [(PAGE, PAGE + 1), (PAGE + 1, PAGE + 1)]
