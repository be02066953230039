"""The guard: what a purpose may sign, how often, and the count of it."""

import hashlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256

from crypto.key_provider_contract import KeyPairContract, Reopen
from crypto.test_to_be_signed import SAMPLES
from inkan.crypto.foreign_keys import SignatureScheme, sign_message
from inkan.crypto.key_files import EncryptedFileKeyProvider
from inkan.crypto.key_guard import (
    FORMATS,
    GuardedKeys,
    KeyBudgetSpent,
    SigningRefused,
    rules_of,
)
from inkan.crypto.key_providers import SIGNING_PURPOSES, KeyPurpose
from inkan.crypto.keys import KeySpec
from inkan.crypto.to_be_signed import SignedFormat
from inkan.kernel.errors import Conflict
from inkan.kernel.sensitive import Secret
from support.signer import PLENTY

KINDS = {KeyPurpose.TOKEN: {"at+jwt"}, KeyPurpose.WEBHOOK: {"inkan-webhook"}}


class Seconds:
    """A clock that a test moves."""

    now = 1000.0

    def __call__(self) -> float:
        return self.now


def guarded(folder: Path, **more) -> GuardedKeys:
    files = EncryptedFileKeyProvider(folder / "keys", Secret("a passphrase"), cost=2**10)
    rules = rules_of(dict.fromkeys(SIGNING_PURPOSES, more.pop("per_minute", 1000)), KINDS)
    return GuardedKeys(files, rules, monotonic=more.pop("monotonic", Seconds()), **more)


class TestContract(KeyPairContract):
    @pytest.fixture
    def provider(self, tmp_path: Path) -> GuardedKeys:
        files = EncryptedFileKeyProvider(tmp_path, Secret("a passphrase"), cost=2**10)
        return GuardedKeys(files, PLENTY, monotonic=Seconds())

    @pytest.fixture
    def reopen(self, tmp_path: Path) -> Reopen:
        files = EncryptedFileKeyProvider(tmp_path, Secret("a passphrase"), cost=2**10)
        return lambda: GuardedKeys(files, PLENTY, monotonic=Seconds())


def sign(keys: GuardedKeys, label: str, purpose: KeyPurpose, message: bytes) -> bytes:
    return sign_message(keys.signer(label, purpose), message, SignatureScheme.ECDSA_SHA256)


def test_every_signing_purpose_has_a_row() -> None:
    assert set(FORMATS) == set(SIGNING_PURPOSES)


@pytest.mark.req("TW-23")
@pytest.mark.parametrize("purpose", sorted(SIGNING_PURPOSES))
def test_a_purpose_signs_its_formats_and_no_other(tmp_path: Path, purpose: KeyPurpose) -> None:
    keys = guarded(tmp_path)
    keys.generate("key", KeySpec.P256, (purpose,))
    signed = set()
    for form, message in SAMPLES.items():
        try:
            sign(keys, "key", purpose, message)
        except SigningRefused:
            continue
        signed.add(form)
    # the sample token is an access token: the other tokens have types of their own
    of_other_types = set() if purpose is KeyPurpose.TOKEN else {SignedFormat.JWS}
    assert signed == FORMATS[purpose] - of_other_types


def test_a_token_of_another_type_is_refused(tmp_path: Path) -> None:
    keys = guarded(tmp_path)
    keys.generate("receipt", KeySpec.P256, (KeyPurpose.RECEIPT,))
    with pytest.raises(SigningRefused) as refused:
        sign(keys, "receipt", KeyPurpose.RECEIPT, SAMPLES[SignedFormat.JWS])
    assert refused.value.facts == {"rule": "kind"}


def test_a_budget_is_spent_and_refilled(tmp_path: Path) -> None:
    seconds = Seconds()
    keys = guarded(tmp_path, per_minute=60, monotonic=seconds)
    keys.generate("token", KeySpec.P256, (KeyPurpose.TOKEN,))
    keys.generate("other", KeySpec.P256, (KeyPurpose.TOKEN,))
    message = SAMPLES[SignedFormat.JWS]
    for _ in range(60):
        sign(keys, "token", KeyPurpose.TOKEN, message)
    with pytest.raises(KeyBudgetSpent) as spent:
        sign(keys, "token", KeyPurpose.TOKEN, message)
    assert spent.value.facts["retry_after_s"] >= 1
    sign(keys, "other", KeyPurpose.TOKEN, message)  # each key has its own
    seconds.now += 2.5
    for _ in range(2):
        sign(keys, "token", KeyPurpose.TOKEN, message)
    with pytest.raises(KeyBudgetSpent):
        sign(keys, "token", KeyPurpose.TOKEN, message)
    seconds.now += 10_000
    for _ in range(60):
        sign(keys, "token", KeyPurpose.TOKEN, message)
    with pytest.raises(KeyBudgetSpent):
        sign(keys, "token", KeyPurpose.TOKEN, message)


def test_a_clock_that_stands_or_goes_back_refills_nothing(tmp_path: Path) -> None:
    seconds = Seconds()
    keys = guarded(tmp_path, per_minute=1, monotonic=seconds)
    keys.generate("token", KeySpec.P256, (KeyPurpose.TOKEN,))
    sign(keys, "token", KeyPurpose.TOKEN, SAMPLES[SignedFormat.JWS])
    seconds.now -= 500
    with pytest.raises(KeyBudgetSpent):
        sign(keys, "token", KeyPurpose.TOKEN, SAMPLES[SignedFormat.JWS])


def test_a_ca_key_has_one_budget_for_both_its_purposes(tmp_path: Path) -> None:
    keys = guarded(tmp_path, per_minute=2)
    keys.generate("ca", KeySpec.P256, (KeyPurpose.CERT, KeyPurpose.CRL))
    sign(keys, "ca", KeyPurpose.CERT, SAMPLES[SignedFormat.CERTIFICATE])
    sign(keys, "ca", KeyPurpose.CRL, SAMPLES[SignedFormat.CRL])
    with pytest.raises(KeyBudgetSpent):
        sign(keys, "ca", KeyPurpose.CERT, SAMPLES[SignedFormat.CERTIFICATE])


def test_a_refused_message_costs_no_budget(tmp_path: Path) -> None:
    keys = guarded(tmp_path, per_minute=1)
    keys.generate("token", KeySpec.P256, (KeyPurpose.TOKEN,))
    for _ in range(5):
        with pytest.raises(SigningRefused):
            sign(keys, "token", KeyPurpose.TOKEN, b"text")
    assert sign(keys, "token", KeyPurpose.TOKEN, SAMPLES[SignedFormat.JWS])


def test_an_inspection_has_the_last_word(tmp_path: Path) -> None:
    seen = []

    def inspect(label, purpose, message, read) -> None:
        seen.append((label, purpose, read.format))
        raise Conflict

    keys = guarded(tmp_path, inspect=inspect)
    keys.generate("ca", KeySpec.P256, (KeyPurpose.CRL,))
    with pytest.raises(Conflict):
        sign(keys, "ca", KeyPurpose.CRL, SAMPLES[SignedFormat.CRL])
    assert seen == [("ca", KeyPurpose.CRL, SignedFormat.CRL)]


def test_uses_are_counted_with_a_chain_over_what_was_signed(tmp_path: Path) -> None:
    keys = guarded(tmp_path)
    keys.generate("token", KeySpec.P256, (KeyPurpose.TOKEN,))
    message = SAMPLES[SignedFormat.JWS]
    chain = bytes(32)
    for count in (2, 1):
        for _ in range(count):
            sign(keys, "token", KeyPurpose.TOKEN, message)
            chain = hashlib.sha256(chain + hashlib.sha256(message).digest()).digest()
        with pytest.raises(SigningRefused):
            sign(keys, "token", KeyPurpose.TOKEN, b"text")
        (uses,) = keys.take_uses()
        assert (uses.label, uses.signed, uses.refused, uses.chain) == ("token", count, 1, chain)
    assert keys.take_uses() == []


def test_what_could_not_be_recorded_is_counted_again(tmp_path: Path) -> None:
    keys = guarded(tmp_path)
    keys.generate("token", KeySpec.P256, (KeyPurpose.TOKEN,))
    sign(keys, "token", KeyPurpose.TOKEN, SAMPLES[SignedFormat.JWS])
    taken = keys.take_uses()
    sign(keys, "token", KeyPurpose.TOKEN, SAMPLES[SignedFormat.JWS])
    keys.put_back(taken)
    (uses,) = keys.take_uses()
    assert uses.signed == 2
    assert uses.chain != taken[0].chain


def test_threads_do_not_lose_counts_or_budget(tmp_path: Path) -> None:
    keys = guarded(tmp_path, per_minute=100)
    keys.generate("token", KeySpec.P256, (KeyPurpose.TOKEN,))
    signer = keys.signer("token", KeyPurpose.TOKEN)
    assert isinstance(signer, ec.EllipticCurvePrivateKey)

    def attempt(_: int) -> bool:
        try:
            signer.sign(SAMPLES[SignedFormat.JWS], ec.ECDSA(SHA256()))
        except KeyBudgetSpent:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(attempt, range(160))) == 100
    (uses,) = keys.take_uses()
    assert (uses.signed, uses.refused) == (100, 60)
