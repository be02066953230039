"""What of logins lies in the database, and for how long."""

from datetime import timedelta

from accounts.rows import rows_of
from accounts.staff import CONSOLE, Device, accept, code_of, hire, invite, log_in
from inkan.accounts import (
    Accounts,
    AccountState,
    Handover,
)
from inkan.accounts.model import InviteState, LoginEnd
from inkan.crypto import base64url
from inkan.store.database import Database, Step
from inkan.store.schema import metadata
from support.clock import StandingClock


async def test_neither_tokens_nor_codes_nor_names_stand_in_the_database(
    accounts: Accounts, database: Database
) -> None:
    from inkan.accounts import store
    from inkan.notices import parse_mail_address
    from inkan.notices import store as notices_store

    invitation = await invite(accounts, name="Canary Name")
    device = Device("canary")
    token = await accept(accounts, code_of(invitation), device)
    await invite(accounts, name="Other", mail=parse_mail_address("canary@example.org"))
    tables = [value for value in vars(store).values() if type(value).__name__ == "Table"]
    tables += [notices_store.notice, notices_store.contact, metadata.tables["store_outbox"]]
    text = repr(await database.read(rows_of(*tables)))
    assert invitation.account in text
    for secret in (token.token.reveal(), code_of(invitation), "Canary Name", "canary@"):
        assert secret not in text
        assert secret.encode().hex() not in text
    assert repr(base64url.decode(token.token.reveal()))[2:-1] not in text


async def test_ended_logins_and_old_challenges_are_forgotten(
    accounts: Accounts, database: Database, clock: StandingClock
) -> None:
    from inkan.accounts import store

    _, device = await hire(accounts)
    await log_in(accounts, device)
    await accounts.begin_login()
    kept = rows_of(store.login, store.ceremony, store.invite)
    assert len(await database.read(kept)) == 4
    clock.tick(timedelta(days=30))
    await accounts.purge()
    assert len(await database.read(rows_of(store.login))) == 2
    assert await database.read(rows_of(store.ceremony)) == []
    clock.tick(timedelta(hours=8))
    await accounts.purge()
    assert await database.read(kept) == []


async def test_why_a_login_ended_is_kept(accounts: Accounts, database: Database) -> None:
    from inkan.accounts import store

    _, device = await hire(accounts)
    first = await log_in(accounts, device)
    second = await log_in(accounts, device, replaces=first.token.reveal())
    await accounts.log_out(second.token.reveal())
    rows = await database.read(rows_of(store.login))
    assert sorted(row.ended_by for row in rows) == sorted(
        [LoginEnd.SECOND_LOGIN, LoginEnd.STEPPED_UP, LoginEnd.LOGOUT]
    )


async def test_a_replaced_passkey_is_why_its_logins_ended(
    accounts: Accounts, database: Database
) -> None:
    from inkan.accounts import store

    hired, lost = await hire(accounts)
    await log_in(accounts, lost)
    again = await accounts.invite_again(hired.account, handover=Handover.IN_PERSON, actor=CONSOLE)
    await accept(accounts, code_of(again), Device("new"))
    rows = await database.read(rows_of(store.login))
    assert [row.ended_by for row in rows].count(LoginEnd.PASSKEY_REPLACED) == 1
    assert len(await database.read(rows_of(store.passkey))) == 1


async def test_an_ended_account_keeps_neither_passkey_nor_open_invitation(
    accounts: Accounts, database: Database
) -> None:
    from inkan.accounts import store

    hired, _ = await hire(accounts)
    await accounts.invite_again(hired.account, handover=Handover.IN_PERSON, actor=CONSOLE)
    await accounts.end_account(hired.account, actor=CONSOLE)
    assert await database.read(rows_of(store.passkey)) == []
    states = {row.state for row in await database.read(rows_of(store.invite))}
    assert states == {InviteState.USED, InviteState.WITHDRAWN}


async def test_no_login_is_live_on_an_account_that_is_not(
    accounts: Accounts, database: Database
) -> None:
    from inkan.accounts import store
    from inkan.store.query import Query

    _, device = await hire(accounts)
    token = (await log_in(accounts, device)).token.reveal()
    query = Query(store.account.update().values(state=AccountState.ENDED))

    def end_behind_our_back() -> Step[None]:
        yield query.run()

    await database.transact(end_behind_our_back)
    assert await accounts.find_login(token) is None
