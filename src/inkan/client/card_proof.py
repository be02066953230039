"""What back ends with a real key do alike: build the signed message, and believe no signature unseen.

A card, or whoever stands between, may answer anything: what is no signature of the certificate's key never leaves.
"""

from collections.abc import Callable, Sequence

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding

from inkan.client.card import CardCertificate, CertificateNotOfCard
from inkan.client.card_refusals import CardAnswerMalformed
from inkan.crypto import cms
from inkan.crypto.certificates import CertificateMalformed, CertificateTooLarge, parse_certificate
from inkan.crypto.foreign_keys import SignatureScheme, foreign_key, verify_message
from inkan.crypto.keys import PrivateKey, PublicKey
from inkan.kernel.ids import random_bytes

# Signs a message whole: SHA-256 inside; ECDSA in DER, RSA as the bare octets of PKCS #1 v1.5.
SignMessage = Callable[[bytes], bytes]


def card_key(public: PublicKey, sign: SignMessage) -> PrivateKey:
    """Return the private key of a card as cryptography's builders take it; each signature is verified first.

    Raises:
        CardAnswerMalformed: on use: the card's answer is no signature of this key.
    """

    def verified(message: bytes, scheme: SignatureScheme) -> bytes:
        if scheme is not scheme_of(public):
            raise CardAnswerMalformed("the card signs by SHA-256 and PKCS #1 v1.5 or ECDSA only")
        signature = sign(message)
        try:
            verify_message(public, signature, message, scheme)
        except InvalidSignature:
            raise CardAnswerMalformed("no signature of the certificate's key") from None
        return signature

    return foreign_key(public, verified)


def scheme_of(public: PublicKey) -> SignatureScheme:
    """How a card's key of this kind signs."""
    if isinstance(public, EllipticCurvePublicKey):
        return SignatureScheme.ECDSA_SHA256
    return SignatureScheme.RSA_PKCS1_SHA256


def sign_content(
    content: bytes, *, content_type: str, certificate: CardCertificate, sign: SignMessage
) -> bytes:
    """Return the CMS SignedData (DER) of a request that the person agreed to.

    Raises:
        CardAnswerMalformed: the card's answer is no signature of its certificate's key.
    """
    key = card_key(parse_certificate(certificate.der).public_key, sign)
    return cms.build_signed_data(
        content,
        content_type=content_type,
        chain=[certificate.der, *certificate.chain],
        algorithm=cms.algorithm_of(key),
        sign=cms.key_signer(key),
    )


def key_request(public: PublicKey, sign: SignMessage) -> bytes:
    """Return the PKCS #10 request (DER, no names) of a key that a card has just made."""
    request = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([]))
    return request.sign(card_key(public, sign), SHA256()).public_bytes(Encoding.DER)


def prove_key(public: PublicKey, sign: SignMessage) -> None:
    """Have the card's key sign something that means nothing, to see whether it is this key.

    Raises:
        CertificateNotOfCard: it is another.
    """
    # Never the start of DER or JSON, so no reader takes it for anything.
    message = b"\x00inkan: proof of a card's key" + random_bytes(32)
    try:
        verify_message(public, sign(message), message, scheme_of(public))
    except InvalidSignature:
        raise CertificateNotOfCard from None


def issuer_chain(issuers: Sequence[bytes]) -> tuple[bytes, ...]:
    """Return the issuers that go along with a signature: all but self-signed ones.

    Raises:
        CardAnswerMalformed: one is no certificate.
    """
    parsed = [(der, read_card_certificate(der)) for der in issuers]
    return tuple(der for der, each in parsed if each.subject != each.issuer)


def read_card_certificate(der: bytes) -> x509.Certificate:
    """Parse what a card holds as a certificate.

    Raises:
        CardAnswerMalformed: it is none.
    """
    try:
        parse_certificate(der)
    except (CertificateMalformed, CertificateTooLarge) as error:
        raise CardAnswerMalformed(f"a certificate: {error.detail or error.title}") from None
    return x509.load_der_x509_certificate(der)
