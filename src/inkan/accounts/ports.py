"""What other features plug in here: the acts that need a second pair of eyes."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from inkan.accounts.model import Proposal, Role
from inkan.kernel.ids import EventID
from inkan.store.database import Step


class CarryOut(Protocol):
    """Carries an approved proposal out, in the transaction of the approval.

    What a transaction cannot do (sign, fetch) it leaves to the outbox.
    """

    def __call__(self, proposal: Proposal, event: EventID) -> Step[None]:
        """Step: do it; ``event`` is the approval's audit event, for the rows that change.

        Raises:
            InkanError: it cannot be done; then it was not approved either.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class FourEyes:
    """One act that one person proposes and another approves.

    Attributes:
        use_case: as the permission matrix names it.
        proposers, approvers: one of these roles is needed.
        verify: reads the content when it is proposed, and refuses what could not be carried out.
        carry_out: what the approval does.
        source: why two have to look.
    """

    use_case: str
    proposers: frozenset[Role]
    approvers: frozenset[Role]
    verify: Callable[[bytes], object]
    carry_out: CarryOut
    source: str
