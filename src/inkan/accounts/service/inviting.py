"""Invitations: how staff come to an account and to its passkey, and back to it when the passkey is lost.

Numbered plan of an acceptance (NIST SP 800-63B-4 §4.1.2):

1. the code is that of an open invitation in its time: once, ten minutes by hand or 24 hours by mail, 256 bits;
2. the browser answers the challenge that was drawn for this invitation, within five minutes, once;
3. the new credential is verified: challenge, origin, RP ID, user verified, strong key (WebAuthn §7.1);
4. one transaction: the challenge and the invitation are used up, older passkeys and logins of the account end,
   the passkey is written down under a credential id that nobody else has, the browser is logged in, and the
   account's owner is told by mail.
"""

from collections.abc import Iterable
from typing import Any

from inkan.accounts import store
from inkan.accounts.model import (
    Account,
    AccountClosed,
    AccountExists,
    AccountKind,
    AccountState,
    AccountUnknown,
    Ceremony,
    CeremonyEnded,
    CeremonyPurpose,
    Handover,
    Invitation,
    InviteState,
    InviteUnknown,
    LoginEnd,
    LoginToken,
    PasskeyTaken,
    Role,
)
from inkan.accounts.rules import INVITE_LIFE, verify_name, verify_staff_roles
from inkan.accounts.service.ceremonies import begin_registration, find_ceremony, take_ceremony
from inkan.accounts.service.logins import end_logins, open_login
from inkan.accounts.service.parts import Parts, actor_for, digest_of, new_token
from inkan.audit import Actor
from inkan.crypto.webauthn import Credential, verify_registration
from inkan.kernel.clock import rfc3339
from inkan.kernel.ids import AccountID, new_id
from inkan.kernel.sensitive import Personal, Secret
from inkan.notices import MailAddress
from inkan.people import verify_free_text
from inkan.store.database import MOMENT, Step
from inkan.web.languages import Language
from inkan.web.principal import Assurance

INVITE_PATH = "/staff/invite"
MAIL_LOOKUP = "accounts.mail"


async def invite(
    parts: Parts,
    roles: Iterable[Role],
    *,
    name: Personal[str],
    mail: MailAddress | None,
    language: Language,
    tenant: str,
    actor: Actor,
) -> Invitation:
    """Make an account that waits for its owner's passkey, and the invitation to it.

    Raises:
        RolesRefused, AccountNameRefused, MyNumberRefused: what was given.
        AccountExists: the mail address has an account.
    """
    held = verify_staff_roles(roles)
    verify_free_text(verify_name(name.reveal()), where="name")
    account_id = AccountID(new_id("acc"))
    row = {
        "id": account_id,
        "kind": AccountKind.STAFF,
        "state": AccountState.INVITED,
        "roles": sorted(held),
        "tenant": tenant,
        "person": None,
        "name": parts.sealer.seal(store.NAME, account_id, name),
        "mail_lookup": None if mail is None else parts.sealer.lookup(MAIL_LOOKUP, mail),
        "version": 1,
    }
    return await parts.db.transact(_invite, parts, row, mail, language, actor)


def _invite(
    parts: Parts, row: dict[str, Any], mail: MailAddress | None, language: Language, actor: Actor
) -> Step[Invitation]:
    moment = yield MOMENT
    event = yield from parts.audit.record(
        "accounts.invited",
        actor=actor,
        object=row["id"],
        details={"roles": row["roles"], "tenant": row["tenant"]},
    )
    made = yield store.INSERT_ACCOUNT.run(**row, created_at=moment, event_id=event)
    if not made:
        raise AccountExists()
    if mail is not None:
        yield from parts.notices.set_contact(row["id"], mail, language=language, actor=actor)
    handover = Handover.IN_PERSON if mail is None else Handover.MAIL
    return (yield from _write_invite(parts, row["id"], handover, event))


def invite_again(
    parts: Parts, account_id: str, *, handover: Handover, actor: Actor
) -> Step[Invitation]:
    """Step: invite the owner of an account anew: the first invitation ran out, or the passkey is lost.

    Accepting it replaces every passkey of the account. Invitations made before are withdrawn.

    Raises:
        AccountUnknown: no staff account has this id.
        AccountClosed: it has ended.
    """
    row = yield store.HOLD_ACCOUNT.one(key=account_id)
    if row is None or row.kind is not AccountKind.STAFF:
        raise AccountUnknown()
    if row.state is AccountState.ENDED:
        raise AccountClosed()
    event = yield from parts.audit.record("accounts.invited_again", actor=actor, object=row.id)
    yield store.WITHDRAW_INVITES.run(whose=row.id, event=event)
    return (yield from _write_invite(parts, AccountID(row.id), handover, event))


def _write_invite(
    parts: Parts, account_id: AccountID, handover: Handover, event: str
) -> Step[Invitation]:
    moment = yield MOMENT
    token = new_token()
    expires_at = moment + INVITE_LIFE[handover]
    yield store.INSERT_INVITE.run(
        id=new_id("inv"),
        account=account_id,
        token_sha256=digest_of(token.reveal()),
        state=InviteState.OPEN,
        created_at=moment,
        expires_at=expires_at,
        event_id=event,
    )
    # In the fragment, which no browser sends: a code in a path or query would end in logs (threat 28)
    link = Secret(f"{parts.origin}{INVITE_PATH}#{token.reveal()}")
    if handover is Handover.IN_PERSON:
        return Invitation(account=account_id, link=link, expires_at=expires_at)
    facts = {"link": link.reveal(), "until": rfc3339(expires_at)}
    yield from parts.notices.notify(account_id, "staff_invited", facts)
    return Invitation(account=account_id, link=None, expires_at=expires_at)


def begin(parts: Parts, code: str) -> Step[Ceremony]:
    """Step: the challenge for the passkey of an invited account; step 1 of the plan.

    Raises:
        InviteUnknown: no open invitation has this code.
    """
    invitation, account = yield from _find_invite(parts, code)
    return (yield from begin_registration(parts, account, invite=invitation.id))


def _find_invite(parts: Parts, code: str) -> Step[tuple[Any, Account]]:
    invitation = yield store.OPEN_INVITE.one(digest=digest_of(code))
    if invitation is None:
        raise InviteUnknown()
    row = yield store.ACCOUNT_BY_ID.one(key=invitation.account)
    if row is None or row.state is AccountState.ENDED:
        raise InviteUnknown()
    return invitation, parts.read_account(row)


async def accept(
    parts: Parts, code: str, *, ceremony: str, answer: bytes, replaces: str | None
) -> LoginToken:
    """Take the passkey of an invited account and log its browser in; see the plan of this module.

    Raises:
        InviteUnknown: 1.
        CeremonyEnded: 2.
        the refusals of :func:`inkan.crypto.webauthn.verify_registration`: 3.
        PasskeyTaken: 4.
    """
    invitation, challenge = await parts.db.read(_read, parts, code, ceremony)  # 1, 2
    credential = verify_registration(  # 3
        answer, challenge=challenge, origins=(parts.origin,), rp_id=parts.rp_id
    )
    return await parts.db.transact(  # 4
        _accept, parts, invitation, ceremony, credential, replaces
    )


def _read(parts: Parts, code: str, ceremony_id: str) -> Step[tuple[Any, bytes]]:
    invitation, _ = yield from _find_invite(parts, code)
    ceremony = yield from find_ceremony(ceremony_id, CeremonyPurpose.INVITE)
    if ceremony.invite != invitation.id:
        raise CeremonyEnded()
    return invitation, ceremony.challenge


def _accept(
    parts: Parts,
    invitation: Any,
    ceremony: str,
    credential: Credential,
    replaces: str | None,
) -> Step[LoginToken]:
    yield from take_ceremony(ceremony, CeremonyPurpose.INVITE)
    row = yield store.HOLD_ACCOUNT.one(key=invitation.account)
    event = yield from parts.audit.record(
        "accounts.accepted",
        actor=actor_for(AccountKind.STAFF, account=row.id, person=None),
        object=row.id,
        details={
            "invite": invitation.id,
            "aaguid": credential.aaguid.hex(),
            "synced": credential.backup_eligible,
        },
    )
    used = yield store.USE_INVITE.run(key=invitation.id, event=event)
    active = yield store.ACCEPT_ACCOUNT.run(key=row.id, event=event)
    if not used or not active:
        raise InviteUnknown()
    yield from _write_passkey(row.id, credential, event)
    yield from end_logins(row.id, why=LoginEnd.PASSKEY_REPLACED, event=event)
    yield from parts.notices.notify(row.id, "passkey_added", {})
    return (
        yield from open_login(parts, row, assurance=Assurance.PHISHING_RESISTANT, replaces=replaces)
    )


def _write_passkey(account_id: str, credential: Credential, event: str) -> Step[None]:
    """Write the one passkey of an account: whoever lost the others must not find them working."""
    yield store.DELETE_PASSKEYS.run(whose=account_id)
    made = yield store.INSERT_PASSKEY.run(
        id=new_id("pk"),
        account=account_id,
        credential_id=credential.id,
        cose_key=credential.cose_key,
        sign_count=credential.sign_count,
        backup_eligible=credential.backup_eligible,
        created_at=(yield MOMENT),
        used_at=None,
        event_id=event,
    )
    if not made:
        raise PasskeyTaken()
