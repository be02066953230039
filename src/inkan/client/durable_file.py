"""Files of a phone or a software card: replaced as a whole, readable by their owner only, used by one process.

A phone that forgets a key, or a card that forgets a wrong PIN, is worse than one that refuses; so a file is
written beside the old one, forced to the disk and only then given its name.
"""

import contextlib
import os
import sys
from pathlib import Path
from typing import Self

from inkan.kernel.errors import Conflict, NotFound, TooLarge
from inkan.kernel.ids import random_bytes

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl

OWNER_ONLY = 0o600
SIZE_LIMIT = 1024 * 1024


class FileBusy(Conflict):
    """Another process holds this phone or card."""

    code = "client_file_busy"
    title = "Another program is using this file"


class FileMissing(NotFound):
    """There is no such file."""

    code = "client_file_missing"
    title = "The file does not exist"


class FileExists(Conflict):
    """A new phone or card would overwrite an existing one."""

    code = "client_file_exists"
    title = "The file exists already and is not overwritten"


class FileTooLarge(TooLarge):
    """More bytes than a phone or card ever has."""

    code = "client_file_too_large"
    title = "The file is larger than a phone or card can be"


def read_file(path: Path) -> bytes:
    """Return the bytes of ``path``.

    Raises:
        FileMissing: there is none.
        FileTooLarge: more than 1 MiB.
    """
    try:
        with path.open("rb") as file:
            data = file.read(SIZE_LIMIT + 1)
    except FileNotFoundError:
        raise FileMissing(str(path)) from None
    if len(data) > SIZE_LIMIT:
        raise FileTooLarge(str(path), limit_bytes=SIZE_LIMIT)
    return data


def replace_file(path: Path, data: bytes) -> None:
    """Put ``data`` in the place of ``path``, durably: after a crash either the old or the new bytes are there.

    Mode 0600 from the first byte on; bytes and name are on the disk when this returns.
    """
    fresh = path.with_name(f".{path.name}.{random_bytes(6).hex()}")
    try:
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, OWNER_ONLY)
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(path)
    except BaseException:
        fresh.unlink(missing_ok=True)
        raise
    _sync_folder(path.parent)


def _sync_folder(folder: Path) -> None:
    if sys.platform == "win32":
        return  # a folder cannot be opened there; the rename is journalled by the file system
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


class FileLock:
    """The exclusive right to a file, held by a lock on its neighbour ``<name>.lock``.

    The neighbour stays when the lock goes: removing it would let two processes lock two different files of
    one name. A process that dies gives its lock back by dying.
    """

    def __init__(self, path: Path) -> None:
        self._path = path.with_name(f"{path.name}.lock")
        self._descriptor: int | None = None

    def acquire(self) -> None:
        """Take the lock at once.

        Raises:
            FileBusy: another process, or another opener in this one, holds it.
            FileMissing: the folder does not exist.
        """
        try:
            descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT, OWNER_ONLY)
        except FileNotFoundError:
            raise FileMissing(str(self._path.parent)) from None
        try:
            if sys.platform == "win32":
                msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
            else:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(descriptor)
            raise FileBusy(str(self._path)) from None
        self._descriptor = descriptor

    def release(self) -> None:
        """Give the lock back; a second call does nothing."""
        descriptor, self._descriptor = self._descriptor, None
        if descriptor is not None:
            with contextlib.suppress(OSError):
                os.close(descriptor)

    def __enter__(self) -> Self:
        self.acquire()
        return self

    def __exit__(self, *_: object) -> None:
        self.release()
