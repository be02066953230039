"""The keys of an instance: which provider holds which, and what each may sign how often.

Two tables decide: :data:`SETS` says which setting names the provider of a purpose, :data:`KINDS` what the tokens of a
purpose are called. Every provider stands behind a guard of its own; secrets stay in the encrypted files.
"""

import asyncio
import os
from collections.abc import Mapping
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Final, Protocol

from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey

from inkan.composition.settings import Environment, Settings, SettingsWrong
from inkan.crypto import base64url
from inkan.crypto.key_guard import GuardedKeys, Inspection, inspect_nothing, rules_of
from inkan.crypto.key_providers import (
    SIGNING_PURPOSES,
    KeyPairProvider,
    KeyProvider,
    KeyPurpose,
    KeyStoreLocked,
    KeyUnknown,
)
from inkan.crypto.key_ring import KeyRing
from inkan.crypto.keys import KeySpec
from inkan.crypto.remote.client import RemoteKeyProvider
from inkan.crypto.webpush import VAPID_TYP
from inkan.federation.rules import SIGNED_TYPS
from inkan.kernel.clock import Clock
from inkan.kernel.ids import random_bytes
from inkan.kernel.sensitive import Secret
from inkan.relying_parties.rules import ACCESS_TOKEN_TYP, REGISTRATION_TYP
from inkan.wire.audit_log import HEAD_TYP
from inkan.wire.card_command import COMMAND_TYPE
from inkan.wire.ceremony_transcript import TRANSCRIPT_TYP
from inkan.wire.conformance_report import REPORT_TYP
from inkan.wire.receipt import RECEIPT_TYP
from inkan.wire.statement import STATEMENT_TYP
from inkan.wire.webhook import TAG as WEBHOOK_TAG

PASSPHRASE_FILE: Final = "passphrase"  # noqa: S105 - the name of a file
# Purpose → the setting under [keys] that names the provider of its keys.
SETS: Final[Mapping[KeyPurpose, str]] = {
    KeyPurpose.CERT: "authorities",
    KeyPurpose.CRL: "authorities",
    KeyPurpose.OCSP: "signers",
    KeyPurpose.TSA: "signers",
    KeyPurpose.CMS: "signers",
    KeyPurpose.RECEIPT: "signers",
    KeyPurpose.TOKEN: "services",
    KeyPurpose.WEBHOOK: "services",
    KeyPurpose.AUDIT_HEAD: "services",
    KeyPurpose.REGISTRATION: "services",
    KeyPurpose.CONFORMANCE: "services",
    KeyPurpose.VAPID: "services",
    KeyPurpose.OPENID: "services",
    KeyPurpose.COUNTER: "services",
    KeyPurpose.PHONE: "phones",
}
# Purpose → the `typ` of its tokens (RFC 8725 §3.11), or the tag of its messages (RFC 9421 §2.3).
KINDS: Final[Mapping[KeyPurpose, frozenset[str]]] = {
    KeyPurpose.RECEIPT: frozenset({RECEIPT_TYP}),
    KeyPurpose.TOKEN: frozenset({ACCESS_TOKEN_TYP}),
    KeyPurpose.AUDIT_HEAD: frozenset({HEAD_TYP, TRANSCRIPT_TYP}),
    KeyPurpose.REGISTRATION: frozenset({REGISTRATION_TYP}),
    KeyPurpose.CONFORMANCE: frozenset({REPORT_TYP}),
    KeyPurpose.WEBHOOK: frozenset({WEBHOOK_TAG}),
    KeyPurpose.VAPID: frozenset({VAPID_TYP}),
    KeyPurpose.OPENID: SIGNED_TYPS,
    KeyPurpose.COUNTER: frozenset({COMMAND_TYPE}),
    KeyPurpose.PHONE: frozenset({STATEMENT_TYP}),
}


def places_of(settings: Settings) -> dict[KeyPurpose, str]:
    """Return the name of the provider in which keys of each purpose are made."""
    return {purpose: getattr(settings.keys, SETS[purpose]) for purpose in SIGNING_PURPOSES}


def guard(
    keys: KeyPairProvider,
    settings: Settings,
    clock: Clock,
    *,
    inspect: Inspection = inspect_nothing,
) -> GuardedKeys:
    """Return the provider behind the rules of this instance."""
    budgets = {purpose: getattr(settings.budgets, purpose.value) for purpose in SIGNING_PURPOSES}
    rules = rules_of(budgets, KINDS)
    return GuardedKeys(keys, rules, monotonic=clock.monotonic, inspect=inspect)


def ring(
    settings: Settings,
    clock: Clock,
    files: KeyProvider,
    others: Mapping[str, KeyPairProvider] | None = None,
) -> KeyRing:
    """Return the keys of an instance.

    Args:
        settings: say where keys are made.
        clock: refills budgets.
        files: the encrypted files; they hold the secrets too.
        others: further providers by name.
    """
    places = {"file": files, **(others or {})}
    guarded = {name: guard(place, settings, clock) for name, place in places.items()}
    return KeyRing(guarded, by_purpose=places_of(settings), secrets=files)


async def open_others(
    settings: Settings, clock: Clock, stack: AsyncExitStack
) -> dict[str, KeyPairProvider]:
    """Return the providers besides the files that the settings configure, closed with the stack.

    Raises:
        KeyStoreLocked: the token cannot be opened, or its library is not installed.
    """
    opened: dict[str, KeyPairProvider] = {}
    if settings.token.module:
        token = await asyncio.to_thread(open_token, settings, clock)
        stack.callback(token.close)
        opened["pkcs11"] = token
    if settings.remote.socket:
        remote = RemoteKeyProvider(
            Path(settings.remote.socket),
            monotonic=clock.monotonic,
            deadline_s=settings.remote.deadline_s,
            connections=settings.remote.connections,
            signer_uid=settings.remote.uid if settings.remote.uid >= 0 else None,
        )
        stack.callback(remote.close)
        opened["remote"] = remote
    return opened


class OpenToken(KeyPairProvider, Protocol):
    """A token provider, without its library being loaded for the sake of a type."""

    def close(self) -> None:
        """Close the sessions."""


def open_token(settings: Settings, clock: Clock) -> OpenToken:
    """Return the provider over the token of the settings.

    Raises:
        SettingsWrong: no PIN.
        KeyStoreLocked: it does not open, or the extra ``pkcs11`` is not installed.
    """
    if not settings.token.pin:
        raise SettingsWrong("set token.pin, best by INKAN_TOKEN__PIN_FILE", where="token.pin")
    try:
        # An extra: whoever keeps keys in files need not have it.
        from inkan.crypto.pkcs11.provider import TokenKeyProvider  # noqa: PLC0415
    except ImportError:
        raise KeyStoreLocked("install the extra pkcs11 to use a token") from None
    return TokenKeyProvider(
        Path(settings.token.module),
        token=settings.token.label,
        pin=Secret(settings.token.pin),
        monotonic=clock.monotonic,
        sessions=settings.token.sessions,
        wait_s=settings.token.wait_s,
    )


def passphrase(settings: Settings) -> Secret[str]:
    """The passphrase of the key store.

    Outside production a missing one is drawn once and kept beside the keys, readable by the owner alone:
    convenient for a demo, and no protection against whoever reads that folder.

    Raises:
        SettingsWrong: production without a passphrase.
    """
    if settings.keys.passphrase:
        return Secret(settings.keys.passphrase)
    if settings.environment is Environment.PRODUCTION:
        raise SettingsWrong(
            "set keys.passphrase, best by INKAN_KEYS__PASSPHRASE_FILE", where="keys.passphrase"
        )
    return Secret(_kept_passphrase(settings.home_path / PASSPHRASE_FILE))


def _kept_passphrase(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii").strip()
    except FileNotFoundError:
        drawn = base64url.encode(random_bytes(32))
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(drawn)
        return drawn


def signer(keys: KeyProvider, label: str, purpose: KeyPurpose) -> EllipticCurvePrivateKey:
    """The P-256 key of that label, made at its first use."""
    try:
        key = keys.signer(label, purpose)
    except KeyUnknown:
        keys.generate(label, KeySpec.P256, {purpose})
        key = keys.signer(label, purpose)
    if not isinstance(key, EllipticCurvePrivateKey):
        raise TypeError(f"{label} is no elliptic-curve key")
    return key
