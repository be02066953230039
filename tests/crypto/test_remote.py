"""Keys in a signer process: the contract of every provider, and what each side does not believe of the other."""

import asyncio
import os
import socket
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from hypothesis import given
from hypothesis import strategies as st

from crypto.key_provider_contract import CA, KeyPairContract, Reopen, certificate, holds
from inkan.crypto.foreign_keys import SignatureScheme, executor_of
from inkan.crypto.key_files import EncryptedFileKeyProvider
from inkan.crypto.key_guard import SigningRefused
from inkan.crypto.key_providers import (
    KeyDeviceBusy,
    KeyExists,
    KeyPurpose,
    KeyPurposeRefused,
    KeyStoreDamaged,
    KeyStoreExposed,
    KeyStoreLocked,
)
from inkan.crypto.keys import KeySpec, generate
from inkan.crypto.remote import messages
from inkan.crypto.remote.client import RemoteKeyProvider
from inkan.crypto.remote.journal import Journal, read_journal
from inkan.crypto.remote.server import Signer
from inkan.kernel.clock import Clock
from inkan.kernel.sensitive import Secret
from support.signer import AdmitAll, guarded, signer_thread


def files(folder: Path) -> EncryptedFileKeyProvider:
    return EncryptedFileKeyProvider(folder / "keys", Secret("a passphrase"), cost=2**10)


_opened: list[RemoteKeyProvider] = []


def client(path: Path, **more: object) -> RemoteKeyProvider:
    made = RemoteKeyProvider(path, monotonic=Clock().monotonic, **more)  # type: ignore[arg-type]
    _opened.append(made)
    return made


@pytest.fixture(autouse=True)
def closed() -> Iterator[None]:
    """No test leaves a connection or a thread."""
    yield
    while _opened:
        _opened.pop().close()


@pytest.fixture
def path(tmp_path: Path) -> Iterator[Path]:
    """The socket of a signer over an encrypted folder."""
    with signer_thread(files(tmp_path), tmp_path / "signer") as made:
        yield made


@pytest.fixture
def provider(path: Path) -> RemoteKeyProvider:
    return client(path)


class TestContract(KeyPairContract):
    @pytest.fixture
    def provider(self, path: Path) -> RemoteKeyProvider:
        return client(path)

    @pytest.fixture
    def reopen(self, path: Path) -> Reopen:
        return lambda: client(path)


# --- what the signer does not believe ---------------------------------------------------------------


def test_a_purpose_signs_its_own_format_only(provider: RemoteKeyProvider) -> None:
    """Whatever the caller calls the bytes: a CA key signs no answers, tokens or bare text."""
    public = provider.generate("ca", KeySpec.P256, CA)
    tbs = certificate(generate(KeySpec.P256), public).tbs_certificate_bytes
    signers = {each: provider.signer("ca", each) for each in CA}
    for purpose, message in (
        (KeyPurpose.CRL, tbs),
        (KeyPurpose.CERT, b"any text"),
        (KeyPurpose.CERT, b"eyJ0eXAiOiJ0In0.e30"),
        (KeyPurpose.CERT, tbs + b"\0"),
        (KeyPurpose.CERT, b""),
    ):
        key = signers[purpose]
        assert isinstance(key, ec.EllipticCurvePrivateKey)
        with pytest.raises(SigningRefused) as refused:
            key.sign(message, ec.ECDSA(SHA256()))
        assert refused.value.facts == {"rule": "format"}


def test_the_purpose_is_checked_by_the_signer_too(path: Path, provider: RemoteKeyProvider) -> None:
    public = provider.generate("ocsp", KeySpec.P256, (KeyPurpose.OCSP,))
    tbs = certificate(generate(KeySpec.P256), public).tbs_certificate_bytes
    request = messages.Sign("ocsp", KeyPurpose.CERT, SignatureScheme.ECDSA_SHA256, tbs)
    with pytest.raises(KeyPurposeRefused):
        provider.ask(request, messages.Signature)


def test_another_user_is_hung_up_on(tmp_path: Path) -> None:
    with signer_thread(files(tmp_path), tmp_path / "signer", peers={os.getuid() + 1}) as path:
        assert path.stat().st_mode & 0o777 == 0o660
        with pytest.raises(KeyStoreLocked):
            client(path).labels()


def test_the_socket_is_for_its_owner_alone(path: Path) -> None:
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_folder_that_others_may_write_holds_no_socket(tmp_path: Path) -> None:
    (tmp_path / "open").mkdir()
    (tmp_path / "open").chmod(0o777)
    with (
        pytest.raises(KeyStoreExposed),
        signer_thread(files(tmp_path), tmp_path / "open"),
    ):
        pass


def test_a_second_signer_does_not_take_the_place_of_the_first(
    tmp_path: Path, path: Path, provider: RemoteKeyProvider
) -> None:
    with (
        pytest.raises(KeyStoreLocked, match="another signer"),
        signer_thread(files(tmp_path), path.parent),
    ):
        pass
    assert provider.labels() == ()


def test_the_socket_of_a_dead_signer_makes_way(tmp_path: Path) -> None:
    folder = tmp_path / "signer"
    folder.mkdir(mode=0o700)
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(folder / "signer.sock"))
    with signer_thread(files(tmp_path), folder) as path:
        assert client(path).labels() == ()


def test_something_else_is_not_removed(tmp_path: Path) -> None:
    folder = tmp_path / "signer"
    folder.mkdir(mode=0o700)
    (folder / "signer.sock").write_text("mine")
    with pytest.raises(KeyStoreLocked, match="no socket"), signer_thread(files(tmp_path), folder):
        pass
    assert (folder / "signer.sock").read_text() == "mine"


def framed(body: bytes) -> bytes:
    return len(body).to_bytes(4, "big") + b"\1" + body


BAD_FRAMES = {
    "another version": b"\0\0\0\1\2\x80",
    "longer than the limit": b"\xff\xff\xff\xff\1",
    "no MessagePack": b"\0\0\0\1\1\xc1",
    "no tag": b"\0\0\0\1\1\x80",
    "an unknown member": framed(msgspec.msgpack.encode({"is": "find", "label": "x", "z": 1})),
    "an unknown tag": framed(msgspec.msgpack.encode({"is": "export", "label": "x"})),
    "an answer": messages.frame(messages.Labels(())),
}


@pytest.mark.parametrize("data", BAD_FRAMES.values(), ids=BAD_FRAMES.keys())
def test_what_is_no_request_ends_the_connection(
    path: Path, provider: RemoteKeyProvider, data: bytes
) -> None:
    with socket.socket(socket.AF_UNIX) as rude:
        rude.settimeout(5)
        rude.connect(str(path))
        rude.sendall(data)
        assert rude.recv(1) == b""
    assert provider.labels() == ()


@given(st.binary(max_size=200))
def test_the_parsers_raise_nothing_of_their_own(body: bytes) -> None:
    for parse in (messages.parse_request, messages.parse_answer):
        with suppress(messages.SignerMessageMalformed):
            parse(body)


# --- what the platform does not believe -----------------------------------------------------------


def test_a_signer_of_another_user_is_not_asked(path: Path) -> None:
    with pytest.raises(KeyStoreLocked, match="another user"):
        client(path, signer_uid=os.getuid() + 1).labels()


def test_no_signer_is_a_locked_store(tmp_path: Path) -> None:
    with pytest.raises(KeyStoreLocked):
        client(tmp_path / "none.sock").labels()


@pytest.fixture
def strange(tmp_path: Path) -> Iterator[Callable[[bytes | None], Path]]:
    """A process that answers every request with the same bytes, or with nothing."""
    stop = threading.Event()
    threads = []

    def start(reply: bytes | None) -> Path:
        listening = socket.socket(socket.AF_UNIX)
        listening.bind(str(tmp_path / "strange.sock"))
        listening.listen()
        listening.settimeout(0.05)

        def work() -> None:
            held = []
            while not stop.is_set():
                try:
                    connection, _ = listening.accept()
                except TimeoutError:
                    continue
                connection.recv(4096)
                if reply is None:
                    held.append(connection)
                else:
                    connection.sendall(reply)
                    connection.close()
            for each in (*held, listening):
                each.close()

        threads.append(threading.Thread(target=work))
        threads[-1].start()
        return tmp_path / "strange.sock"

    yield start
    stop.set()
    for each in threads:
        each.join(5)


@pytest.mark.parametrize(
    "reply",
    [
        b"",
        b"\0\0",
        b"\0\0\0\5\1",
        b"\0\0\0\1\1\xc1",
        b"\xff\xff\xff\xff\1",
        messages.frame(messages.Signature(b"x")),
        messages.frame(messages.Refusal("no_such_code", "", {})),
    ],
)
def test_strange_answers_are_a_locked_store(
    strange: Callable[[bytes | None], Path], reply: bytes
) -> None:
    with pytest.raises(KeyStoreLocked):
        client(strange(reply)).labels()


def test_an_answer_that_does_not_come_is_waited_for_until_the_deadline(
    strange: Callable[[bytes | None], Path],
) -> None:
    with pytest.raises(KeyDeviceBusy):
        client(strange(None), deadline_s=0.1).labels()


def test_more_calls_than_connections_wait_their_turn(path: Path) -> None:
    provider = client(path, connections=1)
    provider.generate("ca", KeySpec.P256, CA)
    with ThreadPoolExecutor(6) as pool:
        assert set(pool.map(lambda _: provider.labels(), range(20))) == {("ca",)}


# --- restarts ---------------------------------------------------------------------------------------


def test_a_restarted_signer_is_found_again(tmp_path: Path) -> None:
    with signer_thread(files(tmp_path), tmp_path / "signer") as path:
        provider = client(path)
        public = provider.generate("ca", KeySpec.P256, CA)
        signer = provider.signer("ca", KeyPurpose.CERT)
    with pytest.raises(KeyStoreLocked):
        provider.labels()
    with signer_thread(files(tmp_path), tmp_path / "signer"):
        issued = certificate(signer, public)
    assert holds(public, issued.signature, issued.tbs_certificate_bytes)


def test_the_key_says_where_it_wants_to_be_used(provider: RemoteKeyProvider) -> None:
    provider.generate("ca", KeySpec.P256, CA)
    assert executor_of(provider.signer("ca", KeyPurpose.CERT)) is not None


# --- the journal ------------------------------------------------------------------------------------


def test_every_use_of_a_ca_key_stands_in_the_journal_before_and_after(
    path: Path, provider: RemoteKeyProvider
) -> None:
    public = provider.generate("ca", KeySpec.P256, CA)
    provider.generate("token", KeySpec.P256, (KeyPurpose.TOKEN,))
    certificate(provider.signer("ca", KeyPurpose.CERT), public)
    lines = [line for line, _ in read_journal(path.parent / "journal.jsonl")]
    assert [(line.event, line.label) for line in lines] == [
        ("generated", "ca"),
        ("generated", "token"),
        ("intended", "ca"),
        ("signed", "ca"),
    ]
    assert lines[2].sha256 == lines[3].sha256


def test_without_a_journal_nothing_is_signed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(data: bytes, *, synced: bool) -> None:
        raise OSError("no space left")

    keys = files(tmp_path)
    public = keys.generate("ca", KeySpec.P256, CA)
    journal = Journal(tmp_path / "journal.jsonl", Clock().now)
    monkeypatch.setattr(journal._file, "append", full)
    signer = Signer(guarded(keys), AdmitAll(), journal)
    tbs = certificate(generate(KeySpec.P256), public).tbs_certificate_bytes
    request = messages.Sign("ca", KeyPurpose.CERT, SignatureScheme.ECDSA_SHA256, tbs)
    answer = asyncio.run(signer.answer(msgspec.msgpack.encode(request)))
    assert isinstance(answer, messages.Refusal)
    assert answer.code == KeyStoreLocked.code
    journal.close()


@pytest.fixture
def book(tmp_path: Path) -> Path:
    """A journal of three lines."""
    path = tmp_path / "journal.jsonl"
    journal = Journal(path, Clock().now)
    for event in ("generated", "intended", "signed"):
        journal.write(event, "ca", bytes(32))  # type: ignore[arg-type]
    journal.close()
    return path


def test_a_journal_goes_on_after_a_restart(book: Path) -> None:
    journal = Journal(book, Clock().now)
    journal.write("intended", "ca", bytes(32))
    journal.close()
    assert [line.number for line, _ in read_journal(book)] == [1, 2, 3, 4]


EDITS: dict[str, Callable[[list[bytes]], list[bytes]]] = {
    "a line taken out": lambda lines: [lines[0], lines[2]],
    "the first line taken out": lambda lines: lines[1:],
    "another order": lambda lines: [lines[1], lines[0], lines[2]],
    "another label": lambda lines: [lines[0].replace(b"ca", b"cb"), *lines[1:]],
    "a line twice": lambda lines: [lines[0], *lines],
    "no line": lambda lines: [b"{}\n", *lines],
}


@pytest.mark.parametrize("edit", EDITS)
def test_a_changed_journal_does_not_open(book: Path, edit: str) -> None:
    book.write_bytes(b"".join(EDITS[edit](book.read_bytes().splitlines(keepends=True))))
    with pytest.raises(KeyStoreDamaged):
        Journal(book, Clock().now)


def test_a_line_that_a_crash_tore_is_dropped(book: Path) -> None:
    with book.open("ab") as file:
        file.write(b'{"number":4,"at"')
    journal = Journal(book, Clock().now)
    journal.write("intended", "ca", bytes(32))
    journal.close()
    assert [line.number for line, _ in read_journal(book)] == [1, 2, 3, 4]


def test_a_key_is_never_asked_for_twice(provider: RemoteKeyProvider) -> None:
    provider.generate("ca", KeySpec.P256, CA)
    with pytest.raises(KeyExists) as refused:
        provider.generate("ca", KeySpec.P256, CA)
    assert refused.value.facts == {"label": "ca"}
