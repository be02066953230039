"""What only a sandbox does to phones: end their youth early, and end them without anybody asking.

Production composes nothing that calls this; a real phone is young for as long as its scheme says.
"""

from inkan.audit import Actor
from inkan.enrolment import store
from inkan.enrolment.model import PhoneState
from inkan.enrolment.service import phones
from inkan.enrolment.service.parts import Parts, read_phone
from inkan.kernel.ids import PhoneID
from inkan.pki import RevocationReason
from inkan.store.database import MOMENT, Step


def settle(parts: Parts, phone_id: PhoneID, *, actor: Actor) -> Step[bool]:
    """Step: end the youth of an active phone now; False when it is not active, or not young."""
    moment = yield MOMENT
    held = read_phone((yield store.HELD_PHONE.one(key=phone_id)))
    if held is None or held.state is not PhoneState.ACTIVE or held.young_until <= moment:
        return False
    event = yield from parts.audit.record(
        "enrolment.phone_settled", actor=actor, subject=held.person, object=held.id
    )
    changed: int = yield store.SETTLE.run(key=held.id, seen=held.version, event=event)
    return changed == 1


def end(parts: Parts, phone_id: PhoneID, *, actor: Actor) -> Step[bool]:
    """Step: revoke a phone on behalf of the instance; False when it is unknown or was revoked before."""
    held = read_phone((yield store.PHONE_BY_ID.one(key=phone_id)))
    if held is None:
        return False
    reason = RevocationReason.CESSATION_OF_OPERATION
    return (yield from phones.revoke(parts, held, reason=reason, actor=actor))
