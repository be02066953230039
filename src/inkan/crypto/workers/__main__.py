"""``python -m inkan.crypto.workers BYTES``: a child of the pool with so much address space."""

import sys

from inkan.crypto.workers.child import Job, serve


def _load_jobs() -> dict[str, Job]:
    # Only now: the limits of the process are set before these libraries are loaded.
    from inkan.crypto.workers.jobs import load_jobs  # noqa: PLC0415

    return load_jobs()


if __name__ == "__main__":
    serve(_load_jobs, address_space_bytes=int(sys.argv[1]))
