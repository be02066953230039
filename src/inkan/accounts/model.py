"""Who logs in, what of them is kept, and every refusal of this feature.

An account holds roles; a login is one browser that proved itself for one account. Tokens, links and names are
values that refuse to print.
"""

from datetime import datetime
from enum import StrEnum
from typing import Any

import msgspec

from inkan.kernel.errors import Conflict, Forbidden, Malformed, NotFound, Unauthenticated
from inkan.kernel.ids import AccountID, PersonID
from inkan.kernel.sensitive import Personal, Secret
from inkan.web.principal import Assurance, LoginRequired


class LoginEnded(LoginRequired):
    """The browser presents a login that has ended: by time, by logout, by another login or by lost rights."""

    code = "login_ended"
    title = "This login has ended"


class LoginRefused(Unauthenticated):
    """A passkey does not log anybody in. Unknown, ended or wrong: all get this very answer (ASVS 6.3.8)."""

    code = "login_refused"
    title = "This passkey does not log in here"


class AnswerUsed(Conflict):
    """The answered session has opened a login before: one answer opens one login, also after its end."""

    code = "answer_used"
    title = "This answer has logged somebody in before"


class CeremonyEnded(Conflict):
    """The challenge of a passkey is unknown, was answered before, or is too old."""

    code = "ceremony_ended"
    title = "This took too long, or was answered before"


class InviteUnknown(NotFound):
    """No invitation has this code, or it was used, withdrawn or has run out: all get this very answer."""

    code = "invite_unknown"
    title = "This invitation is not valid"


class PasskeyTaken(Conflict):
    """The new passkey's id belongs to an account already."""

    code = "passkey_taken"
    title = "This passkey is in use already"


class AccountUnknown(NotFound):
    """No account has this id."""

    code = "account_unknown"
    title = "There is no such account"


class AccountClosed(Conflict):
    """The account has ended, or was changed by somebody else at this very moment."""

    code = "account_closed"
    title = "This account has ended or is being changed"


class AccountExists(Conflict):
    """A staff account with this mail address exists: one human being has one account."""

    code = "account_exists"
    title = "There is an account with this mail address"


class AccountNameRefused(Malformed):
    """A name is blank, too long, or holds characters that do not print."""

    code = "account_name_refused"
    title = "This name cannot be used"
    public = ()


class RolesRefused(Malformed):
    """No role, a role twice, or a role that no staff account can hold."""

    code = "roles_refused"
    title = "These roles cannot be given"
    public = ("expected",)


class ProposalUnknown(NotFound):
    """No proposal has this id."""

    code = "proposal_unknown"
    title = "There is no such proposal"


class ProposalClosed(Conflict):
    """The proposal was decided, withdrawn or has run out, or its proposer has lost the right to it."""

    code = "proposal_closed"
    title = "This proposal is no longer open"
    public = ("state",)


class OwnProposal(Forbidden):
    """Two pairs of eyes belong to two people: nobody decides what they proposed or what gives them rights."""

    code = "own_proposal"
    title = "Somebody else has to decide this"


class Role(StrEnum):
    """What somebody may be here (design §1)."""

    ADMINISTRATOR = "administrator"
    CA_OFFICER = "ca_officer"
    RP_OFFICER = "rp_officer"
    AUDITOR = "auditor"
    OPERATOR = "operator"
    DEVELOPER = "developer"
    CLERK = "clerk"
    PERSON = "person"


class AccountKind(StrEnum):
    """Whose account it is: it decides how it logs in and how long a login lives."""

    STAFF = "staff"
    PERSON = "person"


class AccountState(StrEnum):
    """Where an account stands."""

    INVITED = "invited"
    ACTIVE = "active"
    ENDED = "ended"


class AccountStep(StrEnum):
    """What happens to an account. Accepting again, after a lost passkey, leads back to active."""

    ACCEPT = "accept"
    END = "end"


class InviteState(StrEnum):
    """Where an invitation stands; whether it has run out is a question of its date."""

    OPEN = "open"
    USED = "used"
    WITHDRAWN = "withdrawn"


class InviteStep(StrEnum):
    """What happens to an invitation."""

    USE = "use"
    WITHDRAW = "withdraw"


class LoginEnd(StrEnum):
    """Why a login was ended, other than by its clock."""

    LOGOUT = "logout"
    STEPPED_UP = "stepped_up"
    SECOND_LOGIN = "second_login"
    ROLES_CHANGED = "roles_changed"
    PASSKEY_REPLACED = "passkey_replaced"
    ACCOUNT_ENDED = "account_ended"
    CARD_ENDED = "card_ended"


class CeremonyPurpose(StrEnum):
    """What the answer to a challenge is for; one purpose's answer is no other's."""

    INVITE = "invite"
    LOGIN = "login"


class Handover(StrEnum):
    """How an invitation reaches the invited."""

    IN_PERSON = "in_person"
    MAIL = "mail"


class ProposalState(StrEnum):
    """Where a proposal stands."""

    OPEN = "open"
    APPROVED = "approved"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"
    EXPIRED = "expired"


class ProposalStep(StrEnum):
    """What happens to a proposal."""

    APPROVE = "approve"
    REFUSE = "refuse"
    WITHDRAW = "withdraw"
    EXPIRE = "expire"


class Account(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody who may log in.

    Attributes:
        roles: empty for nobody; persons hold ``person`` alone.
        tenant: id of the organisation that the roles hold in; empty for the platform's own staff.
        person: whose account it is; None for staff.
        name: as colleagues know them; None for persons, whose names are kept by people.
    """

    id: AccountID
    kind: AccountKind
    state: AccountState
    roles: frozenset[Role]
    tenant: str
    person: PersonID | None
    name: Personal[str] | None
    created_at: datetime
    version: int


class Invitation(msgspec.Struct, frozen=True, kw_only=True):
    """An invitation just made.

    Attributes:
        link: to be handed over in person; None when it went by mail, so that only the invited knows it.
    """

    account: AccountID
    link: Secret[str] | None
    expires_at: datetime


class Ceremony(msgspec.Struct, frozen=True, kw_only=True):
    """A challenge to a passkey.

    Attributes:
        id: to be sent back with the answer.
        options: JSON of ``navigator.credentials`` (WebAuthn §5.1.9, §5.1.10), bytes as base64url.
    """

    id: str
    options: dict[str, Any]


class Login(msgspec.Struct, frozen=True, kw_only=True):
    """A browser that proved itself.

    Attributes:
        roles: of the account, as they are now.
        assurance: how it was proved.
        verified_at: when the human being last acted to prove themselves.
        idle_until: the end, if nothing more is asked.
        expires_at: the end in any case.
    """

    id: str
    account: AccountID
    kind: AccountKind
    person: PersonID | None
    roles: frozenset[Role]
    tenant: str
    assurance: Assurance
    verified_at: datetime
    created_at: datetime
    idle_until: datetime
    expires_at: datetime


class LoginToken(msgspec.Struct, frozen=True, kw_only=True):
    """A login and the secret that stands for it: 256 random bits as 43 letters of base64url.

    The token exists in the browser's cookie alone; the database keeps its SHA-256.
    """

    token: Secret[str]
    login: Login


class Proposal(msgspec.Struct, frozen=True, kw_only=True):
    """An act that waits for a second pair of eyes.

    Attributes:
        use_case: which act, as the permission matrix names it.
        content: the act's own canonical JSON: what is proposed, and what will be carried out.
        version: of the row; deciding compares it.
    """

    id: str
    use_case: str
    content: bytes
    state: ProposalState
    proposer: AccountID
    decided_by: AccountID | None
    proposed_at: datetime
    expires_at: datetime
    version: int


class RoleChange(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The content of a proposal ``accounts.change_roles``: all roles that the account is to hold."""

    account: str
    roles: tuple[Role, ...]
