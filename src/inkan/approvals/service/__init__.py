"""The steps of an approval. Upper features join them in their own transactions.

A step changes one row by compare-and-set; what it finds instead, it says as a refusal. The use case that
joins a step records the audit event first and hands its id over, so that one use case is one event.
"""

from inkan.approvals.model import Approval
from inkan.approvals.service import rows
from inkan.approvals.service.answers import Answers, Decision
from inkan.approvals.service.questions import Questions
from inkan.approvals.service.rows import Opener
from inkan.approvals.service.usage import Asker, UsageRecords
from inkan.store.database import Step


class Approvals(Questions, Answers, UsageRecords):
    """Approvals and usage records of one instance."""

    def find(self, approval_id: str) -> Step[Approval | None]:
        """Step: the approval, or None."""
        return rows.find(approval_id)

    def get(self, approval_id: str) -> Step[Approval]:
        """Step: the approval.

        Raises:
            ApprovalNotFound: unknown.
        """
        return rows.get(approval_id)


__all__ = ["Approvals", "Asker", "Decision", "Opener"]
