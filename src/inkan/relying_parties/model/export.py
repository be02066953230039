"""What leaves the sandbox for production: the signed export, and what production has to know of a sandbox."""

from typing import Annotated, Any, Literal

import msgspec

from inkan.relying_parties.model import SystemRegistration
from inkan.wire.forms import Bytes32, Identifier, Issuer

NumericDate = Annotated[int, msgspec.Meta(ge=0, le=253402300799)]


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
        report: the signed conformance report, whole: production verifies it itself.
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
    report: Annotated[str, msgspec.Meta(min_length=1, max_length=128 * 1024)]


class ExporterFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What ``inkan systems exporter`` prints at a sandbox, and ``[onboarding]`` of production names.

    Attributes:
        issuer: origin of the sandbox.
        exports: public JWK (P-256) that signs its exports.
        reports: public JWK (P-256) that signs its conformance reports.
    """

    issuer: Issuer
    exports: dict[str, Any]
    reports: dict[str, Any]
