"""The userinfo endpoint (OIDC Core §5.3): what the person gave, to whoever holds a token and its key.

Numbered plan:

1. the token opens something now (:mod:`inkan.federation.service.verifying`);
2. it is for this endpoint, and reaches as far as ``openid``;
3. whoever sends it holds the key that it is bound to (RFC 9449 §7.1, RFC 8705 §3); a bound token is never a bearer's
   (RFC 9449 §7.2);
4. the claims of that place, with the ``sub`` of the ID token; signed where the client registered it (§5.3.2).

Nothing is written.
"""

from typing import Any, Final

import msgspec

from inkan.crypto import dpop
from inkan.crypto.dpop import DPoPProofRefused
from inkan.crypto.jose import Algorithm
from inkan.federation.model.refusals import (
    AccessProofRefused,
    AccessTokenRefused,
    ScopeMissing,
)
from inkan.federation.rules import USERINFO_TYP
from inkan.federation.service.issuing import OPENID_SCOPE, ClaimsFor, userinfo_address
from inkan.federation.service.keys import Keys
from inkan.federation.service.parts import Parts
from inkan.federation.service.verifying import AccessToken, Live, Verifying
from inkan.relying_parties import OpenIDRegistration

PROOF_ALGORITHMS: Final = (Algorithm.ES256, Algorithm.PS256)
"""Of DPoP proofs, as at the token endpoint (FAPI 2.0 Security Profile §5.4.1)."""


class Presented(msgspec.Struct, frozen=True):
    """A token as a request brings it.

    Attributes:
        scheme: ``DPoP`` or ``Bearer``.
        proof: the ``DPoP`` field; empty without one.
        method, url: of the request.
        x5t: SHA-256 of the client's certificate, where the connection has one.
    """

    scheme: str
    access_token: str
    proof: str
    method: str
    url: str
    x5t: str | None = None


class UserinfoAnswer(msgspec.Struct, frozen=True):
    """The bytes that go out, and whether they are a JWT."""

    body: bytes
    is_signed: bool
    proof_id: str | None
    """To be remembered, so that the proof is used once; None without one."""


class Userinfo:
    """Answers what the person gave."""

    def __init__(
        self, parts: Parts, keys: Keys, verifying: Verifying, claims_for: ClaimsFor
    ) -> None:
        self._parts = parts
        self._keys = keys
        self._verifying = verifying
        self._claims_for = claims_for
        self._address = userinfo_address(parts.issuer)

    async def answer(self, presented: Presented) -> UserinfoAnswer:
        """The claims for a request; see the plan of this module.

        Raises:
            AccessTokenRefused: 1 or 3, or another audience.
        AccessProofRefused: 3, where the proof itself does not hold.
            ScopeMissing: the token has no ``openid``.
        """
        token = await self._verifying.read(presented.access_token)  # 1
        if self._address not in token.audience:  # 2
            raise AccessTokenRefused("for another audience")
        proof_id = self._check_holder(token, presented)  # 3
        live = await self._verifying.standing(token)
        if OPENID_SCOPE not in token.scope.split(" "):
            raise ScopeMissing()
        claims = self._claims(live)  # 4
        openid = live.client.openid
        alg = openid.userinfo_signed_response_alg if openid is not None else ""
        if not alg:
            return UserinfoAnswer(msgspec.json.encode(claims), is_signed=False, proof_id=proof_id)
        # OIDC Core §5.3.2: with iss and aud; without exp, so that it never passes as an ID token.
        signed = {**claims, "iss": self._parts.issuer, "aud": live.grant.client}
        body = await self._keys.sign(
            msgspec.json.encode(signed), typ=USERINFO_TYP, alg=_algorithm(openid, alg)
        )
        return UserinfoAnswer(body.encode("ascii"), is_signed=True, proof_id=proof_id)

    def _claims(self, live: Live) -> dict[str, Any]:
        return {**self._claims_for(live.grant, live.answered, "userinfo"), "sub": live.grant.sub}

    def _check_holder(self, token: AccessToken, presented: Presented) -> str | None:
        """Return the id of the proof, if there had to be one."""
        if (token.cnf.jkt is not None) != (presented.scheme == "DPoP"):
            raise AccessTokenRefused("bound to a key, or not, and presented as the other")
        if token.cnf.x5t is not None and token.cnf.x5t != presented.x5t:
            raise AccessTokenRefused("bound to another certificate")
        if token.cnf.jkt is None:
            return None
        try:
            proved = dpop.verify_proof(
                presented.proof,
                method=presented.method,
                url=presented.url,
                now=self._parts.clock.wire_now(),
                access_token=presented.access_token,
                algs=PROOF_ALGORITHMS,
            )
        except DPoPProofRefused as refused:
            raise AccessProofRefused(str(refused)) from None
        if proved.jkt != token.cnf.jkt:
            raise AccessTokenRefused("bound to another key")
        return f"{proved.jkt}:{proved.jti}"


def _algorithm(openid: OpenIDRegistration | None, alg: str) -> Algorithm:
    """RS256 is no algorithm of FAPI 2.0 (§5.4.1)."""
    return Algorithm.ES256 if openid is not None and openid.is_fapi else Algorithm(alg)
