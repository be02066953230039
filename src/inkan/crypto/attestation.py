"""Attestation statements of authenticators: the port behind which py_webauthn stands (WebAuthn Level 3 §8).

The library knows the vendors' formats; everything that a verifier decides is decided before, in
:mod:`inkan.crypto.webauthn`. The port adds what the library leaves out: statements of one shape, the packed
certificate's model, and the difference between a chain that was checked and one that was only carried along.
Chains are checked by the library at true time, not at the instance's: vendors know nothing of an instance.
"""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any, Final

import msgspec
from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from OpenSSL.crypto import Error as OpenSSLError
from pyasn1.error import PyAsn1Error
from webauthn import verify_registration_response
from webauthn.helpers import bytes_to_base64url
from webauthn.helpers.cose import COSEAlgorithmIdentifier
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import (
    AttestationFormat as LibraryFormat,
)
from webauthn.helpers.structs import AuthenticatorAttestationResponse, RegistrationCredential

from inkan.crypto import cbor
from inkan.kernel.errors import Forbidden, Malformed

MAX_OBJECT_SIZE: Final = 16 * 1024
MAX_CHAIN: Final = 5

_AAGUID_EXTENSION: Final = x509.ObjectIdentifier("1.3.6.1.4.1.45724.1.1.4")


class AttestationFormat(StrEnum):
    """The formats that are read (IANA WebAuthn Attestation Statement Formats)."""

    NONE = "none"
    PACKED = "packed"
    TPM = "tpm"
    ANDROID_KEY = "android-key"
    APPLE = "apple"


# Formats whose vendor roots the library itself holds and demands; the others are trusted only by given anchors.
_ROOTED: Final = frozenset({AttestationFormat.ANDROID_KEY, AttestationFormat.APPLE})

Anchors = Mapping[AttestationFormat, Sequence[bytes]]


class AttestationMalformed(Malformed):
    """The attestation object is not one of a format that is read here."""

    code = "attestation_malformed"
    title = "The attestation of the authenticator cannot be read"
    public = ()


class AttestationRefused(Forbidden):
    """The statement does not hold, or its chain does not end at an accepted root."""

    code = "attestation_refused"
    title = "The authenticator does not prove what it is"


class _Statement(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    alg: int | None = None
    sig: bytes | None = None
    x5c: list[bytes] | None = None
    ver: str | None = None
    cert_info: bytes | None = None
    pub_area: bytes | None = None


class AttestationObject(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The parts of an attestation object (WebAuthn §6.5.4)."""

    fmt: AttestationFormat
    att_stmt: _Statement = msgspec.field(name="attStmt")
    auth_data: bytes = msgspec.field(name="authData")


def parse_attestation_object(data: bytes) -> AttestationObject:
    """Return the parts of an attestation object.

    Raises:
        AttestationMalformed: too large, of an unknown format, or with other members than its own.
        CBORMalformed: not the CBOR that authenticators write.
    """
    if len(data) > MAX_OBJECT_SIZE:
        raise AttestationMalformed("larger than any attestation object")
    try:
        # bytes as a built-in type: base64 text does not stand for a byte string here.
        return msgspec.convert(cbor.read(data), AttestationObject, builtin_types=(bytes,))
    except msgspec.ValidationError as error:
        raise AttestationMalformed(str(error)) from None


def verify_attestation(
    attestation: AttestationObject,
    *,
    attestation_object: bytes,
    client_data_json: bytes,
    credential_id: bytes,
    anchors: Anchors,
    expected: Mapping[str, Any],
) -> bool:
    """Check an attestation statement and return whether it proves the model of the authenticator.

    Args:
        attestation: ``attestation_object`` as parsed.
        attestation_object: the bytes received.
        client_data_json: the bytes received.
        credential_id: of the new credential.
        anchors: PEM roots by format; a chain of a format without any proves nothing.
        expected: ``challenge`` (bytes), ``origin``, ``rp_id``, already compared and compared once more.

    Raises:
        AttestationRefused: the signature, the chain or the certificate does not hold.
    """
    chain = attestation.att_stmt.x5c or []
    if len(chain) > MAX_CHAIN:
        raise AttestationRefused("a chain longer than any vendor's")
    try:
        if attestation.fmt is AttestationFormat.PACKED and chain:
            _verify_packed_certificate(chain[0], attestation.auth_data[37:53])
        verify_registration_response(
            credential=RegistrationCredential(
                id=bytes_to_base64url(credential_id),
                raw_id=credential_id,
                response=AuthenticatorAttestationResponse(client_data_json, attestation_object),
            ),
            expected_challenge=expected["challenge"],
            expected_origin=expected["origin"],
            expected_rp_id=expected["rp_id"],
            supported_pub_key_algs=list(COSEAlgorithmIdentifier),
            pem_root_certs_bytes_by_fmt={
                LibraryFormat(fmt.value): list(roots) for fmt, roots in anchors.items()
            },
        )
    except _LIBRARY_ERRORS as error:
        raise AttestationRefused(f"{attestation.fmt}: {error}") from None
    return bool(chain) and (attestation.fmt in _ROOTED or bool(anchors.get(attestation.fmt)))


def _verify_packed_certificate(der: bytes, aaguid: bytes) -> None:
    """The certificate is no CA and, when it names a model, names the one of the credential (WebAuthn §8.2.1)."""
    certificate = x509.load_der_x509_certificate(der)
    for extension in certificate.extensions:
        if isinstance(extension.value, x509.BasicConstraints) and extension.value.ca:
            raise AttestationRefused("packed: the certificate of a CA")
        is_model = extension.oid == _AAGUID_EXTENSION
        if is_model and extension.value.public_bytes() != b"\x04\x10" + aaguid:
            raise AttestationRefused("packed: the certificate of another model")


# What the library and the parsers below it raise for bytes that they do not like.
_LIBRARY_ERRORS: Final = (
    WebAuthnException,
    InvalidSignature,
    UnsupportedAlgorithm,
    OpenSSLError,
    PyAsn1Error,
    x509.ExtensionNotFound,
    x509.DuplicateExtension,
    ValueError,
    TypeError,
    KeyError,
    IndexError,
    AttributeError,
)
