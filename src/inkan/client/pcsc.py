"""Readers of this computer by PC/SC: the functions of pcsc-lite that are needed, bound by ctypes (decision 0022).

Every call blocks until service, reader and card have answered: run it in a thread, never in an event loop. Each link
and each watch has a context of its own, so threads do not wait for one another inside the library. Which socket the
library speaks to is its own matter: it reads PCSCLITE_CSOCK_NAME once in a process.

Types are those of pcsc-lite on Linux (winscard.h, pcsclite.h: DWORD and LONG are C longs); other systems bind others.
"""

import contextlib
import ctypes
import threading
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from inkan.client.card import CardEvent, CardRemoved, Listener, NoCard, NoReader, Reader
from inkan.client.card_refusals import (
    CardAnswerMalformed,
    CardInUse,
    CardReset,
    CardServiceMissing,
    CardUnknown,
)
from inkan.kernel.errors import InkanError

LIBRARY: Final = "libpcsclite.so.1"
_SCOPE_SYSTEM: Final = 2
_SHARED: Final = 2
_EXCLUSIVE: Final = 1
_ANY_PROTOCOL: Final = 3  # T=0 or T=1
_LEAVE, _RESET = 0, 1
_ANSWER_SIZE: Final = (
    264  # a short answer: 256 octets, the status word, room to see that it is longer
)
_STATUS_WORD: Final = 2
_ATR_SIZE: Final = 33
_STATE_CHANGED: Final = 0x2
_STATE_PRESENT: Final = 0x20
_COUNT_SHIFT: Final = 16
_READERS_CHANGED: Final = rb"\\?PnP?\Notification"
_WATCH_MS: Final = 500
_PAUSE_S: Final = 0.2

_OK: Final = 0
_TIMEOUT: Final = 0x8010000A
_CANCELLED: Final = 0x80100002
_NO_READERS: Final = 0x8010002E
# What the numbers mean to a person (PC/SC part 5; pcsclite.h).
_REFUSALS: Final[Mapping[int, type[InkanError]]] = {
    0x80100003: CardRemoved,  # invalid handle: the service was restarted
    0x80100009: NoReader,  # unknown reader
    0x8010000B: CardInUse,  # sharing violation
    0x8010000C: NoCard,  # no smart card
    0x8010000F: CardUnknown,  # protocol mismatch
    0x80100013: CardServiceMissing,  # internal communication error
    0x80100014: CardServiceMissing,  # unknown error
    0x80100016: CardRemoved,  # not transacted: the card did not answer
    0x80100017: CardRemoved,  # reader unavailable
    0x8010001D: CardServiceMissing,  # no service
    0x8010001E: CardServiceMissing,  # service stopped
    0x8010002E: NoReader,  # no readers available
    0x80100065: CardUnknown,  # unsupported card
    0x80100066: CardUnknown,  # unresponsive card
    0x80100067: CardUnknown,  # unpowered card
    0x80100068: CardReset,
    0x80100069: CardRemoved,
}

_LONG = ctypes.c_long
_DWORD = ctypes.c_ulong


class _ReaderState(ctypes.Structure):
    """SCARD_READERSTATE: what is known of a reader, what is true, and the ATR of its card."""

    _fields_ = (
        ("name", ctypes.c_char_p),
        ("user_data", ctypes.c_void_p),
        ("known", _DWORD),
        ("state", _DWORD),
        ("atr_size", _DWORD),
        ("atr", ctypes.c_ubyte * _ATR_SIZE),
    )


class _Protocol(ctypes.Structure):
    """SCARD_IO_REQUEST: the protocol, and the size of this structure."""

    _fields_ = (("protocol", _DWORD), ("size", _DWORD))


_P = ctypes.POINTER
_FUNCTIONS: Final[Mapping[str, tuple[Any, ...]]] = {
    "SCardEstablishContext": (_DWORD, ctypes.c_void_p, ctypes.c_void_p, _P(_LONG)),
    "SCardReleaseContext": (_LONG,),
    "SCardListReaders": (_LONG, ctypes.c_char_p, ctypes.c_char_p, _P(_DWORD)),
    "SCardGetStatusChange": (_LONG, _DWORD, _P(_ReaderState), _DWORD),
    "SCardCancel": (_LONG,),
    "SCardConnect": (_LONG, ctypes.c_char_p, _DWORD, _DWORD, _P(_LONG), _P(_DWORD)),
    "SCardDisconnect": (_LONG, _DWORD),
    "SCardBeginTransaction": (_LONG,),
    "SCardEndTransaction": (_LONG, _DWORD),
    "SCardTransmit": (
        _LONG,
        _P(_Protocol),
        ctypes.c_char_p,
        _DWORD,
        ctypes.c_void_p,
        ctypes.c_char_p,
        _P(_DWORD),
    ),
}


class _Library:
    """The loaded library; its functions answer with a status as an unsigned number of 32 bits."""

    def __init__(self) -> None:
        try:
            library = ctypes.CDLL(LIBRARY)
            for name, arguments in _FUNCTIONS.items():
                function = getattr(library, name)
                function.argtypes, function.restype = arguments, _LONG
        except (OSError, AttributeError) as error:
            raise CardServiceMissing(f"the library of PC/SC does not load: {error}") from None
        self._library = library

    def call(self, name: str, *arguments: Any) -> int:
        """Return the status of a call."""
        return int(getattr(self._library, name)(*arguments)) & 0xFFFFFFFF

    def do(self, name: str, *arguments: Any) -> None:
        """Call, and raise what a status other than success means."""
        verify_status(self.call(name, *arguments))


def verify_status(status: int) -> None:
    """Raise the refusal that a status stands for; nothing on success.

    Raises:
        CardServiceMissing, NoReader, NoCard, CardRemoved, CardReset, CardInUse, CardUnknown: as the table says.
    """
    if status != _OK:
        raise _REFUSALS.get(status, CardServiceMissing)(f"PC/SC status {status:08X}")


class PCSC:
    """The readers of this computer; a :class:`~inkan.client.card_link.CardReaders`.

    Args:
        exclusive: whether a connection keeps other programs from the card for as long as it lasts.

    Raises:
        CardServiceMissing: the library is not installed.
    """

    def __init__(self, *, exclusive: bool = False) -> None:
        self._library = _Library()
        self._sharing = _EXCLUSIVE if exclusive else _SHARED

    def readers(self) -> list[Reader]:
        """Return the connected readers, and which of them hold a card.

        Raises:
            NoReader: there is none.
            CardServiceMissing: the service does not run.
        """
        with self._context() as context:
            found = self._look(context)
        if not found:
            raise NoReader
        return [
            Reader(name, has_card=bool(state & _STATE_PRESENT)) for name, state in found.items()
        ]

    def watch(self, listener: Listener) -> Callable[[], None]:
        """Report insertions and removals, in a thread, until the returned function is called.

        A reader that is unplugged, and a service that stops, take their cards with them. While there is no service
        the watch looks for one five times a second.
        """
        watch = _Watch(self._library, listener)
        watch.start()
        return watch.stop

    def connect(self, reader: str) -> "PCSCLink":
        """Connect to the card in a reader.

        Raises:
            NoReader, NoCard, CardInUse, CardUnknown, CardServiceMissing: it cannot be done.
        """
        context = _establish(self._library)
        try:
            handle, protocol = _LONG(), _DWORD()
            self._library.do(
                "SCardConnect",
                context,
                reader.encode(),
                self._sharing,
                _ANY_PROTOCOL,
                ctypes.byref(handle),
                ctypes.byref(protocol),
            )
        except InkanError as refusal:
            self._library.call("SCardReleaseContext", context)
            # Between the look and the connection the card was pulled out.
            raise NoCard(reader) if isinstance(refusal, CardRemoved) else refusal from None
        return PCSCLink(self._library, context, handle.value, protocol.value)

    @contextlib.contextmanager
    def _context(self) -> Iterator[int]:
        context = _establish(self._library)
        try:
            yield context
        finally:
            self._library.call("SCardReleaseContext", context)

    def _look(self, context: int) -> dict[str, int]:
        names = _list_readers(self._library, context)
        states = _states(dict.fromkeys(names, 0))
        if names:
            self._library.do("SCardGetStatusChange", context, 0, states, len(states))
        return {each.name.decode(): each.state for each in states}


class PCSCLink:
    """A connection to one card; a :class:`~inkan.client.card_link.Link`."""

    def __init__(self, library: _Library, context: int, handle: int, protocol: int) -> None:
        self._library = library
        self._context = context
        self._handle = handle
        self._protocol = _Protocol(protocol, ctypes.sizeof(_Protocol))
        self._is_open = True

    def transmit(self, command: bytes) -> bytes:
        """Return the answer to one short command.

        Raises:
            CardRemoved, CardReset, CardServiceMissing: the link is over.
            CardAnswerMalformed: more than a short answer can hold.
        """
        answer = ctypes.create_string_buffer(_ANSWER_SIZE)
        size = _DWORD(_ANSWER_SIZE)
        status = self._library.call(
            "SCardTransmit",
            self._handle,
            ctypes.byref(self._protocol),
            command,
            len(command),
            None,
            answer,
            ctypes.byref(size),
        )
        _verify_link(status)
        if size.value < _STATUS_WORD:
            # A reader that loses the card while it waits may say that all is well, and give nothing.
            raise CardRemoved("the reader gave no answer")
        if size.value > _ANSWER_SIZE:
            raise CardAnswerMalformed("an answer of impossible length")
        return answer.raw[: size.value]

    @contextlib.contextmanager
    def transaction(self) -> Iterator[None]:
        """Keep other programs from the card until the block ends.

        Raises:
            CardRemoved, CardReset, CardServiceMissing: the link is over.
        """
        _verify_link(self._library.call("SCardBeginTransaction", self._handle))
        try:
            yield
        finally:
            # The block's own refusal matters more than that there is no transaction left to end.
            self._library.call("SCardEndTransaction", self._handle, _LEAVE)

    def close(self) -> None:
        """Disconnect and reset the card; a second call does nothing."""
        if self._is_open:
            self._is_open = False
            self._library.call("SCardDisconnect", self._handle, _RESET)
            self._library.call("SCardReleaseContext", self._context)


class _Watch:
    """One watching thread with a context of its own."""

    def __init__(self, library: _Library, listener: Listener) -> None:
        self._library = library
        self._listener = listener
        self._stopped = threading.Event()
        self._context: int | None = None
        self._known: dict[str, int] = {}
        self._looked = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def start(self) -> None:
        """Begin; what is in the readers now is no event."""
        self._thread.start()
        self._looked.wait()

    def stop(self) -> None:
        """End; returns when the listener will not be called any more."""
        self._stopped.set()
        while self._thread.is_alive():
            context = self._context
            if context is not None:
                self._library.call("SCardCancel", context)
            self._thread.join(_PAUSE_S)

    def _run(self) -> None:
        while not self._stopped.is_set():
            try:
                self._context = _establish(self._library)
                self._follow(self._context)
            except InkanError:
                self._compare({})
                self._stopped.wait(_PAUSE_S)
            finally:
                context, self._context = self._context, None
                if context is not None:
                    self._library.call("SCardReleaseContext", context)
        self._looked.set()

    def _follow(self, context: int) -> None:
        """Look until the watch is stopped or the service ends."""
        while not self._stopped.is_set():
            names = _list_readers(self._library, context)
            wait = _WATCH_MS if self._looked.is_set() else 0
            states = _states({name: self._known.get(name, 0) for name in names}, plug=True)
            status = self._library.call("SCardGetStatusChange", context, wait, states, len(states))
            if status not in {_OK, _TIMEOUT, _CANCELLED}:
                verify_status(status)
            if status != _CANCELLED:
                seen = {
                    each.name.decode(): each.state
                    for each in states
                    if each.name != _READERS_CHANGED
                }
                self._compare(seen)

    def _compare(self, seen: dict[str, int]) -> None:
        """Report what differs from the last look, and remember this one."""
        before, self._known = (
            self._known,
            {name: state & ~_STATE_CHANGED for name, state in seen.items()},
        )
        is_first = not self._looked.is_set()
        self._looked.set()
        if is_first:
            return
        for name in {**before, **seen}:
            old, new = before.get(name, 0), seen.get(name, 0)
            had, has = bool(old & _STATE_PRESENT), bool(new & _STATE_PRESENT)
            # The upper half counts events: a card may have gone and come between two looks.
            replaced = had and has and old >> _COUNT_SHIFT != new >> _COUNT_SHIFT
            if had and (replaced or not has):
                self._listener(Reader(name, has_card=False), CardEvent.REMOVED)
            if has and (replaced or not had):
                self._listener(Reader(name, has_card=True), CardEvent.INSERTED)


def _establish(library: _Library) -> int:
    context = _LONG()
    library.do("SCardEstablishContext", _SCOPE_SYSTEM, None, None, ctypes.byref(context))
    return context.value


def _list_readers(library: _Library, context: int) -> list[str]:
    """The names of the readers, none when there is none."""
    size = _DWORD()
    status = library.call("SCardListReaders", context, None, None, ctypes.byref(size))
    if status == _NO_READERS:
        return []
    verify_status(status)
    names = ctypes.create_string_buffer(size.value)
    status = library.call("SCardListReaders", context, None, names, ctypes.byref(size))
    if status == _NO_READERS:
        return []
    verify_status(status)
    return [name.decode(errors="replace") for name in names.raw[: size.value].split(b"\0") if name]


def _states(known: dict[str, int], *, plug: bool = False) -> Any:
    """The array that SCardGetStatusChange compares and fills; with ``plug`` it also waits for readers to come."""
    names = [(name.encode(), state) for name, state in known.items()]
    if plug:
        names.append((_READERS_CHANGED, len(known) << _COUNT_SHIFT))
    return (_ReaderState * len(names))(
        *(_ReaderState(name=name, known=state) for name, state in names)
    )


def _verify_link(status: int) -> None:
    """As :func:`verify_status`, where a card that is not there was there before."""
    try:
        verify_status(status)
    except (NoCard, NoReader) as refusal:
        raise CardRemoved(refusal.detail) from None
