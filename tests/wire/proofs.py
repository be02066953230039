"""True proofs for the vectors: fixed keys, deterministic ECDSA (RFC 6979), a WebAuthn assertion, two certificates."""

import base64
import hashlib
import json
from datetime import UTC, datetime
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from inkan.crypto import base64url, jcs
from inkan.wire import audit_log
from inkan.wire.evidence import Assertion, EvidenceBundle, Inclusion, Salts, assertion_bytes
from inkan.wire.receipt import RECEIPT_TYP, Commitments, commit, receipt_bytes
from inkan.wire.statement import (
    STATEMENT_TYP,
    certificate_sha256,
    credential_sha256,
    statement_bytes,
    statement_challenge,
)
from support.tree import tree_hash, tree_path
from wire import samples

_ECDSA = ec.ECDSA(SHA256(), deterministic_signing=True)
CREDENTIAL_ID = samples.fixed("credential id", 16)


def fixed_key(label: str) -> ec.EllipticCurvePrivateKey:
    return ec.derive_private_key(int.from_bytes(samples.fixed(label)), ec.SECP256R1())


CERTIFICATE_KEY = fixed_key("phone certificate key")
CREDENTIAL_KEY = fixed_key("credential key")
ISSUER_KEY = fixed_key("phone CA key")
RECEIPT_KEY = fixed_key("receipt key")
HEAD_KEY = fixed_key("audit head key")
CONFORMANCE_KEY = fixed_key("conformance key")
EVENT_SALT = samples.fixed("event salt", 16)


def _coordinates(key: ec.EllipticCurvePrivateKey) -> tuple[bytes, bytes]:
    numbers = key.public_key().public_numbers()
    return numbers.x.to_bytes(32), numbers.y.to_bytes(32)


def public_jwk(key: ec.EllipticCurvePrivateKey) -> dict[str, str]:
    x, y = map(base64url.encode, _coordinates(key))
    return {"kty": "EC", "crv": "P-256", "x": x, "y": y}


def compact_jws(payload: bytes, key: ec.EllipticCurvePrivateKey, *, typ: str, **header: Any) -> str:
    members = {"alg": "ES256", "typ": typ, **header}
    head = f"{base64url.encode(jcs.canonical(members))}.{base64url.encode(payload)}"
    r, s = decode_dss_signature(key.sign(head.encode(), _ECDSA))
    return f"{head}.{base64url.encode(r.to_bytes(32) + s.to_bytes(32))}"


def cose_key(key: ec.EllipticCurvePrivateKey) -> bytes:
    """RFC 9052 §7 for ES256 on P-256, in CTAP2 canonical order."""
    x, y = _coordinates(key)
    return bytes.fromhex("a5010203262001215820") + x + bytes.fromhex("225820") + y


def certificate(subject: str, key: ec.EllipticCurvePrivateKey) -> bytes:
    """A bare certificate under the vectors' own CA: signed truly, of no profile."""
    names = [
        x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        for name in (subject, "Vector CA")
    ]
    builder = (
        x509.CertificateBuilder()
        .subject_name(names[0])
        .issuer_name(names[1])
        .public_key(key.public_key())
        .serial_number(int.from_bytes(samples.fixed(subject, 16)))
        .not_valid_before(datetime(2026, 1, 1, tzinfo=UTC))
        .not_valid_after(datetime(2036, 1, 1, tzinfo=UTC))
    )
    signed = builder.sign(ISSUER_KEY, SHA256(), ecdsa_deterministic=True)
    return signed.public_bytes(Encoding.DER)


def assertion(challenge: bytes) -> Assertion:
    client_data = json.dumps(
        {
            "type": "webauthn.get",
            "challenge": base64url.encode(challenge),
            "origin": "https://wallet.example.gov.tw",
            "crossOrigin": False,
        },
        separators=(",", ":"),
    ).encode()
    # RP ID hash, flags UP UV BE BS, no counter.
    authenticator_data = hashlib.sha256(b"wallet.example.gov.tw").digest() + b"\x1d" + bytes(4)
    message = authenticator_data + hashlib.sha256(client_data).digest()
    return Assertion(
        credential_id=base64url.encode(CREDENTIAL_ID),
        client_data_json=base64url.encode(client_data),
        authenticator_data=base64url.encode(authenticator_data),
        signature=base64url.encode(CREDENTIAL_KEY.sign(message, _ECDSA)),
    )


def decision(receipt: bytes, statement: bytes) -> audit_log.Event:
    """The audit event that commits to a receipt's payload and the statement bytes."""
    details = audit_log.decision_details(
        receipt,
        outcome="ok",
        reason=None,
        statement_sha256=base64url.encode(hashlib.sha256(statement).digest()),
    )
    digest = audit_log.details_digest(EVENT_SALT, details)
    return samples.event(object=samples.receipt().session, details=base64url.encode(digest))


def inclusion(receipt: bytes, statement: bytes) -> Inclusion:
    """The proof that the decision is leaf 5 of 8, under a head whose signer is certified."""
    leaf = audit_log.EVENT.encode(decision(receipt, statement))
    leaves = [*(samples.fixed(f"leaf {number}") for number in range(8))]
    leaves[5] = leaf
    head = samples.head(root=base64url.encode(tree_hash(leaves)))
    signer = base64.b64encode(certificate("An audit log", HEAD_KEY)).decode()
    return Inclusion(
        index=5,
        tree_size=8,
        path=tuple(map(base64url.encode, tree_path(5, leaves))),
        head_jws=compact_jws(
            audit_log.HEAD.encode(head), HEAD_KEY, typ=audit_log.HEAD_TYP, x5c=[signer]
        ),
        event=base64url.encode(leaf),
        salt=base64url.encode(EVENT_SALT),
    )


def identification(**changes: Any) -> EvidenceBundle:
    """The evidence of one identification, whose parts fit together."""
    der = certificate("A phone", CERTIFICATE_KEY)
    public = cose_key(CREDENTIAL_KEY)
    draft = samples.draft(
        cert_sha256=certificate_sha256(der), cred_sha256=credential_sha256(CREDENTIAL_ID, public)
    )
    signed = statement_bytes(
        draft, phone_nonce=samples.fixed("phone nonce"), text_sha256=draft.shown.text_sha256
    )
    proof = assertion(statement_challenge(signed))
    salts = {name: samples.fixed(f"salt {name}") for name in Salts.__struct_fields__}
    committed = {"statement": signed, "certificate": der, "assertion": assertion_bytes(proof)}
    payload = receipt_bytes(
        samples.receipt(
            commitments=Commitments(**{n: commit(salts[n], committed[n]) for n in salts})
        )
    )
    signer = base64.b64encode(certificate("A receipt signer", RECEIPT_KEY)).decode()
    members = {
        "receipt": compact_jws(payload, RECEIPT_KEY, typ=RECEIPT_TYP, x5c=[signer]),
        "statement_jws": compact_jws(
            signed, CERTIFICATE_KEY, typ=STATEMENT_TYP, **{"x5t#S256": certificate_sha256(der)}
        ),
        "assertion": proof,
        "cose_key": base64url.encode(public),
        "certificates": (base64url.encode(der),),
        "salts": Salts(**{name: base64url.encode(salt) for name, salt in salts.items()}),
        "inclusion": inclusion(payload, signed),
    }
    return samples.bundle(**members | changes)
