"""The two proofs of an approval: the statement's signature and the assertion over it (design §5.3)."""

from typing import NamedTuple

import msgspec

from inkan.crypto import base64url, jose, webauthn
from inkan.crypto.keys import load_public
from inkan.enrolment import PhoneCertificate, PhoneFacts
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

    def decoded(self) -> webauthn.Assertion:
        """The parts as bytes.

        Raises:
            Base64URLMalformed: a part is not base64url.
        """
        return webauthn.Assertion(
            credential_id=base64url.decode(self.credential_id),
            client_data_json=base64url.decode(self.client_data_json),
            authenticator_data=base64url.decode(self.authenticator_data),
            signature=base64url.decode(self.signature),
        )


class Unsigned(msgspec.Struct, frozen=True):
    """A statement that the holder of the phone's keys is to sign (back end B).

    Attributes:
        statement: the bytes.
        address: where the request came from (HCA-39).
    """

    statement: bytes
    address: str


class Received(NamedTuple):
    """What a phone brought: the statement's bytes, and its signature or where the request came from."""

    payload: bytes
    jws: str
    token: jose.UnverifiedJWS | None
    address: str


def read(brought: str | Unsigned) -> Received:
    """Read a compact JWS, or the bare statement.

    Raises:
        JWSMalformed: not one compact statement JWS.
    """
    if isinstance(brought, Unsigned):
        return Received(brought.statement, "", None, brought.address)
    token = _parse(brought)
    return Received(token.payload, brought, token, "")


async def prove(
    parts: Parts,
    received: Received,
    assertion: AssertionParts,
    facts: PhoneFacts,
    certificate: PhoneCertificate,
) -> tuple[str, int]:
    """Check both proofs, the first one made now where the phone does not sign itself; returns it and the counter.

    Raises:
        ProofRefused: a proof does not hold.
        the refusals of :meth:`inkan.enrolment.Enrolment.release_statement`: there is no first proof.
    """
    if received.token is not None:
        verify_signature(received.token, facts, spki=certificate.spki, sha256=certificate.sha256)
        return received.jws, verify_assertion(parts, assertion, facts, received.payload)
    sign_count = verify_assertion(parts, assertion, facts, received.payload)
    jws = await parts.enrolment.release_statement(
        facts,
        certificate,
        statement=received.payload,
        assertion=assertion.decoded(),
        address=received.address,
    )
    token = _parse(jws)
    if token.payload != received.payload:
        raise ProofRefused("another statement was signed", proof="statement")
    verify_signature(token, facts, spki=certificate.spki, sha256=certificate.sha256)
    return jws, sign_count


def _parse(jws: str) -> jose.UnverifiedJWS:
    return jose.parse_compact(
        jws, typ=statement.STATEMENT_TYP, required=(X5T,), limit=2 * statement.STATEMENT_LIMIT
    )


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
    known = webauthn.KnownCredential(
        id=facts.credential_id,
        cose_key=facts.cose_key,
        backup_eligible=facts.backup_eligible,
        sign_count=facts.sign_count,
    )
    try:
        result = webauthn.verify_assertion(
            assertion.decoded(),
            known=known,
            challenge=statement.statement_challenge(payload),
            origin=parts.wallet_origin,
            rp_id=parts.enrolment.rp_id,
        )
    except webauthn.AssertionRefused as refused:
        raise ProofRefused(str(refused), proof="assertion") from None
    return result.sign_count
