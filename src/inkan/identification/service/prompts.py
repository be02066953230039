"""What became of prompts: quotas, mutes and the standing of a system (threat 2).

A prompt over its quota is never refused to the asker, who would learn from it that the person exists; it waits
silently in the wallet. The limits are rows of :mod:`inkan.identification.rules`.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from inkan.identification import store
from inkan.identification.rules import MUTES, QUOTAS, Mute, PromptResult, Quota
from inkan.kernel.ids import EventID, PersonID, SystemID, new_id
from inkan.store.database import MOMENT, Step

LONGEST = max(*(quota.within for quota in QUOTAS), *(mute.within for mute in MUTES))


def may_send(system: SystemID, person: PersonID, *, is_paired: bool) -> Step[bool]:
    """Step: whether a message goes out for one more prompt of this system to this person."""
    moment = yield MOMENT
    past = yield store.PROMPTS_OF.all(person=person, after=moment - LONGEST)
    if any(_is_used_up(quota, past, system, moment, is_paired=is_paired) for quota in QUOTAS):
        return False
    if any(_is_muted(mute, past, system, moment) for mute in MUTES if mute.per_person):
        return False
    for mute in MUTES:
        if not mute.per_person and (yield from _is_shunned(mute, system, moment)):
            return False
    return True


def _is_used_up(
    quota: Quota, past: Sequence[Any], system: SystemID, now: datetime, *, is_paired: bool
) -> bool:
    if quota.unpaired and is_paired:
        return False
    counted = [
        row
        for row in past
        if row.is_sent
        and row.at > now - quota.within
        and (row.system == system or not quota.per_system)
        and not (quota.unpaired and row.is_paired)
    ]
    return len(counted) >= quota.limit


def _is_muted(mute: Mute, past: Sequence[Any], system: SystemID, now: datetime) -> bool:
    """Whether the person has had enough of this system; an agreement since then ends it."""
    answered = sorted(
        (row for row in past if row.system == system and row.result and row.at > now - mute.within),
        key=lambda row: row.at,
        reverse=True,
    )
    bad = 0
    for row in answered:
        if row.result == PromptResult.OK:
            return False
        bad += row.result in mute.results
        if bad >= mute.limit:
            return True
    return False


def _is_shunned(mute: Mute, system: SystemID, now: datetime) -> Step[bool]:
    """Step: whether too many persons reported this system's prompts."""
    rows = yield store.REPORTS_OF.all(system=system, after=now - mute.within)
    counts = {row.result: row.persons for row in rows}
    bad = sum(counts.get(result, 0) for result in mute.results)
    return bool(bad >= mute.limit and bad >= mute.share * sum(counts.values()))


def note(
    session: str,
    system: SystemID,
    person: PersonID,
    *,
    is_sent: bool,
    is_paired: bool,
    event: EventID,
    result: PromptResult | None = None,
) -> Step[None]:
    """Step: write down that a question was put before a person."""
    moment = yield MOMENT
    yield store.INSERT_PROMPT.run(
        id=new_id("pr"),
        session=session,
        system=system,
        person=person,
        at=moment,
        is_sent=is_sent,
        is_paired=is_paired,
        result=result,
        event_id=event,
    )


def answered(
    session: str, person: PersonID, result: PromptResult, *, system: SystemID, event: EventID
) -> Step[None]:
    """Step: write down what the person made of it; a report counts whatever door it came by."""
    touched = yield store.ANSWER_PROMPTS.run(
        session_id=session, person=person, new_result=result, event=event
    )
    if not touched and result is PromptResult.REPORTED:
        yield from note(
            session,
            system,
            person,
            is_sent=False,
            is_paired=False,
            event=event,
            result=result,
        )


def purge(now: datetime) -> Step[None]:
    """Step: forget prompts that no quota and no mute counts any more."""
    yield store.PURGE_PROMPTS.run(before=now - LONGEST - timedelta(hours=1))
