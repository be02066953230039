"""The authorization endpoint: from the parameters of a browser to the page where the person answers.

Numbered plan:

1. who is the client (told on a page when there is none);
2. where the request is: pushed before, in a signed object, or in the parameters (told on a page when it does not hold);
3. the address to return to is the client's (told on a page when it is not); from here on refusals go there;
4. every row of the table of :mod:`inkan.federation.service.validation`;
5. a login of this browser that may be used again, or ``login_required`` where nobody may be asked;
6. a session by the door of the redirect page, bound to the cookie of this browser; the grant is pending.
"""

from datetime import datetime, timedelta
from typing import Final

import msgspec

from inkan.federation.model.grant import Answered, Grant, GrantKind, GrantState, Login
from inkan.federation.model.refusals import (
    ClientUnauthorized,
    LoginNeeded,
    RequestRefused,
    RequestURIUnsupported,
    RequirementsUnmet,
)
from inkan.federation.model.request import Asked
from inkan.federation.model.response import AuthorizationResponse, LoginPage
from inkan.federation.rules import CODE_LIFE
from inkan.federation.service import browsers, grants, logins, pushing, responses
from inkan.federation.service.claims import order_members
from inkan.federation.service.clients import RegisteredClient, find_client
from inkan.federation.service.expecting import Hinted, expecting
from inkan.federation.service.levels import ACR_VALUES
from inkan.federation.service.parameters import Parameters
from inkan.federation.service.parts import Parts, draw, hashed
from inkan.federation.service.request_objects import read_request_object
from inkan.federation.service.validation import (
    REQUEST_URI_PREFIX,
    usable_mode,
    usable_state,
    validate_authorization,
    verify_redirect,
)
from inkan.federation.store import grants as store
from inkan.identification import AddressDoor, Created, Return, SessionOrder, SubjectHint
from inkan.kernel.errors import Category, InkanError
from inkan.kernel.ids import PersonID, SessionID, new_id
from inkan.store.database import MOMENT, Step
from inkan.wire.authentication_context import REUSED
from inkan.wire.binding import Door
from inkan.wire.oauth import OAuthError

RETURN_PATH: Final = "/authorize/return"
SESSION_LIFE: Final = timedelta(seconds=600)
"""The longest life of a session by the redirect page (design §5.4)."""
_RETURN_LIFE: Final = timedelta(seconds=120)
"""After its session has ended, a grant waits so long for the browser."""

Begun = AuthorizationResponse | LoginPage


async def begin(
    parts: Parts, parameters: Parameters, *, hinted: Hinted, browser: str, login: str
) -> Begun:
    """Answer the authorization endpoint: the page for the person, or an answer for the client at once.

    Args:
        parts: of the feature.
        parameters: of the request.
        hinted: reads ID tokens.
        browser: cookie that binds what begins here to this browser.
        login: cookie of the browser's login; empty without one.

    Raises:
        OAuthError: nobody knows where to lead the browser (steps 1 to 3).
    """
    client = await find_client(  # 1
        parts, parameters.get("client_id"), signs=bool(parameters.get("request"))
    )
    if parameters.get("request_uri"):  # 2
        return await _pushed(parts, client, parameters, browser=browser, login=login)
    asked_by = _signed(parts, client, parameters)
    redirect_uri = verify_redirect(asked_by, client.openid)  # 3
    try:
        asked = validate_authorization(
            asked_by, client.openid, system=client.system, is_pushed=False
        )  # 4
        asked = await expecting(hinted, client.code, asked_by, asked)
    except OAuthError as refused:
        mode = usable_mode(asked_by, client.openid)
        place = responses.Place(redirect_uri, mode, usable_state(asked_by))
        return responses.refused(parts, client.code, place, refused)
    return await _ask(parts, client, asked, browser=browser, login=login)


async def _pushed(
    parts: Parts, client: RegisteredClient, parameters: Parameters, *, browser: str, login: str
) -> Begun:
    request_uri = parameters.get("request_uri")
    if parameters.get("request"):
        raise RequestRefused("request and request_uri")
    if not request_uri.startswith(REQUEST_URI_PREFIX):
        raise RequestURIUnsupported()
    begun = await parts.db.read(pushing.begun_by, client, request_uri)
    if begun is not None and begun.state is GrantState.PENDING:
        verifier = browsers.verifier_of(begun.id, browser)
        if browsers.is_bound(begun.browser_sha256, verifier):
            # RFC 9126 §4: a reload of the page is no second use; the session is the one that was made.
            created = await _session(parts, client, begun, browsers.binding_of(verifier))
            return _page(created, begun.asked)
    asked = await pushing.use(parts, client, request_uri)
    return await _ask(parts, client, asked, browser=browser, login=login, pushed=request_uri)


def _signed(parts: Parts, client: RegisteredClient, parameters: Parameters) -> Parameters:
    """The parameters of the request object, if there is one: then nothing outside of it counts (RFC 9101 §6.3)."""
    text = parameters.get("request")
    if not text:
        return parameters
    now = parts.clock.wire_now()
    return read_request_object(text, client.system, client.keys, issuer=parts.issuer, now=now)


async def _ask(
    parts: Parts,
    client: RegisteredClient,
    asked: Asked,
    *,
    browser: str,
    login: str,
    pushed: str = "",
) -> Begun:
    try:
        known = await parts.db.read(logins.find, login)  # 5
        if known and logins.is_reusable(parts, known, client, asked, now=parts.db.now()):
            return await _use_again(parts, client, asked, known)
        if "none" in asked.prompt:
            raise LoginNeeded()
        return await _open(parts, client, asked, browser=browser, pushed=pushed)  # 6
    except OAuthError as refused:
        return responses.refused(parts, client.code, responses.place_of(asked), refused)


# --- 5: a login that is used again ------------------------------------------------------------------------


async def _use_again(
    parts: Parts, client: RegisteredClient, asked: Asked, login: Login
) -> AuthorizationResponse:
    code = draw()
    grant = _new_grant(client, asked, at=parts.db.now())
    await parts.db.transact(_grant_again, parts, client, grant, login, hashed(code))
    return responses.succeeded(parts, client.code, responses.place_of(asked), code=code)


def _grant_again(
    parts: Parts, client: RegisteredClient, grant: Grant, login: Login, code_sha256: str
) -> Step[Grant]:
    begun = yield from grants.begin(parts, grant)
    answered = yield from grants.answer(
        parts,
        begun,
        answered=Answered(claims={}, view={}),
        sub=parts.people.reference(PersonID(login.person), sector=client.system.sector),
        acr=REUSED,
        amr=login.amr,
        auth_time=login.auth_time,
        login=login.id,
        sid=logins.sid_of(login.id, client.code),
        scope=grant.asked.scope,
    )
    return (yield from issue_code(parts, answered, code_sha256))


# --- 6: the page for the person ---------------------------------------------------------------------------


async def _open(
    parts: Parts, client: RegisteredClient, asked: Asked, *, browser: str, pushed: str
) -> LoginPage:
    if asked.essential_acr and not set(asked.essential_acr).intersection(ACR_VALUES):
        raise RequirementsUnmet("no such level is ever reached")
    grant = _new_grant(client, asked, at=parts.db.now())
    binding = browsers.binding_of(browsers.verifier_of(grant.id, browser))
    created = await _session(parts, client, grant, binding)
    begun = msgspec.structs.replace(
        grant, session=SessionID(created.session.id), browser_sha256=binding
    )
    await parts.db.transact(_begin, parts, begun, pushed)
    return _page(created, asked)


def _begin(parts: Parts, grant: Grant, pushed: str) -> Step[None]:
    yield from grants.begin(parts, grant)
    if pushed and grant.session is not None:
        yield from pushing.note_session(pushed, grant.session)


def _page(created: Created, asked: Asked) -> LoginPage:
    door = created.doors[Door.REDIRECT]
    assert isinstance(door, AddressDoor)
    return LoginPage(url=door.url, ui_locales=asked.ui_locales)


async def _session(parts: Parts, client: RegisteredClient, grant: Grant, binding: str) -> Created:
    """The session that the person answers, as the system itself would order it, but for its return to this provider.

    Raises:
        ClientUnauthorized: door, purpose or attribute are not the system's.
        RequirementsUnmet: the door cannot reach the level that is demanded.
    """
    asked, system = grant.asked, client.system
    if Door.REDIRECT not in system.doors:
        raise ClientUnauthorized("door")
    back = parts.issuer + RETURN_PATH
    amended = msgspec.structs.replace(system, return_urls=system.return_urls | {back})
    order = SessionOrder(
        **order_members(asked, system),
        challenge=draw(),
        doors=[Door.REDIRECT],
        subject_hint=SubjectHint(type="person_ref", value=asked.login_hint)
        if asked.login_hint
        else SubjectHint(),
        return_=Return(url=back, binding=binding),
        expires_in=int(SESSION_LIFE.total_seconds()),
    )
    try:
        return await parts.identification.create(
            amended, order, body=grant.id.encode(), idempotency_key=grant.id, omit_missing=True
        )
    except InkanError as refused:
        if refused.category is not Category.FORBIDDEN:
            raise
        told = RequirementsUnmet if refused.code == "level_too_low" else ClientUnauthorized
        raise told(str(refused)) from None


# --- for both ---------------------------------------------------------------------------------------------


def _new_grant(client: RegisteredClient, asked: Asked, *, at: datetime) -> Grant:
    """A pending grant with nothing of an answer, kept until its browser can no longer come back."""
    until = at + SESSION_LIFE + _RETURN_LIFE
    return Grant(
        id=new_id("grt"),
        kind=GrantKind.CODE,
        system=client.system.id,
        client=client.code,
        asked=asked,
        handle_expires_at=until,
        created_at=at,
        expires_at=until,
    )


def issue_code(parts: Parts, grant: Grant, code_sha256: str) -> Step[Grant]:
    """Step: the code of an answered grant, for the next minute."""
    moment = yield MOMENT
    until = moment + CODE_LIFE
    changed = msgspec.structs.replace(grant, handle_sha256=code_sha256, handle_expires_at=until)
    values = {"new_handle": code_sha256, "new_handle_expires_at": until}
    return (
        yield from grants.change(
            parts, grant, changed, query=store.SET_HANDLE, values=values, did="code_issued"
        )
    )
