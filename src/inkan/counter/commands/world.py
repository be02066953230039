"""What the commands of the counter need of the composed instance."""

from collections.abc import Awaitable, Callable
from typing import Protocol, TypeVar

from inkan.audit import Actor, ActorKind
from inkan.counter.service import Counter

T = TypeVar("T")

OPERATOR = Actor(ActorKind.OPERATOR, "console")


class Platform(Protocol):
    """The instance."""

    counter: Counter


class World(Protocol):
    """What the root hands to the nouns: an instance that is composed when first asked."""

    def run(self, job: Callable[[Platform], Awaitable[T]]) -> T:
        """Compose the instance, run the job in its event loop, take the instance down."""
