"""What the use cases of accounts share: the features below, tokens and their hashes, the reading of rows."""

import hashlib
from dataclasses import dataclass
from typing import Any

from inkan.accounts import store
from inkan.accounts.model import Account, AccountClosed, AccountKind, AccountState, Login, Role
from inkan.accounts.rules import TOKEN_BYTES
from inkan.audit import Actor, ActorKind, Audit
from inkan.crypto import base64url
from inkan.kernel.clock import Clock
from inkan.kernel.ids import AccountID, PersonID, random_bytes
from inkan.kernel.sensitive import Secret
from inkan.notices import Notices
from inkan.store.database import Database, Step
from inkan.store.sealing import Sealer
from inkan.web.principal import Assurance

PLATFORM = Actor(ActorKind.PLATFORM, "accounts")


@dataclass(frozen=True, kw_only=True)
class Parts:
    """The dependencies of every use case of this feature.

    Attributes:
        rp_id: WebAuthn RP ID of staff passkeys: the platform's host exactly.
        origin: the platform's origin, the only one at which they are asked.
        rp_name: what a passkey's owner reads beside it.
    """

    db: Database
    audit: Audit
    sealer: Sealer
    notices: Notices
    clock: Clock
    rp_id: str
    origin: str
    rp_name: str

    def read_account(self, row: Any) -> Account:
        """The account of a row."""
        sealed = row.name
        name = None if sealed is None else self.sealer.open_text(store.NAME, row.id, sealed)
        return Account(
            id=AccountID(row.id),
            kind=row.kind,
            state=row.state,
            roles=read_roles(row.roles),
            tenant=row.tenant,
            person=None if row.person is None else PersonID(row.person),
            name=name,
            created_at=row.created_at,
            version=row.version,
        )


def new_token() -> Secret[str]:
    """A token that nobody can guess: 256 random bits as 43 letters of base64url."""
    return Secret(base64url.encode(random_bytes(TOKEN_BYTES)))


def digest_of(token: str) -> bytes:
    """What the database knows a token by. Its entropy needs no salt and no slow hash."""
    return hashlib.sha256(token.encode()).digest()


def read_roles(names: list[str]) -> frozenset[Role]:
    """Roles as an account's row holds them."""
    return frozenset(map(Role, names))


def actor_of(login: Login) -> Actor:
    """Whoever acts by a login, as the audit names them."""
    return actor_for(login.kind, account=login.account, person=login.person)


def actor_for(kind: AccountKind, *, account: str, person: str | None) -> Actor:
    """The owner of an account, as the audit names them."""
    if kind is AccountKind.PERSON:
        assert person is not None
        return Actor(ActorKind.PERSON, person)
    return Actor(ActorKind.STAFF, account)


def hold_account(account_id: str) -> Step[Any]:
    """Step: the row of an active account, held until COMMIT.

    Raises:
        AccountClosed: unknown, not yet accepted, or ended.
    """
    row = yield store.HOLD_ACCOUNT.one(key=account_id)
    if row is None or row.state is not AccountState.ACTIVE:
        raise AccountClosed()
    return row


def read_login(row: Any) -> Login:
    """The login of a row of :data:`inkan.accounts.store.LIVE_LOGIN`."""
    return Login(
        id=row.id,
        account=AccountID(row.account),
        kind=row.kind,
        person=None if row.person is None else PersonID(row.person),
        roles=read_roles(row.roles),
        tenant=row.tenant,
        assurance=Assurance(row.assurance),
        verified_at=row.verified_at,
        created_at=row.created_at,
        idle_until=row.idle_until,
        expires_at=row.expires_at,
    )
