"""Bound phones: who sends a request, what an answer is judged by, assertions, suspension, revocation."""

from datetime import datetime

from inkan.audit import Actor, ActorKind
from inkan.crypto import base64url, webauthn
from inkan.enrolment import store
from inkan.enrolment.model import (
    AssertionUnknown,
    ChannelKey,
    ChannelProofRefused,
    Phone,
    PhoneFacts,
    PhoneNotFound,
    PhonePrincipal,
    PhoneState,
)
from inkan.enrolment.rules import ASSERTION_LIFE, CHALLENGE_LIFE, REASON_OF_CAUSE
from inkan.enrolment.service.parts import Parts, facts_of, phone_topic, read_phone, scheme_of
from inkan.enrolment.service.remote_keys import order_end
from inkan.kernel.ids import PersonID, PhoneID, random_bytes
from inkan.pki import RevocationReason
from inkan.store.database import MOMENT, Step, Wake
from inkan.wire.enrolment_request import RevokeCause


def principal_of(jkt: str) -> Step[tuple[PhonePrincipal | ChannelKey, datetime | None]]:
    """Step: the active phone of a channel key, and its last assertion; else the bare key.

    Raises:
        ChannelProofRefused: the key of a phone that was revoked or suspended.
    """
    phone = read_phone((yield store.PHONE_BY_JKT.one(jkt=jkt)))
    if phone is None or phone.state is PhoneState.ISSUING:
        return ChannelKey(jkt=jkt), None
    if phone.state is not PhoneState.ACTIVE:
        raise ChannelProofRefused()
    principal = PhonePrincipal(
        jkt=jkt,
        phone=phone.id,
        person=phone.person,
        version=phone.version,
        scheme=phone.scheme,
        facts=facts_of(phone, scheme_of(phone)),
    )
    return principal, phone.asserted_at


def hold(phone: PhonePrincipal) -> Step[bool]:
    """Step: hold the phone's row until COMMIT; False when it changed since the request was authenticated.

    Revoking takes the same row: a decision and a revocation have an order (threat 12).
    """
    row = yield store.HOLD_PHONE.one(key=phone.phone, seen=phone.version)
    return row is not None


def hold_asserted(phone: PhonePrincipal, *, sign_count: int) -> Step[bool]:
    """Step: like :func:`hold`, after a verified assertion: remember its counter and that the person was there.

    Two assertions may cross on the way; the counter never falls (WebAuthn §7.2 step 22).
    """
    touched: int = yield store.NOTE_ASSERTION.run(
        key=phone.phone, seen=phone.version, new_sign_count=sign_count
    )
    return touched == 1


def hold_counted(facts: PhoneFacts, *, sign_count: int) -> Step[bool]:
    """Step: like :func:`hold`, after an assertion that was made elsewhere than in the wallet.

    Its counter must have risen since the last one (or count nothing), and it is no sign of the person's presence
    in the wallet. False when the phone changed, or when the counter did not rise.
    """
    touched: int = yield store.RAISE_COUNT.run(
        key=facts.phone, seen=facts.version, new_sign_count=sign_count
    )
    return touched == 1


def facts(phone_id: PhoneID) -> Step[PhoneFacts | None]:
    """Step: what an answer of this phone is judged by; None unless it is in use."""
    phone = read_phone((yield store.PHONE_BY_ID.one(key=phone_id)))
    if phone is None or phone.state is not PhoneState.ACTIVE:
        return None
    return facts_of(phone, scheme_of(phone))


def hold_active(phone_id: PhoneID) -> Step[bool]:
    """Step: hold a phone's row until COMMIT; whether it is in use now."""
    phone = read_phone((yield store.HELD_PHONE.one(key=phone_id)))
    return phone is not None and phone.state is PhoneState.ACTIVE


def is_active(phone_id: PhoneID) -> Step[bool]:
    """Step: whether a phone is in use, without holding its row."""
    phone = read_phone((yield store.PHONE_BY_ID.one(key=phone_id)))
    return phone is not None and phone.state is PhoneState.ACTIVE


def get_phone(phone_id: str, *, person: PersonID) -> Step[Phone]:
    """Step: a phone of this person.

    Raises:
        PhoneNotFound: unknown, or another person's: one answer.
    """
    phone = read_phone((yield store.PHONE_BY_ID.one(key=phone_id)))
    if phone is None or phone.person != person:
        raise PhoneNotFound()
    return phone


def phones(person: PersonID) -> Step[list[Phone]]:
    """Step: every phone of the person that is not revoked, oldest first."""
    rows = yield store.PHONES_OF.all(person=person)
    return [phone for phone in map(read_phone, rows) if phone is not None]


def names(person: PersonID) -> Step[dict[str, str]]:
    """Step: what the person called each phone, by its id; revoked phones too."""
    rows = yield store.PHONE_NAMES.all(person=person)
    return {row.id: row.name for row in rows}


async def begin_assertion(parts: Parts, phone: PhonePrincipal) -> str:
    """A fresh challenge of 32 bytes (base64url) for this phone; it replaces an older one."""
    challenge = base64url.encode(random_bytes(32))
    await parts.db.transact(_set_challenge, phone.phone, challenge)
    return challenge


def _set_challenge(phone_id: PhoneID, challenge: str) -> Step[None]:
    moment = yield MOMENT
    yield store.SET_CHALLENGE.run(
        phone=phone_id, challenge=challenge, expires_at=moment + CHALLENGE_LIFE
    )


async def prove_presence(
    parts: Parts, phone: PhonePrincipal, assertion: webauthn.Assertion
) -> datetime:
    """Verify an assertion over the open challenge; the phone counts as asserted for ten minutes.

    The challenge is consumed first: one assertion, one try.

    Raises:
        AssertionUnknown: no challenge is open, or the phone changed meanwhile.
        AssertionRefused: see :func:`inkan.crypto.webauthn.verify_assertion`.
    """
    challenge = await parts.db.transact(_take_challenge, phone.phone)
    if challenge is None:
        raise AssertionUnknown()
    result = webauthn.verify_assertion(
        assertion,
        known=known_credential(phone.facts),
        challenge=base64url.decode(challenge),
        origin=parts.wallet_origin,
        rp_id=parts.rp_id,
    )
    return await parts.db.transact(_note_asserted, phone, result.sign_count)


def known_credential(facts: PhoneFacts) -> webauthn.KnownCredential:
    """What the verifier of an assertion knows of the phone's credential."""
    return webauthn.KnownCredential(
        id=facts.credential_id,
        cose_key=facts.cose_key,
        backup_eligible=facts.backup_eligible,
        sign_count=facts.sign_count,
    )


def _take_challenge(phone_id: PhoneID) -> Step[str | None]:
    row = yield store.TAKE_CHALLENGE.one(phone_id=phone_id)
    return None if row is None else str(row.challenge)


def _note_asserted(phone: PhonePrincipal, sign_count: int) -> Step[datetime]:
    moment = yield MOMENT
    held = yield from hold_asserted(phone, sign_count=sign_count)
    if not held:
        raise AssertionUnknown()
    until: datetime = moment + ASSERTION_LIFE
    return until


def revoke(parts: Parts, phone: Phone, *, reason: RevocationReason, actor: Actor) -> Step[bool]:
    """Step: end a phone: certificates, credential, channel key and push in this one transaction (step 9).

    Certificates of a renewal under way end with it, whether they are signed yet or not.

    Returns:
        False when it was revoked before.
    """
    held = read_phone((yield store.HELD_PHONE.one(key=phone.id)))
    if held is None or held.state is PhoneState.REVOKED:
        return False
    event = yield from parts.audit.record(
        "enrolment.phone_revoked",
        actor=actor,
        subject=phone.person,
        object=phone.id,
        details={"reason": reason.value},
    )
    yield store.SET_STATE.run(
        key=phone.id, seen=held.version, event=event, new_state=PhoneState.REVOKED
    )
    yield from parts.pki.revoke_all(phone.id, reason=reason, actor=actor)
    yield store.FREE_SLOT.run(phone=phone.id)
    yield from parts.notices.end_subscriptions(phone.id, actor=actor)
    yield from order_end(held)
    yield from parts.notices.notify(phone.person, "phone_revoked", {"phone": phone.name}, phones=())
    yield Wake(phone_topic(phone.id))
    return True


def suspend(parts: Parts, phone: Phone, *, actor: Actor, cause: str) -> Step[bool]:
    """Step: put an active phone and its certificates on hold, and wake it no more; False when it is not active.

    Its push subscription ends: whoever holds the phone now hears of no question, and the wallet subscribes again
    once the phone is in use again.
    """
    held = read_phone((yield store.HELD_PHONE.one(key=phone.id)))
    if held is None or held.state is not PhoneState.ACTIVE:
        return False
    event = yield from parts.audit.record(
        "enrolment.phone_suspended",
        actor=actor,
        subject=phone.person,
        object=phone.id,
        details={"cause": cause},
    )
    yield store.SET_STATE.run(
        key=phone.id, seen=held.version, event=event, new_state=PhoneState.SUSPENDED
    )
    yield from parts.pki.suspend_all(phone.id, actor=actor)
    yield from parts.notices.end_subscriptions(phone.id, actor=actor)
    yield Wake(phone_topic(phone.id))
    return True


async def revoke_by_phone(
    parts: Parts, sender: PhonePrincipal, phone_id: str, *, cause: RevokeCause | None
) -> None:
    """A phone revokes itself or another phone of its person; twice is once.

    Raises:
        PhoneNotFound: unknown, or another person's.
    """
    await revoke_by_person(
        parts,
        sender.person,
        phone_id,
        cause=cause or RevokeCause.NO_LONGER_NEEDED,
        actor=Actor(ActorKind.PHONE, sender.phone),
    )


async def revoke_by_person(
    parts: Parts, person: PersonID, phone_id: str, *, cause: RevokeCause, actor: Actor
) -> None:
    """A person revokes one of their phones, from wherever they proved who they are; twice is once.

    Raises:
        PhoneNotFound: unknown, or another person's.
    """
    await parts.db.transact(
        _revoke_by_person, parts, person, phone_id, REASON_OF_CAUSE[cause], actor
    )


def _revoke_by_person(
    parts: Parts, person: PersonID, phone_id: str, reason: RevocationReason, actor: Actor
) -> Step[None]:
    phone = yield from get_phone(phone_id, person=person)
    yield from revoke(parts, phone, reason=reason, actor=actor)
