"""Freezing: a person stops all of their phones at once, from the portal or from one of the phones (design §5.6).

A frozen phone is a suspended one. It answers nothing and its certificates are on hold. It comes back only as
every lost phone does: by proof with the card (design §5.2 step 9). A new binding takes the place of a suspended
phone when no slot is free, so whoever froze everything is not locked out; see
:mod:`inkan.enrolment.service.accepting`. A freeze asks for no reason: whoever is in doubt must not have to think.
"""

from inkan.audit import Actor
from inkan.enrolment.model import PhoneState
from inkan.enrolment.service import phones
from inkan.enrolment.service.parts import Parts
from inkan.kernel.ids import PersonID
from inkan.pki import RevocationReason
from inkan.store.database import Step

CAUSE = "frozen"


async def freeze(parts: Parts, person: PersonID, *, actor: Actor) -> int:
    """Stop every phone of a person; returns how many were stopped, 0 when none was left to stop.

    One transaction: each active phone is suspended with its certificates, one that is still being bound ends,
    and the person, each of these phones and every known contact are told once. Twice is once.
    """
    return await parts.db.transact(_freeze, parts, person, actor)


def _freeze(parts: Parts, person: PersonID, actor: Actor) -> Step[int]:
    stopped: list[str] = []
    for phone in (yield from phones.phones(person)):
        # A phone whose certificates are still being issued has nothing to lose: it ends, and is bound anew.
        if phone.state is PhoneState.ISSUING:
            reason = RevocationReason.CESSATION_OF_OPERATION
            done = yield from phones.revoke(parts, phone, reason=reason, actor=actor)
        else:
            done = yield from phones.suspend(parts, phone, actor=actor, cause=CAUSE)
        if done:
            stopped.append(phone.id)
    if stopped:
        yield from parts.notices.notify(person, "phones_frozen", {}, phones=stopped)
    return len(stopped)
