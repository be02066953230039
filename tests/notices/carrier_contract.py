"""What every way to wake a phone must do; the tests of a carrier subclass this and give the fixture ``case``.

A carrier that hears of phones that are no more passes :class:`EndingCarrierContract` too.
"""

from collections.abc import Callable
from dataclasses import dataclass

import msgspec
import pytest

from inkan.kernel.errors import InkanError
from inkan.notices import Carrier, Delivery, Outcome, PushAddress, WakeUp
from inkan.notices.rules import topic_of

HANDLE = "c" * 43
MESSAGE = WakeUp(handle=HANDLE, ttl_s=60, topic=topic_of("psh_contract", HANDLE))


@dataclass(frozen=True)
class Case:
    """A carrier and a phone that subscribed by it.

    Attributes:
        address: what the phone gave.
        unusable: what no phone of this carrier can give.
        told: the handles that the phone has got; None where a carrier tells nothing.
        end: lets the phone's side forget the subscription; None where there is no such side.
    """

    carrier: Carrier
    address: PushAddress | None
    unusable: PushAddress | None
    told: Callable[[], list[str]] | None = None
    end: Callable[[], None] | None = None


class CarrierContract:
    """Subclass it and give ``case``."""

    def test_a_usable_address_is_admitted(self, case: Case) -> None:
        case.carrier.admit(case.address)

    def test_an_unusable_address_is_refused(self, case: Case) -> None:
        with pytest.raises(InkanError) as refused:
            case.carrier.admit(case.unusable)
        assert "/" in refused.value.facts["where"]

    async def test_a_message_is_accepted_and_tells_the_handle(self, case: Case) -> None:
        delivery = await case.carrier.carry(case.address, MESSAGE)
        assert isinstance(delivery, Delivery)
        assert delivery.outcome is Outcome.ACCEPTED
        if case.told is not None:
            assert case.told() == [HANDLE]

    async def test_the_same_message_again_does_no_harm(self, case: Case) -> None:
        for _ in range(2):
            delivery = await case.carrier.carry(case.address, MESSAGE)
            assert delivery.outcome is Outcome.ACCEPTED
        if case.told is not None:
            assert case.told() == [HANDLE]

    async def test_the_life_of_a_message_may_be_a_second(self, case: Case) -> None:
        brief = msgspec.structs.replace(MESSAGE, ttl_s=1)
        assert (await case.carrier.carry(case.address, brief)).outcome is Outcome.ACCEPTED


class EndingCarrierContract(CarrierContract):
    """Of a carrier whose other side forgets subscriptions."""

    async def test_a_phone_that_is_no_more_is_reported(self, case: Case) -> None:
        assert case.end is not None
        case.end()
        delivery = await case.carrier.carry(case.address, MESSAGE)
        assert delivery.outcome is Outcome.GONE
