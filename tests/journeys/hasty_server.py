"""``inkan serve`` with a flaw, the crash test's control: on SIGUSR1 it begins to answer before COMMIT.

The next session's result goes to its waiter as soon as the body has run, and its COMMIT never comes. Killed then,
such a server has answered for what it does not have. Background work that comes in between is left alone: it would
hold the writer before the session had its turn.
"""

import signal
import sys
import threading
from typing import Any

from inkan.cli import main
from inkan.identification.service import create
from inkan.store.sqlite import transactions
from inkan.store.sqlite.writer import Writer

hasty = threading.Event()
never = threading.Event()


class HastyWriter(Writer):
    """Answers first."""

    def _run(self, job: Any) -> None:
        super()._run(job)
        if hasty.is_set() and job.body is create._create:
            self._to_loop(self._deliver, [job])
            never.wait()


if __name__ == "__main__":
    transactions.Writer = HastyWriter  # type: ignore[misc]
    signal.signal(signal.SIGUSR1, lambda *_: hasty.set())
    sys.argv[0] = "inkan"
    main()
