"""What each job of the contracts runs. Imported by children only: it brings pkilint and pyHanko."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from inkan.crypto.revocation import read_revocation
from inkan.crypto.workers.certificate_reader import read_certificate
from inkan.crypto.workers.child import Job
from inkan.crypto.workers.contracts import CONTRACTS
from inkan.crypto.workers.linters import lint_certificate, lint_crl, lint_ocsp, load_all
from inkan.crypto.workers.signed_data import verify_cms, verify_cms_of
from inkan.crypto.workers.validation import verify_path


def _write_paper(job: Any) -> bytes:
    # Only now: most children never write one, and the libraries take a quarter of a second and 35 MB.
    from inkan.crypto.workers.paper_writer import write_paper  # noqa: PLC0415

    return write_paper(job.paper)


RUNS: Final[Mapping[str, Callable[[Any], Any]]] = {
    "lint_certificate": lambda job: lint_certificate(job.der, job.linter),
    "lint_crl": lambda job: lint_crl(job.der),
    "lint_ocsp": lambda job: lint_ocsp(job.der),
    "read_certificate": lambda job: read_certificate(job.data),
    "verify_path": lambda job: verify_path(job.certificate, job.policy),
    "verify_cms": lambda job: verify_cms(job.der, job.content_type, job.policy),
    "verify_cms_of": lambda job: verify_cms_of(job.der, job.content_type, job.signers),
    "read_revocation": lambda job: read_revocation(
        job.kind, job.der, certificate=job.certificate, issuer=job.issuer, at=job.at
    ),
    "write_paper": _write_paper,
}


def load_jobs() -> dict[str, Job]:
    """Return the table, with everything built that a job would otherwise wait for."""
    load_all()
    return {name: Job(RUNS[name], contract.arguments) for name, contract in CONTRACTS.items()}
