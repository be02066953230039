"""The review by two officers, and every way around it that must not exist."""

import asyncio
from typing import Any

import pytest
import sqlalchemy as sa

from inkan.accounts import OwnProposal, ProposalClosed, Role
from inkan.kernel.errors import InkanError
from inkan.relying_parties import Application, ApplicationState
from inkan.relying_parties.model.application import (
    ApplicationChanged,
    DocumentsChanged,
    OwnApplication,
    ReviewUnderWay,
)
from inkan.relying_parties.service import documents
from inkan.relying_parties.store import applications as store
from inkan.store.query import Query
from relying_parties.applicants import Office, draft_of, hire, seal_for

on_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


SWAP = Query(
    sa.update(store.application)
    .where(store.application.c.id == sa.bindparam("key"))
    .values(draft=sa.bindparam("new_draft", type_=sa.LargeBinary))
)


async def swap(office: Office, application_id: str) -> None:
    """Somebody with the database and its keys exchanges the documents under the seal."""
    sealed = office.applications._parts.sealed(application_id, draft_of("tax-swapped"))

    def body() -> Any:
        return (yield SWAP.run(key=application_id, new_draft=sealed))

    await office.world.platform.db.transact(body)


@on_sqlite
async def test_swapped_documents_are_not_proposed_nor_approved(office: Office) -> None:
    first = await office.submitted()
    proposal = await office.applications.propose(
        first.id, reason="complete", by=office.first, seen=first.version
    )
    await swap(office, first.id)
    with pytest.raises(DocumentsChanged):
        await office.applications.approve(proposal.id, by=office.second, seen=proposal.version)
    second = await office.submitted("tax-two")
    await swap(office, second.id)
    with pytest.raises(DocumentsChanged):
        await office.applications.propose(
            second.id, reason="complete", by=office.first, seen=second.version
        )


async def test_one_officer_alone_approves_nothing(office: Office) -> None:
    application = await office.submitted()
    proposal = await office.applications.propose(
        application.id, reason="complete", by=office.first, seen=application.version
    )
    with pytest.raises(OwnProposal):
        await office.applications.approve(proposal.id, by=office.first, seen=proposal.version)
    with pytest.raises(ReviewUnderWay):
        await office.applications.propose(
            application.id, reason="again", by=office.second, seen=application.version
        )
    kept = await office.applications.application(application.id, by=office.developer)
    assert kept.state is ApplicationState.IN_REVIEW


async def test_nothing_moves_between_the_two_officers(office: Office) -> None:
    """What the first officer read is what the second one approves: the applicant's hands are off."""
    application = await office.submitted()
    proposal = await office.applications.propose(
        application.id, reason="complete", by=office.first, seen=application.version
    )
    mine = {"by": office.developer, "seen": application.version}
    for act in (
        office.applications.edit(application.id, draft_of("tax-other"), **mine),
        office.applications.complete(application.id, **mine),
        office.applications.seal(application.id, await seal_of(office, application), **mine),
        office.applications.submit(application.id, **mine),
    ):
        with pytest.raises(ApplicationChanged):
            await act
    kept = await office.applications.application(application.id, by=office.developer)
    assert (kept.version, kept.draft) == (application.version, application.draft)
    await office.applications.approve(proposal.id, by=office.second, seen=proposal.version)
    for act in (
        office.applications.edit(application.id, draft_of("tax-other"), **mine),
        office.applications.give_back(
            application.id, reason="x", final=True, by=office.first, seen=application.version + 1
        ),
    ):
        with pytest.raises(ApplicationChanged):
            await act


async def seal_of(office: Office, application: Application) -> bytes:
    holder = await seal_for(office.world)
    return holder.sign(documents.seal_content(application))


async def test_of_approval_and_return_one_wins(office: Office) -> None:
    application = await office.submitted()
    proposal = await office.applications.propose(
        application.id, reason="complete", by=office.first, seen=application.version
    )
    outcomes = await asyncio.gather(
        office.applications.approve(proposal.id, by=office.second, seen=proposal.version),
        office.applications.give_back(
            application.id, reason="no", final=False, by=office.first, seen=application.version
        ),
        return_exceptions=True,
    )
    assert sum(isinstance(each, ApplicationChanged) for each in outcomes) == 1


@on_sqlite
async def test_nobody_reviews_what_they_worked_on(office: Office) -> None:
    accounts = office.world.platform.accounts
    both = await hire(accounts, Role.DEVELOPER, Role.RP_OFFICER, name="both")
    office.developer = both
    application = await office.submitted()
    for act in (
        office.applications.propose(application.id, reason="x", by=both, seen=application.version),
        office.applications.give_back(
            application.id, reason="x", final=False, by=both, seen=application.version
        ),
    ):
        with pytest.raises(OwnApplication):
            await act
    proposal = await office.applications.propose(
        application.id, reason="complete", by=office.first, seen=application.version
    )
    with pytest.raises(OwnApplication):
        await office.applications.approve(proposal.id, by=both, seen=proposal.version)


@on_sqlite
async def test_a_developer_is_no_officer(office: Office) -> None:
    application = await office.submitted()
    other = await hire(office.world.platform.accounts, Role.DEVELOPER, name="other")
    with pytest.raises(InkanError) as refused:
        await office.applications.propose(
            application.id, reason="x", by=other, seen=application.version
        )
    assert refused.value.code == "role_missing"


async def test_of_two_second_officers_one_wins(office: Office) -> None:
    third = await hire(office.world.platform.accounts, Role.RP_OFFICER, name="third")
    application = await office.submitted()
    proposal = await office.applications.propose(
        application.id, reason="complete", by=office.first, seen=application.version
    )
    outcomes = await asyncio.gather(
        *(
            office.applications.approve(proposal.id, by=by, seen=proposal.version)
            for by in (office.second, third)
        ),
        return_exceptions=True,
    )
    assert sum(isinstance(each, ProposalClosed) for each in outcomes) == 1
    events = await office.world.events()
    assert events.count("relying_parties.application_approved") == 1


async def test_of_two_first_officers_one_wins(office: Office) -> None:
    application = await office.submitted()
    outcomes = await asyncio.gather(
        *(
            office.applications.propose(application.id, reason="x", by=by, seen=application.version)
            for by in (office.first, office.second)
        ),
        return_exceptions=True,
    )
    assert sum(isinstance(each, ReviewUnderWay) for each in outcomes) == 1


@on_sqlite
async def test_returned_corrected_and_approved(office: Office) -> None:
    application = await office.submitted()
    proposal = await office.applications.propose(
        application.id, reason="complete", by=office.first, seen=application.version
    )
    returned = await office.applications.give_back(
        application.id,
        reason="The domain is not yours.",
        final=False,
        by=office.second,
        seen=application.version,
    )
    assert (returned.state, returned.reason) == ("returned", "The domain is not yours.")
    with pytest.raises(ApplicationChanged):  # the old proposal is about another version
        await office.applications.approve(proposal.id, by=office.second, seen=proposal.version)
    edited = await office.applications.edit(
        returned.id, returned.draft, by=office.developer, seen=returned.version
    )
    done = await office.applications.complete(edited.id, by=office.developer, seen=edited.version)
    sealed = await office.sealed(done)
    again = await office.applications.submit(sealed.id, by=office.developer, seen=sealed.version)
    assert again.reason == ""
    second = await office.applications.propose(
        again.id, reason="now", by=office.second, seen=again.version
    )
    await office.applications.approve(second.id, by=office.first, seen=second.version)


@on_sqlite
async def test_refused_is_the_end(office: Office) -> None:
    application = await office.submitted()
    refused = await office.applications.give_back(
        application.id, reason="No.", final=True, by=office.first, seen=application.version
    )
    assert refused.state is ApplicationState.REFUSED
    with pytest.raises(ApplicationChanged):
        await office.applications.edit(
            refused.id, refused.draft, by=office.developer, seen=refused.version
        )


@on_sqlite
async def test_nobody_of_the_organisation_reviews_it(office: Office) -> None:
    accounts = office.world.platform.accounts
    office.developer = await hire(accounts, Role.DEVELOPER, name="theirs", tenant="tax-bureau")
    theirs = await hire(accounts, Role.RP_OFFICER, name="officer", tenant="tax-bureau")
    application = await office.submitted()
    with pytest.raises(OwnApplication):
        await office.applications.propose(
            application.id, reason="x", by=theirs, seen=application.version
        )
    proposal = await office.applications.propose(
        application.id, reason="x", by=office.first, seen=application.version
    )
    with pytest.raises(OwnApplication):
        await office.applications.approve(proposal.id, by=theirs, seen=proposal.version)
    colleague = await hire(accounts, Role.DEVELOPER, name="colleague", tenant="tax-bureau")
    assert await office.applications.own(by=colleague)


@on_sqlite
async def test_a_refused_proposal_stands_in_nobodys_way(office: Office) -> None:
    application = await office.submitted()
    proposal = await office.applications.propose(
        application.id, reason="x", by=office.first, seen=application.version
    )
    accounts = office.world.platform.accounts
    await accounts.refuse(proposal.id, by=office.second, seen=proposal.version)
    again = await office.applications.propose(
        application.id, reason="y", by=office.second, seen=application.version
    )
    await office.applications.approve(again.id, by=office.first, seen=again.version)
