"""What the use cases of the counter share."""

from dataclasses import dataclass

from inkan.accounts import Accounts
from inkan.audit import Audit
from inkan.crypto.key_providers import KeyProvider
from inkan.crypto.workers.pool import WorkerPool
from inkan.enrolment import Enrolment
from inkan.kernel.clock import Clock
from inkan.notices import Notices
from inkan.people import People
from inkan.pki import PKI
from inkan.store.database import Database
from inkan.store.sealing import Sealer


@dataclass(frozen=True, kw_only=True)
class Parts:
    """The dependencies of every use case of this feature.

    Attributes:
        issuer: the platform's origin: ``aud`` of what cards sign, ``iss`` and ``origin`` of commands.
        paper_font: path of the font of printed papers.
    """

    db: Database
    audit: Audit
    sealer: Sealer
    clock: Clock
    keys: KeyProvider
    accounts: Accounts
    people: People
    pki: PKI
    enrolment: Enrolment
    notices: Notices
    issuer: str
    workers: WorkerPool
    paper_font: str
