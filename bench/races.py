"""Races for one approval: exactly one wins (a count, no speed).

One `inkan serve` process on SQLite (synchronous=FULL). In each race two phones send `open` for the same code at the same
time; then the end is raced for: the opener's answer (a refusal, in every fifth race an approval with both proofs)
against the relying party's cancellation, or against the opener's own other answer, both sent before either is answered
and each as often first as second.
A race counts when exactly one of each pair was taken, the other was refused as a rival, and the session reads as
the winner left it.
"""

import asyncio
import os
import tempfile
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

from rig import Keys, Line, Refused, Rig, found_rig, lines

PORT = 8690
RACES = int(os.environ.get("BENCH_RACES", "10000"))
PAIRS = 8
RIVAL = {404, 409, 410}  # nothing open here any more, another was first, or it has ended

Row = tuple[str, str, float, float | str | None, str]


def figures() -> Iterator[Row]:
    """How many races had one winner."""
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        rig = asyncio.run(found_rig(Path(folder), port=PORT))
        with rig.serving():
            won = asyncio.run(_race_all(rig))
    note = ", ".join(f"{winner} {count:,}" for winner, count in sorted(won.items()))
    yield "races with one winner", f"of {RACES:,}", won.total(), f">= {RACES}", note


async def _race_all(rig: Rig) -> Counter[str]:
    won: Counter[str] = Counter()

    async def track(first: Line, second: Line, start: int) -> None:
        for number in range(start, RACES, PAIRS):
            if number % 1000 < PAIRS:
                await rig.log_in(first)
            if winner := await _race(rig, first, second, number):
                won[winner] += 1

    async with lines(rig, 2 * PAIRS) as dialled:
        await rig.log_in(dialled[0])
        await asyncio.gather(*(track(dialled[n], dialled[PAIRS + n], n) for n in range(PAIRS)))
    return won


async def _race(rig: Rig, first: Line, second: Line, number: int) -> str:
    """Who ended it; empty when there was not exactly one winner each time."""
    if number % 4 < 2:  # whose request leaves first
        first, second = second, first
    phones = [rig.phones[(number + n) % len(rig.phones)] for n in range(2)]
    created = await rig.create(first)
    opened = await _rivals(
        rig.open(first, phones[0], created), rig.open(second, phones[1], created)
    )
    if len(opened) != 1:
        return ""
    [(place, given)] = opened.items()
    ends = _ends(rig, phones[place], created["session"]["id"], given, number)
    sent = [end(line) for end, line in zip(ends.values(), (first, second), strict=True)]
    if number % 2:
        sent.reverse()
    ended = await _rivals(*sent)
    if len(ended) != 1:
        return ""
    winner = list(ends)[:: -1 if number % 2 else 1][next(iter(ended))]
    seen = await rig.result(first, created["session"]["id"])
    return winner if winner in (seen["outcome"], seen["state"]) else ""


def _ends(
    rig: Rig, phone: Keys, session: str, opened: dict[str, Any], number: int
) -> dict[str, Callable[[Line], Awaitable[object]]]:
    """The two that race for the end, by what the session reads when they win."""
    approval = opened["approval"]

    def refuse(line: Line) -> Awaitable[object]:
        return rig.tell(line, phone, f"/phone/v1/approvals/{approval}/refuse")

    def cancel(line: Line) -> Awaitable[object]:
        path = f"/v1/sessions/{session}/cancel"
        return line.ask("POST", path, rig.rp_headers("POST", path))

    if number % 10 > 1:
        return {"refused": refuse, "cancelled": cancel}
    # Made before the race begins: signing takes longer than all the rest.
    proofs = phone.decide_body(opened["draft"], opened["text"])

    def approve(line: Line) -> Awaitable[object]:
        return rig.send_decision(line, phone, approval, proofs)

    return (
        {"ok": approve, "refused": refuse}
        if number % 20 > 9
        else {"ok": approve, "cancelled": cancel}
    )


async def _rivals(*rivals: Awaitable[Any]) -> dict[int, Any]:
    """What the winners got, by place.

    Raises:
        Refused: for another reason than that somebody was first.
    """
    answers = await asyncio.gather(*rivals, return_exceptions=True)
    for answer in answers:
        if isinstance(answer, BaseException) and not _is_rival(answer):
            raise answer
    return {n: answer for n, answer in enumerate(answers) if not isinstance(answer, BaseException)}


def _is_rival(answer: BaseException) -> bool:
    return isinstance(answer, Refused) and answer.status in RIVAL
