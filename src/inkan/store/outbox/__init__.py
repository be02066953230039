"""Work that follows a transaction: at least once, in any process, with leases.

A use case writes a job in its own transaction, so that no change is without its consequence and no
consequence without its change. A worker leases due jobs, delivers them to their handlers and deletes them;
one that dies in between leaves its jobs to the next worker when the lease ends. A job that fails comes back
after a growing pause; after its handler's last try it lies among the dead until an operator revives it.
"""

from inkan.store.outbox.jobs import (
    LEASE,
    TOPIC,
    DeadJobNotFound,
    Job,
    cancel,
    dead_jobs,
    depth,
    depths,
    enqueue,
    outbox_table,
    revive,
)
from inkan.store.outbox.worker import Handler, Outbox

__all__ = [
    "LEASE",
    "TOPIC",
    "DeadJobNotFound",
    "Handler",
    "Job",
    "Outbox",
    "cancel",
    "dead_jobs",
    "depth",
    "depths",
    "enqueue",
    "outbox_table",
    "revive",
]
