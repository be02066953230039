"""A file that only grows: whole lines, durable when it matters, never half a line after a crash."""

import os
from pathlib import Path


class AppendFile:
    """A file open for appending lines, made with mode 0600. Its owner sees to it that one thread at a time writes."""

    def __init__(self, path: Path) -> None:
        """Open it, and cut off an end without its line end: a crash tore it, so nobody was told that it was written.

        Raises:
            OSError: it cannot be read or written.
        """
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
        data = path.read_bytes()
        if not data.endswith(b"\n"):
            os.ftruncate(self._file, data.rfind(b"\n") + 1)
        self._size = os.fstat(self._file).st_size

    def append(self, line: bytes, *, synced: bool) -> None:
        """Append one line, which must hold no line end; all of it or nothing.

        Args:
            line: without its line end.
            synced: whether it must be on the disk before this returns.

        Raises:
            OSError: it cannot be written.
        """
        data = line + b"\n"
        try:
            _write_all(self._file, data)
            if synced:
                os.fdatasync(self._file)
        except OSError:
            os.ftruncate(self._file, self._size)
            raise
        self._size += len(data)

    def close(self) -> None:
        """Close the file."""
        os.close(self._file)


def _write_all(file: int, data: bytes) -> None:
    while data:
        data = data[os.write(file, data) :]
