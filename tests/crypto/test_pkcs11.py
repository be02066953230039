"""Keys in a token: the contract of every provider on SoftHSM, and what happens to tokens in life."""

import ctypes
import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pkcs11
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from pkcs11 import Attribute, KeyType, MechanismFlag, ObjectClass
from pkcs11.util.ec import encode_named_curve_parameters

from crypto.key_provider_contract import CA, KeyPairContract, Reopen, holds
from inkan.crypto.foreign_keys import executor_of, signing
from inkan.crypto.key_providers import (
    KeyDeviceBusy,
    KeyExportable,
    KeyPurpose,
    KeyStoreDamaged,
    KeyStoreLocked,
    KeyUnknown,
)
from inkan.crypto.keys import KeySpec, PrivateKey
from inkan.crypto.pkcs11 import provider as room
from inkan.crypto.pkcs11.provider import TokenKeyProvider
from inkan.kernel.sensitive import Secret
from support.softhsm import Token, token_in

DATA = b"to be signed"


@pytest.fixture
def token(tmp_path: Path) -> Iterator[Token]:
    with token_in(tmp_path / "hsm") as made:
        yield made


class TestContract(KeyPairContract):
    @pytest.fixture
    def provider(self, token: Token) -> TokenKeyProvider:
        return token.open()

    @pytest.fixture
    def reopen(self, token: Token) -> Reopen:
        return token.open


@pytest.fixture
def provider(token: Token) -> TokenKeyProvider:
    """A provider with one key."""
    made = token.open()
    made.generate("ca", KeySpec.P256, CA)
    return made


def sign(key: PrivateKey) -> bytes:
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    return key.sign(DATA, ec.ECDSA(SHA256()))


def signs(provider: TokenKeyProvider, label: str = "ca") -> bool:
    signature = sign(provider.signer(label, KeyPurpose.CERT))
    return holds(provider.public_key(label), signature, DATA)


def module_calls(token: Token) -> ctypes.CDLL:
    """The module as other software of this process sees it: handles that the pool does not know of."""
    calls = ctypes.CDLL(str(token.module))
    for name in ("C_CloseSession", "C_Logout", "C_CloseAllSessions"):
        getattr(calls, name).argtypes = [ctypes.c_ulong]
    return calls


def other_session(token: Token, *, rw: bool = False) -> Any:
    tokens = token.loaded.library.get_tokens(token_label=token.label)
    return next(iter(tokens)).open(rw=rw)


# --- what happens to tokens -----------------------------------------------------------------------


def test_sessions_that_were_closed_are_opened_again(
    token: Token, provider: TokenKeyProvider
) -> None:
    signer = provider.signer("ca", KeyPurpose.CERT)
    assert signs(provider)
    slot = other_session(token).token.slot.slot_id
    assert module_calls(token).C_CloseAllSessions(slot) == 0
    assert holds(signer.public_key(), sign(signer), DATA)


def test_one_closed_session_is_opened_again(token: Token, provider: TokenKeyProvider) -> None:
    assert signs(provider)
    session = provider._pool._free.queue[-1]
    assert session is not None
    assert module_calls(token).C_CloseSession(session.session.handle) == 0
    assert signs(provider)


def test_who_was_logged_out_logs_in_again(token: Token, provider: TokenKeyProvider) -> None:
    signer = provider.signer("ca", KeyPurpose.CERT)
    assert signs(provider)
    assert module_calls(token).C_Logout(other_session(token).handle) == 0
    assert holds(signer.public_key(), sign(signer), DATA)


def test_a_logout_does_not_make_keys_unknown(token: Token, provider: TokenKeyProvider) -> None:
    """After it a token shows no private objects, instead of refusing them."""
    assert signs(provider)
    assert module_calls(token).C_Logout(other_session(token).handle) == 0
    assert provider.labels() == ("ca",)


def test_a_module_that_was_finalised_is_initialised_again(
    token: Token, provider: TokenKeyProvider
) -> None:
    assert signs(provider)
    assert module_calls(token).C_Finalize(None) == 0
    assert signs(provider)


def test_a_token_that_is_gone_is_a_locked_store_until_it_comes_back(
    token: Token, provider: TokenKeyProvider
) -> None:
    assert signs(provider)
    tokens = token.folder / "tokens"
    tokens.rename(token.folder / "away")
    tokens.mkdir()
    token.loaded.reset(token.loaded.generation)  # what a module does that watches its slots
    with pytest.raises(KeyStoreLocked):
        signs(provider)
    tokens.rmdir()
    (token.folder / "away").rename(tokens)
    assert signs(provider)


def test_a_token_that_was_removed_and_made_anew_is_another(
    token: Token, provider: TokenKeyProvider
) -> None:
    signer = provider.signer("ca", KeyPurpose.CERT)
    assert signs(provider)
    token.remove()
    with pytest.raises(KeyStoreLocked):
        sign(signer)
    token.initialise()
    with pytest.raises(KeyStoreLocked, match="another token"):
        sign(signer)
    with pytest.raises(KeyUnknown):
        token.open().signer("ca", KeyPurpose.CERT)


def test_a_token_that_is_gone_is_not_looked_for_all_the_time(
    token: Token, provider: TokenKeyProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every reset closes the sessions of the whole process."""
    assert signs(provider)
    token.remove()
    loaded = token.loaded
    monkeypatch.setattr(loaded, "_monotonic", lambda: 0.0)
    monkeypatch.setattr(loaded, "_reset_at", 0.0)
    generation = loaded.generation
    with pytest.raises(KeyStoreLocked, match="a moment ago"):
        signs(provider)
    assert loaded.generation == generation


class Counting:
    """A token that counts who logs in."""

    def __init__(self, token: Any) -> None:
        self.token = token
        self.logins: list[str] = []

    @property
    def serial(self) -> bytes:
        return bytes(self.token.serial)

    def open(self, *, user_pin: str | None = None, rw: bool = False) -> Any:
        if user_pin is not None:
            self.logins.append(user_pin)
        return self.token.open(user_pin=user_pin, rw=rw)


def test_a_wrong_pin_is_tried_once(token: Token, monkeypatch: pytest.MonkeyPatch) -> None:
    """The third failure would lock the token for everybody."""
    with pytest.raises(KeyStoreLocked, match="PinIncorrect"):
        token.open(pin="000000")
    pool = token.open()._pool
    token.loaded.reset(token.loaded.generation)
    counting = Counting(pool._find_token())
    monkeypatch.setattr(pool, "_find_token", lambda: counting)
    monkeypatch.setattr(pool, "_pin", Secret("000000"))
    for _ in range(5):
        with pytest.raises(KeyStoreLocked):
            pool.use(lambda _: None)
    assert counting.logins == ["000000"]


class Recorded:
    """A module that notes how it is initialised, and answers what it is told."""

    def __init__(self, *answers: int) -> None:
        self.answers = list(answers)
        self.flags: list[int | None] = []

    def initialize(self, arguments: int | None) -> int:
        if arguments is None:
            self.flags.append(None)
        else:
            behind_four_pointers = arguments + 4 * ctypes.sizeof(ctypes.c_void_p)
            self.flags.append(ctypes.c_ulong.from_address(behind_four_pointers).value)
        return self.answers.pop(0)

    def finalize(self, _: None) -> int:
        return 0


def test_a_module_is_told_of_threads(token: Token, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without CKF_OS_LOCKING_OK SoftHSM takes no locks at all."""
    loaded = token.loaded
    assert loaded.has_threads
    calls = Recorded(0)
    monkeypatch.setattr(loaded, "_calls", calls)
    assert loaded._restart()
    assert calls.flags == [2]


def test_a_module_without_locks_is_used_by_one_thread_at_a_time(
    token: Token, monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded = token.loaded
    with monkeypatch.context() as patch:
        calls = Recorded(0x0A, 0)
        patch.setattr(loaded, "_calls", calls)
        assert not loaded._restart()
        assert calls.flags == [2, None]
        patch.setattr(loaded, "_calls", Recorded(0x05))
        with pytest.raises(KeyStoreLocked):
            loaded._restart()
    monkeypatch.setattr(loaded, "has_threads", False)
    assert token.open(sessions=8)._pool.size == 1


def test_another_pin_opens_nothing_while_this_process_is_logged_in(
    token: Token, provider: TokenKeyProvider
) -> None:
    with pytest.raises(KeyStoreLocked):
        token.open(pin="000000")
    assert signs(provider)


def test_an_unknown_token_or_module_is_a_locked_store(token: Token, tmp_path: Path) -> None:
    token.label = "nobody"
    with pytest.raises(KeyStoreLocked):
        token.open()
    token.module = tmp_path / "none.so"
    with pytest.raises(KeyStoreLocked):
        token.open()


def test_a_child_process_does_not_use_the_token(token: Token, provider: TokenKeyProvider) -> None:
    signer = provider.signer("ca", KeyPurpose.CERT)
    child = os.fork()
    if child == 0:
        try:
            sign(signer)
        except KeyStoreLocked:
            os._exit(7)
        os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7


# --- what keys must be ----------------------------------------------------------------------------


def made_elsewhere(token: Token, name: str, **private: Any) -> None:
    """A key pair as another tool makes it."""
    session = other_session(token, rw=True)
    curve = session.create_domain_parameters(
        KeyType.EC, {Attribute.EC_PARAMS: encode_named_curve_parameters("secp256r1")}, local=True
    )
    curve.generate_keypair(
        id=os.urandom(8),
        label=name,
        store=True,
        capabilities=MechanismFlag.SIGN | MechanismFlag.VERIFY,
        private_template={Attribute[attribute]: value for attribute, value in private.items()},
    )


def test_what_the_token_says_of_a_key(token: Token, provider: TokenKeyProvider) -> None:
    objects = other_session(token).get_objects({Attribute.CLASS: ObjectClass.PRIVATE_KEY})
    (key,) = list(objects)
    assert key[Attribute.ALWAYS_SENSITIVE]
    assert key[Attribute.NEVER_EXTRACTABLE]
    assert not key[Attribute.MODIFIABLE]
    assert key[Attribute.LABEL] == "ca cert crl"
    with pytest.raises(pkcs11.AttributeSensitive):
        _ = key[Attribute.VALUE]


@pytest.mark.parametrize(
    "attributes",
    [{"EXTRACTABLE": True}, {"SENSITIVE": False}, {"SIGN": False}],
    ids=["extractable", "in clear", "does not sign"],
)
def test_a_key_that_is_not_held_firmly_is_refused(
    token: Token, provider: TokenKeyProvider, attributes: dict[str, bool]
) -> None:
    made_elsewhere(token, "loose cert", **attributes)
    for opened in (provider, token.open()):
        for call in (
            lambda opened=opened: opened.signer("loose", KeyPurpose.CERT),
            lambda opened=opened: opened.public_key("loose"),
        ):
            with pytest.raises(KeyExportable) as refused:
                call()
            assert refused.value.facts["label"] == "loose"
    assert signs(provider)


def test_a_key_is_looked_at_again_in_every_session(
    token: Token, provider: TokenKeyProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was found in order at the start is read again before it signs."""
    signer = provider.signer("ca", KeyPurpose.CERT)
    monkeypatch.setattr(room, "DEMANDED", {Attribute.EXTRACTABLE: True})
    with pytest.raises(KeyExportable):
        sign(signer)


def test_a_proper_key_of_another_tool_is_used(token: Token, provider: TokenKeyProvider) -> None:
    made_elsewhere(token, "theirs cert", SENSITIVE=True, EXTRACTABLE=False)
    assert signs(provider, "theirs")


@pytest.mark.parametrize("name", ["theirs", "theirs mac", "theirs cert ocsp", "Theirs cert", ""])
def test_keys_whose_names_say_no_purpose_are_passed_over(
    token: Token, provider: TokenKeyProvider, name: str
) -> None:
    made_elsewhere(token, name, SENSITIVE=True, EXTRACTABLE=False)
    assert provider.labels() == ("ca",)


def test_two_keys_of_one_name_are_no_key(token: Token, provider: TokenKeyProvider) -> None:
    made_elsewhere(token, "ca cert", SENSITIVE=True, EXTRACTABLE=False)
    with pytest.raises(KeyStoreDamaged):
        token.open().signer("ca", KeyPurpose.CERT)


def test_halves_that_do_not_belong_together_sign_nothing(
    token: Token, provider: TokenKeyProvider
) -> None:
    provider.generate("other", KeySpec.P256, CA)
    entries = provider._entries
    entries["ca"] = entries["ca"]._replace(public=entries["other"].public)
    with pytest.raises(KeyStoreDamaged):
        sign(provider.signer("ca", KeyPurpose.CERT))


# --- waiting --------------------------------------------------------------------------------------


async def test_the_loop_does_not_wait_for_the_token(provider: TokenKeyProvider) -> None:
    signer = provider.signer("ca", KeyPurpose.CERT)
    names: list[str] = []

    def work() -> bytes:
        names.append(threading.current_thread().name)
        return sign(signer)

    assert holds(signer.public_key(), await signing(signer, work), DATA)
    assert names[0].startswith("inkan-token")
    assert executor_of(signer) is not None


def test_a_full_pool_says_so(token: Token) -> None:
    provider = token.open(sessions=1, wait_s=0.01)
    provider.generate("ca", KeySpec.P256, CA)
    answers: list[type[Exception]] = []

    def nested(_: Any) -> None:
        try:
            provider._pool.use(lambda _: None)
        except KeyDeviceBusy as busy:
            answers.append(type(busy))

    provider._pool.use(nested)
    assert answers == [KeyDeviceBusy]
    assert signs(provider)


def test_closing_twice_is_closing(token: Token, provider: TokenKeyProvider) -> None:
    assert signs(provider)
    provider.close()
    assert token.open().labels() == ("ca",)
