"""What the keys of back end B sign, by the name of the content (design §5.1): one row for each kind, and no other.

The holder of the keys gets the content that the person saw and the assertion over its challenge; it builds the bytes
to be signed from the content by itself, so that the challenge is a hash over exactly what is signed.
"""

from collections.abc import Mapping
from hashlib import sha256
from types import MappingProxyType
from typing import Final

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

from inkan.crypto import base64url, cms, jose
from inkan.crypto.activation.port import ActivationRefused, Content, ContentFormat
from inkan.crypto.certificates import parse_certificate
from inkan.crypto.keys import PrivateKey, spki_sha256
from inkan.wire import enrolment_request, statement
from inkan.wire.session import Kind

STATEMENT: Final = "statement"
RENEWAL: Final = "renewal"

# Which keys answer a question of which kind (design §5.1).
_USES: Final[Mapping[Kind, frozenset[str]]] = {
    Kind.IDENTIFY: frozenset({"auth", "single"}),
    Kind.APPROVE: frozenset({"auth", "single"}),
    Kind.SIGN: frozenset({"sign", "single"}),
}


def _read_statement(data: bytes) -> Content:
    said = statement.parse_statement(data)

    def fits(credential_id: bytes, cose_key: bytes) -> bool:
        return said.cred_sha256 == statement.credential_sha256(credential_id, cose_key)

    return Content(statement.statement_challenge(data), _USES[Kind(said.kind)], fits)


def _sign_statement(key: PrivateKey, data: bytes, _: bytes) -> bytes:
    """The compact JWS, as ASCII."""
    said = statement.parse_statement(data)
    is_rsa = isinstance(key, RSAPrivateKey)
    return jose.sign_compact(
        data,
        key,
        alg=jose.Algorithm.PS256 if is_rsa else jose.Algorithm.ES256,
        typ=statement.STATEMENT_TYP,
        header={"x5t#S256": said.cert_sha256},
    ).encode("ascii")


def _read_renewal(data: bytes) -> Content:
    said = enrolment_request.parse_renew(data)

    def fits(credential_id: bytes, _: bytes) -> bool:
        return said.credential_id_sha256 == base64url.encode(sha256(credential_id).digest())

    challenge = enrolment_request.renew_challenge(data)
    return Content(challenge, frozenset({"auth", "single"}), fits)


def _sign_renewal(key: PrivateKey, data: bytes, certificate: bytes) -> bytes:
    """The signature over the signed attributes of the CMS, which name the certificate (RFC 5035)."""
    said = enrolment_request.parse_renew(data)
    if statement.certificate_sha256(
        certificate
    ) != said.old_certificate_sha256 or parse_certificate(certificate).spki_sha256 != spki_sha256(
        key.public_key()
    ):
        raise ActivationRefused("not the certificate that is renewed", check="content")
    kind = enrolment_request.CONTENT_TYPES[enrolment_request.Purpose.RENEW]
    attributes = cms.signed_attributes(data, content_type=kind, certificate=certificate)
    return cms.key_signer(key)(attributes)


FORMATS: Final[Mapping[str, ContentFormat]] = MappingProxyType(
    {
        STATEMENT: ContentFormat(_read_statement, _sign_statement),
        RENEWAL: ContentFormat(_read_renewal, _sign_renewal),
    }
)
