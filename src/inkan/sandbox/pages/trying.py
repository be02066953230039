"""``/sandbox/try``: each door tried out by forms, with every call, its answer and the same call for a shell.

What the steps pass on (session, door, verifier) travels in the page's own forms; all of it is the developer's own.
"""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Final

import msgspec

from inkan.kernel.errors import Category, InkanError
from inkan.kernel.ids import SystemID
from inkan.relying_parties import System, SystemPrincipal
from inkan.sandbox.model import VirtualState
from inkan.sandbox.pages.home import (
    ENTER_PATH,
    HOME_PATH,
    TRY_PATH,
    PrincipalOf,
    authenticator,
)
from inkan.sandbox.rules import USE_LIMIT
from inkan.sandbox.service import Call, Sandbox
from inkan.web.catalogue import entry
from inkan.web.exchange import Exchange
from inkan.web.principal import Access
from inkan.web.problems import status_of
from inkan.web.response import Response
from inkan.web.routes import Bare, Endpoint, Group, Surface
from inkan.wire.binding import Door

DOOR_WORDS: Final[Mapping[Door, tuple[str, str]]] = {
    Door.QR: ("QR code", "Your page shows a changing code; the phone scans it."),
    Door.PUSH: ("Push to the phone", "You name the person; your page shows six digits to type."),
    Door.WEB_LINK: ("Link from a mobile browser", "Your page on the phone calls the wallet."),
    Door.REDIRECT: (
        "Redirect page",
        "You send the browser to Inkan's page, which offers the ways.",
    ),
    Door.APP_LINK: ("Link from an app", "Your app calls the wallet and is called back."),
}
"""What a developer reads of a door: English, the keys of the translations."""
WORDS: Final = frozenset(word for pair in DOOR_WORDS.values() for word in pair)
_USE: Final = Access("sandbox.use")


class BeginForm(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which door, for what, and whom a push is aimed at."""

    door: Door
    purpose: str
    number: str = ""


class StepForm(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A further step of a session that was begun here; ``made`` is the JSON about its door."""

    session: str
    door: Door
    made: str = "{}"
    verifier: str = ""
    phone: str = ""
    return_code: str = ""


def try_group(sandbox: Sandbox, principal_of: PrincipalOf) -> Group:
    """The form and its steps."""

    async def form(exchange: Exchange) -> Response:
        return await _page(sandbox, exchange)

    async def begin(exchange: Exchange) -> Response:
        told = await exchange.form(BeginForm)
        system = await _system(exchange)
        purpose = system.purposes.get(told.purpose)
        kind = purpose.kinds[0] if purpose is not None else "identify"
        tried = await sandbox.try_door(
            system,
            door=told.door,
            purpose=told.purpose[:64],
            kind=kind,
            number=told.number.strip()[:64],
        )
        step = StepForm(
            session=tried.session,
            door=told.door,
            made=msgspec.json.encode(tried.made).decode(),
            verifier=tried.verifier,
        )
        return await _page(sandbox, exchange, step, tried.call)

    async def answer(exchange: Exchange) -> Response:
        step, system = await exchange.form(StepForm), await _system(exchange)
        try:
            await sandbox.try_phone(SystemID(system.id), step.phone, step.door, _made(step))
        except InkanError as refusal:
            if refusal.category is Category.UNAVAILABLE:
                raise
            return await _page(sandbox, exchange, step, refusal=refusal)
        return await _page(sandbox, exchange, step, await sandbox.try_read(system, step.session))

    async def read(exchange: Exchange) -> Response:
        step, system = await exchange.form(StepForm), await _system(exchange)
        return await _page(sandbox, exchange, step, await sandbox.try_read(system, step.session))

    async def receipt(exchange: Exchange) -> Response:
        step, system = await exchange.form(StepForm), await _system(exchange)
        call = await sandbox.try_receipt(system, step.session)
        return await _page(sandbox, exchange, step, call)

    async def redeem(exchange: Exchange) -> Response:
        step, system = await exchange.form(StepForm), await _system(exchange)
        body = {"verifier": step.verifier, "return_code": step.return_code.strip()}
        call = await sandbox.try_redeem(system, step.session, body)
        return await _page(sandbox, exchange, step, call)

    def use(endpoint: Endpoint) -> Bare:
        return Bare(endpoint=endpoint, access=_USE)

    return Group(
        surface=Surface.PAGES,
        authenticator=authenticator(sandbox, principal_of),
        login_path=ENTER_PATH,
        limit=USE_LIMIT,
        bare={
            ("GET", TRY_PATH): use(form),
            ("POST", TRY_PATH): use(begin),
            ("POST", f"{TRY_PATH}/answer"): use(answer),
            ("POST", f"{TRY_PATH}/read"): use(read),
            ("POST", f"{TRY_PATH}/receipt"): use(receipt),
            ("POST", f"{TRY_PATH}/redeem"): use(redeem),
        },
    )


async def _system(exchange: Exchange) -> System:
    record: SystemPrincipal = (await exchange.get_principal()).record
    return record.system


def _made(step: StepForm) -> Mapping[str, Any]:
    try:
        return msgspec.json.decode(step.made, type=dict[str, Any])
    except msgspec.MsgspecError:
        return {}


def _page_url(exchange: Exchange, step: StepForm | None) -> str:
    """Where the browser goes by the redirect door: a page of this very site, or nowhere."""
    if step is None or step.door is not Door.REDIRECT:
        return ""
    url = str(_made(step).get("url", ""))
    return url if url.startswith(f"{exchange.site.origin}/") else ""


async def _page(
    sandbox: Sandbox,
    exchange: Exchange,
    step: StepForm | None = None,
    call: Call | None = None,
    refusal: InkanError | None = None,
) -> Response:
    system = await _system(exchange)
    found = await sandbox.phones(SystemID(system.id))
    return exchange.page(
        "sandbox/try.html",
        status=HTTPStatus.OK if refusal is None else HTTPStatus(status_of(refusal)),
        system=system,
        doors=[(door, *DOOR_WORDS[door]) for door in Door if door in system.doors],
        persons=await sandbox.persons(SystemID(system.id)),
        phones=[phone for phone in found if phone.state is VirtualState.HELD],
        returns=sandbox.returns,
        step=step,
        page_url=_page_url(exchange, step),
        call=call,
        fault=entry(refusal.code).text(exchange.language) if refusal is not None else "",
        path=TRY_PATH,
        home_path=HOME_PATH,
    )
