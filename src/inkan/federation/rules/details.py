"""The types of ``authorization_details`` (RFC 9396 §2): one for each kind of session that asks for an approval."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated, Final, Literal

import msgspec

from inkan.wire.contents import DigestAlgorithm
from inkan.wire.forms import CONTENTS_LIMIT, Code, Digest, Identifier, Name
from inkan.wire.session import Kind

APPROVE: Final = "urn:inkan:authorization:approve"
SIGN: Final = "urn:inkan:authorization:sign"

KIND_OF_TYPE: Final[Mapping[str, Kind]] = MappingProxyType({APPROVE: Kind.APPROVE, SIGN: Kind.SIGN})
"""Type to kind; the keys are ``authorization_details_types_supported`` (RFC 9396 §10)."""


class DetailContent(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One thing that is approved or signed: as the person reads it, and its digest."""

    id: Identifier
    name: Name
    digest: Digest
    alg: DigestAlgorithm = DigestAlgorithm.SHA_256


class Detail(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """One element: exactly these members, none of RFC 9396 §2.2 besides.

    Attributes:
        purpose: one of the client's ``approval_purposes``.
        contents: what is approved or signed.
        documents: ids of registered documents, instead of ``contents``.
        batch: id of a registered batch, instead of both.
    """

    type: Literal["urn:inkan:authorization:approve", "urn:inkan:authorization:sign"]
    purpose: Code
    contents: Annotated[list[DetailContent], msgspec.Meta(max_length=CONTENTS_LIMIT)] = []
    documents: Annotated[list[Identifier], msgspec.Meta(max_length=CONTENTS_LIMIT)] = []
    batch: Identifier | None = None
