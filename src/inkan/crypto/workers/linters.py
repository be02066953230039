"""pkilint in the process: each set of rules is built once a child and then costs some milliseconds a document."""

from collections.abc import Callable, Iterable, Mapping
from functools import cache
from typing import Any, Final

from pkilint import etsi, finding_filter, loader, pkix, validation
from pkilint.etsi.etsi_constants import CertificateType
from pkilint.pkix import certificate, crl, extension, name, ocsp
from pyasn1.error import PyAsn1Error

from inkan.crypto.certificates import CertificateMalformed
from inkan.crypto.crl import CRLMalformed
from inkan.crypto.lint import CertificateLinter, Finding, LintReport, Severity
from inkan.crypto.ocsp_response import OCSPResponseMalformed
from inkan.kernel.errors import Malformed

_ETSI_TYPES: Final[Mapping[CertificateLinter, CertificateType]] = {
    CertificateLinter.ETSI_NATURAL_PERSON: CertificateType.NCP_NATURAL_PERSON_CERTIFICATE,
    CertificateLinter.ETSI_LEGAL_PERSON: CertificateType.NCP_LEGAL_PERSON_CERTIFICATE,
}
_SEVERITIES: Final[Mapping[validation.ValidationFindingSeverity, Severity]] = {
    graded: Severity(graded.name.lower()) for graded in validation.ValidationFindingSeverity
}
_LOWEST: Final = validation.ValidationFindingSeverity.NOTICE


def lint_certificate(der: bytes, linter: CertificateLinter = CertificateLinter.PKIX) -> LintReport:
    """Hold a certificate against one set of rules.

    Raises:
        CertificateMalformed: pkilint cannot read it at all.
    """
    load = loader.RFC5280CertificateDocumentLoader().load_der_document
    root = _root(load, der, CertificateMalformed)
    results = _certificate_rules(linter).validate(root)
    if linter in _ETSI_TYPES:
        filters = etsi.create_etsi_finding_filters(_ETSI_TYPES[linter])
        results, _ = finding_filter.filter_results(filters, results)
    return _report(results)


def lint_crl(der: bytes) -> LintReport:
    """Hold a CRL against RFC 5280.

    Raises:
        CRLMalformed: pkilint cannot read it at all.
    """
    load = loader.RFC5280CertificateListDocumentLoader().load_der_document
    return _report(_crl_rules().validate(_root(load, der, CRLMalformed)))


def lint_ocsp(der: bytes) -> LintReport:
    """Hold an OCSP response against RFC 6960.

    Raises:
        OCSPResponseMalformed: pkilint cannot read it at all.
    """
    load = loader.RFC6960OCSPResponseDocumentLoader().load_der_document
    return _report(_ocsp_rules().validate(_root(load, der, OCSPResponseMalformed)))


def load_all() -> None:
    """Build every set of rules, so that no call pays for it."""
    for linter in CertificateLinter:
        _certificate_rules(linter)
    _crl_rules()
    _ocsp_rules()


@cache
def _certificate_rules(linter: CertificateLinter) -> Any:
    if linter in _ETSI_TYPES:
        decoders = etsi.create_decoding_validators(_ETSI_TYPES[linter])
        validators = etsi.create_validators(_ETSI_TYPES[linter])
    else:
        decoders = certificate.create_decoding_validators(
            name.ATTRIBUTE_TYPE_MAPPINGS, extension.EXTENSION_MAPPINGS
        )
        validators = [
            certificate.create_issuer_validator_container([]),
            certificate.create_validity_validator_container([]),
            certificate.create_subject_validator_container([]),
            certificate.create_extensions_validator_container([]),
            certificate.create_spki_validator_container([]),
        ]
    return certificate.create_pkix_certificate_validator_container(decoders, validators)


@cache
def _crl_rules() -> Any:
    return crl.create_pkix_crl_validator_container(
        [
            pkix.create_attribute_decoder(name.ATTRIBUTE_TYPE_MAPPINGS),
            pkix.create_extension_decoder(extension.EXTENSION_MAPPINGS),
        ],
        [
            crl.create_issuer_validator_container([]),
            crl.create_validity_validator_container([]),
            crl.create_extensions_validator_container([]),
        ],
    )


@cache
def _ocsp_rules() -> Any:
    return ocsp.create_pkix_ocsp_response_validator_container(
        [
            ocsp.create_response_decoder(),
            pkix.create_attribute_decoder(name.ATTRIBUTE_TYPE_MAPPINGS),
            pkix.create_extension_decoder(extension.EXTENSION_MAPPINGS),
        ],
        [],
    )


def _root(load: Callable[[bytes], Any], der: bytes, refusal: type[Malformed]) -> Any:
    try:
        return load(der).root
    except (ValueError, PyAsn1Error) as error:
        raise refusal(f"pkilint cannot read it: {error}") from None


def _report(results: Iterable[Any]) -> LintReport:
    return LintReport(
        findings=tuple(
            Finding(
                severity=_SEVERITIES[described.finding.severity],
                code=described.finding.code,
                where=str(result.node.path),
                message=described.message or "",
            )
            for result in results
            for described in result.finding_descriptions
            if described.finding.severity <= _LOWEST
        )
    )
