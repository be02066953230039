"""Logging in: staff by passkey, persons by an answer of their phone that others have verified.

Numbered plan of a passkey login (WebAuthn Level 3 §7.2):

1. the answer can be read;
2. it answers a challenge that was drawn for a login here, within five minutes;
3. its credential is the passkey of an account that has not ended;
4. the assertion is verified: owner, challenge, origin, RP ID, user present and verified, flags, signature;
5. one transaction: the challenge is used up, the account is still active and held, the counter is remembered,
   the old login of this browser (and of any other of the account) ends, the new one begins.

Whatever fails in 3 and 4 is one answer.
"""

from typing import Any

from inkan.accounts import store
from inkan.accounts.model import (
    AccountClosed,
    AccountKind,
    AccountState,
    CeremonyPurpose,
    LoginRefused,
    LoginToken,
    Role,
)
from inkan.accounts.service.ceremonies import find_ceremony, parse_answer, take_ceremony
from inkan.accounts.service.logins import open_login
from inkan.accounts.service.parts import Parts, hold_account
from inkan.audit import Actor, ActorKind
from inkan.crypto.webauthn import AssertionResult, KnownCredential, verify_assertion
from inkan.kernel.errors import InkanError
from inkan.kernel.ids import AccountID, PersonID, SessionID, new_id
from inkan.store.database import MOMENT, RowExists, Step
from inkan.web.principal import Assurance


async def log_in(parts: Parts, ceremony: str, *, answer: bytes, replaces: str | None) -> LoginToken:
    """Log in, or step up, by a passkey's answer; see the plan of this module.

    Raises:
        TooLarge, Malformed: 1.
        CeremonyEnded: 2, or 5 when another answer was faster.
        LoginRefused: 3, 4, or 5 when the account has ended meanwhile.
    """
    assertion = parse_answer(answer)  # 1
    challenge, passkey = await parts.db.read(_read, ceremony, assertion.credential_id)  # 2, 3
    if passkey is None:
        raise LoginRefused
    try:  # 4
        result = verify_assertion(
            assertion,
            known=KnownCredential(
                id=passkey.credential_id,
                cose_key=passkey.cose_key,
                backup_eligible=passkey.backup_eligible,
                sign_count=passkey.sign_count,
                user_handle=passkey.account.encode(),
            ),
            challenge=challenge,
            origin=parts.origin,
            rp_id=parts.rp_id,
        )
    except InkanError as wrong:
        raise LoginRefused(check=wrong.code) from wrong
    try:  # 5
        return await parts.db.transact(_log_in, parts, ceremony, passkey, result, replaces)
    except AccountClosed:
        raise LoginRefused from None


def _read(ceremony_id: str, credential_id: bytes) -> Step[tuple[bytes, Any]]:
    ceremony = yield from find_ceremony(ceremony_id, CeremonyPurpose.LOGIN)
    passkey = yield store.PASSKEY_BY_CREDENTIAL.one(credential=credential_id)
    return ceremony.challenge, passkey


def _log_in(
    parts: Parts,
    ceremony: str,
    passkey: Any,
    result: AssertionResult,
    replaces: str | None,
) -> Step[LoginToken]:
    yield from take_ceremony(ceremony, CeremonyPurpose.LOGIN)
    account = yield from hold_account(passkey.account)
    # 0 rows: an invitation has replaced this passkey since it was read
    counted = max(result.sign_count, passkey.sign_count)
    remembered = yield store.USE_PASSKEY.run(key=passkey.id, new_count=counted)
    if not remembered:
        raise LoginRefused
    return (
        yield from open_login(
            parts,
            account,
            assurance=Assurance.PHISHING_RESISTANT,
            replaces=replaces,
            details={"counter_suspect": result.sign_count_suspect},
        )
    )


def log_in_person(
    parts: Parts,
    person: PersonID,
    *,
    session: SessionID,
    assurance: Assurance,
    replaces: str | None,
) -> Step[LoginToken]:
    """Step: log a person in who proved themself by an answered session of Inkan's own system.

    The caller vouches for the proof. A person has one account, made at the first login.

    Raises:
        AccountClosed: the person's account has ended.
        AnswerUsed: the session has opened a login before.
        RowExists: a rival login of the same person makes the account; the transaction should run again.
    """
    row = yield store.ACCOUNT_OF_PERSON.one(whose=person)
    if row is None:
        yield from _open_account(parts, person)
        row = yield store.ACCOUNT_OF_PERSON.one(whose=person)
    account = yield from hold_account(row.id)
    return (
        yield from open_login(
            parts,
            account,
            assurance=assurance,
            replaces=replaces,
            session=session,
            details={"session": session},
        )
    )


def log_in_by_card(
    parts: Parts, account_id: AccountID, *, replaces: str | None, details: dict[str, Any]
) -> Step[LoginToken]:
    """Step: log a clerk in who proved themself by the key of a card; the caller vouches for the proof.

    What the card signed named the origin that the browser stated, so it is phishing resistant like a passkey. A card
    opens the counter and nothing else: an account with another role besides needs its passkey, because cards are made
    by clerks and passkeys are not.

    Raises:
        LoginRefused: the account has ended, or is not a clerk's alone.
    """
    try:
        account = yield from hold_account(account_id)
    except AccountClosed:
        raise LoginRefused from None
    if account.roles != [Role.CLERK.value]:
        raise LoginRefused
    return (
        yield from open_login(
            parts,
            account,
            assurance=Assurance.PHISHING_RESISTANT,
            replaces=replaces,
            details=details,
        )
    )


def _open_account(parts: Parts, person: PersonID) -> Step[None]:
    account_id = new_id("acc")
    event = yield from parts.audit.record(
        "accounts.opened",
        actor=Actor(ActorKind.PERSON, person),
        subject=person,
        object=account_id,
    )
    made = yield store.INSERT_ACCOUNT.run(
        id=account_id,
        kind=AccountKind.PERSON,
        state=AccountState.ACTIVE,
        roles=[Role.PERSON.value],
        tenant="",
        person=person,
        name=None,
        mail_lookup=None,
        created_at=(yield MOMENT),
        version=1,
        event_id=event,
    )
    if not made:
        raise RowExists
