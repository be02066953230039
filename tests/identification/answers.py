"""What a phone answers, honest or bent in one place."""

from dataclasses import dataclass
from typing import Any

import msgspec

from inkan.client import Phone, certificate_keys, phone_approval
from inkan.client.authenticator import RequestOptions, SoftwareAuthenticator
from inkan.client.phone_parts import PRF_INPUT, wire_assertion
from inkan.client.phone_state import OpenApproval
from inkan.crypto import base64url, jose
from inkan.crypto.jose import Algorithm
from inkan.kernel.sensitive import Secret
from inkan.wire import statement as statements
from inkan.wire.qr import frame, qr_key

NONCE = base64url.encode(bytes(32))


def frame_of(door: dict[str, Any], *, t: int | None = None, secret: bytes | None = None) -> str:
    """The frame of the second ``t`` of a door as the API gave it; at first the very second of its answer."""
    key = qr_key(Secret(secret or base64url.decode(door["secret"])))
    return frame(door["origin"], handle=door["handle"], t=door["t"] if t is None else t, key=key)


def honest(phone: Phone, held: OpenApproval) -> dict[str, Any]:
    """The body of a decision as the client makes it; another one each time."""
    body: dict[str, Any] = msgspec.json.decode(phone_approval._decide(phone._parts, held))
    return body


@dataclass(kw_only=True)
class Bent:
    """How an answer is made; each member may be bent."""

    phone: Phone
    held: OpenApproval
    typ: str = statements.STATEMENT_TYP
    alg: Algorithm = Algorithm.PS256
    x5t: str | None = None
    key: Any = None
    payload: bytes | None = None
    challenge: bytes | None = None
    origin: str | None = None
    rp_id: str | None = None
    user_verified: bool = True

    def statement(self) -> bytes:
        if self.payload is not None:
            return self.payload
        members = msgspec.json.decode(self.held.draft) | {"phone_nonce": NONCE}
        return statements.STATEMENT.encode(msgspec.convert(members, statements.Statement))

    def body(self) -> dict[str, Any]:
        parts, data = self.phone._parts, self.statement()
        challenge = self.challenge or statements.statement_challenge(data)
        assertion, prf = parts.assert_user(challenge)
        draft = statements.parse_draft(self.held.draft)
        own = certificate_keys.unwrap(parts.bound.keys[parts.bound.use_for(draft.kind)], prf)
        jws = jose.sign_compact(
            data,
            self.key or own,
            alg=self.alg,
            typ=self.typ,
            header={"x5t#S256": self.x5t or draft.cert_sha256},
        )
        if self.origin or self.rp_id or not self.user_verified:
            assertion = self._assertion(challenge)
        return {"jws": jws, "assertion": msgspec.to_builtins(assertion)}

    def _assertion(self, challenge: bytes) -> Any:
        """An assertion by an authenticator that lets itself be talked into anything."""
        parts = self.phone._parts
        state = parts.authenticator.state
        credential = state.credentials[-1]
        true_rp_id, credential.rp_id = credential.rp_id, self.rp_id or credential.rp_id
        authenticator = SoftwareAuthenticator(state, verify_user=lambda _: self.user_verified)
        options = RequestOptions(
            rp_id=credential.rp_id,
            challenge=challenge,
            user_verification=False,
            prf_input=PRF_INPUT,
        )
        origin = self.origin or f"http://{credential.rp_id}:8480"
        try:
            return wire_assertion(authenticator.get(options, origin=origin))
        finally:
            credential.rp_id = true_rp_id
