"""Use cases that do nothing but record themselves, and the keys of their log."""

from inkan.audit import Actor, ActorKind, Audit
from inkan.kernel.ids import EventID
from inkan.kernel.sensitive import Secret
from inkan.store.database import Database, Step
from support.keyring import ec_key

ACTOR = Actor(ActorKind.PHONE, "ph_abc")
MAC_KEY = Secret(bytes(range(32)))


def new_audit(database: Database) -> Audit:
    """An object over the database's log, as after a restart or in another process."""
    return Audit(db=database, mac_key=MAC_KEY, head_signer=ec_key())


def act(audit: Audit, number: int) -> Step[EventID]:
    """A use case."""
    return (
        yield from audit.record(
            "tests.act",
            actor=ACTOR,
            subject="ps_somebody",
            object="ap_something",
            details={"number": number},
        )
    )
