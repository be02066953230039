"""What leaves the sandbox for production: a conformance report that came in, and the signed export that goes out."""

from typing import Annotated, Any, Literal

import msgspec

from inkan.relying_parties.model import Code, SystemRegistration
from inkan.wire.forms import Bytes32, Identifier, Issuer, Moment, Name

NumericDate = Annotated[int, msgspec.Meta(ge=0, le=253402300799)]


class ConformanceReport(msgspec.Struct, frozen=True):
    """The claims of a report of the conformance kit, as far as they are read here.

    Attributes:
        system: code of the system that was attacked.
        kit_version: of the kit.
        passed: whether every item held.
        at: when it ended.
        items: one object for each attack; ``passed`` in each says whether it held.
    """

    system: Code
    kit_version: Name
    passed: bool
    at: Moment
    items: Annotated[list[dict[str, Any]], msgspec.Meta(min_length=1)]


class Conformance(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which report an export rests on: SHA-256 of its JWS, the kit, the time."""

    report_sha256: Bytes32
    kit_version: Name
    at: Moment


class ReviewedApplication(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which application an export rests on: its id, its sealed documents, who reviewed it."""

    id: Identifier
    form_sha256: Bytes32
    consent_sha256: Bytes32
    seal_certificate_sha256: Bytes32
    reviewers: Annotated[list[Identifier], msgspec.Meta(min_length=2, max_length=2)]


class Export(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The claims of a signed export of one system.

    Attributes:
        iss: origin of the instance where it was reviewed.
        aud: origin of the instance that may take it in.
        jti: it is imported once.
        iat, exp: NumericDate (RFC 7519 §2), true time.
        number: of the organisation.
        registration: as the officers approved it.
    """

    v: Literal[1]
    iss: Issuer
    aud: Issuer
    jti: Identifier
    iat: NumericDate
    exp: NumericDate
    number: Annotated[str, msgspec.Meta(min_length=1, max_length=32)]
    registration: SystemRegistration
    application: ReviewedApplication
    conformance: Conformance
