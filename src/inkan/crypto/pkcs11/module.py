"""One PKCS #11 module in this process: loaded for threads, reset as a whole, never used across a fork.

Three traps of the interface decide the form of this file (PKCS #11 v3.1 §5.4, §5.6.7):

* the library initialises a module without saying that there are threads, and SoftHSM then takes no locks. So the
  module is initialised again with CKF_OS_LOCKING_OK; one that cannot lock is used by one thread at a time;
* C_Finalize while another thread is inside the module is undefined. So uses are counted, and a reset waits for
  them and lets none begin;
* a child process must not use its parent's initialisation. So a use in another process is refused.
"""

import ctypes
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, NamedTuple

import pkcs11

from inkan.crypto.key_providers import KeyStoreLocked
from inkan.kernel.sensitive import Secret

_OK: Final = 0
_CANNOT_LOCK: Final = 0x0A
_OS_LOCKING_OK: Final = 0x02
_USER_STATES: Final = frozenset({1, 3})  # CKS_RO_USER_FUNCTIONS, CKS_RW_USER_FUNCTIONS
# Seconds between two resets: a token that is gone must not be hammered.
RESET_PAUSE_S: Final = 1.0


class _Functions(ctypes.Structure):
    """The head of CK_FUNCTION_LIST: its version and as many functions as are called from here."""

    _fields_ = (
        ("version", ctypes.c_ubyte * 2),
        ("initialize", ctypes.c_void_p),
        ("finalize", ctypes.c_void_p),
        ("between", ctypes.c_void_p * 13),  # C_GetInfo to C_CloseAllSessions
        ("session_info", ctypes.c_void_p),
    )


class _Arguments(ctypes.Structure):
    """CK_C_INITIALIZE_ARGS."""

    _fields_ = (
        ("create", ctypes.c_void_p),
        ("destroy", ctypes.c_void_p),
        ("lock", ctypes.c_void_p),
        ("unlock", ctypes.c_void_p),
        ("flags", ctypes.c_ulong),
        ("reserved", ctypes.c_void_p),
    )


class _SessionInfo(ctypes.Structure):
    """CK_SESSION_INFO."""

    _fields_ = (
        ("slot", ctypes.c_ulong),
        ("state", ctypes.c_ulong),
        ("flags", ctypes.c_ulong),
        ("device_error", ctypes.c_ulong),
    )


class _Calls(NamedTuple):
    """What the library does not offer, or not in the way that is needed."""

    initialize: Any
    finalize: Any
    session_info: Any


class Module:
    """A loaded module.

    Attributes:
        library: the library's object.
        has_threads: whether several threads may be inside at once.
        generation: grows by one at each reset; what was opened before is gone.
        logins: by serial number of a token, in which generation and with which PIN this process logged in.
    """

    def __init__(self, path: Path, monotonic: Callable[[], float]) -> None:
        """Load and initialise it.

        Raises:
            KeyStoreLocked: there is no such module, or it does not start.
        """
        self._pid = os.getpid()
        self._monotonic = monotonic
        self._gate = threading.Condition()
        self._inside = 0
        self._resetting = False
        self._reset_at = float("-inf")
        self.generation = 0
        self.logins: dict[bytes, tuple[int, Secret[str]]] = {}
        try:
            self.library: Any = pkcs11.lib(str(path))
            self._calls = _calls_of(path)
        except (pkcs11.PKCS11Error, OSError, AttributeError) as error:
            raise KeyStoreLocked(f"the PKCS #11 module does not load: {error!r}") from None
        self.has_threads = self._restart()

    @contextmanager
    def inside(self) -> Iterator[int]:
        """A use of the module; gives the generation, which stays until the use ends.

        Raises:
            KeyStoreLocked: this is a child of the process that loaded it.
        """
        if os.getpid() != self._pid:
            raise KeyStoreLocked("a token is not used across a fork: open it in this process")
        with self._gate:
            self._gate.wait_for(lambda: not self._resetting)
            self._inside += 1
        try:
            yield self.generation
        finally:
            with self._gate:
                self._inside -= 1
                self._gate.notify_all()

    def is_logged_in(self, session: Any) -> bool:
        """Whether the user is logged in, as the token itself says of a session."""
        info = _SessionInfo()
        answer = self._calls.session_info(session.handle, ctypes.byref(info))
        return answer == _OK and info.state in _USER_STATES

    def reset(self, seen: int) -> bool:
        """Finalise and initialise the module anew, unless somebody did since generation ``seen``.

        Everything that any session of this process held is gone then. Returns whether trying again makes sense:
        False within a second of the last reset.
        """
        with self._gate:
            self._gate.wait_for(lambda: not self._resetting)
            if self.generation != seen:
                return True
            if self._monotonic() - self._reset_at < RESET_PAUSE_S:
                return False
            self._resetting = True
            self._gate.wait_for(lambda: self._inside == 0)
        try:
            self._restart()
        finally:
            with self._gate:
                self.generation += 1
                self._reset_at = self._monotonic()
                self._resetting = False
                self._gate.notify_all()
        return True

    def _restart(self) -> bool:
        self._calls.finalize(None)
        arguments = _Arguments(flags=_OS_LOCKING_OK)
        answer = self._calls.initialize(ctypes.addressof(arguments))
        if answer == _CANNOT_LOCK:
            answer = self._calls.initialize(None)
            if answer == _OK:
                return False
        if answer != _OK:
            raise KeyStoreLocked(f"C_Initialize answers {answer:#x}")
        return True


def _calls_of(path: Path) -> _Calls:
    """Functions of a module that is loaded; only C_GetFunctionList need be exported."""
    handle = ctypes.CDLL(str(path))
    functions = ctypes.POINTER(_Functions)()
    if handle.C_GetFunctionList(ctypes.byref(functions)) != _OK:
        raise OSError("C_GetFunctionList fails")
    table = functions.contents
    one = ctypes.CFUNCTYPE(ctypes.c_ulong, ctypes.c_void_p)
    info = ctypes.CFUNCTYPE(ctypes.c_ulong, ctypes.c_ulong, ctypes.POINTER(_SessionInfo))
    return _Calls(one(table.initialize), one(table.finalize), info(table.session_info))


_modules: dict[Path, Module] = {}
_loading = threading.Lock()


def load_module(path: Path, monotonic: Callable[[], float]) -> Module:
    """Return the module of that path; a process loads each one once.

    Raises:
        KeyStoreLocked: there is no such module, or it does not start.
    """
    with _loading:
        found = _modules.get(path)
        if found is None:
            found = _modules[path] = Module(path, monotonic)
        return found
