"""The end of cards: at the counter (JPKI-25), by a change of facts (JPKI-12), with an unfinished case, by death."""

from collections.abc import Collection

from inkan.audit import Actor
from inkan.counter.model import CardState, HeldCard
from inkan.counter.service.parts import Parts
from inkan.counter.service.reading import object_of, read_card
from inkan.counter.store import cards as store
from inkan.counter.store.logins import CLERK_OF_PERSON
from inkan.kernel.ids import AccountID, PersonID
from inkan.pki import RevocationReason
from inkan.store.database import Step


def end_card(
    parts: Parts, number: str, *, reason: RevocationReason, actor: Actor
) -> Step[HeldCard | None]:
    """Step: revoke every certificate of one card, those being issued included, and mark the card.

    A clerk's logins end with the clerk's card: whoever found it may sit at the counter.

    Returns:
        The card as it was; None when it is unknown or had ended before.
    """
    row = yield store.HELD.one(key=number)
    card = read_card(row)
    if card is None or card.state is CardState.ENDED:
        return None
    event = yield from parts.audit.record(
        "counter.card_ended",
        actor=actor,
        subject=card.person,
        object=object_of(number),
        details={"reason": reason.value, "from": card.state.value},
    )
    yield store.SET_STATE.run(key=number, seen=row.version, event=event, new_state=CardState.ENDED)
    yield from parts.pki.revoke_all(object_of(number), reason=reason, actor=actor)
    if reason is not RevocationReason.SUPERSEDED:
        yield from _end_logins(parts, card, event)
    if card.state is CardState.LIVE:
        yield from parts.notices.notify(card.person, "card_ended", {})
    return card


def _end_logins(parts: Parts, card: HeldCard, event: str) -> Step[None]:
    if card.state is not CardState.LIVE:
        return
    clerk = yield CLERK_OF_PERSON.one(whose=card.person)
    if clerk is not None:
        yield from parts.accounts.card_ended(AccountID(clerk.account), event=event)


def end_cards(
    parts: Parts,
    person: PersonID,
    *,
    reason: RevocationReason,
    actor: Actor,
    states: frozenset[CardState] = frozenset({CardState.KEYED, CardState.LIVE}),
    true_facts: Collection[bytes] = (),
) -> Step[list[HeldCard]]:
    """Step: end every card of a person that is in one of these states; returns them as they were.

    The caller holds the person's row: no card of theirs is made meanwhile.

    Args:
        parts: the feature's dependencies.
        person: whose.
        reason: for the lists.
        actor: whoever ends them.
        states: of cards that end.
        true_facts: cards whose certificates name facts of these keyed hashes stay.
    """
    ended = []
    for row in (yield store.CARDS_OF.all(person=person)):
        card = read_card(row)
        if card is not None and card.state in states and row.facts not in true_facts:
            done = yield from end_card(parts, card.number, reason=reason, actor=actor)
            ended += [] if done is None else [done]
    return ended
