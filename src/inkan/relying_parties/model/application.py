"""The application of an organisation: what it says of itself and its systems, where it stands, and every refusal.

A draft is filled in step by step; each part that is there is whole. A completed draft gives two documents, and the
organisation's seal goes across both (TW-62).
"""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, Literal

import msgspec

from inkan.kernel.errors import Conflict, Forbidden, Gone, Malformed, NotFound
from inkan.relying_parties.model import Address, Code, Purpose, SystemRegistration, Webhook
from inkan.relying_parties.model.openid import OpenIDRegistration
from inkan.wire.binding import BindingLevel, Door
from inkan.wire.forms import Domain, Name

Sector = Literal["government", "finance", "telecom", "health", "education", "other"]


class ApplicationState(StrEnum):
    """Where an application stands."""

    DRAFT = "draft"
    SEALED = "sealed"
    IN_REVIEW = "in_review"
    RETURNED = "returned"
    REFUSED = "refused"
    APPROVED = "approved"


class ApplicationStep(StrEnum):
    """What happens to an application. Editing drops documents and seal; completing makes the documents."""

    EDIT = "edit"
    COMPLETE = "complete"
    SEAL = "seal"
    SUBMIT = "submit"
    RETURN = "return"
    REFUSE = "refuse"
    APPROVE = "approve"


class ContactRole(StrEnum):
    """What somebody is asked about."""

    RESPONSIBLE = "responsible"
    TECHNICAL = "technical"
    SECURITY = "security"


class Organisation(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who applies.

    Attributes:
        name: in every language of the platform.
        number: as the scheme's country registers organisations (Taiwan: unified business number).
    """

    code: Code
    name: dict[str, Name]
    number: str
    sector: Sector


class Contact(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Whom the operator asks. Personal: it is stored sealed, with the whole draft."""

    role: ContactRole
    name: Name
    mail: Annotated[str, msgspec.Meta(min_length=3, max_length=254)]


class WantedSystem(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One system of the application (TW-63, TW-65, TW-66); see :class:`SystemRegistration`.

    What only an operator may grant, use inside an office (DOC-02) and pushes without a code, cannot be applied for.
    """

    code: Code
    name: Name
    domain: Domain
    doors: list[Door]
    purposes: Annotated[list[Purpose], msgspec.Meta(max_length=20)] = []
    keys: Annotated[list[dict[str, Any]], msgspec.Meta(max_length=2)] = []
    return_urls: Annotated[list[Address], msgspec.Meta(max_length=20)] = []
    webhooks: Annotated[list[Webhook], msgspec.Meta(max_length=5)] = []
    binding_min: BindingLevel | None = None
    openid: OpenIDRegistration | None = None


class Draft(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What has been filled in so far.

    Attributes:
        scheme: the rule set under which the organisation applies; it decides which sectors may.
        consent: edition of the consent text that was accepted; empty until then.
    """

    scheme: str = "tw-citizen"
    organisation: Organisation | None = None
    systems: Annotated[list[WantedSystem], msgspec.Meta(max_length=10)] = []
    contacts: Annotated[list[Contact], msgspec.Meta(max_length=5)] = []
    consent: str = ""


class SealFacts(msgspec.Struct, frozen=True):
    """What a verified seal said.

    Attributes:
        name, number: of the organisation, as its certificate has them.
        authority, serial: of the certificate (lower-case hexadecimal).
        certificate_sha256: base64url.
        verified_at: RFC 3339, when revocation was asked too.
    """

    name: str
    number: str
    authority: str
    serial: str
    certificate_sha256: str
    verified_at: str


class Application(msgspec.Struct, frozen=True, kw_only=True):
    """An application as it is read.

    Attributes:
        owner: whose it is: the tenant of the account that began it, or that account.
        hands: every account that worked on it; none of them reviews it.
        form_sha256, consent_sha256: digests of the two documents, base64url; empty until it is completed.
        reason: why it was returned or refused; empty otherwise.
        proposal: id of the first officer's proposal; empty until there is one.
        reviewers: the two accounts that approved it.
        version: of the row; every step compares it.
    """

    id: str
    owner: str
    state: ApplicationState
    draft: Draft
    hands: tuple[str, ...]
    form_sha256: str
    consent_sha256: str
    seal: SealFacts | None
    reason: str
    proposal: str
    reviewers: tuple[str, ...]
    changed_at: datetime
    version: int


class ApprovalProposal(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the first officer proposes and the second one approves: this very version and these very documents."""

    v: Literal[1]
    application: str
    version: int
    form_sha256: str
    consent_sha256: str
    reason: Name


def registration_of(draft: Draft, system: WantedSystem) -> SystemRegistration:
    """The registration of one system of a draft whose organisation is there."""
    organisation = draft.organisation
    assert organisation is not None
    return SystemRegistration(
        organisation=organisation.code,
        organisation_name=organisation.name,
        sector=organisation.sector,
        code=system.code,
        name=system.name,
        domain=system.domain,
        doors=system.doors,
        purposes=system.purposes,
        keys=system.keys,
        binding_min=system.binding_min,
        return_urls=system.return_urls,
        webhooks=system.webhooks,
        openid=system.openid,
    )


class ApplicationNotFound(NotFound):
    """No application has this id, or it is another organisation's: both get this very answer."""

    code = "application_not_found"
    title = "There is no such application"


class ApplicationChanged(Conflict):
    """Somebody else changed it since it was read, or it no longer stands where this step begins."""

    code = "application_changed"
    title = "The application was changed meanwhile"
    public = ("state",)


class ApplicationIncomplete(Malformed):
    """Something that an application needs is missing or not usable."""

    code = "application_incomplete"
    title = "The application is not complete"


class SectorNotEligible(Forbidden):
    """Organisations of this sector cannot apply under this scheme (TW-61)."""

    code = "sector_not_eligible"
    title = "Organisations of this sector cannot apply under this scheme"
    public = ("scheme", "sectors")


class OrganisationTaken(Conflict):
    """The code of the organisation belongs to another applicant."""

    code = "organisation_taken"
    title = "This organisation code belongs to somebody else"


class DocumentsChanged(Conflict):
    """The documents are not those that were sealed."""

    code = "documents_changed"
    title = "The documents are not those that the seal is on"


class ApplyElsewhere(Forbidden):
    """Applications are made in the sandbox; a system enters production by a signed export (TW-64)."""

    code = "apply_elsewhere"
    title = "Applications are made in the sandbox"


class ReportElsewhere(Forbidden):
    """Reports of the conformance kit are signed by the sandbox, where applications are (TW-64)."""

    code = "report_elsewhere"
    title = "Reports of the conformance kit are signed by the sandbox"


class ImportRequired(Forbidden):
    """In production a system is registered by the import of a reviewed export, and by nothing else (TW-64)."""

    code = "import_required"
    title = "A system enters production by a signed export only"


class OwnApplication(Forbidden):
    """Whoever worked on an application, or belongs to its organisation, does not review it."""

    code = "own_application"
    title = "Somebody else has to review this application"


class ReviewUnderWay(Conflict):
    """A first officer has proposed the approval; a second one decides."""

    code = "review_under_way"
    title = "A proposal about this application is open"


class SealMalformed(Malformed):
    """The file is no detached CMS of the content type for seals."""

    code = "seal_malformed"
    title = "The seal cannot be read"


class SealUntrusted(Forbidden):
    """The seal does not fit these documents, or its certificate leads to no accepted authority."""

    code = "seal_untrusted"
    title = "The seal does not hold for these documents"


class SealEnded(Forbidden):
    """The certificate of the seal has expired, or was revoked or suspended."""

    code = "seal_ended"
    title = "The certificate of the seal is not in force"


class SealWrongPurpose(Forbidden):
    """The certificate is not one for seals of organisations."""

    code = "seal_wrong_purpose"
    title = "This certificate is not one for seals"


class SealOfAnother(Forbidden):
    """The certificate of the seal names another organisation than the application."""

    code = "seal_of_another"
    title = "The seal belongs to another organisation"


class NotApproved(Conflict):
    """The application of this system is not approved."""

    code = "application_not_approved"
    title = "The application of this system is not approved"


class ConformanceMissing(Forbidden):
    """The conformance report does not hold, is not about this system, too old, or says that it failed."""

    code = "conformance_missing"
    title = "There is no passed conformance report for this system"


class ExportUntrusted(Forbidden):
    """The export is not one of a review instance that this instance knows, or not meant for it."""

    code = "export_untrusted"
    title = "The export is not signed for this instance"


class ExportExpired(Gone):
    """The export is past its term."""

    code = "export_expired"
    title = "The export has expired"


class ExportOvertaken(Conflict):
    """A newer export of the same system was imported meanwhile."""

    code = "export_overtaken"
    title = "A newer export of this system was imported"


class ExportUsed(Conflict):
    """The export was imported before."""

    code = "export_used"
    title = "The export was imported before"
