"""What a person approves or signs: a digest with its algorithm and the form of the signature."""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from types import MappingProxyType
from typing import Final

import msgspec

from inkan.wire.forms import Bytes32, Digest, Flaw, Identifier, Name
from inkan.wire.session import Kind


class DigestAlgorithm(StrEnum):
    """Names of the IANA registry of named information hash algorithms (RFC 6920 §9.4)."""

    SHA_256 = "sha-256"
    SHA_384 = "sha-384"
    SHA_512 = "sha-512"


# Characters of base64url: 32, 48 and 64 bytes.
DIGEST_CHARACTERS: Final[Mapping[str, int]] = MappingProxyType(
    {
        DigestAlgorithm.SHA_256: 43,
        DigestAlgorithm.SHA_384: 64,
        DigestAlgorithm.SHA_512: 86,
    }
)


class ContentFormat(StrEnum):
    """How the phone signs a content. There is no raw format: a key never signs bytes it cannot read."""

    STATEMENT = "statement"  # the statement itself is the signature over the digest
    CMS = "cms"
    PADES = "pades"
    XADES = "xades"
    JWS = "jws"


class Content(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One document of an approval.

    Attributes:
        id: the platform's id of the document.
        name: what the person reads.
        digest: hash of the document's bytes, base64url.
        alg: its algorithm; decides its length.
        format: the form of the signature.
        tbs_sha256: SHA-256 of the bytes that the certificate key signs besides the statement (DER of the
            CMS signed attributes, XML SignedInfo, JWS signing input); null exactly for ``statement``.
    """

    id: Identifier
    name: Name
    digest: Digest
    alg: DigestAlgorithm
    format: ContentFormat
    tbs_sha256: Bytes32 | None


def contents_flaw(kind: Kind, contents: Sequence[Content]) -> Flaw | None:
    """What is wrong with the contents of a statement or receipt of this kind, or None.

    The `auth` key answers identify and approve and signs nothing but statements; only the `sign` key, with
    key usage contentCommitment, signs attributes of a document (TW-23).
    """
    if not contents:
        return Flaw("/contents", "at least one content to sign") if kind == Kind.SIGN else None
    if kind == Kind.IDENTIFY:
        return Flaw("/contents", "no content in an identification")
    if len({content.id for content in contents}) != len(contents):
        return Flaw("/contents", "distinct ids")
    for index, content in enumerate(contents):
        if len(content.digest) != DIGEST_CHARACTERS[content.alg]:
            return Flaw(f"/contents/{index}/digest", "a digest as long as its algorithm makes it")
        by_statement = content.format == ContentFormat.STATEMENT
        if kind == Kind.APPROVE and not by_statement:
            return Flaw(
                f"/contents/{index}/format", "statement, because approving signs no document"
            )
        if by_statement != (content.tbs_sha256 is None):
            return Flaw(f"/contents/{index}/tbs_sha256", "null exactly for the format statement")
    return None
