"""The guard before every key provider: what each purpose may sign, how often, and a count of every use.

A provider knows keys; the guard knows what they are for. It reads the bytes again before they are signed, so that
a key for one purpose never signs what belongs to another, and it holds a budget for each key, so that whoever gets
hold of the caller cannot turn it into a press. Counts are taken by the platform's audit (docs/keys.md).
"""

import hashlib
import threading
from collections.abc import Callable, Collection, Mapping
from typing import Final

import msgspec

from inkan.crypto.foreign_keys import (
    SignatureScheme,
    executor_of,
    foreign_key,
    sign_message,
)
from inkan.crypto.key_providers import (
    SIGNING_PURPOSES,
    KeyPairProvider,
    KeyPurpose,
    KeyPurposeRefused,
)
from inkan.crypto.keys import KeySpec, PrivateKey, PublicKey
from inkan.crypto.to_be_signed import (
    SignedFormat,
    ToBeSigned,
    ToBeSignedMalformed,
    read_to_be_signed,
)
from inkan.kernel.errors import Forbidden, InkanError, TooMany

# What each purpose signs: the clause of the reference is "purpose allow-list for each key". Nothing else is signed.
FORMATS: Final[Mapping[KeyPurpose, frozenset[SignedFormat]]] = {
    # A CA asks for a cross certificate by a request under its own key (RFC 2986).
    KeyPurpose.CERT: frozenset({SignedFormat.CERTIFICATE, SignedFormat.CERTIFICATE_REQUEST}),
    KeyPurpose.CRL: frozenset({SignedFormat.CRL}),
    KeyPurpose.OCSP: frozenset({SignedFormat.OCSP_RESPONSE}),
    KeyPurpose.TSA: frozenset({SignedFormat.TIMESTAMP}),
    KeyPurpose.CMS: frozenset({SignedFormat.CMS}),
    KeyPurpose.RECEIPT: frozenset({SignedFormat.JWS}),
    KeyPurpose.TOKEN: frozenset({SignedFormat.JWS}),
    KeyPurpose.WEBHOOK: frozenset({SignedFormat.HTTP_MESSAGE}),
    KeyPurpose.AUDIT_HEAD: frozenset({SignedFormat.JWS}),
    KeyPurpose.REGISTRATION: frozenset({SignedFormat.JWS}),
    KeyPurpose.CONFORMANCE: frozenset({SignedFormat.JWS}),
    KeyPurpose.VAPID: frozenset({SignedFormat.JWS}),
    KeyPurpose.OPENID: frozenset({SignedFormat.JWS}),
    KeyPurpose.COUNTER: frozenset({SignedFormat.JWS}),
    # A phone's own: its request once, statements, and the message that renews it (inkan.crypto.activation).
    KeyPurpose.PHONE: frozenset(
        {SignedFormat.JWS, SignedFormat.CERTIFICATE_REQUEST, SignedFormat.CMS}
    ),
}


class SigningRefused(Forbidden):
    """The bytes are not what keys of this purpose sign, or break a rule of whoever guards the key."""

    code = "signing_refused"
    title = "This key does not sign such content"
    public = ("rule",)


class KeyBudgetSpent(TooMany):
    """The key signed as often as its budget allows; it is refilled with time."""

    code = "key_budget_spent"
    title = "This key has signed as often as it may for now"


class KeyRule(msgspec.Struct, frozen=True):
    """What keys of one purpose may do.

    Attributes:
        formats: what may be signed.
        kinds: values of ``ToBeSigned.kind`` that may be signed; empty where the format says everything.
        per_minute: signatures by each key in a minute, and at once after a rest.
    """

    formats: frozenset[SignedFormat]
    kinds: frozenset[str]
    per_minute: int


class KeyUses(msgspec.Struct, frozen=True):
    """What a key did since it was counted last.

    Attributes:
        chain: SHA-256 over the previous chain and the digest of each message, in the order of signing.
    """

    label: str
    purpose: KeyPurpose
    signed: int
    refused: int
    chain: bytes


# Judges what passed the formats: label, purpose, message, what it was read as. It raises an InkanError to refuse.
Inspection = Callable[[str, KeyPurpose, bytes, ToBeSigned], None]


def inspect_nothing(label: str, purpose: KeyPurpose, message: bytes, read: ToBeSigned) -> None:
    """An inspection that leaves it at the formats."""


def rules_of(
    per_minute: Mapping[KeyPurpose, int], kinds: Mapping[KeyPurpose, Collection[str]]
) -> dict[KeyPurpose, KeyRule]:
    """Return one rule for each signing purpose.

    Args:
        per_minute: budgets, one for every signing purpose.
        kinds: the kinds of the purposes whose formats hold many.
    """
    return {
        purpose: KeyRule(FORMATS[purpose], frozenset(kinds.get(purpose, ())), per_minute[purpose])
        for purpose in SIGNING_PURPOSES
    }


class GuardedKeys(KeyPairProvider):
    """A provider of key pairs whose keys obey rules."""

    def __init__(
        self,
        inner: KeyPairProvider,
        rules: Mapping[KeyPurpose, KeyRule],
        *,
        monotonic: Callable[[], float],
        inspect: Inspection = inspect_nothing,
    ) -> None:
        """Guard ``inner``.

        Args:
            inner: holds the keys.
            rules: one for every signing purpose.
            monotonic: seconds that never go back; budgets are refilled by it.
            inspect: judges further; called after the formats, before the budget.
        """
        self._inner = inner
        self._rules = rules
        self._inspect = inspect
        self._budgets = _Budgets(monotonic)
        self._counts = _Counts()

    def generate(self, label: str, spec: KeySpec, purposes: Collection[KeyPurpose]) -> PublicKey:
        """Make a key pair; see :meth:`KeyPairProvider.generate`."""
        return self._inner.generate(label, spec, purposes)

    def signer(self, label: str, purpose: KeyPurpose) -> PrivateKey:
        """Return a key that signs what its purpose may sign; see :meth:`KeyPairProvider.signer`.

        Its ``sign`` raises besides what the provider raises:
            SigningRefused: another format, or what the inspection refuses.
            KeyBudgetSpent: too often.
        """
        key = self._inner.signer(label, purpose)
        rule = self._rules.get(purpose)
        if rule is None:
            raise KeyPurposeRefused(f"{purpose} signs nothing")

        def sign(message: bytes, scheme: SignatureScheme) -> bytes:
            try:
                self._check(label, purpose, rule, message)
            except InkanError:
                self._counts.refused(label, purpose)
                raise
            signature = sign_message(key, message, scheme)
            self._counts.signed(label, purpose, message)
            return signature

        return foreign_key(key.public_key(), sign, executor=executor_of(key))

    def public_key(self, label: str) -> PublicKey:
        """Return the public half; see :meth:`KeyPairProvider.public_key`."""
        return self._inner.public_key(label)

    def purposes(self, label: str) -> frozenset[KeyPurpose]:
        """Return what the key was made for; see :meth:`KeyPairProvider.purposes`."""
        return self._inner.purposes(label)

    def labels(self) -> tuple[str, ...]:
        """Return all labels, sorted."""
        return self._inner.labels()

    def take_uses(self) -> list[KeyUses]:
        """Return what the keys did since the last call, by label and purpose, and begin to count anew."""
        return self._counts.take()

    def put_back(self, uses: Collection[KeyUses]) -> None:
        """Count again what could not be recorded."""
        self._counts.put_back(uses)

    def _check(self, label: str, purpose: KeyPurpose, rule: KeyRule, message: bytes) -> None:
        try:
            read = read_to_be_signed(message, rule.formats)
        except ToBeSignedMalformed as malformed:
            raise SigningRefused(malformed.detail, rule="format") from None
        if read.kind and read.kind not in rule.kinds and read.format not in _SELF_EVIDENT:
            raise SigningRefused(f"{purpose} signs no {read.kind}", rule="kind")
        self._inspect(label, purpose, message, read)
        self._budgets.take(label, rule.per_minute)


# A timestamp's content type is its format; a CMS key's may be any but that one, as its caller's profile says.
_SELF_EVIDENT: Final = frozenset({SignedFormat.TIMESTAMP, SignedFormat.CMS})


class _Budgets:
    """A token bucket for each key: as many signatures as a minute's, refilled evenly."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._buckets: dict[str, tuple[float, float]] = {}
        self._lock = threading.Lock()

    def take(self, label: str, per_minute: int) -> None:
        now = self._monotonic()
        rate = per_minute / 60
        with self._lock:
            left, at = self._buckets.get(label, (float(per_minute), now))
            left = min(float(per_minute), left + max(0.0, now - at) * rate)
            if left < 1:
                self._buckets[label] = (left, now)
                raise KeyBudgetSpent(
                    f"{label} may sign {per_minute} times a minute",
                    retry_after_s=int((1 - left) / rate) + 1,
                )
            self._buckets[label] = (left - 1, now)


class _Counts:
    """Uses of keys since they were taken last."""

    def __init__(self) -> None:
        self._uses: dict[tuple[str, KeyPurpose], KeyUses] = {}
        self._chains: dict[tuple[str, KeyPurpose], bytes] = {}
        self._lock = threading.Lock()

    def signed(self, label: str, purpose: KeyPurpose, message: bytes) -> None:
        digest = hashlib.sha256(message).digest()
        with self._lock:
            chain = self._chains.get((label, purpose), bytes(32))
            chain = self._chains[label, purpose] = hashlib.sha256(chain + digest).digest()
            self._add(KeyUses(label, purpose, 1, 0, chain))

    def refused(self, label: str, purpose: KeyPurpose) -> None:
        with self._lock:
            chain = self._chains.get((label, purpose), bytes(32))
            self._add(KeyUses(label, purpose, 0, 1, chain))

    def take(self) -> list[KeyUses]:
        with self._lock:
            taken, self._uses = self._uses, {}
        return [taken[key] for key in sorted(taken)]

    def put_back(self, uses: Collection[KeyUses]) -> None:
        with self._lock:
            for each in uses:
                newest = self._chains.get((each.label, each.purpose), each.chain)
                self._add(msgspec.structs.replace(each, chain=newest))

    def _add(self, more: KeyUses) -> None:
        key = (more.label, more.purpose)
        had = self._uses.get(key)
        if had is not None:
            more = msgspec.structs.replace(
                more, signed=had.signed + more.signed, refused=had.refused + more.refused
            )
        self._uses[key] = more
