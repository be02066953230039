"""The browser comes back from the page where the person answered; the answer becomes a code for the client.

Numbered plan:

1. a pending grant of this session;
2. the answer is redeemed with the verifier of this very browser: another browser's ends the session (design §5.4),
   and leads to a page, never to the client;
3. the browser without an answer to redeem is the one that began, or nothing happens;
4. the client is still active, or the browser is led nowhere;
5. one transaction: the grant is answered or denied, the login remembered, the code kept by its hash.
"""

from contextlib import suppress
from typing import Final

import msgspec

from inkan.approvals import ApprovalEnded
from inkan.crypto import base64url
from inkan.federation.model.grant import Grant, GrantKind, GrantState
from inkan.federation.model.refusals import GrantNotFound, GrantRefused
from inkan.federation.model.response import AuthorizationResponse
from inkan.federation.service import browsers, completing, grants, logins, responses
from inkan.federation.service.authorizing import issue_code
from inkan.federation.service.clients import find_client
from inkan.federation.service.levels import acr_of, amr_of
from inkan.federation.service.parts import Parts, draw, hashed
from inkan.federation.store import grants as store
from inkan.identification import NotDecided, Redemption, ReturnRefused, SessionView
from inkan.kernel.ids import PersonID
from inkan.store.database import Step
from inkan.wire.session import SessionState

ENDED: Final = frozenset({SessionState.CLOSED, SessionState.CANCELLED, SessionState.EXPIRED})


class Finished(msgspec.Struct, frozen=True):
    """What goes to the client.

    Attributes:
        client: of the grant.
        login_cookie: for the browser; None when it has it already, or nobody logged in.
    """

    client: str
    response: AuthorizationResponse
    login_cookie: str | None = None


async def finish(
    parts: Parts, session_id: str, *, return_code: str, browser: str, login: str
) -> Finished:
    """Finish what this browser began.

    Args:
        parts: of the feature.
        session_id: what the browser brought.
        return_code: beside it; empty where there is no answer.
        browser: its cookie.
        login: cookie of its login; empty without one.

    Raises:
        GrantNotFound: unknown, finished, begun in another browser, or not answered yet.
        ClientUnknown: suspended meanwhile; nothing is given out.
    """
    grant = await parts.db.read(grants.find, store.BY_SESSION, session_id)  # 1
    if grant is None or grant.kind is not GrantKind.CODE or grant.state is not GrantState.PENDING:
        raise GrantNotFound()
    verifier = browsers.verifier_of(grant.id, browser)
    is_ours = browsers.is_bound(grant.browser_sha256, verifier)
    if return_code:  # 2
        await _redeem(parts, grant, verifier, return_code)
    if not is_ours:  # 3
        raise GrantNotFound()
    await find_client(parts, grant.client)  # 4
    view, _ = await parts.identification.get(session_id, system=grant.system)
    if view.state not in ENDED:
        raise GrantNotFound("there is no answer yet")
    return await _write(parts, grant, view, login=login)


async def _redeem(parts: Parts, grant: Grant, verifier: bytes, return_code: str) -> None:
    brought = {"verifier": base64url.encode(verifier), "return_code": return_code}
    try:
        redemption = msgspec.convert(brought, Redemption)
    except msgspec.ValidationError:
        raise GrantNotFound() from None
    # Given out before (a crash came between), over, or ended now: the session itself says which.
    with suppress(ApprovalEnded, NotDecided, ReturnRefused):
        await parts.identification.redeem(grant.session or "", redemption, system=grant.system)


async def _write(parts: Parts, grant: Grant, view: SessionView, *, login: str) -> Finished:
    place = responses.place_of(grant.asked)
    try:
        flaw = completing.flaw_of(grant.asked, view)
        if flaw is not None:
            await parts.db.transact(completing.complete, parts, grant, view)
            told = responses.refused(parts, grant.client, place, flaw)
            return Finished(client=grant.client, response=told)
        answer = await parts.identification.answer(view.id, system=grant.system)
        assert answer is not None
        receipt = None
        if grant.asked.authorization_details:
            receipt = await parts.identification.receipt(view.id, system=grant.system)
        code = draw()
        cookie = await parts.db.transact(
            _answer,
            parts,
            grant,
            view,
            person=answer.person,
            receipt=receipt,
            login=login,
            code_sha256=hashed(code),
        )
    except GrantRefused:
        raise GrantNotFound("a rival finished it") from None
    told = responses.succeeded(parts, grant.client, place, code=code)
    return Finished(client=grant.client, response=told, login_cookie=cookie)


def _answer(
    parts: Parts,
    grant: Grant,
    view: SessionView,
    *,
    person: PersonID,
    receipt: str | None,
    login: str,
    code_sha256: str,
) -> Step[str | None]:
    """Step 5: returns the cookie of the login, if the browser is to have another."""
    remembered = yield from logins.remember(
        parts,
        person,
        cookie=login,
        acr=acr_of(view),
        amr=amr_of(view),
        auth_time=completing.auth_time_of(view),
    )
    sid = logins.sid_of(remembered.login.id, grant.client)
    answered = yield from completing.complete(
        parts, grant, view, login=remembered.login.id, sid=sid, receipt=receipt
    )
    yield from issue_code(parts, answered, code_sha256)
    return remembered.cookie
