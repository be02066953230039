"""The golden vectors of conformance reports."""

from inkan.wire import conformance_report
from wire import negatives, proofs, samples
from wire.negatives import Row, no_documents, refused, spellings


def report_vectors() -> Row:
    error = "conformance_report_malformed"
    item = conformance_report.ConformanceItem(id="stale_frame", passed=True)
    valid = {
        "an attack succeeded": samples.report(),
        "every attack failed": samples.report(passed=True, items=(item,)),
    }
    return {
        "about": "payload -> compact JWS (ES256)",
        "keys": {"conformance_key": proofs.public_jwk(proofs.CONFORMANCE_KEY)},
        "valid": [_report_row(name, value) for name, value in valid.items()],
        "invalid": [
            *spellings(samples.report()),
            *no_documents(error),
            *refused(samples.report(), error, negatives.REPORT),
        ],
    }


def _report_row(name: str, value: conformance_report.ConformanceReport) -> Row:
    payload = conformance_report.report_bytes(value)
    jws = proofs.compact_jws(payload, proofs.CONFORMANCE_KEY, typ=conformance_report.REPORT_TYP)
    return {"name": name, "payload": payload.decode(), "jws": jws}
