"""What an insider with the keys, or a restored backup, leaves behind: contradictions, and missing kept heads."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from audit.acts import MAC_KEY, act
from audit.tampering import (
    EVENTS,
    HEADS,
    Change,
    Log,
    Row,
    add,
    another_log,
    key_of,
    remove,
    select,
    update,
)
from inkan.audit import Audit, FindingKind
from inkan.audit.service.events import Macs
from inkan.audit.service.heads import hash_of
from inkan.crypto import base64url, jcs, jose
from inkan.crypto.jose import JWSMalformed, JWSSignatureWrong
from inkan.kernel.ids import EventID
from inkan.store.database import Step
from inkan.wire.audit_log import HEAD_TYP, HeadPayload
from support.clock import StandingClock
from support.keyring import ec_key

Write = Callable[[int], Awaitable[list[EventID]]]


async def test_an_event_of_another_history_does_not_fit(
    log: Log, clock: StandingClock, sqlite_template: Path, tmp_path: Path
) -> None:
    """A backup was restored and went on differently: its event 12 is as genuine as ours, and follows another 11."""
    async with another_log(sqlite_template, tmp_path, clock) as (other, audit):
        for number in range(EVENTS):
            await other.transact(act, audit, number)
        await audit.sequence_once()

        def read() -> Step[list[Row]]:
            return [row._asdict() for row in (yield select("audit_event").all())]

        [foreign] = [row for row in await other.read(read) if row["position"] == 12]
    gone, added = remove("audit_event", log.events[12]), add("audit_event", foreign)
    report = await log.verify(Change("exchanged", [*gone.statements, *added.statements]))
    assert report is not None
    first = report.findings[0]
    assert (first.kind, first.index) == (FindingKind.EVENT, 12)
    assert "does not follow" in first.what


def new_tip(log: Log, **changes: Any) -> Change:
    """The tip with other values, under a MAC that holds."""
    values = {c: log.tip[c] for c in ("size", "chain", "heads", "head_hash")} | changes
    values["mac"] = Macs(MAC_KEY).tip(**values)
    key = {"key_name": log.tip["name"]}
    return Change(
        f"tip {sorted(changes)}",
        [(update("audit_tip", column), key | {"value": value}) for column, value in values.items()],
    )


def new_head(log: Log, **changes: Any) -> Change:
    """The last head signed anew with other values, and the tip that names it."""
    row = log.heads[-1]
    payload = msgspec.structs.replace(payload_of(row["jws"]), **changes)
    jws = jose.sign_compact(
        jcs.canonical(payload), ec_key(), alg=jose.Algorithm.ES256, typ=HEAD_TYP
    )
    columns = {"jws": jws, "size": payload.size, "number": payload.number}
    key = key_of("audit_head", row)
    statements = [(update("audit_head", c), key | {"value": v}) for c, v in columns.items()]
    return Change(
        f"head {changes}", [*statements, *new_tip(log, head_hash=hash_of(jws)).statements]
    )


def payload_of(jws: str) -> HeadPayload:
    return jcs.parse_canonical_as(HeadPayload, jose.parse_compact(jws, typ=HEAD_TYP).payload)


async def test_a_sound_rewriting_of_a_head_is_sound(log: Log) -> None:
    """The control of the tests below: what they change is what is found."""
    report = await log.verify(new_head(log))
    assert report is not None
    assert report.is_intact


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"root": base64url.encode(bytes(32))}, "another tree"),
        ({"previous": base64url.encode(bytes(32))}, "does not follow"),
        ({"number": 7}, "next number found is 7"),
        ({"size": HEADS[0]}, ""),
        ({"size": HEADS[0] - 1}, "goes back"),
        ({"size": EVENTS + 1}, "more events than there are"),
        ({"at": "2001-01-01T00:00:00Z"}, "goes back"),
    ],
)
async def test_a_head_that_was_signed_falsely_is_named(
    log: Log, changes: dict[str, Any], fault: str
) -> None:
    report = await log.verify(new_head(log, **changes))
    if report is None:  # two heads of one size: the database refuses that itself
        assert changes == {"size": HEADS[0]}
        return
    [finding] = report.findings
    assert finding.kind is FindingKind.HEAD
    assert fault in finding.what
    assert finding.index == (EVENTS if changes.get("size") == EVENTS + 1 else HEADS[-2])


@pytest.mark.parametrize(
    ("changes", "kind", "index"),
    [
        ({"chain": bytes(32)}, FindingKind.TIP, EVENTS),
        ({"size": EVENTS + 1}, FindingKind.EVENT, EVENTS),
        ({"size": EVENTS - 1}, FindingKind.EVENT, EVENTS - 1),
        ({"heads": 2}, FindingKind.HEAD, EVENTS),
        ({"head_hash": bytes(32)}, FindingKind.HEAD, EVENTS),
    ],
)
async def test_a_tip_that_names_another_end_is_found(
    log: Log, changes: dict[str, Any], kind: FindingKind, index: int
) -> None:
    report = await log.verify(new_tip(log, **changes))
    assert report is not None
    assert (report.findings[0].kind, report.findings[0].index) == (kind, index)


async def test_a_kept_head_shows_a_log_that_was_cut_off_or_rewritten(
    audit: Audit, write: Write, clock: StandingClock, sqlite_template: Path, tmp_path: Path
) -> None:
    """Both logs are sound in themselves and written with the same keys."""
    await write(5)
    await audit.work()
    kept = await audit.head()
    assert kept is not None
    assert (await audit.verify(kept_head=kept.jws)).is_intact
    await write(3)
    await audit.sequence_once()
    assert (await audit.verify(kept_head=kept.jws)).is_intact

    async with another_log(sqlite_template, tmp_path, clock) as (other, rewritten):
        for count, expected in ((3, 3), (2, 4), (2, 4)):
            for number in range(count):
                await other.transact(act, rewritten, number)
            await rewritten.sequence_once()
            assert (await rewritten.verify()).is_intact
            report = await rewritten.verify(kept_head=kept.jws)
            assert [(f.kind, f.where) for f in report.findings] == [(FindingKind.HEAD, "kept")]
            assert report.broken_at == expected


async def test_a_kept_head_must_be_a_head(audit: Audit, write: Write) -> None:
    await write(1)
    await audit.work()
    head = await audit.head()
    assert head is not None
    with pytest.raises(JWSMalformed):
        await audit.verify(kept_head="nonsense")
    with pytest.raises(JWSSignatureWrong):
        await audit.verify(kept_head=head.jws[:-6] + "AAAAAA")
