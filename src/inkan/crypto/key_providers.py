"""Where private keys live, and what each of them may be used for (design §6, Keys).

A provider hands out a key only for a purpose that the key was made for, and a key is made for purposes that may
stand together: a CA key never answers OCSP or signs tokens. The encrypted file provider is in ``key_files``; a
provider over PKCS #11 passes the same contract tests.
"""

import re
from collections.abc import Collection
from enum import StrEnum
from typing import Final, Protocol

from inkan.crypto.keys import KeySpec, PrivateKey, PublicKey
from inkan.kernel.errors import Conflict, Forbidden, Malformed, Unavailable
from inkan.kernel.sensitive import Secret

_LABEL: Final = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")


class KeyPurpose(StrEnum):
    """What a key signs, or what a secret is for."""

    CERT = "cert"
    CRL = "crl"
    OCSP = "ocsp"
    TSA = "tsa"
    CMS = "cms"
    RECEIPT = "receipt"
    TOKEN = "token"  # noqa: S105 - a purpose, not a password
    WEBHOOK = "webhook"
    AUDIT_HEAD = "audit_head"
    REGISTRATION = "registration"
    CONFORMANCE = "conformance"
    VAPID = "vapid"
    OPENID = "openid"
    COUNTER = "counter"
    PHONE = "phone"
    SEAL = "seal"
    LOOKUP = "lookup"
    PAIRWISE = "pairwise"
    BLIND = "blind"
    MAC = "mac"


SIGNING_PURPOSES: Final = frozenset(
    {
        KeyPurpose.CERT,
        KeyPurpose.CRL,
        KeyPurpose.OCSP,
        KeyPurpose.TSA,
        KeyPurpose.CMS,
        KeyPurpose.RECEIPT,
        KeyPurpose.TOKEN,
        KeyPurpose.WEBHOOK,
        KeyPurpose.AUDIT_HEAD,
        KeyPurpose.REGISTRATION,
        KeyPurpose.CONFORMANCE,
        KeyPurpose.VAPID,
        KeyPurpose.OPENID,
        KeyPurpose.COUNTER,
        KeyPurpose.PHONE,
    }
)
SECRET_PURPOSES: Final = frozenset(KeyPurpose) - SIGNING_PURPOSES

# A CA signs certificates and CRLs with one key (RFC 5280 §5); every other purpose has a key of its own.
MAY_STAND_TOGETHER: Final = frozenset({KeyPurpose.CERT, KeyPurpose.CRL})


class KeyPurposeRefused(Forbidden):
    """The key was not made for this, or no key may be made for these purposes together."""

    code = "key_purpose_refused"
    title = "This key may not be used for this purpose"


class KeyLabelMalformed(Malformed):
    """Not 1 to 64 of a-z, 0-9, dot, underscore and hyphen, beginning with a letter or digit."""

    code = "key_label_malformed"
    title = "This is not a valid name for a key"


class KeyExists(Conflict):
    """A key of this label is there; keys are never overwritten."""

    code = "key_exists"
    title = "A key of this name exists already"
    public = ("label",)


class KeyUnknown(Unavailable):
    """The provider holds no key of this label."""

    code = "key_unknown"
    title = "A key that this needs does not exist"


class KeyStoreLocked(Unavailable):
    """The passphrase, PIN or device is wrong or missing, or the store cannot be read or written."""

    code = "key_store_locked"
    title = "The key store cannot be opened"


class KeyStoreDamaged(Unavailable):
    """The key store is not what this software wrote: changed, moved or truncated."""

    code = "key_store_damaged"
    title = "The key store is damaged"


class KeyStoreExposed(Unavailable):
    """Other users of the machine may read or replace keys."""

    code = "key_store_exposed"
    title = "The key store is open to other users of the machine"


class KeyExportable(Unavailable):
    """The token would give the key out, or did not make it itself; nothing is signed with it."""

    code = "key_exportable"
    title = "A key is not held as firmly as its use demands"
    public = ("label",)


class KeyDeviceBusy(Unavailable):
    """Every session of the token is in use, or the signer process does not answer in time."""

    code = "key_device_busy"
    title = "The device that holds the keys is busy"


class KeyPairProvider(Protocol):
    """A holder of private keys.

    Labels name keys for ever: ``phone-ca-2026``, ``receipt-1``. A renewed key has a new label.
    """

    def generate(self, label: str, spec: KeySpec, purposes: Collection[KeyPurpose]) -> PublicKey:
        """Make a key pair and return its public half.

        Raises:
            KeyLabelMalformed, KeyExists: the label is no label, or is taken.
            KeyPurposeRefused: the purposes may not stand together.
        """
        ...

    def signer(self, label: str, purpose: KeyPurpose) -> PrivateKey:
        """Return an object that cryptography's builders and :func:`inkan.crypto.jose.sign_compact` sign with.

        Raises:
            KeyUnknown: no such key pair.
            KeyPurposeRefused: it was not made for this.
        """
        ...

    def public_key(self, label: str) -> PublicKey:
        """Return the public half.

        Raises:
            KeyUnknown: no such key pair.
        """
        ...

    def purposes(self, label: str) -> frozenset[KeyPurpose]:
        """Return what a key pair (or secret) was made for.

        Raises:
            KeyUnknown: no such key.
        """
        ...

    def labels(self) -> tuple[str, ...]:
        """Return the labels of all keys, sorted."""
        ...


class KeyProvider(KeyPairProvider, Protocol):
    """A holder of private keys and symmetric secrets; labels are of one kind."""

    def secret(self, label: str, purpose: KeyPurpose, *, length: int = 32) -> Secret[bytes]:
        """Return the random secret of this label; the first call makes it, every later one returns the same.

        Raises:
            KeyLabelMalformed: the label is no label.
            KeyPurposeRefused: it was made for another purpose or length, or is a key pair.
        """
        ...


def verify_label(label: str) -> str:
    """Return the label; it serves as a file name and as a CKA_LABEL.

    Raises:
        KeyLabelMalformed: not of the form that :class:`KeyLabelMalformed` describes.
    """
    if _LABEL.fullmatch(label) is None:
        raise KeyLabelMalformed("a-z 0-9 . _ - only, 1 to 64 of them")
    return label


def verify_purposes(purposes: Collection[KeyPurpose]) -> frozenset[KeyPurpose]:
    """Return the purposes of one key pair, if a key pair may have them together.

    Raises:
        KeyPurposeRefused: none, a purpose of secrets, or a mixture other than certificates and CRLs.
    """
    wanted = frozenset(purposes)
    if not wanted or not wanted <= SIGNING_PURPOSES:
        raise KeyPurposeRefused("a key pair needs purposes that sign")
    if len(wanted) > 1 and not wanted <= MAY_STAND_TOGETHER:
        raise KeyPurposeRefused("these purposes need a key each")
    return wanted
