"""The checks of an evidence bundle against the receipt that it belongs to; each raises what it finds.

The plan that joins them, and what their failure means, stands in ``verifier``.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, NamedTuple
from urllib.parse import urlsplit

from inkan.client.chain import Anchors, verify_chain, verify_in_term
from inkan.crypto import base64url, jose, oids
from inkan.crypto.authenticator_data import parse_client_data
from inkan.crypto.certificates import Certificate, parse_certificate
from inkan.crypto.jose import Algorithm, UnverifiedJWS
from inkan.crypto.webauthn import Assertion, KnownCredential, verify_assertion
from inkan.kernel.errors import Forbidden
from inkan.wire.evidence import EvidenceBundle, assertion_bytes
from inkan.wire.forms import parse_moment
from inkan.wire.receipt import Commitments, Receipt, verify_commitment
from inkan.wire.session import Kind
from inkan.wire.statement import (
    STATEMENT_LIMIT,
    STATEMENT_TYP,
    Statement,
    certificate_sha256,
    credential_sha256,
    parse_statement,
    statement_challenge,
)


class EvidenceUnfit(Forbidden):
    """Evidence and receipt are each well formed and do not say the same; ``member`` says where they part."""

    code = "evidence_unfit"
    title = "The evidence does not fit the receipt"
    public = ("member",)


class Usage(NamedTuple):
    """What a certificate must be for: exact key usage, and one of the policies."""

    key_usage: frozenset[str]
    policies: frozenset[str]


AUTH: Final = Usage(frozenset({"digitalSignature"}), frozenset({oids.POLICY_PHONE_AUTH}))
SIGN: Final = Usage(frozenset({"contentCommitment"}), frozenset({oids.POLICY_PHONE_SIGN}))
SINGLE: Final = Usage(AUTH.key_usage | SIGN.key_usage, AUTH.policies | SIGN.policies)

# Which certificate may sign a statement of which kind (design §5.1).
USAGE_OF_KIND: Final[Mapping[Kind, Usage]] = MappingProxyType(
    {Kind.IDENTIFY: AUTH, Kind.APPROVE: AUTH, Kind.SIGN: SIGN}
)
# Members that statement and receipt must have alike.
_ALIKE: Final = (
    "iss",
    "kind",
    "session",
    "system",
    "relying_party",
    "purpose",
    "challenge",
    "contents",
    "door",
)
# A phone signs by what its key is; PKCS #1 v1.5 where its scheme says so (design §5.3).
_ALGORITHMS: Final = (Algorithm.PS256, Algorithm.RS256, Algorithm.ES256)
_STATEMENT_CHARACTERS: Final = 2 * STATEMENT_LIMIT


class Proofs(NamedTuple):
    """The parts of a bundle that open the receipt's commitments."""

    jws: UnverifiedJWS
    statement: Statement
    certificate: Certificate


def verify_belonging(bundle: EvidenceBundle, receipt_jws: str, receipt: Receipt) -> Commitments:
    """Return the receipt's commitments if the bundle was made for this very receipt.

    Raises:
        EvidenceUnfit: another receipt, or one that nobody approved.
    """
    if bundle.receipt != receipt_jws:
        raise EvidenceUnfit("the bundle holds another receipt", member="receipt")
    if receipt.commitments is None:
        raise EvidenceUnfit("nobody approved, so nothing can be proved", member="commitments")
    return receipt.commitments


def verify_proofs(bundle: EvidenceBundle, commitments: Commitments) -> Proofs:
    """Return statement and certificate, if the salts open the receipt's commitments over the very bytes.

    Raises:
        CommitmentMismatch: other bytes or another salt.
        JWSMalformed, StatementMalformed, NotCanonical, CertificateMalformed: what cannot be read.
    """
    jws = jose.parse_compact(
        bundle.statement_jws,
        typ=STATEMENT_TYP,
        required=("x5t#S256",),
        limit=_STATEMENT_CHARACTERS,
    )
    der, salts = base64url.decode(bundle.certificates[0]), bundle.salts
    opened = (
        (commitments.statement, salts.statement, jws.payload),
        (commitments.certificate, salts.certificate, der),
        (commitments.assertion, salts.assertion, assertion_bytes(bundle.assertion)),
    )
    for commitment, salt, data in opened:
        verify_commitment(commitment, salt=base64url.decode(salt), data=data)
    return Proofs(jws, parse_statement(jws.payload), parse_certificate(der))


def verify_fields(statement: Statement, receipt: Receipt) -> None:
    """Check that the phone signed what the receipt says, and before the decision.

    Raises:
        EvidenceUnfit: with the first member that differs.
    """
    for member in _ALIKE:
        if getattr(statement, member) != getattr(receipt, member):
            raise EvidenceUnfit(f"{member} was signed otherwise", member=member)
    if not set(receipt.claims) <= set(statement.claims):
        raise EvidenceUnfit("more attributes than were approved", member="claims")
    if statement.at > receipt.decided_at:  # one spelling per moment: text order is time order
        raise EvidenceUnfit("signed after the decision", member="at")


def verify_phone_chain(
    bundle: EvidenceBundle, receipt: Receipt, anchors: Anchors
) -> tuple[Certificate, ...]:
    """Return the phone certificate's chain, if it held from decision to release for this kind of question.

    Raises:
        CertificateUntrusted, CertificateExpired, CertificateNotYetValid, CertificateWrongPurpose,
        CertificatePolicyUnmet: see ``chain.verify_chain``.
    """
    usage = SINGLE if receipt.single_key else USAGE_OF_KIND[receipt.kind]
    chain = verify_chain(
        [base64url.decode(der) for der in bundle.certificates],
        anchors,
        at=parse_moment(receipt.decided_at),
        key_usage=usage.key_usage,
        policies=usage.policies,
    )
    released_at = parse_moment(receipt.released_at)
    for certificate in chain:
        verify_in_term(certificate, released_at)
    return chain


def verify_credential(bundle: EvidenceBundle, proofs: Proofs) -> None:
    """Check that certificate, credential and statement name each other.

    1. The statement names the certificate, in its bytes and in its header.
    2. The certificate's extension names credential id and COSE key, and so does the statement.

    Raises:
        EvidenceUnfit: with what does not fit.
        PhoneBindingMalformed: the extension cannot be read.
    """
    statement, certificate = proofs.statement, proofs.certificate
    own = certificate_sha256(certificate.der)
    if statement.cert_sha256 != own or proofs.jws.header["x5t#S256"] != own:  # 1
        raise EvidenceUnfit("signed for another certificate", member="cert_sha256")
    credential = credential_sha256(
        base64url.decode(bundle.assertion.credential_id), base64url.decode(bundle.cose_key)
    )
    binding = certificate.phone_binding  # 2
    if binding is None or base64url.encode(binding.credential_sha256) != credential:
        raise EvidenceUnfit("the certificate names another credential", member="cose_key")
    if statement.cred_sha256 != credential:
        raise EvidenceUnfit("signed for another credential", member="cred_sha256")


def verify_statement_signature(proofs: Proofs) -> None:
    """Check proof 1: the certificate's key signed the statement bytes.

    Raises:
        JWSSignatureWrong: it did not.
    """
    jose.verify_signature(proofs.jws, proofs.certificate.public_key, algs=_ALGORITHMS)


def verify_presence(bundle: EvidenceBundle, proofs: Proofs, receipt: Receipt) -> None:
    """Check proof 2: the credential confirmed these bytes, with its user verified.

    The wallet's origin is the assertion's own; that its host is the RP ID of the credential, exactly, is checked.
    A credential answers for no other RP ID, and which credential it must be says the certificate.

    Raises:
        AssertionRefused: with the check that failed.
        EvidenceUnfit: the receipt says otherwise whether the passkey may be copied.
        AuthenticatorDataMalformed, CBORMalformed, COSEKeyMalformed: what cannot be read.
    """
    received = bundle.assertion
    credential_id = base64url.decode(received.credential_id)
    client_data = base64url.decode(received.client_data_json)
    origin = parse_client_data(client_data).origin
    result = verify_assertion(
        Assertion(
            credential_id=credential_id,
            client_data_json=client_data,
            authenticator_data=base64url.decode(received.authenticator_data),
            signature=base64url.decode(received.signature),
        ),
        known=KnownCredential(
            id=credential_id,
            cose_key=base64url.decode(bundle.cose_key),
            backup_eligible=None,
            sign_count=None,
        ),
        challenge=statement_challenge(proofs.jws.payload),
        origin=origin,
        rp_id=host_of(origin),
    )
    if receipt.back_end is None or receipt.back_end.synced != result.backup_eligible:
        raise EvidenceUnfit("the passkey says otherwise of copies", member="back_end")


def host_of(origin: str) -> str:
    """Return the host of an origin, or nothing where there is none."""
    try:
        return urlsplit(origin).hostname or ""
    except ValueError:
        return ""
