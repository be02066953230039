"""The signer process: holds keys, reads what it is asked to sign, and signs only what its policy admits.

Numbered plan for a request to sign:

1. the peer is one of the admitted users, by the kernel's word (SO_PEERCRED), and the frame is one request;
2. the message is read again in a format of its purpose (:mod:`inkan.crypto.to_be_signed`);
3. the policy judges what was read: for a certificate its profile and its reserved serial number;
4. the key was made for the purpose, the guard reads the message too, and the budget is not spent;
5. for a CA key the intent is written to the journal and synced;
6. the key signs, and the journal notes it.
"""

import asyncio
import hashlib
import os
import socket
import stat
from collections.abc import AsyncIterator, Awaitable, Callable, Collection
from contextlib import asynccontextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any, Final, Protocol

from inkan.crypto.activation.port import ActivatedKeys
from inkan.crypto.foreign_keys import sign_message, signing
from inkan.crypto.key_guard import FORMATS, SigningRefused
from inkan.crypto.key_providers import (
    MAY_STAND_TOGETHER,
    KeyPairProvider,
    KeyPurpose,
    KeyPurposeRefused,
    KeyStoreExposed,
    KeyStoreLocked,
)
from inkan.crypto.keys import spki_der
from inkan.crypto.remote import messages
from inkan.crypto.remote.journal import Journal
from inkan.crypto.remote.messages import Answer
from inkan.crypto.remote.peers import peer_uid
from inkan.crypto.to_be_signed import ToBeSigned, ToBeSignedMalformed, read_to_be_signed
from inkan.kernel.errors import InkanError

# The keys whose every use stands in the journal.
CA_PURPOSES: Final = MAY_STAND_TOGETHER
MAX_CONNECTIONS: Final = 64
BODY_DEADLINE_S: Final = 30.0
# How long an answer may take that is being made when the signer ends.
GRACE_S: Final = 5.0
# How long no connection is accepted after the system had no more descriptors.
_PAUSE_S: Final = 1.0


class SigningPolicy(Protocol):
    """Judges requests; it raises an InkanError to refuse, best :class:`SigningRefused` with the broken rule."""

    async def check_generate(self, label: str, purposes: Collection[KeyPurpose]) -> None:
        """Refuse a key that may not be made now."""
        ...

    async def check_sign(
        self, label: str, purpose: KeyPurpose, message: bytes, read: ToBeSigned
    ) -> None:
        """Refuse a message that may not be signed."""
        ...


class Signer:
    """Answers requests with the keys of a provider."""

    def __init__(
        self,
        keys: KeyPairProvider,
        policy: SigningPolicy,
        journal: Journal,
        *,
        activated: ActivatedKeys | None = None,
    ) -> None:
        """Sign with ``keys``, which stand behind a guard, what ``policy`` admits.

        ``activated`` are keys of phones, if this process holds such: they are made and used by their own requests
        alone, never by those for the other keys.
        """
        self._keys = keys
        self._policy = policy
        self._journal = journal
        self._activated = activated

    async def answer(self, body: bytes) -> Answer:
        """The answer to the body of a request; a refusal is an answer too.

        Raises:
            SignerMessageMalformed: it is no request; the connection is to be ended.
        """
        request = messages.parse_request(body)
        try:
            return await self._answers[type(request)](self, request)
        except InkanError as refused:
            return messages.refusal_of(refused)

    async def _generate(self, request: messages.Generate) -> Answer:
        _refuse_phone(request.purposes)
        await self._policy.check_generate(request.label, request.purposes)
        make = partial(self._keys.generate, request.label, request.spec, request.purposes)
        public = await asyncio.to_thread(make)
        digest = hashlib.sha256(spki_der(public)).digest()
        await asyncio.to_thread(self._journal.write, "generated", request.label, digest)
        return messages.Key(spki_der(public), request.purposes)

    async def _find(self, request: messages.Find) -> Answer:
        public = await asyncio.to_thread(self._keys.public_key, request.label)
        purposes = await asyncio.to_thread(self._keys.purposes, request.label)
        return messages.Key(spki_der(public), purposes)

    async def _list(self, _: messages.List) -> Answer:
        return messages.Labels(await asyncio.to_thread(self._keys.labels))

    async def _sign(self, request: messages.Sign) -> Answer:
        _refuse_phone({request.purpose})
        formats = FORMATS.get(request.purpose, frozenset())
        try:
            read = read_to_be_signed(request.message, formats)  # 2
        except ToBeSignedMalformed as malformed:
            raise SigningRefused(malformed.detail, rule="format") from None
        key = await asyncio.to_thread(self._keys.signer, request.label, request.purpose)  # 4
        await self._policy.check_sign(request.label, request.purpose, request.message, read)  # 3
        is_ca = request.purpose in CA_PURPOSES
        digest = hashlib.sha256(request.message).digest()
        if is_ca:
            await asyncio.to_thread(self._journal.write, "intended", request.label, digest)  # 5
        work = partial(sign_message, key, request.message, request.scheme)
        signature = await signing(key, work)  # 6
        if is_ca:
            await asyncio.to_thread(
                self._journal.write, "signed", request.label, digest, synced=False
            )
        return messages.Signature(signature)

    async def _make_keys(self, request: messages.MakeKeys) -> Answer:
        return messages.MadeKeys(await self._holder().make(request.order))

    async def _release_key(self, request: messages.ReleaseKey) -> Answer:
        return messages.Signature(await self._holder().release(request.wish))

    async def _end_key(self, request: messages.EndKey) -> Answer:
        await self._holder().end(request.spki_sha256)
        return messages.Done()

    def _holder(self) -> ActivatedKeys:
        if self._activated is None:
            raise KeyPurposeRefused("this signer holds no keys of phones: see keys.phones")
        return self._activated

    _answers: Final[dict[type[Any], Callable[..., Awaitable[Answer]]]] = {
        messages.Generate: _generate,
        messages.Find: _find,
        messages.List: _list,
        messages.Sign: _sign,
        messages.MakeKeys: _make_keys,
        messages.ReleaseKey: _release_key,
        messages.EndKey: _end_key,
    }


def _refuse_phone(purposes: Collection[KeyPurpose]) -> None:
    """A phone's key signs for an assertion, which these requests do not carry."""
    if KeyPurpose.PHONE in purposes:
        raise SigningRefused("keys of phones are released by assertions", rule="activation")


@asynccontextmanager
async def serving(
    signer: Signer, path: Path, *, peers: Collection[int] = ()
) -> AsyncIterator[None]:
    """Answer on a Unix socket until the block ends.

    Args:
        signer: answers.
        path: of the socket; its folder must not be writable by others.
        peers: user ids that may ask; this process's own if empty. With any other the socket gets mode 0660
            and the group of its folder decides who reaches it; SO_PEERCRED decides who is answered.

    Raises:
        KeyStoreExposed: others may replace the socket.
        KeyStoreLocked: another signer is there, or the socket cannot be made.
    """
    admitted = frozenset(peers) or frozenset({os.getuid()})
    listening = _listen(path, 0o600 if admitted <= {os.getuid()} else 0o660)
    doorman = _Doorman(signer, admitted, listening)
    doorman.begin()
    try:
        yield
    finally:
        await doorman.end()
        await asyncio.to_thread(path.unlink, missing_ok=True)


class _Doorman:
    """Admits connections and carries their requests to the signer.

    It accepts by itself: asyncio's own server loses a connection that comes in the moment in which it is closed.
    """

    def __init__(self, signer: Signer, admitted: frozenset[int], listening: socket.socket) -> None:
        self._signer = signer
        self._admitted = admitted
        self._listening = listening
        self._loop = asyncio.get_running_loop()
        self._open: dict[asyncio.Task[None], asyncio.StreamWriter | None] = {}
        self._ending = False

    def begin(self) -> None:
        if not self._ending:
            self._loop.add_reader(self._listening, self._accept)

    async def end(self) -> None:
        """Hang up; who is being answered is answered."""
        self._ending = True
        self._loop.remove_reader(self._listening)
        self._listening.close()
        ends_at = self._loop.time() + GRACE_S
        while self._open:
            for writer in self._open.values():
                if writer is not None and self._loop.time() < ends_at:
                    writer.close()
                elif writer is not None:
                    writer.transport.abort()
            await asyncio.wait(tuple(self._open), timeout=0.05)

    def _accept(self) -> None:
        try:
            connection, _ = self._listening.accept()
        except (BlockingIOError, InterruptedError, ConnectionAbortedError):
            return
        except OSError:
            self._loop.remove_reader(self._listening)
            self._loop.call_later(_PAUSE_S, self.begin)
            return
        task = self._loop.create_task(self._meet(connection))
        self._open[task] = None

    async def _meet(self, connection: socket.socket) -> None:
        task = asyncio.current_task()
        assert task is not None
        writer: asyncio.StreamWriter | None = None
        try:
            if peer_uid(connection) in self._admitted and len(self._open) <= MAX_CONNECTIONS:  # 1
                connection.setblocking(False)  # noqa: FBT003 - the interface of sockets
                reader, writer = await asyncio.open_unix_connection(sock=connection)
                self._open[task] = writer
                await self._converse(reader, writer)
        except (
            messages.SignerMessageMalformed,
            asyncio.IncompleteReadError,
            TimeoutError,
            OSError,
        ):
            pass  # whoever speaks another language, or stops speaking, is hung up on
        finally:
            if writer is None:
                connection.close()
            else:
                writer.close()
                with suppress(OSError):
                    await writer.wait_closed()
            del self._open[task]

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while not self._ending:
            head = await reader.readexactly(messages.HEAD_SIZE)
            async with asyncio.timeout(BODY_DEADLINE_S):
                body = await reader.readexactly(messages.body_size(head))
            writer.write(messages.frame(await self._signer.answer(body)))
            await writer.drain()


def _listen(path: Path, mode: int) -> socket.socket:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if path.parent.stat().st_mode & stat.S_IWOTH:
        raise KeyStoreExposed(f"others may write {path.parent}: chmod o-w")
    _make_way(path)
    listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    before = os.umask(0o777 & ~mode)  # the socket never stands open, not even for a moment
    try:
        listening.bind(str(path))
        listening.listen(MAX_CONNECTIONS)
        listening.setblocking(False)  # noqa: FBT003 - the interface of sockets
    except OSError as error:
        listening.close()
        raise KeyStoreLocked(f"the socket cannot be made: {error}") from None
    finally:
        os.umask(before)
    return listening


def _make_way(path: Path) -> None:
    """Remove the socket of a signer that is no more.

    Raises:
        KeyStoreLocked: one answers, or something else is in the way.
    """
    if not path.exists():
        return
    if not stat.S_ISSOCK(path.stat().st_mode):
        raise KeyStoreLocked(f"{path} is in the way and no socket")
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe, suppress(OSError):
        probe.connect(str(path))
        raise KeyStoreLocked(f"another signer answers on {path}")
    path.unlink(missing_ok=True)
