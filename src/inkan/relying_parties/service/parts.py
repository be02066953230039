"""What the use cases of applications share: the features below, whose an application is, the reading of rows."""

from dataclasses import dataclass
from typing import Any

import msgspec

from inkan.accounts import Accounts, Login
from inkan.audit import Audit
from inkan.crypto import jcs
from inkan.kernel.clock import Clock
from inkan.pki import PKI
from inkan.relying_parties.model.application import (
    Application,
    ApplicationNotFound,
    Draft,
    SealFacts,
)
from inkan.relying_parties.rules import EXPORT_LIMIT
from inkan.relying_parties.service.register import Register
from inkan.relying_parties.store import applications as store
from inkan.store.database import Database, Step
from inkan.store.sealing import Sealer


@dataclass(frozen=True, kw_only=True)
class Parts:
    """The dependencies of every use case about applications.

    Attributes:
        issuer: the platform's origin; it stands in the documents.
        sandbox: whether applications are made here and their systems active at once; else they come by import.
    """

    db: Database
    audit: Audit
    sealer: Sealer
    clock: Clock
    accounts: Accounts
    pki: PKI
    register: Register
    issuer: str
    sandbox: bool

    def read(self, row: Any) -> Application:
        """The application of a row."""
        draft = self.sealer.open(store.DRAFT, row.id, row.draft).reveal()
        reason = "" if row.reason is None else self._reason(row)
        return Application(
            id=row.id,
            owner=row.owner,
            state=row.state,
            draft=jcs.parse_canonical_as(Draft, draft, limit=EXPORT_LIMIT),
            hands=tuple(row.hands),
            form_sha256=row.form_sha256,
            consent_sha256=row.consent_sha256,
            seal=None if row.seal_facts is None else msgspec.convert(row.seal_facts, SealFacts),
            reason=reason,
            proposal=row.proposal,
            reviewers=tuple(row.reviewers),
            changed_at=row.changed_at,
            version=row.version,
        )

    def _reason(self, row: Any) -> str:
        return self.sealer.open(store.REASON, row.id, row.reason).reveal().decode()

    def get(self, application_id: str) -> Step[Application]:
        """Step: one application.

        Raises:
            ApplicationNotFound: no such id.
        """
        row = yield store.BY_ID.one(key=application_id)
        if row is None:
            raise ApplicationNotFound()
        return self.read(row)

    def get_own(self, application_id: str, *, by: Login) -> Step[Application]:
        """Step: an application of one's own organisation.

        Raises:
            ApplicationNotFound: no such id, or another's.
        """
        application = yield from self.get(application_id)
        if application.owner != owner_of(by):
            raise ApplicationNotFound()
        return application

    def sealed(self, application_id: str, draft: Draft) -> bytes:
        """The draft as it is stored."""
        return self.sealer.seal(store.DRAFT, application_id, jcs.canonical(draft))


def owner_of(login: Login) -> str:
    """Whose a login's applications and organisations are: the tenant's that its roles hold in, else its own."""
    return login.tenant or login.account


def hands_with(application: Application, login: Login) -> list[str]:
    """Everybody who worked on an application, the present one among them."""
    return sorted({*application.hands, login.account})
