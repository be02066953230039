"""The two proofs of an approval: the statement's signature and the assertion over it (design §5.3)."""

import msgspec

from inkan.crypto import base64url, jose, webauthn
from inkan.crypto.keys import load_public
from inkan.enrolment import PhoneFacts
from inkan.identification.model import ProofRefused
from inkan.identification.service.parts import Parts
from inkan.wire import statement

X5T = "x5t#S256"


class AssertionParts(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A WebAuthn assertion as the phone sends it, each part base64url."""

    credential_id: str
    client_data_json: str
    authenticator_data: str
    signature: str


def verify_signature(
    token: jose.UnverifiedJWS, facts: PhoneFacts, *, spki: bytes, sha256: str
) -> None:
    """Check proof 1: the JWS under the certificate key that the draft names.

    Raises:
        ProofRefused: another certificate, or the signature does not hold.
    """
    if token.header[X5T] != sha256:
        raise ProofRefused("another certificate than the draft names", proof="statement")
    try:
        jose.verify_signature(
            token, load_public(spki), algs=[jose.Algorithm(alg) for alg in facts.jws_algs]
        )
    except jose.JWSSignatureWrong as wrong:
        raise ProofRefused(str(wrong), proof="statement") from None


def verify_assertion(
    parts: Parts, assertion: AssertionParts, facts: PhoneFacts, payload: bytes
) -> int:
    """Check proof 2: the assertion over the statement, with user verification; returns its counter.

    Raises:
        ProofRefused: it does not prove this phone's person over these bytes.
    """
    received = webauthn.Assertion(
        credential_id=base64url.decode(assertion.credential_id),
        client_data_json=base64url.decode(assertion.client_data_json),
        authenticator_data=base64url.decode(assertion.authenticator_data),
        signature=base64url.decode(assertion.signature),
    )
    known = webauthn.KnownCredential(
        id=facts.credential_id,
        cose_key=facts.cose_key,
        backup_eligible=facts.backup_eligible,
        sign_count=facts.sign_count,
    )
    try:
        result = webauthn.verify_assertion(
            received,
            known=known,
            challenge=statement.statement_challenge(payload),
            origin=parts.wallet_origin,
            rp_id=parts.enrolment.rp_id,
        )
    except webauthn.AssertionRefused as refused:
        raise ProofRefused(str(refused), proof="assertion") from None
    return result.sign_count
