"""The token provider: key pairs that are made in a token, stay there and sign there.

A key is a pair of objects with one CKA_ID. Its CKA_LABEL is the label and the purposes, ``ca.phone cert crl``, and
CKA_MODIFIABLE is false, so that the token itself keeps the purposes with the key. Whatever the token says of a
private key is read back after making it and at every opening: a key that the token did not make, or would give
out, is not used.
"""

import threading
from collections.abc import Callable, Collection, Mapping
from concurrent.futures import Executor, ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final, NamedTuple

import pkcs11
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicNumbers
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import Hash
from pkcs11 import Attribute, KeyType, Mechanism, MechanismFlag, ObjectClass
from pkcs11.util.ec import encode_ec_public_key, encode_named_curve_parameters

from inkan.crypto.foreign_keys import (
    DIGESTS,
    ECDSA_SCHEMES,
    SignatureScheme,
    SignatureSchemeRefused,
    foreign_key,
    verify_message,
)
from inkan.crypto.key_providers import (
    KeyExists,
    KeyExportable,
    KeyLabelMalformed,
    KeyPairProvider,
    KeyPurpose,
    KeyPurposeRefused,
    KeyStoreDamaged,
    KeyUnknown,
    verify_label,
    verify_purposes,
)
from inkan.crypto.keys import KeyMalformed, KeySpec, PrivateKey, PublicKey, load_public
from inkan.crypto.pkcs11.module import load_module
from inkan.crypto.pkcs11.sessions import SessionPool, TokenSession
from inkan.kernel.errors import Malformed
from inkan.kernel.ids import random_bytes
from inkan.kernel.sensitive import Secret

# What the token must say of a private key (PKCS #11 v3.1 §4.9): made here, sensitive ever since, never extractable.
DEMANDED: Final[Mapping[Attribute, bool]] = {
    Attribute.TOKEN: True,
    Attribute.PRIVATE: True,
    Attribute.SENSITIVE: True,
    Attribute.ALWAYS_SENSITIVE: True,
    Attribute.EXTRACTABLE: False,
    Attribute.NEVER_EXTRACTABLE: True,
    Attribute.LOCAL: True,
    Attribute.SIGN: True,
}
_PRIVATE: Final = {
    Attribute.SENSITIVE: True,
    Attribute.EXTRACTABLE: False,
    Attribute.MODIFIABLE: False,
}
_PUBLIC: Final = {Attribute.MODIFIABLE: False}
_CURVES: Final[Mapping[KeySpec, str]] = {KeySpec.P256: "secp256r1", KeySpec.P384: "secp384r1"}
_MODULI: Final[Mapping[KeySpec, int]] = {KeySpec.RSA2048: 2048, KeySpec.RSA3072: 3072}
_SIGNING: Final = MechanismFlag.SIGN | MechanismFlag.VERIFY
# The token hashes for RSA; for ECDSA many tokens know the bare mechanism only, so the digest is made here.
_RSA_MECHANISMS: Final[Mapping[SignatureScheme, tuple[Mechanism, Any]]] = {
    SignatureScheme.RSA_PKCS1_SHA256: (Mechanism.SHA256_RSA_PKCS, None),
    SignatureScheme.RSA_PKCS1_SHA384: (Mechanism.SHA384_RSA_PKCS, None),
    SignatureScheme.RSA_PKCS1_SHA512: (Mechanism.SHA512_RSA_PKCS, None),
    SignatureScheme.RSA_PSS_SHA256: (
        Mechanism.SHA256_RSA_PKCS_PSS,
        (Mechanism.SHA256, pkcs11.MGF.SHA256, 32),
    ),
}


class _Entry(NamedTuple):
    """A key of the token as it was found; ``fault`` names the attribute that makes it unusable."""

    id: bytes
    purposes: frozenset[KeyPurpose]
    public: PublicKey | None
    fault: str
    copies: int


class TokenKeyProvider(KeyPairProvider):
    """A provider of key pairs over a PKCS #11 token.

    Every call waits for the token. Keys that it hands out carry the threads in which they should be used
    (:func:`inkan.crypto.foreign_keys.signing`).
    """

    def __init__(
        self,
        module: Path,
        *,
        token: str,
        pin: Secret[str],
        monotonic: Callable[[], float],
        sessions: int = 4,
        wait_s: float = 5.0,
    ) -> None:
        """Load the module and log in.

        Args:
            module: the vendor's shared library.
            token: CKA_LABEL of the token.
            pin: of its user; tried once.
            monotonic: seconds that never go back.
            sessions: the most signatures at a time.
            wait_s: how long a signature waits for its turn.

        Raises:
            KeyStoreLocked: no such module or token, or the PIN is wrong.
        """
        loaded = load_module(module, monotonic)
        self._pool = SessionPool(loaded, token=token, pin=pin, sessions=sessions, wait_s=wait_s)
        self._executor: Executor = ThreadPoolExecutor(
            self._pool.size, thread_name_prefix="inkan-token"
        )
        self._entries: dict[str, _Entry] = {}
        self._making = threading.Lock()
        self._scan()

    def close(self) -> None:
        """Close the sessions and end the threads."""
        self._executor.shutdown()
        self._pool.close()

    def generate(self, label: str, spec: KeySpec, purposes: Collection[KeyPurpose]) -> PublicKey:
        """Make a key pair in the token; see :meth:`KeyPairProvider.generate`.

        Raises:
            KeyExportable: the token made a key that it would give out; it is not used.
        """
        wanted = verify_purposes(purposes)
        name = " ".join((verify_label(label), *sorted(wanted)))
        with self._making:
            if label in self._scan():
                raise KeyExists(label=label)
            self._pool.make(lambda session: _generate(session, spec, name))
            self._scan()
        public = self._usable(label).public
        assert public is not None
        return public

    def signer(self, label: str, purpose: KeyPurpose) -> PrivateKey:
        """Return a key that signs in the token; see :meth:`KeyPairProvider.signer`.

        Raises:
            KeyExportable: the token would give the key out, or did not make it.
        """
        entry = self._usable(label)
        if purpose not in entry.purposes:
            raise KeyPurposeRefused(f"{label} was not made for {purpose}")
        public = entry.public
        assert public is not None

        def sign(message: bytes, scheme: SignatureScheme) -> bytes:
            return self._sign(label, entry, message, scheme)

        return foreign_key(public, sign, executor=self._executor)

    def public_key(self, label: str) -> PublicKey:
        """Return the public half; see :meth:`KeyPairProvider.public_key`."""
        public = self._usable(label).public
        assert public is not None
        return public

    def purposes(self, label: str) -> frozenset[KeyPurpose]:
        """Return what the key was made for; see :meth:`KeyPairProvider.purposes`."""
        return self._entry(label).purposes

    def labels(self) -> tuple[str, ...]:
        """Return the labels of all keys that are ours, sorted; other objects of the token are passed over."""
        return tuple(sorted(self._scan()))

    def _usable(self, label: str) -> _Entry:
        entry = self._entry(label)
        if entry.copies > 1:
            raise KeyStoreDamaged(f"{entry.copies} keys of the token are called {label}")
        if entry.fault:
            raise KeyExportable(f"the token says {entry.fault} of {label}", label=label)
        if entry.public is None:
            raise KeyStoreDamaged(f"the token holds no public half of {label}")
        return entry

    def _entry(self, label: str) -> _Entry:
        verify_label(label)
        found = self._entries.get(label) or self._scan().get(label)
        if found is None:
            raise KeyUnknown(f"the token holds no {label}")
        return found

    def _scan(self) -> dict[str, _Entry]:
        self._entries = self._pool.use(self._read_all)
        return self._entries

    def _read_all(self, session: TokenSession) -> dict[str, _Entry]:
        found: dict[str, _Entry] = {}
        # A token searches for one thing at a time, so each search ends before the next begins.
        for key in list(session.session.get_objects({Attribute.CLASS: ObjectClass.PRIVATE_KEY})):
            named = _parse_name(key[Attribute.LABEL])
            if named is None:
                continue
            label, purposes = named
            entry = _read_entry(session.session, key, purposes)
            copies = 1 + (found[label].copies if label in found else 0)
            found[label] = entry._replace(copies=copies)
        if not self._pool.is_logged_in(session):
            raise pkcs11.UserNotLoggedIn
        return found

    def _sign(self, label: str, entry: _Entry, message: bytes, scheme: SignatureScheme) -> bytes:
        if (scheme in ECDSA_SCHEMES) != isinstance(entry.public, EllipticCurvePublicKey):
            raise SignatureSchemeRefused(f"{scheme} does not go with {label}")

        def work(session: TokenSession) -> bytes:
            key = session.found.get(label)
            if key is not None:
                return _signature(key, message, scheme)
            key = self._find(session, label, entry.id)
            signature = _signature(key, message, scheme)
            _check_halves(entry, signature, message, scheme)
            session.found[label] = key
            return signature

        return self._pool.use(work)

    def _find(self, session: TokenSession, label: str, key_id: bytes) -> Any:
        """The private key, with what the token says of it read again."""
        wanted = {Attribute.CLASS: ObjectClass.PRIVATE_KEY, Attribute.ID: key_id}
        keys = list(session.session.get_objects(wanted))
        if not keys and not self._pool.is_logged_in(session):
            raise pkcs11.UserNotLoggedIn
        if not keys:
            raise KeyUnknown(f"the token holds no {label} any more")
        if fault := _fault(keys[0]):
            raise KeyExportable(f"the token says {fault} of {label}", label=label)
        return keys[0]


def _check_halves(entry: _Entry, signature: bytes, message: bytes, scheme: SignatureScheme) -> None:
    """Once for each session and key: the halves belong together, and the device computes what it should."""
    assert entry.public is not None
    try:
        verify_message(entry.public, signature, message, scheme)
    except InvalidSignature:
        raise KeyStoreDamaged("the halves of a key of the token do not belong together") from None


def _parse_name(name: object) -> tuple[str, frozenset[KeyPurpose]] | None:
    """The label and purposes in a CKA_LABEL of ours."""
    label, *words = str(name).split(" ")
    try:
        return verify_label(label), verify_purposes([KeyPurpose(word) for word in words])
    except (KeyLabelMalformed, KeyPurposeRefused, ValueError):
        return None


def _read_entry(session: Any, key: Any, purposes: frozenset[KeyPurpose]) -> _Entry:
    key_id = bytes(key[Attribute.ID])
    return _Entry(key_id, purposes, _public_of(session, key, key_id), _fault(key), 1)


def _fault(key: Any) -> str:
    """The first demand that the token does not confirm, as ``EXTRACTABLE=True``; "" if there is none."""
    for attribute, wanted in DEMANDED.items():
        try:
            value = bool(key[attribute])
        except pkcs11.AttributeTypeInvalid:
            return f"nothing about {attribute.name}"
        if value is not wanted:
            return f"{attribute.name}={value}"
    return ""


def _public_of(session: Any, key: Any, key_id: bytes) -> PublicKey | None:
    """The public half as the one encoding that is accepted here; None if it is missing or of another kind."""
    if key[Attribute.KEY_TYPE] == KeyType.RSA:
        modulus = int.from_bytes(key[Attribute.MODULUS], "big")
        exponent = int.from_bytes(key[Attribute.PUBLIC_EXPONENT], "big")
        return RSAPublicNumbers(exponent, modulus).public_key()
    wanted = {Attribute.CLASS: ObjectClass.PUBLIC_KEY, Attribute.ID: key_id}
    for public in list(session.get_objects(wanted)):
        try:
            return load_public(encode_ec_public_key(public))
        except (KeyMalformed, Malformed, ValueError, TypeError):
            continue
    return None


def _generate(session: Any, spec: KeySpec, name: str) -> None:
    common = {
        "id": random_bytes(16),
        "label": name,
        "store": True,
        "capabilities": _SIGNING,
        "public_template": dict(_PUBLIC),
        "private_template": dict(_PRIVATE),
    }
    if spec in _MODULI:
        session.generate_keypair(KeyType.RSA, _MODULI[spec], **common)
        return
    parameters = {Attribute.EC_PARAMS: encode_named_curve_parameters(_CURVES[spec])}
    curve = session.create_domain_parameters(KeyType.EC, parameters, local=True)
    curve.generate_keypair(**common)


def _signature(key: Any, message: bytes, scheme: SignatureScheme) -> bytes:
    if scheme in ECDSA_SCHEMES:
        digest = Hash(DIGESTS[scheme]())
        digest.update(message)
        raw = key.sign(digest.finalize(), mechanism=Mechanism.ECDSA)
        half = len(raw) // 2
        return encode_dss_signature(
            int.from_bytes(raw[:half], "big"), int.from_bytes(raw[half:], "big")
        )
    mechanism, parameter = _RSA_MECHANISMS[scheme]
    return bytes(key.sign(message, mechanism=mechanism, mechanism_param=parameter))
