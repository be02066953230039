"""Receipts of the kit's platform: a true one for a session, the same one bent, and tokens that no library would make."""

import base64
from typing import Any, Final

import msgspec
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256

from inkan.conformance.service.authority import Signer
from inkan.conformance.service.plays import Play
from inkan.crypto import base64url
from inkan.kernel.clock import rfc3339
from inkan.kernel.ids import random_bytes
from inkan.wire.receipt import RECEIPT_ALG, RECEIPT_TYP, Receipt, receipt_bytes
from inkan.wire.session import Outcome

SYSTEM: Final = "sys_conformance"
RELYING_PARTY: Final = "rp_conformance"
NAME: Final = "Conformance"


class Scribe:
    """Writes the receipts of one platform.

    Args:
        issuer: of the platform.
        domain: of the relying party, as it registered it.
        signer: the good one.
    """

    def __init__(self, issuer: str, domain: str, signer: Signer) -> None:
        self._issuer = issuer
        self._domain = domain
        self._signer = signer

    def true(self, play: Play) -> str:
        """The receipt of a session that has closed."""
        return self.bent(play)

    def bent(self, play: Play, **members: Any) -> str:
        """A genuine receipt of the platform in which ``members`` are others."""
        return token(self.payload(play, **members), self._signer)

    def payload(self, play: Play, **members: Any) -> bytes:
        """The canonical bytes of the session's receipt, with ``members`` changed."""
        told = self._members(play) | members
        return receipt_bytes(msgspec.convert(msgspec.to_builtins(told), Receipt))

    def _members(self, play: Play) -> dict[str, Any]:
        ok = play.outcome is Outcome.OK
        decided = rfc3339(play.decided_at or play.created_at)
        return {
            "v": 1,
            "iss": self._issuer,
            "session": play.id,
            "kind": play.order.kind,
            "system": SYSTEM,
            "relying_party": {"id": RELYING_PARTY, "name": NAME, "domain": self._domain},
            "purpose": play.order.purpose,
            "outcome": play.outcome,
            "reason": play.reason,
            "subject": {"person_ref": play.person} if ok else None,
            "claims": {},
            "challenge": play.order.challenge,
            "contents": [],
            "door": play.door,
            "binding": {"level": play.level, "evidence": list(play.evidence)},
            "young": False,
            "back_end": {"kind": "A", "attested": False, "synced": False},
            "single_key": False,
            "user_verification": "undisclosed",
            "evidence": "platform",
            "commitments": _commitments() if ok else None,
            "decided_at": decided,
            "released_at": decided,
            "status_at": decided,
        }


def _commitments() -> dict[str, str]:
    """Commitments to evidence that the kit does not have: nobody can open them, and only it could."""
    names = ("statement", "certificate", "assertion")
    return {name: base64url.encode(random_bytes(32)) for name in names}


def token(
    payload: bytes,
    signer: Signer,
    *,
    key: EllipticCurvePrivateKey | None = None,
    **header: Any,
) -> str:
    """A receipt signed by ``signer``; with ``key`` by another key under its certificate."""
    head = head_of(signer, **header)
    return f"{signing_input(head, payload)}.{es256(head, payload, key or signer.key)}"


def head_of(signer: Signer, **members: Any) -> dict[str, Any]:
    """The protected header of a receipt, with members changed or added."""
    chain = [base64.b64encode(signer.der).decode()]
    return {"alg": RECEIPT_ALG, "typ": RECEIPT_TYP, "x5c": chain, **members}


def signing_input(head: dict[str, Any], payload: bytes) -> str:
    """Header and payload as they stand in a compact JWS."""
    return f"{base64url.encode(msgspec.json.encode(head))}.{base64url.encode(payload)}"


def es256(head: dict[str, Any], payload: bytes, key: EllipticCurvePrivateKey) -> str:
    """The ES256 signature over this input, whatever algorithm the header names."""
    message = signing_input(head, payload).encode("ascii")
    r, s = decode_dss_signature(key.sign(message, ECDSA(SHA256())))
    return base64url.encode(r.to_bytes(32) + s.to_bytes(32))
