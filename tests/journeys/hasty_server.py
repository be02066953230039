"""``inkan serve`` with a flaw, the crash test's control: on SIGUSR1 it begins to answer before COMMIT.

From then on every body's result goes to its waiter as soon as the body has run, and its COMMIT never comes.
Killed then, such a server has answered for what it does not have.
"""

import signal
import sys
import threading
from typing import Any

from inkan.cli import main
from inkan.store.sqlite import transactions
from inkan.store.sqlite.writer import Writer

hasty = threading.Event()
never = threading.Event()


class HastyWriter(Writer):
    """Answers first."""

    def _run(self, job: Any) -> None:
        super()._run(job)
        if hasty.is_set():
            self._to_loop(self._deliver, [job])
            never.wait()


if __name__ == "__main__":
    transactions.Writer = HastyWriter  # type: ignore[misc]
    signal.signal(signal.SIGUSR1, lambda *_: hasty.set())
    sys.argv[0] = "inkan"
    main()
