"""Whether a form that was sent is taken: the numbered plan, and why not (JPKI-01, JPKI-03, JPKI-34, JPKI-35, JPKI-40)."""

import asyncio
import hmac
from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Final

import msgspec

from inkan.apps.showcase.town_hall.forms import Form
from inkan.apps.showcase.town_hall.holder import find_mismatch, read_holder
from inkan.apps.showcase.town_hall.status import StatusSource
from inkan.client import PathVerifier
from inkan.client.signed_message import SignedMessage, open_signed
from inkan.crypto.certificates import (
    Certificate,
    CertificateMalformed,
    CertificateTooLarge,
    parse_certificate,
)
from inkan.crypto.cms import CMSContentTypeWrong, CMSMalformed, CMSSignatureWrong, CMSTooLarge
from inkan.crypto.validation.verdict import Reason, Verdict
from inkan.wire.card_request import CONTENT_TYPES, CardPurpose, parse_submission

CONTENT_TYPE: Final = CONTENT_TYPES[CardPurpose.SUBMISSION]
KEY_USAGE: Final = frozenset({"contentCommitment"})


class Cause(StrEnum):
    """Why a form is not taken."""

    UNREADABLE = "unreadable"
    OTHER_KIND = "other_kind"
    CHANGED = "changed"
    OVER = "over"
    FOREIGN = "foreign"
    WRONG_KEY = "wrong_key"
    EXPIRED = "expired"
    NOT_YET = "not_yet"
    WITHDRAWN = "withdrawn"
    UNKNOWN = "unknown"
    WRONG_PERSON = "wrong_person"


class SubmissionRefused(Exception):
    """A form is not taken; nothing of it was kept.

    Attributes:
        cause: see :class:`Cause`.
        facts: what a page may say: ``at`` (when the certificate ended), ``item``, ``named``, ``certified``.
    """

    def __init__(self, cause: Cause, **facts: Any) -> None:
        super().__init__(cause)
        self.cause = cause
        self.facts = facts


# Every other reason comes to one thing for the person: no accepted path.
_CAUSES: Final[Mapping[Reason, Cause]] = MappingProxyType(
    dict.fromkeys(Reason, Cause.FOREIGN)
    | {
        Reason.EXPIRED: Cause.EXPIRED,
        Reason.NOT_YET_VALID: Cause.NOT_YET,
        Reason.REVOKED: Cause.WITHDRAWN,
        Reason.REVOCATION_UNKNOWN: Cause.UNKNOWN,
        Reason.EVIDENCE_MALFORMED: Cause.UNKNOWN,
        Reason.TOO_COMPLEX: Cause.UNKNOWN,
        Reason.PURPOSE: Cause.WRONG_KEY,
    }
)
# Causes that are about one certificate, with the fact that says when.
_MOMENTS: Final = (
    (Cause.EXPIRED, "ended_at"),
    (Cause.NOT_YET, "begins_at"),
    (Cause.WITHDRAWN, "revoked_at"),
)


class Trusted(msgspec.Struct, frozen=True, kw_only=True):
    """Whom the town hall trusts: its own root, and what leads from there over the bridge.

    Attributes:
        root: DER of the agency side's own root; no other is an anchor.
        known: DER of cross-certificates: root to bridge, bridge to the citizens' roots.
        policies: dotted; the whole path holds one of them, mapped by the bridge where it maps.
        origins: of those who publish lists and answers on status.
    """

    root: bytes
    known: tuple[bytes, ...]
    policies: frozenset[str]
    origins: frozenset[str]


class Checked(msgspec.Struct, frozen=True, kw_only=True):
    """A form that holds.

    Attributes:
        signer_sha256: thumbprint of the certificate.
        path: subjects from the certificate to the town hall's own root.
    """

    signer_sha256: bytes
    path: tuple[str, ...]


class Checks:
    """The plan, with the agency's own anchor and status source.

    Plan:
        1. The message passes the gate, is of the type of forms, its content has the digest that was signed, and the
           signature is one of the certificate's key (:func:`inkan.client.signed_message.open_signed`).
        2. The content is, byte for byte, what this agency made and showed: form, items, origin, audience and nonce.
        3. The nonce was never used and is not too old: taken by :mod:`.store` in the transaction that files the form.
        4. A path leads from the certificate over the bridge to the agency's own root, and to no other.
        5. Key usage contentCommitment alone, and a policy of the agency's domain along the whole path.
        6. At the moment of receipt every certificate of the path is in its term and none is revoked; lists and answers
           are asked for now.
        7. The person that the certificate names is the person that the form names.
    """

    def __init__(self, trusted: Trusted, status: StatusSource) -> None:
        self._status = status
        self._known = tuple(map(parse_certificate, trusted.known))
        self._verifier = PathVerifier(
            [trusted.root],
            policies=trusted.policies,
            key_usage=KEY_USAGE,
            known=trusted.known,
        )
        self._one = asyncio.Lock()

    async def check(self, cms: bytes, *, shown: bytes, form: Form, at: datetime) -> Checked:
        """Return what a form (DER, at most 64 KiB) proves; steps 1, 2 and 4 to 7.

        Args:
            cms: as it was sent.
            shown: the content that this agency made for this browser.
            form: the row of the form.
            at: moment of receipt, aware.

        Raises:
            SubmissionRefused: with the cause.
        """
        message = _opened(cms)  # 1
        if not hmac.compare_digest(message.content, shown):  # 2
            raise SubmissionRefused(Cause.CHANGED)
        signer = parse_certificate(message.signer)
        if signer.key_usage != KEY_USAGE:  # 5
            raise SubmissionRefused(Cause.WRONG_KEY)
        verdict = await self._verdict(signer, message.others, at)
        if verdict.reason is not Reason.OK:  # 4, 5, 6
            raise _refusal(verdict, signer)
        _verify_person(signer, form, shown)  # 7
        path = tuple(step.subject for step in verdict.path)
        return Checked(signer_sha256=signer.sha256, path=path)

    async def _verdict(self, signer: Certificate, others: Sequence[bytes], at: datetime) -> Verdict:
        authorities = (*map(parse_certificate, others), *self._known)
        evidence = await self._status.gather(signer, authorities)
        async with self._one:  # a verifier is not shared between threads
            return await asyncio.to_thread(
                self._verifier.verify,
                signer.der,
                at=at,
                supplied=others,
                crls=evidence.crls,
                ocsps=evidence.ocsps,
            )


def _opened(cms: bytes) -> SignedMessage:
    try:
        return open_signed(cms, CONTENT_TYPE)
    except CMSContentTypeWrong:
        raise SubmissionRefused(Cause.OTHER_KIND) from None
    except CMSSignatureWrong:
        raise SubmissionRefused(Cause.CHANGED) from None
    except (CMSMalformed, CMSTooLarge, CertificateMalformed, CertificateTooLarge):
        raise SubmissionRefused(Cause.UNREADABLE) from None


def _refusal(verdict: Verdict, signer: Certificate) -> SubmissionRefused:
    cause = _CAUSES[verdict.reason]
    own = signer.sha256.hex()
    for each, fact in _MOMENTS:
        if cause is each and verdict.facts.get("certificate", own) != own:
            # An authority has ended: the person's own certificate is not at fault.
            return SubmissionRefused(Cause.FOREIGN)
        if cause is each and fact in verdict.facts:
            return SubmissionRefused(cause, at=verdict.facts[fact])
    return SubmissionRefused(cause)


def _verify_person(signer: Certificate, form: Form, shown: bytes) -> None:
    try:
        holder = read_holder(signer)
    except CertificateMalformed:
        raise SubmissionRefused(Cause.UNREADABLE) from None
    mismatch = find_mismatch(form, parse_submission(shown), holder)
    if mismatch is not None:
        raise SubmissionRefused(
            Cause.WRONG_PERSON,
            item=mismatch.fact,
            named=mismatch.named,
            certified=mismatch.certified,
        )
