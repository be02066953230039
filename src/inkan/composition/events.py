"""The event table: which feature reacts to what, and every job and schedule of an instance."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import timedelta
from typing import Any

import msgspec

from inkan import accounts, attributes, counter, notices, signing
from inkan.audit import SEQUENCE_EVERY
from inkan.composition import sandboxes
from inkan.composition.platform import Platform
from inkan.enrolment import END_KEYS_JOB, FINISH_JOB, EndKeysJob, FinishJob
from inkan.identification import (
    END_JOB,
    PUSH_JOB,
    WEBHOOK_JOB,
    ConsentTakenBack,
    EndJob,
    PushJob,
    SessionEnded,
)
from inkan.people import PersonDeceased, PersonIdentityChanged
from inkan.pki import LIST_JOB, SWEEP_EVERY, CertificateRevoked, ListJob
from inkan.store.outbox import Handler, Job
from inkan.store.schedules import Schedule

Reaction = Callable[[Any], Awaitable[None]]


def reactions(platform: Platform) -> Mapping[type[msgspec.Struct], Sequence[Reaction]]:
    """Event to reactions, in order."""
    return {
        CertificateRevoked: (
            platform.enrolment.on_certificate_revoked,
            platform.openid.on_certificate_revoked,
            platform.counter.cases.on_certificate_revoked,
        ),
        PersonDeceased: (
            platform.enrolment.on_person_deceased,
            platform.counter.cases.on_person_deceased,
        ),
        PersonIdentityChanged: (platform.counter.cases.on_identity_changed,),
        ConsentTakenBack: (platform.openid.on_consent_taken_back,),
        SessionEnded: (platform.openid.pings.on_session_ended,),
    }


def handlers(platform: Platform) -> Mapping[str, Handler]:
    """The outbox's kinds: every event, and the jobs that make up for a crash."""
    table = {
        event.kind: Handler(_deliver(event, calls))  # type: ignore[attr-defined]
        for event, calls in reactions(platform).items()
    }

    async def sign_list(job: Job) -> None:
        wanted = job.decode(ListJob)
        await platform.pki.crl(wanted.authority, wanted.shard)

    async def finish(job: Job) -> None:
        await platform.enrolment.make_up(job.decode(FinishJob).request)

    async def end_keys(job: Job) -> None:
        await platform.enrolment.end_keys(job.decode(EndKeysJob))

    async def push(job: Job) -> None:
        await platform.identification.push(job.decode(PushJob))

    async def end(job: Job) -> None:
        await platform.identification.end(job.decode(EndJob))

    jobs = {
        LIST_JOB: Handler(sign_list),
        FINISH_JOB: Handler(finish),
        END_KEYS_JOB: Handler(end_keys),
        WEBHOOK_JOB: platform.webhooks.handler,
        PUSH_JOB: Handler(push),
        END_JOB: Handler(end),
        **platform.notices.handlers,
        **platform.openid.handlers,
    }
    return sandboxes.handlers(platform.sandbox, table | jobs)


def _deliver(
    event: type[msgspec.Struct], calls: Sequence[Reaction]
) -> Callable[[Job], Awaitable[None]]:
    async def deliver(job: Job) -> None:
        happened = job.decode(event)
        for call in calls:
            await call(happened)

    return deliver


def schedules(platform: Platform) -> dict[str, Schedule]:
    """What recurs, and how often; every work may run twice for one interval."""
    hour = timedelta(hours=1)

    async def expire() -> None:
        await platform.identification.expire()

    async def sign_unsigned() -> None:
        await platform.identification.sign_unsigned()

    return {
        "audit.sequence": Schedule(every=SEQUENCE_EVERY, work=platform.audit.work),
        "pki.lists": Schedule(every=SWEEP_EVERY, work=platform.pki.refresh_lists),
        "pki.signers": Schedule(every=hour, work=platform.pki.renew_signers),
        "pki.answers": Schedule(every=hour, work=platform.pki.purge_answers),
        "pki.unfinished": Schedule(every=timedelta(seconds=10), work=platform.pki.finish_issues),
        "pki.key_uses": Schedule(every=timedelta(minutes=1), work=platform.pki.record_key_uses),
        "enrolment.parents": Schedule(every=hour, work=platform.enrolment.check_parents),
        "enrolment.purge": Schedule(every=hour, work=platform.enrolment.purge),
        "counter.sweep": Schedule(every=counter.SWEEP_EVERY, work=platform.counter.cases.sweep),
        "counter.purge": Schedule(every=counter.PURGE_EVERY, work=platform.counter.cases.purge),
        "notices.purge": Schedule(every=notices.PURGE_EVERY, work=platform.notices.purge),
        "accounts.purge": Schedule(every=accounts.PURGE_EVERY, work=platform.accounts.purge),
        "attributes.purge": Schedule(every=attributes.PURGE_EVERY, work=platform.attributes.purge),
        "signing.purge": Schedule(every=signing.PURGE_EVERY, work=platform.signing.purge),
        "identification.expire": Schedule(every=timedelta(seconds=10), work=expire),
        "identification.unsigned": Schedule(every=timedelta(seconds=10), work=sign_unsigned),
        "federation.purge": Schedule(every=hour, work=platform.openid.tokens.purge),
        "identification.purge": Schedule(every=hour, work=platform.identification.purge),
        "federation.signals": Schedule(every=hour, work=platform.openid.streams.sweep),
        "counter.logins": Schedule(every=accounts.PURGE_EVERY, work=platform.counter.logins.purge),
        **sandboxes.schedules(platform.sandbox),
    }
