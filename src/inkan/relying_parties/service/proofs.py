"""What binds a client's tokens: a DPoP proof (RFC 9449) or the certificate of its connection (RFC 8705 §3).

Which of them a client has to bring, its registration says (:data:`CONSTRAINTS`). The nonce of the server is stateless:
a MAC over the present window of time, so that every process of an instance knows those of the others.
"""

import hashlib
import hmac
from collections.abc import Collection, Mapping
from types import MappingProxyType
from typing import Final

import msgspec

from inkan.crypto import base64url, dpop
from inkan.crypto.dpop import DPoPProofRefused, Proof
from inkan.crypto.jose import Algorithm
from inkan.kernel.clock import Clock, to_seconds
from inkan.kernel.sensitive import Secret
from inkan.relying_parties.model import (
    OAuthInvalidDPoPProof,
    OAuthInvalidRequest,
    OAuthUseDPoPNonce,
)
from inkan.relying_parties.model.client import Client
from inkan.relying_parties.model.openid import SenderConstraint
from inkan.relying_parties.rules import NONCE_WINDOW_S, PROOF_WINDOW_S
from inkan.relying_parties.service.assertions import CLIENT_ALGORITHMS
from inkan.web.replay import ProofReplayed, ReplayMemory

_PURPOSE: Final = b"inkan-dpop-nonce-v1\x00"


class Constraint(msgspec.Struct, frozen=True):
    """What a client of a sender constraint has to bring.

    Attributes:
        proof: a DPoP proof; without it a proof may still be brought, and binds.
        certificate: the certificate of its connection.
        source: where that stands.
    """

    proof: bool
    certificate: bool
    source: str


CONSTRAINTS: Final[Mapping[SenderConstraint, Constraint]] = MappingProxyType(
    {
        "none": Constraint(proof=False, certificate=False, source="RFC 6750 §1.2"),
        "dpop": Constraint(proof=True, certificate=False, source="RFC 9449 §5"),
        "mtls": Constraint(proof=False, certificate=True, source="RFC 8705 §3"),
    }
)


class Nonces:
    """Nonces for DPoP proofs, the same in every process that has the key."""

    def __init__(self, *, clock: Clock, key: Secret[bytes]) -> None:
        """Make them with ``key``, which serves nothing else."""
        self._clock = clock
        self._key = key

    @property
    def present(self) -> str:
        """The nonce that is handed out now."""
        return self._of(self._window)

    def holds(self, nonce: str) -> bool:
        """Whether a nonce was handed out in this window or the one before."""
        window = self._window
        sent = nonce.encode("utf-8", "surrogatepass")
        admitted = [self._of(each).encode() for each in (window, window - 1)]
        return any(hmac.compare_digest(sent, each) for each in admitted)

    @property
    def _window(self) -> int:
        return to_seconds(self._clock.wire_now()) // NONCE_WINDOW_S

    def _of(self, window: int) -> str:
        message = _PURPOSE + window.to_bytes(8, "big")
        return base64url.encode(hmac.digest(self._key.reveal(), message, hashlib.sha256))


class Proofs:
    """Verifies what clients bring to the OAuth endpoints."""

    def __init__(self, *, clock: Clock, nonce_key: Secret[bytes]) -> None:
        self._clock = clock
        self._seen = ReplayMemory(window_s=PROOF_WINDOW_S)
        self.nonces = Nonces(clock=clock, key=nonce_key)

    def verify(
        self,
        client: Client,
        proof: str | None,
        *,
        url: str,
        method: str = "POST",
        obliged: bool = False,
        algs: Collection[Algorithm] = CLIENT_ALGORITHMS,
    ) -> Client:
        """The client with the thumbprint of the key that it proved, if it brought a proof.

        1. whoever is ``obliged`` brings a proof;
        2. the proof is for this request, signed by one of ``algs``;
        3. with client metadata it has not been used before (RFC 9449 §11.1);
        4. its nonce, if there is one, is ours; a client of a FAPI profile has to have one.

        Raises:
            OAuthInvalidDPoPProof: 1, 2, 3.
            OAuthUseDPoPNonce: 4; its fact ``dpop_nonce`` is the present one.
        """
        if proof is None and not obliged:
            return client
        openid = client.openid
        proved = self._verified(proof or "", method=method, url=url, algs=algs)  # 1, 2
        if openid is not None:
            if not self._has_nonce(proved, obliged=openid.is_fapi):  # 4
                raise OAuthUseDPoPNonce(dpop_nonce=self.nonces.present)
            self._admit(proved)  # 3
        return msgspec.structs.replace(client, jkt=proved.jkt)

    def bound(self, client: Client, proof: str | None, *, url: str, own: bool) -> Client:
        """The client with the keys that its tokens are bound to, as its registration wants them.

        Tokens for the RP API (``own``) are always bound, and to ES256 keys alone (design §5.5).

        Raises:
            OAuthInvalidRequest: its tokens are bound to a certificate, and it brought none.
            OAuthInvalidDPoPProof, OAuthUseDPoPNonce: see :meth:`verify`.
        """
        constraint = CONSTRAINTS[client.openid.sender_constraint if client.openid else "dpop"]
        if constraint.certificate and client.x5t is None:
            raise OAuthInvalidRequest("the tokens of this client are bound to its certificate")
        proved = self.verify(
            client,
            proof,
            url=url,
            obliged=constraint.proof or (own and not constraint.certificate),
            algs=(Algorithm.ES256,) if own else CLIENT_ALGORITHMS,
        )
        # A certificate that nobody asked for binds nothing: the next connection may lack it.
        return proved if constraint.certificate else msgspec.structs.replace(proved, x5t=None)

    def _verified(self, proof: str, *, method: str, url: str, algs: Collection[Algorithm]) -> Proof:
        now = self._clock.wire_now()
        try:
            return dpop.verify_proof(proof, method=method, url=url, now=now, algs=algs)
        except DPoPProofRefused as refused:
            raise OAuthInvalidDPoPProof(str(refused)) from None

    def _has_nonce(self, proved: Proof, *, obliged: bool) -> bool:
        if proved.nonce is None:
            return not obliged
        return self.nonces.holds(proved.nonce)

    def _admit(self, proved: Proof) -> None:
        try:
            self._seen.admit(f"{proved.jkt}:{proved.jti}", now=self._clock.monotonic())
        except ProofReplayed:
            raise OAuthInvalidDPoPProof("used before") from None
