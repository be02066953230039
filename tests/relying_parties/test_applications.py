"""Applications from the first page to the approval, and everything that must not get through."""

from datetime import timedelta
from typing import Any

import msgspec
import pytest

from inkan.accounts import Role
from inkan.crypto import oids
from inkan.crypto.cms import build_signed_data, key_signer
from inkan.kernel.errors import InkanError
from inkan.pki import RevocationReason
from inkan.relying_parties import ApplicationState, SystemExists
from inkan.relying_parties.model import RegistrationWrong
from inkan.relying_parties.model.application import (
    ApplicationChanged,
    ApplicationIncomplete,
    ApplicationNotFound,
    OrganisationTaken,
    SealEnded,
    SealMalformed,
    SealOfAnother,
    SealUntrusted,
    SealWrongPurpose,
    SectorNotEligible,
)
from inkan.relying_parties.service import documents
from relying_parties.applicants import (
    NAMES,
    OTHER_NUMBER,
    Office,
    draft_of,
    hire,
    seal_for,
    system_of,
)
from support.world import CLERK

on_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


# --- the way through ---------------------------------------------------------------------------------------


@pytest.mark.req("TW-62", "TW-63", "TW-65", "TW-66")
async def test_an_application_goes_through_with_a_seal_and_two_officers(office: Office) -> None:
    approved = await office.approved("tax-office", "tax-refund")
    assert approved.state is ApplicationState.APPROVED
    assert approved.reviewers == (office.first.account, office.second.account)
    assert approved.seal is not None
    assert approved.seal.number == approved.draft.organisation.number
    systems = await office.applications.own_systems(by=office.developer)
    assert [system.code for system, _ in systems] == ["tax-office", "tax-refund"]
    assert len({system.organisation for system, _ in systems}) == 1
    events = await office.world.events()
    for wanted in ("begun", "edited", "completed", "sealed", "submitted", "approved"):
        assert f"relying_parties.application_{wanted}" in events


@pytest.mark.req("TW-64")
async def test_in_the_sandbox_a_completed_application_is_active_at_once(office: Office) -> None:
    await office.completed()
    [(system, state)] = await office.world.platform.relying_parties.systems()
    assert (system.code, state) == ("tax-office", "active")
    assert system.return_urls == frozenset({"https://tax.example/return"})


@on_sqlite
async def test_completing_again_says_anew_what_a_system_is(office: Office) -> None:
    done = await office.completed()
    system = msgspec.structs.replace(done.draft.systems[0], name="Tax Office (new)")
    draft = msgspec.structs.replace(done.draft, systems=[system])
    edited = await office.applications.edit(done.id, draft, by=office.developer, seen=done.version)
    assert (edited.form_sha256, edited.seal) == ("", None)
    await office.applications.complete(edited.id, by=office.developer, seen=edited.version)
    [(found, _)] = await office.world.platform.relying_parties.systems()
    assert found.name == "Tax Office (new)"


# --- who may apply, and with what --------------------------------------------------------------------------


@on_sqlite
@pytest.mark.req("TW-61")
@pytest.mark.parametrize("sector", ["government", "finance", "telecom"])
async def test_three_sectors_may_apply(office: Office, sector: str) -> None:
    await office.completed(organisation={"sector": sector})


@on_sqlite
@pytest.mark.req("TW-61")
@pytest.mark.parametrize("sector", ["health", "education", "other"])
async def test_other_sectors_may_not(office: Office, sector: str) -> None:
    with pytest.raises(SectorNotEligible) as refused:
        await office.drafted(organisation={"sector": sector})
    assert refused.value.public_facts["sectors"] == ["finance", "government", "telecom"]


@on_sqlite
@pytest.mark.parametrize(
    ("bent", "where"),
    [
        ({"organisation": {"number": "04595258"}}, "/organisation/number"),
        ({"organisation": {"name": {"en": "x"}}}, "/organisation/name"),
        ({"contacts": [{"role": "technical", "name": "x", "mail": "x@@y"}]}, "/contacts/0/mail"),
        ({"consent": "0.9"}, "/consent"),
        ({"scheme": "nowhere"}, "/scheme"),
    ],
)  # fmt: skip
async def test_what_cannot_be_used_is_refused_with_its_place(
    office: Office, bent: Any, where: str
) -> None:
    with pytest.raises(ApplicationIncomplete) as refused:
        await office.drafted(**bent)
    assert refused.value.facts["where"] == where


@on_sqlite
@pytest.mark.parametrize(
    "bent", [{"doors": []}, {"purposes": []}, {"keys": []}, None], ids=["door", "purpose", "key", "all"]
)  # fmt: skip
async def test_what_is_missing_is_asked_for_when_it_is_completed(office: Office, bent: Any) -> None:
    systems = [] if bent is None else [system_of(**bent)]
    with pytest.raises(ApplicationIncomplete):
        await office.completed(systems=systems)
    assert await office.world.platform.relying_parties.systems() == []


@on_sqlite
@pytest.mark.req("TW-66")
async def test_a_code_belongs_to_one_application(office: Office) -> None:
    await office.completed()
    other = await hire(office.world.platform.accounts, Role.DEVELOPER, name="other")
    with pytest.raises((SystemExists, OrganisationTaken)):
        await office.completed(by=other)
    with pytest.raises(OrganisationTaken):
        await office.completed("another-code", by=other)
    with pytest.raises(SystemExists):
        await office.completed("inkan")
    twice = [system_of(), system_of()]
    with pytest.raises(ApplicationIncomplete):
        await office.completed(systems=twice)


@on_sqlite
async def test_another_organisation_sees_nothing(office: Office) -> None:
    done = await office.completed()
    other = await hire(office.world.platform.accounts, Role.DEVELOPER, name="other")
    with pytest.raises(ApplicationNotFound):
        await office.applications.application(done.id, by=other)
    with pytest.raises(ApplicationNotFound):
        await office.applications.edit(done.id, draft_of(), by=other, seen=done.version)
    with pytest.raises(ApplicationNotFound):
        await office.applications.submitted_one(done.id)
    assert await office.applications.own(by=other) == []


@on_sqlite
async def test_contacts_do_not_lie_open_in_the_database(office: Office) -> None:
    await office.completed()
    path = next(office.world.folder.glob("inkan.db"))
    raw = b"".join(each.read_bytes() for each in path.parent.glob("inkan.db*"))
    assert b"tax-office" in raw
    assert b"chen@tax.example" not in raw


@on_sqlite
@pytest.mark.req("TW-65")
async def test_a_later_application_of_the_same_organisation_says_anew(office: Office) -> None:
    await office.approved("tax-office", "tax-refund")
    [(first, _), (kept, _)] = await office.applications.own_systems(by=office.developer)
    again = await office.completed(systems=[system_of(name="Tax Office (new)")])
    [(found, _), (other, _)] = await office.applications.own_systems(by=office.developer)
    assert (found.id, found.name, other) == (first.id, "Tax Office (new)", kept)
    assert again.state is ApplicationState.DRAFT


@on_sqlite
async def test_an_unknown_attribute_cannot_be_applied_for(office: Office) -> None:
    purpose = {"code": "log_in", "kinds": ["identify"], "text": NAMES, "claims": ["shoe_size"]}
    with pytest.raises(RegistrationWrong) as refused:
        await office.drafted(systems=[system_of(purposes=[purpose])])
    assert refused.value.facts["where"] == "/purposes/log_in/claims"
    known = {**purpose, "claims": ["name", "age_over_18"]}
    await office.drafted(systems=[system_of(purposes=[known])])


# --- the seal ----------------------------------------------------------------------------------------------


async def refused_seal(office: Office, p7s: bytes, refusal: type[InkanError]) -> None:
    application = (await office.applications.own(by=office.developer))[0]
    with pytest.raises(refusal):
        await office.sealed(application, p7s)
    kept = await office.applications.application(application.id, by=office.developer)
    assert (kept.state, kept.seal) == (ApplicationState.DRAFT, None)


@on_sqlite
@pytest.mark.req("TW-62")
@pytest.mark.parametrize(
    "bent", [{"number": OTHER_NUMBER}, {"name": "別的機構"}, {"country": "JP"}], ids=["number", "name", "country"]
)  # fmt: skip
async def test_another_organisations_seal(office: Office, bent: Any) -> None:
    holder = await seal_for(office.world, **bent)
    content = documents.seal_content(await office.completed())
    await refused_seal(office, holder.sign(content), SealOfAnother)


@on_sqlite
@pytest.mark.req("TW-62")
async def test_a_seal_over_other_digests(office: Office) -> None:
    holder = await seal_for(office.world)
    done = await office.completed()
    other = documents.seal_content(msgspec.structs.replace(done, consent_sha256=done.form_sha256))
    await refused_seal(office, holder.sign(other), SealUntrusted)


@on_sqlite
async def test_a_revoked_seal(office: Office) -> None:
    holder = await seal_for(office.world)
    content = documents.seal_content(await office.completed())
    pki = office.world.platform.pki
    await office.world.platform.db.transact(
        lambda: pki.revoke(
            holder.certificate.id, reason=RevocationReason.KEY_COMPROMISE, actor=CLERK
        )
    )
    await refused_seal(office, holder.sign(content), SealEnded)


@on_sqlite
async def test_an_expired_seal(office: Office) -> None:
    holder = await seal_for(office.world)
    office.world.clock.advance(timedelta(days=301))
    content = documents.seal_content(await office.completed())
    await refused_seal(office, holder.sign(content), SealEnded)


@on_sqlite
async def test_a_card_is_no_seal(office: Office) -> None:
    holder = await seal_for(office.world, profile="card-sign")
    content = documents.seal_content(await office.completed())
    await refused_seal(office, holder.sign(content), SealWrongPurpose)


@on_sqlite
async def test_a_message_of_another_type_or_shape(office: Office) -> None:
    holder = await seal_for(office.world)
    content = documents.seal_content(await office.completed())
    other = holder.sign(content, content_type=oids.CONTENT_BIND)
    await refused_seal(office, other, SealMalformed)
    enclosed = build_signed_data(
        content,
        content_type=oids.CONTENT_SEAL,
        chain=[holder.certificate.der],
        algorithm="ecdsa_sha256",
        sign=key_signer(holder.key),
    )
    for wrong in (enclosed, b"", b"\x30\x80\x00\x00", bytes(70_000), holder.sign(content)[:-1]):
        await refused_seal(office, wrong, SealMalformed)


@on_sqlite
async def test_a_seal_is_dropped_with_the_documents_it_was_on(office: Office) -> None:
    sealed = await office.sealed(await office.completed())
    assert sealed.state is ApplicationState.SEALED
    edited = await office.applications.edit(
        sealed.id, draft_of("tax-other"), by=office.developer, seen=sealed.version
    )
    assert (edited.state, edited.seal) == (ApplicationState.DRAFT, None)
    with pytest.raises(ApplicationChanged):
        await office.applications.submit(edited.id, by=office.developer, seen=edited.version)


# --- the register's own checks -----------------------------------------------------------------------------


@on_sqlite
@pytest.mark.parametrize(
    "bent",
    [
        {"name": "Tax\u202eOffice"},
        {"name": " Tax Office"},
        {"name": "Tax\nOffice"},
        {"domain": "-tax.example"},
        {"domain": "tax..example"},
        {"purposes": [{"code": "log_in", "kinds": ["identify"], "text": {"en": "a\u200b", "ja": "b", "zh-Hant": "c"}}]},
        {"purposes": [{"code": "log_in", "kinds": ["identify"], "text": {"en": "a", "ja": "b", "zh-Hant": "c"}, "claims": ["age", "age"]}]},
        {"purposes": [{"code": "log_in", "kinds": ["identify"], "text": {"en": "a", "ja": "b", "zh-Hant": "c"}, "claims": ["national_id"]}]},
        {"organisation_name": {"en": "x\u2066", "ja": "x", "zh-Hant": "x"}},
    ],
)  # fmt: skip
async def test_what_no_statement_could_hold_is_not_registered(office: Office, bent: Any) -> None:
    with pytest.raises(RegistrationWrong):
        await office.world.agency("bank", **bent)
