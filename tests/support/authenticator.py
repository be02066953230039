"""A tiny software authenticator for tests: the second opinion beside the product's reference authenticator.

It shares no code with the product: client data by ``json``, CBOR by ``cbor2``, keys by ``cryptography``. Every field
can be bent by a keyword, so that a test changes exactly one thing.
"""

import base64
import hashlib
import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import cbor2
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding

from inkan.crypto.webauthn import Assertion
from support.keyring import rsa_key

UP, UV, BE, BS, AT, ED = 0x01, 0x04, 0x08, 0x10, 0x40, 0x80
ES256, EDDSA, RS256 = -7, -8, -257
AAGUID = bytes.fromhex("0102030405060708010203040506070a")


def b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def new_key(algorithm: int):
    if algorithm == ES256:
        return ec.generate_private_key(ec.SECP256R1())
    if algorithm == EDDSA:
        return ed25519.Ed25519PrivateKey.generate()
    return rsa_key()


def cose_key(key) -> bytes:
    public = key.public_key()
    if isinstance(public, ec.EllipticCurvePublicKey):
        numbers = public.public_numbers()
        x, y = numbers.x.to_bytes(32, "big"), numbers.y.to_bytes(32, "big")
        members = {1: 2, 3: ES256, -1: 1, -2: x, -3: y}
    elif isinstance(public, ed25519.Ed25519PublicKey):
        members = {1: 1, 3: EDDSA, -1: 6, -2: public.public_bytes_raw()}
    else:
        modulus = public.public_numbers().n
        size = (modulus.bit_length() + 7) // 8
        members = {1: 3, 3: RS256, -1: modulus.to_bytes(size, "big"), -2: b"\x01\x00\x01"}
    return cbor2.dumps(members, canonical=True)


def sign(key, data: bytes) -> bytes:
    if isinstance(key, ec.EllipticCurvePrivateKey):
        return key.sign(data, ec.ECDSA(SHA256()))
    if isinstance(key, rsa.RSAPrivateKey):
        return key.sign(data, padding.PKCS1v15(), SHA256())
    return key.sign(data)


def client_data(kind: str, challenge: bytes, origin: str, extra: dict | None = None) -> bytes:
    members = {"type": kind, "challenge": b64(challenge), "origin": origin, "crossOrigin": False}
    return json.dumps(members | (extra or {}), separators=(",", ":")).encode()


@dataclass
class Authenticator:
    rp_id: str = "wallet.localhost"
    origin: str = "https://wallet.localhost"
    algorithm: int = ES256
    flags: int = UP | UV
    sign_count: int = 1
    credential_id: bytes = hashlib.sha256(b"a credential").digest()
    key: object = field(default=None)

    def __post_init__(self):
        self.key = self.key or new_key(self.algorithm)
        self.cose_key = cose_key(self.key)

    def authenticator_data(self, *, rp_id=None, flags=None, sign_count=None, tail=b"") -> bytes:
        rp_id_hash = hashlib.sha256((rp_id or self.rp_id).encode()).digest()
        flags = self.flags if flags is None else flags
        count = self.sign_count if sign_count is None else sign_count
        return rp_id_hash + bytes([flags]) + count.to_bytes(4, "big") + tail

    def attested_data(
        self, *, cose=None, credential_id=None, flags=None, tail=b"", **bent
    ) -> bytes:
        identifier = self.credential_id if credential_id is None else credential_id
        credential = AAGUID + len(identifier).to_bytes(2, "big") + identifier
        return self.authenticator_data(
            flags=(self.flags if flags is None else flags) | AT,
            tail=credential + (cose or self.cose_key) + tail,
            **bent,
        )

    def register(
        self,
        challenge: bytes,
        *,
        kind="webauthn.create",
        origin=None,
        extra=None,
        raw_client_data=None,
        data=None,
        fmt="none",
        statement=None,
        raw_id=None,
        **bent,
    ) -> bytes:
        """RegistrationResponseJSON; ``statement`` is a function of the signed bytes, or None for an empty one."""
        client = raw_client_data or client_data(kind, challenge, origin or self.origin, extra)
        data = self.attested_data(**bent) if data is None else data
        signed = data + hashlib.sha256(client).digest()
        attestation = cbor2.dumps(
            {"fmt": fmt, "attStmt": statement(signed) if statement else {}, "authData": data},
            canonical=True,
        )
        identifier = b64(self.credential_id if raw_id is None else raw_id)
        return json.dumps(
            {
                "id": identifier,
                "rawId": identifier,
                "type": "public-key",
                "response": {
                    "clientDataJSON": b64(client),
                    "attestationObject": b64(attestation),
                    "transports": ["internal"],
                },
                "authenticatorAttachment": "platform",
                "clientExtensionResults": {"prf": {"enabled": True}},
            }
        ).encode()

    def self_attestation(self, signed: bytes) -> dict:
        return {"alg": self.algorithm, "sig": sign(self.key, signed)}

    def answer(
        self,
        challenge: bytes,
        *,
        kind="webauthn.get",
        origin=None,
        extra=None,
        raw_client_data=None,
        data=None,
        key=None,
        credential_id=None,
        user_handle=None,
        **bent,
    ) -> Assertion:
        client = raw_client_data or client_data(kind, challenge, origin or self.origin, extra)
        data = self.authenticator_data(**bent) if data is None else data
        return Assertion(
            credential_id=self.credential_id if credential_id is None else credential_id,
            client_data_json=client,
            authenticator_data=data,
            signature=sign(key or self.key, data + hashlib.sha256(client).digest()),
            user_handle=user_handle,
        )


class AttestationMaker:
    """A vendor's root and the batch certificate that it issues; ``packed`` statements with ``x5c``."""

    def __init__(
        self,
        *,
        model: bytes = AAGUID,
        is_ca: bool = False,
        issuer: "AttestationMaker | None" = None,
    ):
        # Chains of authenticators are checked at true time, so this one test PKI is dated by it.
        now = datetime.now(UTC)
        self.root_key = issuer.root_key if issuer else ec.generate_private_key(ec.SECP256R1())
        self.batch_key = ec.generate_private_key(ec.SECP256R1())
        root_name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "Vendor root")])
        batch_name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "Vendor batch")])
        self.root = self._certificate(
            root_name, root_name, self.root_key, now, [x509.BasicConstraints(True, None)]
        )
        extensions = [
            x509.BasicConstraints(is_ca, None),
            x509.UnrecognizedExtension(
                x509.ObjectIdentifier("1.3.6.1.4.1.45724.1.1.4"), b"\x04\x10" + model
            ),
        ]
        self.batch = self._certificate(batch_name, root_name, self.batch_key, now, extensions)

    def _certificate(self, subject, issuer, key, now, extensions) -> x509.Certificate:
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(issuer)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(days=1))
            .not_valid_after(now + timedelta(days=1))
        )
        for extension in extensions:
            builder = builder.add_extension(
                extension, critical=isinstance(extension, x509.BasicConstraints)
            )
        return builder.sign(self.root_key, SHA256())

    @property
    def root_pem(self) -> bytes:
        return self.root.public_bytes(Encoding.PEM)

    def statement(self, signed: bytes) -> dict:
        return {
            "alg": ES256,
            "sig": sign(self.batch_key, signed),
            "x5c": [self.batch.public_bytes(Encoding.DER)],
        }
