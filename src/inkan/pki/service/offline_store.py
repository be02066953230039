"""The offline key store: an encrypted folder whose secret exists as shares only (HCA-34, HCA-35).

The secret is drawn at the founding, split at once, and never written. Enough shares open the folder for one ceremony;
what was recombined is gone with the process.
"""

from collections.abc import Collection
from pathlib import Path

from inkan.crypto import base64url, secret_shares
from inkan.crypto.key_files import STORE_FILE, EncryptedFileKeyProvider
from inkan.crypto.key_providers import KeyExists, KeyProvider, KeyUnknown
from inkan.kernel.ids import random_bytes
from inkan.kernel.sensitive import Secret
from inkan.pki.service.ceremony_file import Custody


def draw_shares(custody: Custody) -> tuple[Secret[str], ...]:
    """Return the shares of a new secret, one for each custodian in the order of the file."""
    return secret_shares.split(
        Secret(random_bytes(secret_shares.SECRET_SIZE)),
        needed=custody.shares_needed,
        count=len(custody.custodian),
    )


def make_offline(folder: Path, shares: Collection[Secret[str]]) -> KeyProvider:
    """Make a new offline store that these shares open.

    Raises:
        KeyExists: there is one in the folder.
        ShareMalformed, SharesMissing: see :func:`inkan.crypto.secret_shares.combine`.
    """
    if (folder / STORE_FILE).exists():
        raise KeyExists(label=STORE_FILE)
    return EncryptedFileKeyProvider(folder, _passphrase(shares))


def open_offline(folder: Path, shares: Collection[Secret[str]]) -> KeyProvider:
    """Open the offline store.

    Raises:
        KeyUnknown: the folder holds none.
        KeyStoreLocked: the shares are of another store.
        ShareMalformed, SharesMissing: see :func:`inkan.crypto.secret_shares.combine`.
    """
    if not (folder / STORE_FILE).exists():
        raise KeyUnknown(f"{folder} holds no key store")
    return EncryptedFileKeyProvider(folder, _passphrase(shares))


def _passphrase(shares: Collection[Secret[str]]) -> Secret[str]:
    return Secret(base64url.encode(secret_shares.combine(shares).reveal()))
