"""The evidence bundle: all that is needed to check a receipt years later, without asking the platform.

It is a container, not a signed object, and people keep it in databases that reorder JSON. So its parser takes
any order and white space, but refuses unknown members and names that stand twice.
"""

import json
from enum import StrEnum
from typing import Annotated, Any, Final, Literal, NoReturn

import msgspec
from msgspec import Meta

from inkan.crypto import base64url, jcs
from inkan.crypto.jcs import JSONTooLarge
from inkan.kernel.errors import Malformed
from inkan.wire.audit_log import Count
from inkan.wire.documents import fault
from inkan.wire.forms import Blob, Bytes16, Bytes32

EVIDENCE_LIMIT: Final = 4 * 1024 * 1024
_JWS_LIMIT: Final = 400_000
_CRL_CHARACTERS: Final = 1_400_000
_COUNT_LIMIT: Final = 8
_PATH_LIMIT: Final = 64

# Three parts of base64url (RFC 7515 §7.1); the JWS parser judges them.
CompactJWS = Annotated[
    str, Meta(max_length=_JWS_LIMIT, pattern=r"^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\Z")
]
# A revocation list may be large; its base64url is checked when it is decoded.
LargeBlob = Annotated[
    str, Meta(min_length=2, max_length=_CRL_CHARACTERS, pattern=r"^[A-Za-z0-9_-]+\Z")
]


class EvidenceMalformed(Malformed):
    """Not an evidence bundle of version 1."""

    code = "evidence_malformed"
    title = "The evidence does not have the required form"


class PlatformWord(StrEnum):
    """What a receipt states and the bundle does not prove: there the reader trusts the platform."""

    SUBJECT = "subject"  # that the pairwise reference stands for the holder of the certificate
    CLAIMS = "claims"
    BINDING = "binding"
    YOUNG = "young"
    BACK_END = "back_end"  # declared, not attested
    TIMES = "times"  # no timestamp of an authority
    STATUS = "status"  # the phone's own state; the certificate's is proved by OCSP and CRL
    SHOWN = "shown"  # that the words belong to the hash


class Assertion(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A WebAuthn assertion, each part base64url of the bytes that the authenticator gave."""

    credential_id: Blob
    client_data_json: Blob
    authenticator_data: Blob
    signature: Blob


class Salts(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The salts that open the receipt's commitments."""

    statement: Bytes32
    certificate: Bytes32
    assertion: Bytes32


class Revocation(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """OCSP responses and CRLs (DER) over the chain, as they stood at release."""

    ocsp: Annotated[tuple[LargeBlob, ...], Meta(max_length=_COUNT_LIMIT)]
    crls: Annotated[tuple[LargeBlob, ...], Meta(max_length=_COUNT_LIMIT)]


class Inclusion(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """That the decision stands in the audit log: an RFC 9162 §2.1.3 proof under a signed head.

    Attributes:
        index: position of the leaf, from 0.
        tree_size: events under the head.
        path: sibling hashes from the leaf upwards.
        head_jws: compact JWS of the head, with its signer's chain in ``x5c``.
        event: the leaf's bytes, see ``audit_log.Event``.
        salt: opens the event's details, see ``audit_log.decision_details``.
    """

    index: Count
    tree_size: Count
    path: Annotated[tuple[Bytes32, ...], Meta(max_length=_PATH_LIMIT)]
    head_jws: CompactJWS
    event: Blob
    salt: Bytes16


class EvidenceBundle(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Everything about one released session. Absent is null; no member is left out.

    Attributes:
        v: version of the format.
        receipt: compact JWS.
        statement_jws: compact JWS; its payload is the statement bytes.
        assertion: proof 2, over the challenge of the statement bytes.
        cose_key: the credential's public key, COSE_Key bytes.
        certificates: DER; the phone certificate, then its issuers up to but without the root.
        salts: open the receipt's commitments.
        revocation: state of the chain.
        inclusion: audit proof, once the log has sequenced the use.
        timestamp: RFC 3161 TimeStampToken (DER) over the receipt's JWS, if there is one.
        platform_words: what rests on the platform's word, without repetition.
    """

    v: Literal[1]
    receipt: CompactJWS
    statement_jws: CompactJWS
    assertion: Assertion
    cose_key: Blob
    certificates: Annotated[tuple[Blob, ...], Meta(min_length=1, max_length=_COUNT_LIMIT)]
    salts: Salts
    revocation: Revocation
    inclusion: Inclusion | None
    timestamp: Blob | None
    platform_words: Annotated[tuple[PlatformWord, ...], Meta(max_length=len(PlatformWord))]


def assertion_bytes(assertion: Assertion) -> bytes:
    """Return the bytes of an assertion that a commitment is made over: its canonical JSON."""
    return jcs.canonical(assertion)


def evidence_bytes(bundle: EvidenceBundle) -> bytes:
    """Return the bundle as canonical JSON, the form in which the platform hands it out.

    Raises:
        EvidenceMalformed: a member has a value that the format does not admit.
        JSONTooLarge: more than 4 MiB.
    """
    data = jcs.canonical(bundle)
    parse_evidence(data)
    return data


def parse_evidence(data: bytes) -> EvidenceBundle:
    """Return the bundle that ``data`` holds (UTF-8 JSON in any order and spacing, at most 4 MiB).

    Nothing in it is verified; that is the verifier's work.

    Raises:
        JSONTooLarge: more bytes; nothing was parsed.
        EvidenceMalformed: not JSON, a member missing, unknown, of a wrong form, or standing twice.
    """
    if len(data) > EVIDENCE_LIMIT:
        raise JSONTooLarge(limit_bytes=EVIDENCE_LIMIT)
    try:
        value = json.loads(
            data.decode("utf-8"), object_pairs_hook=_object, parse_constant=_no_constant
        )
        bundle = msgspec.convert(value, EvidenceBundle)
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise fault(EvidenceMalformed, error) from None
    return _verify_rules(bundle)


def _verify_rules(bundle: EvidenceBundle) -> EvidenceBundle:
    for kind in ("ocsp", "crls"):
        for index, blob in enumerate(getattr(bundle.revocation, kind)):
            try:
                base64url.decode(blob)
            except base64url.Base64URLMalformed:
                where = f"/revocation/{kind}/{index}"
                raise EvidenceMalformed(where=where, expected="base64url") from None
    if len(set(bundle.platform_words)) != len(bundle.platform_words):
        raise EvidenceMalformed(where="/platform_words", expected="no word twice")
    inclusion = bundle.inclusion
    if inclusion is not None and inclusion.index >= inclusion.tree_size:
        raise EvidenceMalformed(where="/inclusion/index", expected="an index inside the tree")
    return bundle


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("a name stands twice")
    return members


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")
