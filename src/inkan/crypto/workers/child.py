"""The loop of a child: one job at a time, inside limits that it sets on itself, until its standard input ends.

A child outlives nothing: it ends when the pool closes its input, when the pool kills it, when its parent dies (the
same end of input), and, should it be inside a job then, when the job's own alarm goes off.
"""

import os
import resource
import signal
import sys
from collections.abc import Callable, Mapping
from typing import Any, BinaryIO, Final

import msgspec

from inkan.crypto.workers.frames import (
    Done,
    Failed,
    Ready,
    Refused,
    Reply,
    decode_call,
    encode,
    frame,
    read_frame,
)
from inkan.kernel.errors import InkanError

EXIT_OUT_OF_MEMORY: Final = 3
GRACE_S: Final = 1.0


class Job(msgspec.Struct, frozen=True):
    """What runs, and the struct that it takes."""

    run: Callable[[Any], Any]
    arguments: type[msgspec.Struct]


def serve(load_jobs: Callable[[], Mapping[str, Job]], *, address_space_bytes: int) -> None:
    """Answer calls until standard input ends.

    Args:
        load_jobs: imports the libraries and returns the table; called once, after the limits are set.
        address_space_bytes: RLIMIT_AS of this process, libraries included.
    """
    requests, replies = _take_channel()
    _limit(address_space_bytes)
    jobs = load_jobs()
    _send(replies, Ready())
    while (data := read_frame(requests)) is not None:
        _send(replies, _answer(jobs, data))


def _take_channel() -> tuple[BinaryIO, BinaryIO]:
    """Keep the two pipes for frames; whatever a library prints goes nowhere."""
    requests, replies = os.dup(0), os.dup(1)
    nowhere = os.open(os.devnull, os.O_RDWR)
    os.dup2(nowhere, 0)
    os.dup2(nowhere, 1)
    return os.fdopen(requests, "rb"), os.fdopen(replies, "wb")


def _limit(address_space_bytes: int) -> None:
    resource.setrlimit(resource.RLIMIT_AS, (address_space_bytes, address_space_bytes))
    # A core file would hold the personal data of the last job.
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _answer(jobs: Mapping[str, Job], data: bytes) -> Reply:
    call = decode_call(data)
    signal.setitimer(signal.ITIMER_REAL, call.seconds + GRACE_S)
    try:
        job = jobs[call.job]
        result = job.run(msgspec.msgpack.decode(call.arguments, type=job.arguments))
        return Done(value=msgspec.Raw(encode(result)))
    except InkanError as refusal:
        return Refused(code=refusal.code, detail=refusal.detail, facts=refusal.facts)
    except MemoryError:
        # The heap is in an unknown state; a fresh child is the only sure answer.
        os._exit(EXIT_OUT_OF_MEMORY)
    except Exception as error:  # noqa: BLE001  (the border of the process: the pool raises WorkerCrashed)
        return Failed(detail=_place(error))
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


def _place(error: BaseException) -> str:
    """Exception and innermost line, without the message, which may quote what was parsed."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    where = f" at {trace.tb_frame.f_code.co_filename}:{trace.tb_lineno}" if trace else ""
    return f"{type(error).__name__}{where}"


def _send(replies: BinaryIO, reply: Reply) -> None:
    try:
        replies.write(frame(reply))
        replies.flush()
    except BrokenPipeError:
        sys.exit(0)
