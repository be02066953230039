"""Signatures by each key provider, beside cryptography alone in the same run.

One key of P-256 and one of RSA-2048 sign the ResponseData of an OCSP answer (about 200 octets) for a second, called by
one thread or by four. The file provider and SoftHSM stand behind the guard, which reads the message again; the signer
is a process of its own over the same files, asked through its socket, with guards on both sides. A CA key's use is
written to the signer's journal and synced first; it signs a list. SoftHSM is software: a real token is bound by its
own speed and the network. Rows of SoftHSM are missing where Debian's softhsm2 or the extra pkcs11 is.
"""

import asyncio
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.x509 import ocsp

from inkan.composition.keys import guard, open_token
from inkan.composition.settings import Budgets, Environment, Settings
from inkan.crypto.foreign_keys import SignatureScheme, sign_message
from inkan.crypto.key_files import EncryptedFileKeyProvider
from inkan.crypto.key_guard import GuardedKeys
from inkan.crypto.key_providers import KeyPairProvider, KeyPurpose, KeyStoreLocked
from inkan.crypto.keys import KeySpec, PrivateKey, generate
from inkan.crypto.remote.client import RemoteKeyProvider
from inkan.crypto.remote.journal import Journal
from inkan.crypto.remote.server import Signer, serving
from inkan.demo.token import find_softhsm, with_token
from inkan.kernel.clock import Clock
from inkan.kernel.sensitive import Secret

SECONDS = 1.0
THREADS = 4
CLOCK = Clock()
SCHEMES = {
    KeySpec.P256: SignatureScheme.ECDSA_SHA256,
    KeySpec.RSA2048: SignatureScheme.RSA_PKCS1_SHA256,
}
SETTINGS = Settings(environment=Environment.DEMO, budgets=Budgets(ocsp=10**9, crl=10**9))

Row = tuple[str, str, float, float | str | None, str]


def figures() -> Iterator[Row]:
    """Rates of every provider for both kinds of key."""
    with tempfile.TemporaryDirectory(prefix="bench-keys-") as name:
        folder = Path(name)
        files = _files(folder)
        for spec in SCHEMES:
            files.generate(_label(spec), spec, {KeyPurpose.OCSP})
        files.generate("ca", KeySpec.P256, {KeyPurpose.CRL})
        with _SignerProcess(folder) as remote:
            providers: dict[str, KeyPairProvider] = {"encrypted file": files, "signer": remote}
            if (token := _token(folder)) is not None:
                providers["SoftHSM"] = token
                for spec in SCHEMES:
                    token.generate(_label(spec), spec, {KeyPurpose.OCSP})
            for spec in SCHEMES:
                yield from _rows(spec, files, providers)
            yield _row_of_ca(remote)
            for provider in providers.values():
                getattr(provider, "close", lambda: None)()


def _rows(
    spec: KeySpec, files: KeyPairProvider, providers: dict[str, KeyPairProvider]
) -> Iterator[Row]:
    message = _answer()
    bare = _rate(files.signer(_label(spec), KeyPurpose.OCSP), spec, message)
    yield f"sign {spec}: cryptography alone", "1/s", bare, None, "one thread, no guard"
    for name, provider in providers.items():
        key = _guarded(provider).signer(_label(spec), KeyPurpose.OCSP)
        yield f"sign {spec}: {name}", "1/s", _rate(key, spec, message), bare, "one thread"
        together = _rate(key, spec, message, threads=THREADS)
        yield f"sign {spec}: {name}", "1/s", together, bare, f"{THREADS} threads"


def _row_of_ca(remote: KeyPairProvider) -> Row:
    key = _guarded(remote).signer("ca", KeyPurpose.CRL)
    rate = _rate(key, KeySpec.P256, _list())
    return "sign P-256: signer, CA key with journal", "1/s", rate, None, "one thread, synced before"


def _rate(key: PrivateKey, spec: KeySpec, message: bytes, *, threads: int = 1) -> float:
    scheme = SCHEMES[spec]
    sign_message(key, message, scheme)
    begun = time.perf_counter()

    def work() -> int:
        count = 0
        while time.perf_counter() - begun < SECONDS:
            sign_message(key, message, scheme)
            count += 1
        return count

    with ThreadPoolExecutor(threads) as pool:
        done = sum(each.result() for each in [pool.submit(work) for _ in range(threads)])
    return done / (time.perf_counter() - begun)


def _guarded(keys: KeyPairProvider) -> GuardedKeys:
    return guard(keys, SETTINGS, CLOCK)


def _label(spec: KeySpec) -> str:
    return f"ocsp.{spec.lower()}"


def _files(folder: Path) -> EncryptedFileKeyProvider:
    return EncryptedFileKeyProvider(folder / "keys", Secret("a passphrase"), cost=2**10)


def _token(folder: Path) -> KeyPairProvider | None:
    module = find_softhsm()
    if module is None:
        return None
    settings = Settings(environment=Environment.DEMO, home=str(folder))
    try:
        return open_token(with_token(settings, module), CLOCK)
    except KeyStoreLocked:
        return None


class _SignerProcess:
    """A signer process over the files, and the provider that asks it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def __enter__(self) -> RemoteKeyProvider:
        self._process = subprocess.Popen(
            [sys.executable, __file__, str(self._folder)], stdout=subprocess.PIPE, text=True
        )
        assert self._process.stdout is not None
        self._process.stdout.readline()
        return RemoteKeyProvider(self._folder / "signer" / "signer.sock", monotonic=CLOCK.monotonic)

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.wait()


class _AdmitAll:
    """The formats alone: what the register costs is measured with the issue of certificates."""

    async def check_generate(self, *_: object) -> None:
        pass

    async def check_sign(self, *_: object) -> None:
        pass


async def _serve(folder: Path) -> None:
    home = folder / "signer"
    home.mkdir(mode=0o700)
    signer = Signer(
        _guarded(_files(folder)), _AdmitAll(), Journal(home / "journal.jsonl", CLOCK.now)
    )
    async with serving(signer, home / "signer.sock"):
        print("ready", flush=True)
        await asyncio.Event().wait()


NAME = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "CA")])
NOW = datetime(2026, 11, 22, tzinfo=UTC)


def _answer() -> bytes:
    key = generate(KeySpec.P256)
    end = NOW + timedelta(days=1)
    issued = x509.CertificateBuilder(NAME, NAME, key.public_key(), 7, NOW, end).sign(key, SHA256())
    builder = ocsp.OCSPResponseBuilder().add_response(
        issued, issued, SHA256(), ocsp.OCSPCertStatus.GOOD, NOW, end, None, None
    )
    builder = builder.responder_id(ocsp.OCSPResponderEncoding.HASH, issued)
    return builder.sign(key, SHA256()).tbs_response_bytes


def _list() -> bytes:
    builder = x509.CertificateRevocationListBuilder(NAME, NOW, NOW + timedelta(days=1))
    return builder.sign(generate(KeySpec.P256), SHA256()).tbs_certlist_bytes


if __name__ == "__main__":
    asyncio.run(_serve(Path(sys.argv[1])))
