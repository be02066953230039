"""Token sessions: a bounded pool, logged in once for the process, made anew when the token was away.

A login belongs to the process, not to a session (PKCS #11 v3.1 §5.6.9): the first session logs in, the others
share that, and closing a session that logged in would log out all of them. After a logout private objects are not
refused but invisible, so whoever finds nothing asks :meth:`SessionPool.is_logged_in` before believing it.
"""

import queue
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, Final, TypeVar

import pkcs11

from inkan.crypto.key_providers import KeyDeviceBusy, KeyStoreLocked
from inkan.crypto.pkcs11.module import Module
from inkan.kernel.errors import InkanError
from inkan.kernel.sensitive import Secret

T = TypeVar("T")

# A fresh session would hear the same again. Everything else is worth a reset and a second try.
_DEFINITE: Final = (
    pkcs11.ArgumentsBad,
    pkcs11.AttributeTypeInvalid,
    pkcs11.AttributeValueInvalid,
    pkcs11.DataInvalid,
    pkcs11.DataLenRange,
    pkcs11.FunctionNotSupported,
    pkcs11.KeySizeRange,
    pkcs11.KeyTypeInconsistent,
    pkcs11.MechanismInvalid,
    pkcs11.MechanismParamInvalid,
    pkcs11.TemplateIncomplete,
    pkcs11.TemplateInconsistent,
    pkcs11.TokenWriteProtected,
)
_PIN: Final = (
    pkcs11.PinExpired,
    pkcs11.PinIncorrect,
    pkcs11.PinInvalid,
    pkcs11.PinLenRange,
    pkcs11.PinLocked,
    pkcs11.UserPinNotInitialized,
)


class TokenSession:
    """A session of the pool, and what was found by it.

    Attributes:
        found: handles by label; they live as long as the session.
    """

    def __init__(self, session: Any, generation: int) -> None:
        self.session = session
        self.generation = generation
        self.found: dict[str, Any] = {}


class SessionPool:
    """Sessions with one token."""

    def __init__(
        self, module: Module, *, token: str, pin: Secret[str], sessions: int, wait_s: float
    ) -> None:
        """Prepare a pool; nothing is opened before the first use.

        Args:
            module: the loaded module.
            token: CKA_LABEL of the token; no two may have it.
            pin: of the user.
            sessions: the most that are open; one if the module cannot be used by several threads.
            wait_s: how long a use waits for a session.
        """
        self._module = module
        self._token_label = token
        self._pin = pin
        self._wait_s = wait_s
        self.size = sessions if module.has_threads else 1
        self._free: queue.LifoQueue[TokenSession | None] = queue.LifoQueue()
        for _ in range(self.size):
            self._free.put(None)
        self._opening = threading.Lock()
        self._logged_in = -1
        self._serial: bytes | None = None
        self._pin_refused = False

    def use(self, work: Callable[[TokenSession], T]) -> T:
        """Return what ``work`` returns; after a loss of session, login or token once more with fresh ones.

        Raises:
            KeyStoreLocked: the token is away, was replaced, or refuses the PIN or the call.
            KeyDeviceBusy: no session became free in time.
        """
        with self._module.inside() as seen:
            try:
                with self._checked_out(seen) as session:
                    return work(session)
            except (*_DEFINITE, *_PIN) as error:
                raise _locked(error) from None
            except (pkcs11.PKCS11Error, _TokenAway):
                pass  # outside of this use the module can be reset
        if not self._module.reset(seen):
            raise KeyStoreLocked("the token was lost a moment ago; it is looked for again soon")
        try:
            with self._module.inside() as again, self._checked_out(again) as session:
                return work(session)
        except pkcs11.PKCS11Error as error:
            raise _locked(error) from None
        except _TokenAway as away:
            raise KeyStoreLocked(str(away)) from None

    def is_logged_in(self, session: TokenSession) -> bool:
        """Whether the token shows private objects to this session."""
        return self._module.is_logged_in(session.session)

    def close(self) -> None:
        """Close the sessions of this pool; the login stays as long as the process has other pools."""
        for _ in range(self.size):
            with suppress(queue.Empty, pkcs11.PKCS11Error):
                session = self._free.get_nowait()
                if session is not None and session.generation == self._module.generation:
                    session.session.close()

    @contextmanager
    def _checked_out(self, generation: int) -> Iterator[TokenSession]:
        try:
            session = self._free.get(timeout=self._wait_s)
        except queue.Empty:
            raise KeyDeviceBusy("every session of the token is in use") from None
        kept: TokenSession | None = None
        try:
            if session is None or session.generation != generation:
                session = TokenSession(self._open(generation), generation)
            yield session
            kept = session
        except (InkanError, *_DEFINITE):
            kept = session  # a refusal says nothing against the session
            raise
        finally:
            # A session that failed is not used again; the reset that follows closes it.
            self._free.put(kept)

    def _open(self, generation: int, *, rw: bool = False) -> Any:
        with self._opening:
            token = self._find_token()
            if self._logged_in != generation:
                self._log_in(token, generation)
                self._logged_in = generation
        return token.open(rw=rw)

    def make(self, work: Callable[[Any], T]) -> T:
        """Return what ``work`` returns with a session that may make objects; never tried twice.

        Raises:
            KeyStoreLocked: as :meth:`use`.
        """
        self.use(lambda _: None)  # finds a lost token before anything is made
        try:
            with self._module.inside() as generation:
                session = self._open(generation, rw=True)
                try:
                    return work(session)
                finally:
                    with suppress(pkcs11.PKCS11Error):
                        session.close()
        except pkcs11.PKCS11Error as error:
            raise _locked(error) from None
        except _TokenAway as away:
            raise KeyStoreLocked(str(away)) from None

    def _log_in(self, token: Any, generation: int) -> None:
        """Log the process in. A refused PIN is never tried again: the third time locks the token."""
        if self._pin_refused:
            raise KeyStoreLocked("the token refused this PIN; it is not tried again")
        logins, serial = self._module.logins, bytes(token.serial)
        if serial in logins and logins[serial][0] == generation:
            self._pin_refused = logins[serial][1] != self._pin
            if self._pin_refused:
                raise KeyStoreLocked("another PIN than the one this process logged in with")
            return
        try:
            token.open(
                user_pin=self._pin.reveal()
            )  # stays open: closing it would log out every session
        except pkcs11.UserAlreadyLoggedIn:
            pass  # by other software in this process; the login is the process's
        except _PIN:
            self._pin_refused = True
            raise
        logins[serial] = (generation, self._pin)

    def _find_token(self) -> Any:
        found = [each for each in self._tokens() if each.label == self._token_label]
        if len(found) != 1:
            raise _TokenAway(f"{len(found)} tokens are called {self._token_label}")
        serial = bytes(found[0].serial)
        if self._serial is None:
            self._serial = serial
        elif self._serial != serial:
            raise KeyStoreLocked(f"{self._token_label} is another token than the one opened first")
        return found[0]

    def _tokens(self) -> Iterator[Any]:
        for slot in self._module.library.get_slots(token_present=True):
            with suppress(pkcs11.PKCS11Error):  # one slot that fails must not hide the others
                yield slot.get_token()


class _TokenAway(Exception):
    """No token of that label is in any slot."""


def _locked(error: pkcs11.PKCS11Error) -> KeyStoreLocked:
    # The library's errors are named for their CKR_ code and mostly have no words.
    return KeyStoreLocked(f"the token answers {type(error).__name__}")
