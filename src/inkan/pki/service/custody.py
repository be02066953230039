"""The custody of a hierarchy: who approves ceremonies, and the shares of the offline key store (HCA-33, HCA-34).

Numbered plan of the quorum:

1. each approval is a CMS of the ceremony's own content type, intact, signed by the very certificate of a custodian;
2. the certificate's term holds;
3. what it signs is canonical and names the SHA-256 of this file and its title;
4. different custodians gave as many as the custody asks for, two of them outside operations.
"""

import hashlib
from collections.abc import Sequence
from datetime import datetime

from cryptography import x509

from inkan.crypto.cms import CMSSignatureWrong
from inkan.crypto.workers.pool import WorkerPool
from inkan.kernel.errors import InkanError
from inkan.pki.model import CeremonyNotApproved
from inkan.pki.service.ceremony_file import OUTSIDERS, Custodian, Custody
from inkan.wire import ceremony_approval
from inkan.wire.ceremony_transcript import Approver


async def verify_quorum(
    custody: Custody,
    approvals: Sequence[bytes],
    *,
    file: bytes,
    title: str,
    workers: WorkerPool,
    at: datetime,
) -> list[Approver]:
    """Return who approved the file; see the plan of this module.

    Raises:
        CeremonyNotApproved: too few, or an approval of something or somebody else.
    """
    known = {
        bytes.fromhex(each.certificate_sha256.replace(":", "")): each for each in custody.custodian
    }
    wanted = ceremony_approval.file_sha256(file)
    seen: dict[bytes, tuple[Custodian, Approver]] = {}
    for cms in approvals:
        signer = await _verify(cms, known=frozenset(known), workers=workers, at=at)
        approval, digest = signer
        if (approval.file_sha256, approval.title) != (wanted, title):  # 3
            raise CeremonyNotApproved("an approval of another file")
        custodian = known[digest]
        approver = Approver(
            name=custodian.name,
            unit=custodian.unit,
            approval_sha256=hashlib.sha256(cms).hexdigest(),
        )
        seen[digest] = (custodian, approver)
    outside = {custodian.unit for custodian, _ in seen.values() if not custodian.operations}
    if len(seen) < custody.approvals or len(outside) < OUTSIDERS:  # 4
        raise CeremonyNotApproved(needed=custody.approvals, given=len(seen))
    return [approver for _, approver in seen.values()]


async def _verify(
    cms: bytes, *, known: frozenset[bytes], workers: WorkerPool, at: datetime
) -> tuple[ceremony_approval.CeremonyApproval, bytes]:
    try:
        signed = await workers.verify_cms_of(  # 1
            cms, content_type=ceremony_approval.CONTENT_TYPE, signers=known
        )
        _verify_term(signed.certificate, at)  # 2
        approval = ceremony_approval.parse_approval(signed.content)  # 3
    except InkanError as refused:
        raise CeremonyNotApproved(refused.detail or refused.title) from None
    return approval, hashlib.sha256(signed.certificate).digest()


def _verify_term(der: bytes, at: datetime) -> None:
    certificate = x509.load_der_x509_certificate(der)
    if not certificate.not_valid_before_utc <= at <= certificate.not_valid_after_utc:
        raise CMSSignatureWrong("the custodian's certificate is outside its term")
