"""A child of the pool whose jobs misbehave on command. Run as a script: ``rogue_worker.py [word] BYTES``.

The word ``sleepy`` makes a child that never becomes ready, ``broken`` one that dies before.
"""

import os
import sys
import time

import msgspec

from inkan.crypto.path import CertificateRevoked, RevocationUnknown
from inkan.crypto.workers.child import Job, serve
from inkan.kernel.errors import InkanError
from support.pki import AT


class Word(msgspec.Struct):
    value: str = ""


class Unheard(InkanError):
    code = "a_code_that_the_server_does_not_know"


def echo(job):
    print("noise on standard output", flush=True)  # must not disturb the frames
    return f"{os.getpid()}:{job.value}"


def spin(_):
    while True:
        pass


def sleep_in_c(_):
    time.sleep(3600)


def bomb(_):
    rows = []
    while True:
        rows.append(bytes(16 * 1024 * 1024))


def leave(_):
    os._exit(7)


def refuse(job):
    if job.value == "unknown":
        raise Unheard("never heard of")
    raise CertificateRevoked("in detail", reason="superseded", revoked_at=AT, hidden=b"\x00\xff")


def fail(_):
    raise KeyError("A123456789")


def flood(_):
    return bytes(1024 * 1024)


def environment(_):
    return dict(os.environ)


def load_jobs():
    if "sleepy" in sys.argv:
        time.sleep(3600)
    if "broken" in sys.argv:
        raise ImportError("a library is missing")
    jobs = (echo, spin, sleep_in_c, bomb, leave, refuse, fail, flood, environment)
    return {job.__name__: Job(job, Word) for job in jobs}


if __name__ == "__main__":
    serve(load_jobs, address_space_bytes=int(sys.argv[-1]))
    assert RevocationUnknown
