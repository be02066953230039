"""The applicant's part: begin, fill in, complete, submit (TW-62, TW-63, TW-65, TW-66).

Completing, in order:

1. everything that an application needs is there and can be used; the sector may apply under the scheme (TW-61);
2. both documents are made and their digests kept;
3. in the sandbox the systems are active at once: no review stands between an organisation and trying (TW-64).
"""

from typing import Any

import msgspec

from inkan.accounts import Login, actor_of
from inkan.kernel.errors import InkanError
from inkan.kernel.identifiers import holds_my_number, parse_business_number
from inkan.kernel.ids import new_id
from inkan.notices import parse_mail_address
from inkan.relying_parties.model.application import (
    Application,
    ApplicationChanged,
    ApplicationIncomplete,
    ApplicationState,
    ApplicationStep,
    ApplyElsewhere,
    Contact,
    Draft,
    Organisation,
    SectorNotEligible,
    WantedSystem,
    registration_of,
)
from inkan.relying_parties.rules import ELIGIBLE, LANGUAGES, USE_CASE_OF_STEP, consents
from inkan.relying_parties.service import documents
from inkan.relying_parties.service.checking import Keys, check_said
from inkan.relying_parties.service.parts import Parts, hands_with, owner_of
from inkan.relying_parties.service.register import Origin
from inkan.relying_parties.store import applications as store
from inkan.store.database import MOMENT, Step


def begin(parts: Parts, *, by: Login) -> Step[Application]:
    """Step: an empty application of the login's organisation.

    Raises:
        ApplyElsewhere: this instance takes systems by import only.
    """
    if not parts.sandbox:
        raise ApplyElsewhere()
    application_id = new_id("app")
    moment = yield MOMENT
    event = yield from parts.audit.record(
        "relying_parties.application_begun", actor=actor_of(by), object=application_id
    )
    yield store.INSERT.run(
        id=application_id,
        owner=owner_of(by),
        state=ApplicationState.DRAFT,
        draft=parts.sealed(application_id, Draft()),
        hands=[by.account],
        form_sha256="",
        consent_sha256="",
        seal=None,
        seal_facts=None,
        reason=None,
        proposal="",
        reviewers=[],
        changed_at=moment,
        version=1,
        event_id=event,
    )
    return (yield from parts.get(application_id))


def edit(
    parts: Parts, application_id: str, draft: Draft, *, by: Login, seen: int
) -> Step[Application]:
    """Step: keep a draft; documents and seal of an earlier one are dropped.

    Args:
        parts: the feature's dependencies.
        application_id: which one.
        draft: all of it; checked by :func:`check_draft` before.
        by: somebody of the organisation.
        seen: version that was read.

    Raises:
        ApplicationNotFound: unknown, or another's.
        ApplicationChanged: changed meanwhile, or past editing.
    """
    application = yield from parts.get_own(application_id, by=by)
    return (
        yield from take(
            parts,
            application,
            ApplicationStep.EDIT,
            by=by,
            seen=seen,
            new_draft=parts.sealed(application_id, draft),
            new_hands=hands_with(application, by),
        )
    )


def complete(parts: Parts, application_id: str, *, by: Login, seen: int) -> Step[Application]:
    """Step: make the documents, and let the systems work in the sandbox; see the plan of this module.

    Raises:
        ApplicationNotFound, ApplicationChanged: as :func:`edit`.
        ApplicationIncomplete, SectorNotEligible, RegistrationWrong: 1.
        SystemExists, OrganisationTaken, KeysFull: 3.
    """
    application = yield from parts.get_own(application_id, by=by)
    wanted = _check_whole(parts, application.draft)  # 1
    form_sha256, consent_sha256 = documents.digests(application, issuer=parts.issuer)  # 2
    completed = yield from take(
        parts,
        application,
        ApplicationStep.COMPLETE,
        by=by,
        seen=seen,
        details={"form_sha256": form_sha256, "consent_sha256": consent_sha256},
        new_form_sha256=form_sha256,
        new_consent_sha256=consent_sha256,
        new_hands=hands_with(application, by),
    )
    assert application.draft.organisation is not None
    origin = Origin(
        actor=actor_of(by),
        owner=application.owner,
        number=application.draft.organisation.number,
        application=application.id,
    )
    for system, keys in wanted:  # 3
        registration = registration_of(application.draft, system)
        yield from parts.register.put(registration, keys, origin)
    return completed


def submit(parts: Parts, application_id: str, *, by: Login, seen: int) -> Step[Application]:
    """Step: hand a sealed application to the officers.

    Raises:
        ApplicationNotFound, ApplicationChanged: as :func:`edit`.
    """
    application = yield from parts.get_own(application_id, by=by)
    return (
        yield from take(
            parts,
            application,
            ApplicationStep.SUBMIT,
            by=by,
            seen=seen,
            new_hands=hands_with(application, by),
        )
    )


def take(
    parts: Parts,
    application: Application,
    step: ApplicationStep,
    *,
    by: Login,
    seen: int,
    details: dict[str, Any] | None = None,
    **values: Any,
) -> Step[Application]:
    """Step: one step of the machine with its event.

    Raises:
        ApplicationChanged: changed since ``seen``, or not where this step begins.
    """
    event = yield from parts.audit.record(
        USE_CASE_OF_STEP[step], actor=actor_of(by), object=application.id, details=details
    )
    changed = yield store.STEP[step].run(key=application.id, seen=seen, event=event, **values)
    if not changed:
        raise ApplicationChanged(state=application.state.value)
    return (yield from parts.get(application.id))


# --- checks ------------------------------------------------------------------------------------------------


def check_draft(parts: Parts, draft: Draft) -> Draft:
    """Return a draft whose parts, as far as they are there, can be used.

    Raises:
        ApplicationIncomplete: with a pointer to the first that cannot.
        SectorNotEligible: TW-61.
        RegistrationWrong: of a system.
    """
    if draft.scheme not in ELIGIBLE:
        raise ApplicationIncomplete(where="/scheme", expected=" | ".join(sorted(ELIGIBLE)))
    if draft.organisation is not None:
        _check_organisation(draft.organisation, draft.scheme)
    for place, contact in enumerate(draft.contacts):
        _check_contact(contact, f"/contacts/{place}")
    codes = [system.code for system in draft.systems]
    if len(set(codes)) != len(codes):
        raise ApplicationIncomplete(where="/systems", expected="each code once")
    if draft.consent and draft.consent not in consents():
        raise ApplicationIncomplete(where="/consent", expected="an edition of the consent text")
    for system in draft.systems:
        _check_system(parts, system)
    return draft


def _check_organisation(organisation: Organisation, scheme: str) -> None:
    rule = ELIGIBLE[scheme]
    if organisation.sector not in rule.sectors:
        raise SectorNotEligible(scheme=scheme, sectors=sorted(rule.sectors))
    if organisation.name.keys() != LANGUAGES:
        raise ApplicationIncomplete(where="/organisation/name", expected="en, ja and zh-Hant")
    for language, name in organisation.name.items():
        _check_text(name, f"/organisation/name/{language}")
    try:
        parse_business_number(organisation.number)
    except InkanError:
        raise ApplicationIncomplete(
            where="/organisation/number", expected="a unified business number"
        ) from None


def _check_text(text: str, where: str) -> None:
    """Free text without a My Number (WAT-62); its other form is the type's."""
    if holds_my_number(text):
        raise ApplicationIncomplete(where=where, expected="no My Number")


def _check_contact(contact: Contact, where: str) -> None:
    _check_text(contact.name, f"{where}/name")
    _check_text(contact.mail, f"{where}/mail")
    try:
        parse_mail_address(contact.mail)
    except InkanError:
        raise ApplicationIncomplete(where=f"{where}/mail", expected="a mail address") from None


_NAMELESS = Organisation(
    code="organisation",
    name=dict.fromkeys(sorted(LANGUAGES), "organisation"),
    number="",
    sector="government",
)


def _check_system(parts: Parts, system: WantedSystem) -> None:
    """A system by itself; what it still lacks is asked for when the application is completed."""
    registration = registration_of(Draft(organisation=_NAMELESS), system)
    if system.keys:
        parts.register.check(registration)
    else:
        check_said(registration, loopback=parts.register.loopback, issuer=parts.register.issuer)


def _check_whole(parts: Parts, draft: Draft) -> list[tuple[WantedSystem, Keys]]:
    """Everything is there; the systems with their keys by thumbprint."""
    check_draft(parts, draft)
    lacking = {
        "/organisation": draft.organisation is None,
        "/systems": not draft.systems,
        "/contacts": not draft.contacts,
        "/consent": not draft.consent,
    }
    for place, system in enumerate(draft.systems):
        lacking[f"/systems/{place}/doors"] = not system.doors
        lacking[f"/systems/{place}/purposes"] = not system.purposes
        lacking[f"/systems/{place}/keys"] = not system.keys
    for where, lacks in lacking.items():
        if lacks:
            raise ApplicationIncomplete(where=where, expected="at least one entry")
    return [(each, parts.register.check(registration_of(draft, each))) for each in draft.systems]


def convert(kind: type[Any], value: object, *, where: str) -> Any:
    """A part of a draft out of plain values.

    Raises:
        ApplicationIncomplete: with the pointer of the form's place.
    """
    try:
        return msgspec.convert(value, kind)
    except msgspec.ValidationError as wrong:
        said, _, path = str(wrong).partition(" - at `$")
        place = path.rstrip("`").replace("[", "/").replace("]", "").replace(".", "/")
        # A pattern tells nobody what to type; the words beside the field do.
        expected = "the form that stands beside the field" if " regex " in said else said
        raise ApplicationIncomplete(said, where=f"{where}{place}", expected=expected) from None
