"""The remote provider: every signature is asked of a signer process over a Unix socket.

Connections are kept and bounded, each call has a deadline, and a broken connection is made anew once. Signing again
what was signed already does no harm, so a signature may be asked for twice; a key is never made twice.
"""

import os
import queue
import socket
from collections.abc import Callable, Collection
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

from inkan.crypto.foreign_keys import SignatureScheme, foreign_key
from inkan.crypto.key_providers import (
    KeyDeviceBusy,
    KeyPairProvider,
    KeyPurpose,
    KeyPurposeRefused,
    KeyStoreLocked,
    verify_label,
    verify_purposes,
)
from inkan.crypto.keys import KeySpec, PrivateKey, PublicKey, load_public
from inkan.crypto.remote import messages
from inkan.crypto.remote.messages import HEAD_SIZE, Answer, Request
from inkan.crypto.remote.peers import peer_uid

A = TypeVar(
    "A", messages.Key, messages.Labels, messages.Signature, messages.MadeKeys, messages.Done
)


class _Broken(Exception):
    """The connection ended before the answer did."""


class RemoteKeyProvider(KeyPairProvider):
    """A provider of key pairs that another process holds.

    Every call waits for that process. Keys that it hands out carry the threads in which they should be used
    (:func:`inkan.crypto.foreign_keys.signing`).
    """

    def __init__(
        self,
        path: Path,
        *,
        monotonic: Callable[[], float],
        deadline_s: float = 10.0,
        connections: int = 4,
        signer_uid: int | None = None,
    ) -> None:
        """Prepare to ask; nothing is connected before the first call.

        Args:
            path: the signer's socket.
            monotonic: seconds that never go back.
            deadline_s: how long a call may take in all.
            connections: the most calls at a time.
            signer_uid: the user that the signer runs as; this process's own if None.
        """
        self._path = path
        self._monotonic = monotonic
        self._deadline_s = deadline_s
        self._signer_uid = os.getuid() if signer_uid is None else signer_uid
        self._executor = ThreadPoolExecutor(connections, thread_name_prefix="inkan-signer")
        self._free: queue.LifoQueue[socket.socket | None] = queue.LifoQueue()
        self._size = connections
        for _ in range(connections):
            self._free.put(None)

    @property
    def executor(self) -> ThreadPoolExecutor:
        """The threads in which whoever asks should wait."""
        return self._executor

    def close(self) -> None:
        """Close the connections and end the threads."""
        self._executor.shutdown()
        for _ in range(self._size):
            with suppress(queue.Empty):
                connection = self._free.get_nowait()
                if connection is not None:
                    connection.close()

    def generate(self, label: str, spec: KeySpec, purposes: Collection[KeyPurpose]) -> PublicKey:
        """Have a key pair made; see :meth:`KeyPairProvider.generate`."""
        wanted = verify_purposes(purposes)
        request = messages.Generate(verify_label(label), spec, wanted)
        return load_public(self.ask(request, messages.Key, tries=1).spki)

    def signer(self, label: str, purpose: KeyPurpose) -> PrivateKey:
        """Return a key that asks for signatures; see :meth:`KeyPairProvider.signer`."""
        key = self._find(label)
        if purpose not in key.purposes:
            raise KeyPurposeRefused(f"{label} was not made for {purpose}")

        def sign(message: bytes, scheme: SignatureScheme) -> bytes:
            request = messages.Sign(label, purpose, scheme, message)
            return self.ask(request, messages.Signature).signature

        return foreign_key(load_public(key.spki), sign, executor=self._executor)

    def public_key(self, label: str) -> PublicKey:
        """Return the public half; see :meth:`KeyPairProvider.public_key`."""
        return load_public(self._find(label).spki)

    def purposes(self, label: str) -> frozenset[KeyPurpose]:
        """Return what the key was made for; see :meth:`KeyPairProvider.purposes`."""
        return self._find(label).purposes

    def labels(self) -> tuple[str, ...]:
        """Return the labels of all keys of the signer, sorted."""
        return self.ask(messages.List(), messages.Labels).labels

    def _find(self, label: str) -> messages.Key:
        return self.ask(messages.Find(verify_label(label)), messages.Key)

    def ask(self, request: Request, kind: type[A], *, tries: int = 2) -> A:
        """The answer of that kind; what the signer refuses with is raised.

        Args:
            request: one of the protocol.
            kind: of its answer.
            tries: 1 for what must not be asked for twice when a connection breaks.

        Raises:
            KeyStoreLocked: no signer answers, or another user's does.
            KeyDeviceBusy: not in time.
        """
        answer = self._exchange(request, tries)
        if isinstance(answer, messages.Refusal):
            raise messages.error_of(answer)
        if not isinstance(answer, kind):
            raise KeyStoreLocked("the signer answers something else than it was asked")
        return answer

    def _exchange(self, request: Request, tries: int) -> Answer:
        ends_at = self._monotonic() + self._deadline_s
        try:
            connection = self._free.get(timeout=self._deadline_s)
        except queue.Empty:
            raise KeyDeviceBusy("every connection to the signer is in use") from None
        kept: socket.socket | None = None
        try:
            for left in reversed(range(tries)):
                try:
                    kept = connection or self._connect(ends_at)
                    return self._talk(kept, request, ends_at)
                except (_Broken, ConnectionError):
                    _drop(kept)
                    kept = connection = None
                    if not left:
                        raise KeyStoreLocked("the signer ended the connection") from None
            raise AssertionError("unreachable")
        except TimeoutError:
            # What comes late must not be taken for the answer to the next request.
            _drop(kept)
            kept = None
            raise KeyDeviceBusy(f"no answer within {self._deadline_s} s") from None
        except (OSError, messages.SignerMessageMalformed) as error:
            _drop(kept)
            kept = None
            raise KeyStoreLocked(f"no signer answers: {error}") from None
        finally:
            self._free.put(kept)

    def _connect(self, ends_at: float) -> socket.socket:
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            connection.settimeout(self._left(ends_at))
            connection.connect(str(self._path))
            uid = peer_uid(connection)
        except BaseException:
            connection.close()
            raise
        if uid != self._signer_uid:
            connection.close()
            raise KeyStoreLocked(f"{self._path} is another user's")
        return connection

    def _talk(self, connection: socket.socket, request: Request, ends_at: float) -> Answer:
        connection.settimeout(self._left(ends_at))
        connection.sendall(messages.frame(request))
        head = self._read(connection, HEAD_SIZE, ends_at)
        return messages.parse_answer(self._read(connection, messages.body_size(head), ends_at))

    def _read(self, connection: socket.socket, size: int, ends_at: float) -> bytes:
        data = bytearray()
        while len(data) < size:
            connection.settimeout(self._left(ends_at))
            piece = connection.recv(min(size - len(data), 1 << 20))
            if not piece:
                raise _Broken
            data += piece
        return bytes(data)

    def _left(self, ends_at: float) -> float:
        left = ends_at - self._monotonic()
        if left <= 0:
            raise TimeoutError
        return left


def _drop(connection: socket.socket | None) -> None:
    if connection is not None:
        connection.close()
