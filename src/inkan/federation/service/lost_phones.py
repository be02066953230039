"""What a certificate that stopped being good means for the systems of its person.

A phone has several certificates that end in one transaction; what is told is told of the phone, once. The end of a
card is not told: what it does to phones is.
"""

from collections.abc import Sequence
from datetime import datetime

from inkan.federation.rules import TOLD_OF_REASON, Told
from inkan.federation.service import ending
from inkan.federation.service.parts import Parts
from inkan.federation.service.signals import emit
from inkan.kernel.clock import to_microseconds
from inkan.kernel.ids import PersonID
from inkan.pki import CertificateRevoked, RevocationReason
from inkan.relying_parties import System
from inkan.store.database import Step


async def on_certificate_revoked(parts: Parts, event: CertificateRevoked) -> None:
    """Reaction: tell everybody who knows the person and asked to be told; end what the phone may have opened.

    Twice is once: the signals take their name from the phone and the moment, and a grant ends once.
    """
    told = TOLD_OF_REASON[RevocationReason(event.reason)]
    person = await parts.enrolment.owner_of(event.owner)
    status = await parts.db.read(parts.pki.find_status, event.certificate)
    if person is None or status is None:
        return
    systems = [each for each, _ in await parts.relying_parties.systems()]
    cause = f"{event.owner}:{event.reason}:{to_microseconds(status.changed_at)}"
    await parts.db.transact(
        _tell, parts, person, systems, told=told, cause=cause, at=status.changed_at
    )


def _tell(
    parts: Parts,
    person: PersonID,
    systems: Sequence[System],
    *,
    told: Told,
    cause: str,
    at: datetime,
) -> Step[None]:
    sectors = {system.id: system.sector for system in systems}
    for stream in (yield from ending.every_stream()):
        sector = sectors.get(stream.system)
        if sector is None:
            continue
        subject = parts.people.reference(person, sector=sector)
        # Whoever was never given the reference learns nothing, not even that somebody lost a phone.
        known = yield from parts.people.find_by_reference(subject, sector=sector)
        if known != person:
            continue
        for type_, claims in told.signals:
            yield from emit(
                parts,
                stream,
                type_,
                occurred_at=at,
                cause=cause,
                subject=subject,
                claims=dict(claims),
            )
    if told.ends_grants:
        living = yield from ending.living_of(parts, person, systems)
        # What was answered since then was answered by another phone.
        before = [each for each in living if (each.auth_time or each.created_at) <= at]
        yield from ending.revoke_all(parts, before, is_told=True)
