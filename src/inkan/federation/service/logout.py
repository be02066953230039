"""RP-initiated logout, and the clients that hold a login of a person.

Numbered plan of a logout request (RP-Initiated Logout 1.0 §2, §3):

1. a hint is an ID token of this provider; its term may be over, its signature, issuer and type may not be wrong;
2. the client of the request is that of the hint;
3. the address to return to is one of this client, letter by letter; else there is no redirect and no logout;
4. with a hint of the very login of this browser it ends at once; in every other case the person is asked first.
"""

from collections.abc import Awaitable, Callable
from typing import Any, Final, TypeVar
from urllib.parse import quote

from inkan.audit import Actor, ActorKind
from inkan.federation.model.grant import Grant
from inkan.federation.model.logout import (
    ClientGrantsNotFound,
    Leaving,
    LivingClient,
    LogoutRefused,
    LogoutWish,
)
from inkan.federation.model.refusals import GrantRefused, RequestRefused
from inkan.federation.service import ending, grants
from inkan.federation.service.parts import Parts, hashed
from inkan.federation.service.tokens import IDTokenHint
from inkan.federation.store import ending as store
from inkan.federation.store import grants as grants_store
from inkan.kernel.ids import PersonID, SystemID
from inkan.relying_parties import System, SystemNotFound
from inkan.store.database import Step

T = TypeVar("T")

Hinted = Callable[[str, str], Awaitable[IDTokenHint]]
"""From an ID token, and the client that it has to be for (empty: any), to what it says."""
RIVALS: Final = 5
"""How often an end is tried again when a rival changes one of its grants at the same moment."""


class Logout:
    """The ends of logins of one instance."""

    def __init__(self, parts: Parts, *, hinted: Hinted) -> None:
        self._parts = parts
        self._hinted = hinted

    # --- a client's request ----------------------------------------------------------------------

    async def check(self, wish: LogoutWish) -> Leaving:
        """A logout request that may be carried out; steps 1 to 3 of the plan.

        Raises:
            LogoutRefused: it may not.
        """
        hint = await self._read_hint(wish.id_token_hint) if wish.id_token_hint else None  # 1
        client = hint.aud if hint else wish.client_id
        if wish.client_id and wish.client_id != client:  # 2
            raise LogoutRefused("the hint is another client's")
        system = await self._client(client) if client else None
        return Leaving(
            client=client,
            name=system.name if system else "",
            sub=hint.sub if hint else "",
            sid=(hint.sid or "") if hint else "",
            back=_back(system, wish),  # 3
        )

    async def is_asked(self, leaving: Leaving, *, browser: str) -> bool:
        """Whether the person is asked first; step 4 of the plan.

        Args:
            leaving: of :meth:`check`.
            browser: the login cookie; empty without one.
        """
        if not leaving.sid or not browser:
            return True
        own = await self._parts.db.read(self._is_own, leaving, hashed(browser))
        return not own

    async def end(self, leaving: Leaving, *, browser: str) -> None:
        """End the login of this browser and that of the hint, and everything that came of them; twice is once.

        Every client that took part is told (back-channel logout, and by its stream).
        """
        await _against_rivals(
            lambda: self._parts.db.transact(self._end, leaving, hashed(browser) if browser else "")
        )

    # --- a person's clients ----------------------------------------------------------------------

    async def clients(self, person: PersonID) -> list[LivingClient]:
        """The clients that hold a living grant of the person, that of the latest answer first."""
        systems = {each.id: each for each, _ in await self._parts.relying_parties.systems()}
        living = await self._parts.db.read(ending.living_of, self._parts, person, systems.values())
        by_system: dict[SystemID, list[Grant]] = {}
        for grant in living:
            by_system.setdefault(grant.system, []).append(grant)
        found = [_living(systems[system], held) for system, held in by_system.items()]
        return sorted(found, key=lambda each: (each.latest, each.name), reverse=True)

    async def revoke_client(self, person: PersonID, system_id: str) -> None:
        """The person ends everything that a client holds; the client is told.

        Raises:
            ClientGrantsNotFound: it holds nothing of this person, or there is no such client: one answer.
        """
        systems = [
            each for each, _ in await self._parts.relying_parties.systems() if each.id == system_id
        ]
        await _against_rivals(lambda: self._parts.db.transact(self._revoke_client, person, systems))

    # --- steps -----------------------------------------------------------------------------------

    def _is_own(self, leaving: Leaving, browser_sha256: str) -> Step[bool]:
        """Whether the hint's session belongs to the open login of this browser."""
        login = yield store.OPEN_LOGIN_OF_BROWSER.one(key=browser_sha256)
        hinted = yield from _hinted(leaving)
        return login is not None and any(grant.login == login.id for grant in hinted)

    def _end(self, leaving: Leaving, browser_sha256: str) -> Step[None]:
        hinted = yield from _hinted(leaving)
        ended = {grant.id: grant for grant in hinted}
        logins = {grant.login for grant in hinted if grant.login}
        own = yield store.OPEN_LOGIN_OF_BROWSER.one(key=browser_sha256)
        if own is not None:
            logins.add(own.id)
        over = set()
        for login in sorted(logins):
            is_open = yield from self._end_login(login)
            over |= set() if is_open else {login}
            for row in (yield grants_store.OF_LOGIN.all(key=login)):
                ended.setdefault(row.id, grants.read_grant(row))
        yield from ending.log_out(self._parts, list(ended.values()), over=over)

    def _end_login(self, login: str) -> Step[bool]:
        """Step: end a login; False when it had ended before."""
        row = yield store.OPEN_LOGIN.one(key=login)
        if row is None:
            return False
        event = yield from self._parts.audit.record(
            "federation.login_ended", actor=grants.PROVIDER, subject=row.person, object=login
        )
        yield store.END_LOGIN.run(key=login, event=event)
        return True

    def _revoke_client(self, person: PersonID, systems: list[System]) -> Step[None]:
        living = yield from ending.living_of(self._parts, person, systems)
        if not living:
            raise ClientGrantsNotFound()
        yield from self._parts.audit.record(
            "federation.client_revoked",
            actor=Actor(ActorKind.PERSON, person),
            subject=person,
            object=living[0].system,
        )
        yield from ending.revoke_all(self._parts, living)

    # --- checks ----------------------------------------------------------------------------------

    async def _read_hint(self, hint: str) -> IDTokenHint:
        try:
            return await self._hinted(hint, "")
        except RequestRefused:
            raise LogoutRefused("the hint is no ID token of this provider") from None

    async def _client(self, code: str) -> System:
        try:
            system, _, _ = await self._parts.relying_parties.registered(code)
        except SystemNotFound:
            raise LogoutRefused("no such client") from None
        if system.openid is None:
            raise LogoutRefused("no such client")
        return system


def _back(system: System | None, wish: LogoutWish) -> str:
    wished = wish.post_logout_redirect_uri
    if not wished:
        return ""
    registered = system.openid.post_logout_redirect_uris if system and system.openid else []
    if wished not in registered:
        raise LogoutRefused("the address is not registered for the client")
    if not wish.state:
        return wished
    return f"{wished}{'&' if '?' in wished else '?'}state={quote(wish.state, safe='')}"


def _hinted(leaving: Leaving) -> Step[list[Grant]]:
    """The grants of the hint's session; one of another client or person is none."""
    if not leaving.sid:
        return []
    rows: list[Any] = yield store.OF_SID.all(key=leaving.sid)
    found = [grants.read_grant(row) for row in rows]
    return [each for each in found if (each.client, each.sub) == (leaving.client, leaving.sub)]


def _living(system: System, held: list[Grant]) -> LivingClient:
    return LivingClient(
        system=system.id,
        name=system.name,
        domain=system.domain,
        scopes=sorted({scope for grant in held for scope in grant.scope}),
        since=min(grant.created_at for grant in held),
        latest=max(grant.auth_time or grant.created_at for grant in held),
        until=max(grant.expires_at for grant in held),
    )


async def _against_rivals(work: Callable[[], Awaitable[T]]) -> T:
    """Carry out a transaction again when a rival changed one of its grants."""
    for _ in range(RIVALS):
        try:
            return await work()
        except GrantRefused:
            continue
    return await work()
