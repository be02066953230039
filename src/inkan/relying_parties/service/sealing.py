"""The organisation's seal across its application form and its consent form (TW-62).

Numbered plan:

1. the file is one detached CMS (RFC 5652) of the content type for seals; what must have been signed is made here,
   from the digests that were kept when the application was completed, and nothing that came along is content;
2. the documents still have these digests;
3. path to an accepted authority, policy and key usage of the profile ``seal``, term, revocation (fail closed), the
   signature over exactly that content;
4. the certificate names this organisation: its number, one of its names, its country;
5. compare-and-set: the application is the version that was read.
"""

import hashlib
import re
from collections.abc import Mapping
from typing import Final

from inkan.accounts import Login
from inkan.crypto import base64url, oids
from inkan.crypto.certificates import parse_certificate
from inkan.crypto.cms import CMSMalformed, CMSTooLarge
from inkan.crypto.cms_detached import enclose
from inkan.crypto.names import find_in_name
from inkan.kernel.clock import rfc3339
from inkan.kernel.errors import InkanError
from inkan.pki import (
    CardExpired,
    CardRequest,
    CardRequestMalformed,
    CardRevoked,
    CardUntrusted,
    CardWrongPurpose,
    KeyUsage,
)
from inkan.relying_parties.model.application import (
    Application,
    ApplicationStep,
    DocumentsChanged,
    Organisation,
    SealEnded,
    SealFacts,
    SealMalformed,
    SealOfAnother,
    SealUntrusted,
    SealWrongPurpose,
)
from inkan.relying_parties.rules import ELIGIBLE
from inkan.relying_parties.service import documents
from inkan.relying_parties.service.drafting import take
from inkan.relying_parties.service.parts import Parts, hands_with
from inkan.store.database import Step

PROFILE: Final = "seal"

# What the verification of signed requests finds, in the words of somebody who holds a seal.
_REFUSALS: Final[Mapping[type[InkanError], type[InkanError]]] = {
    CardRequestMalformed: SealMalformed,
    CardUntrusted: SealUntrusted,
    CardExpired: SealEnded,
    CardRevoked: SealEnded,
    CardWrongPurpose: SealWrongPurpose,
}
# ETSI EN 319 412-1 §5.1.4: a scheme of three letters, the country, a hyphen, the number.
_IDENTIFIER: Final = re.compile(r"[A-Z]{3}(?P<country>[A-Z]{2})-(?P<number>.+)")


async def seal(
    parts: Parts, application_id: str, p7s: bytes, *, by: Login, seen: int
) -> Application:
    """Put the organisation's seal on its application; see the plan of this module.

    Raises:
        ApplicationNotFound, ApplicationIncomplete: there is nothing to seal.
        SealMalformed: 1.
        DocumentsChanged: 2.
        SealUntrusted, SealEnded, SealWrongPurpose, StatusUnavailable: 3.
        SealOfAnother: 4.
        ApplicationChanged: 5.
    """
    application = await parts.db.read(_own, parts, application_id, by)
    content = documents.seal_content(application)
    try:
        cms = enclose(p7s, content)  # 1
    except (CMSMalformed, CMSTooLarge) as wrong:
        raise SealMalformed(str(wrong)) from None
    verify_documents(parts, application)  # 2
    try:
        verified = await parts.pki.verify_request(  # 3
            cms,
            content_type=oids.CONTENT_SEAL,
            profile=PROFILE,
            key_usage=KeyUsage.CONTENT_COMMITMENT,
        )
    except tuple(_REFUSALS) as refusal:
        raise _REFUSALS[type(refusal)](refusal.detail) from None
    assert application.draft.organisation is not None
    facts = _facts(parts, verified, application.draft.organisation, application.draft.scheme)  # 4
    return await parts.db.transact(_keep, parts, application, p7s, facts, by=by, seen=seen)  # 5


def verify_documents(parts: Parts, application: Application) -> None:
    """Refuse an application whose documents are not, or no longer, those of its digests.

    Raises:
        DocumentsChanged: either one differs.
    """
    made = documents.digests(application, issuer=parts.issuer)
    if made != (application.form_sha256, application.consent_sha256):
        raise DocumentsChanged()


def _facts(
    parts: Parts, verified: CardRequest, organisation: Organisation, scheme: str
) -> SealFacts:
    """Whose seal it is, if it is this organisation's.

    Raises:
        SealOfAnother: number, name or country differ, or stand there twice or not at all.
    """
    subject = parse_certificate(verified.certificate).subject
    country = find_in_name(subject, "C")
    name = find_in_name(subject, "O") or find_in_name(subject, "CN") or ""
    told = find_in_name(subject, "organizationIdentifier")
    number = find_in_name(subject, "serialNumber") or ""
    if told is not None:
        found = _IDENTIFIER.fullmatch(told)
        number, country = (found["number"], found["country"]) if found else (told, country)
    if country != ELIGIBLE[scheme].country:
        raise SealOfAnother("another country")
    if number != organisation.number or name not in organisation.name.values():
        raise SealOfAnother("another number or name")
    return SealFacts(
        name=name,
        number=number,
        authority=verified.authority,
        serial=verified.serial,
        certificate_sha256=base64url.encode(hashlib.sha256(verified.certificate).digest()),
        verified_at=rfc3339(parts.clock.now()),
    )


def _own(parts: Parts, application_id: str, by: Login) -> Step[Application]:
    return (yield from parts.get_own(application_id, by=by))


def _keep(
    parts: Parts, application: Application, p7s: bytes, facts: SealFacts, *, by: Login, seen: int
) -> Step[Application]:
    """Seen and read are one version: what was sealed is what the applicant looked at."""
    version = seen if seen == application.version else 0
    return (
        yield from take(
            parts,
            application,
            ApplicationStep.SEAL,
            by=by,
            seen=version,
            details={"certificate_sha256": facts.certificate_sha256},
            new_seal=p7s,
            new_seal_facts=facts,
            new_hands=hands_with(application, by),
        )
    )
