"""The workers' jobs in the test's own process: the same code without the second that a child takes to start.

What a child adds (memory limit, deadline, isolation) is tested where it belongs, in tests/crypto/workers.
"""

from typing import Any

from inkan.crypto.workers.contracts import CONTRACTS
from inkan.crypto.workers.jobs import RUNS
from inkan.crypto.workers.pool import WorkerPool


class InlineWorkers(WorkerPool):
    """Runs each job where it is called."""

    async def call(self, job: str, **arguments: Any) -> Any:
        return RUNS[job](CONTRACTS[job].arguments(**arguments))
