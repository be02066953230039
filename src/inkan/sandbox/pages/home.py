"""The page ``/sandbox``: virtual phones with buttons, the clock and the faults, for developers in a browser.

Whoever knows a system's code may act as that system here, as everywhere in a sandbox; the page keeps the code in a
cookie. Everything works without JavaScript.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Final, Literal, TypeVar

import msgspec

from inkan.kernel.errors import InkanError
from inkan.kernel.ids import SystemID
from inkan.relying_parties import SystemPrincipal
from inkan.sandbox.model import (
    Action,
    Approve,
    Behaviour,
    ClockOrder,
    Code,
    CodeUnknown,
    FaultCode,
    FaultOrder,
    Lose,
    Open,
    PhoneOrder,
    Refuse,
    Report,
    Revoke,
    Scan,
    VirtualState,
)
from inkan.sandbox.rules import ENTER_LIMIT, USE_LIMIT
from inkan.sandbox.service import Sandbox
from inkan.web.cookies import SameSite
from inkan.web.exchange import Authenticator, Exchange, MenuItem
from inkan.web.input import decode
from inkan.web.principal import Access, Principal, open_to_all
from inkan.web.response import Response, see_other
from inkan.web.routes import Bare, Group, Surface

T = TypeVar("T")
PrincipalOf = Callable[[SystemPrincipal], Principal]

FOLDER: Final = Path(__file__).parents[1]
"""Where this package's templates and texts are: ``Templates({"sandbox": FOLDER})``."""

HOME_PATH: Final = "/sandbox"
ENTER_PATH: Final = "/sandbox/enter"
TRY_PATH: Final = "/sandbox/try"
MENU: Final = (MenuItem(text="Sandbox", path=HOME_PATH),)
"""The entry of the sandbox in the menu of its instance."""

COOKIE: Final = "__Host-inkan-sandbox"
SECONDS: Final = {"minute": 60, "hour": 3600, "day": 86_400}

BEHAVIOURS: Final[Mapping[Behaviour, str]] = {
    Behaviour.MANUAL: "waits for your button",
    Behaviour.APPROVE: "approves",
    Behaviour.REFUSE: "refuses",
    Behaviour.REPORT: "reports fraud",
    Behaviour.SLOW: "approves late",
    Behaviour.NO_RESPONSE: "does not answer",
    Behaviour.WRONG_CODE: "types a wrong code",
    Behaviour.SUSPENDED: "has its certificate suspended",
    Behaviour.LOST: "is lost",
    Behaviour.REVOKED: "is revoked",
}
"""What people read for a behaviour: English, the key of its translations."""

STATES: Final[Mapping[VirtualState, str]] = {
    VirtualState.HELD: "in the hand",
    VirtualState.LOST: "lost",
    VirtualState.REVOKED: "revoked",
}

ACTIONS: Final[Mapping[str, Action]] = {
    "approve": Approve(),
    "refuse": Refuse(),
    "report": Report(),
    "lose": Lose(),
    "revoke": Revoke(),
}
"""The buttons that need no further word; ``end`` and the doors have forms of their own."""

BUTTONS: Final[Mapping[str, str]] = {
    "approve": "Approve",
    "refuse": "Refuse",
    "report": "I did not start this",
    "lose": "Lose it",
    "revoke": "Revoke it",
}
"""What the buttons say."""

_USE: Final = Access("sandbox.use")
_OPEN: Final = open_to_all(
    "whoever enters is not known yet; a sandbox asks for the system code alone"
)


class EnterForm(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The form that names a system."""

    code: str


Percent = Annotated[int, msgspec.Meta(ge=0, le=100)]


class PhoneForm(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The form that makes a phone; an empty behaviour is the person's own."""

    person: str
    behaviour: str = ""
    name: str = ""


class ScanForm(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The form that shows a frame to a phone."""

    frame: str


class OpenForm(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The form that hands a phone an address of the wallet."""

    link: str


class CodeForm(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The form that opens the newest push; an empty code is the one that the asking page shows."""

    code: str = ""


@dataclass(frozen=True, slots=True)
class DoorForm:
    """The form of one door on a phone's card.

    Attributes:
        form, action: what the form is read as, and what the API would be sent.
        field, label, button: English, the keys of their translations.
        longest: characters that the field takes.
        hint: above the field, which may then be left empty.
    """

    form: type[msgspec.Struct]
    action: type[Action]
    field: str
    label: str
    button: str
    longest: int = 500
    hint: str = ""


DOOR_FORMS: Final[Mapping[str, DoorForm]] = {
    "scan": DoorForm(ScanForm, Scan, "frame", "Frame of the code, as text", "Scan"),
    "open": DoorForm(OpenForm, Open, "link", "Address of a web link or app link", "Open"),
    "code": DoorForm(
        CodeForm,
        Code,
        "code",
        "Code of a push",
        "Type",
        longest=20,
        hint="Of the newest push; left empty, the phone types the code that the asking page shows.",
    ),
}
"""How a session reaches a phone by hand: a row for each action of :data:`inkan.sandbox.service.doors.DOORS`."""


class ClockForm(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The form that moves the clock: so many of a unit."""

    count: Annotated[int, msgspec.Meta(ge=1, le=10_000)]
    unit: Literal["minute", "hour", "day"]


class FaultForm(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The form of the faults; rates are in percent."""

    latency_ms: Annotated[int, msgspec.Meta(ge=0, le=10_000)] = 0
    error_percent: Percent = 0
    error: FaultCode = FaultCode.UNAVAILABLE
    drop_percent: Percent = 0
    push_lost_percent: Percent = 0
    webhook_delay_s: Annotated[int, msgspec.Meta(ge=0, le=600)] = 0
    seed: Annotated[int, msgspec.Meta(ge=0, le=2**31 - 1)] = 0


def home_groups(sandbox: Sandbox, principal_of: PrincipalOf) -> list[Group]:
    """The entrance and the page itself; ``principal_of`` is how the API knows a system."""
    return [_enter(sandbox), _home(sandbox, principal_of)]


def authenticator(sandbox: Sandbox, principal_of: PrincipalOf) -> Authenticator:
    """From the cookie of these pages to the system that it names."""

    async def authenticate(exchange: Exchange) -> Principal | None:
        code = exchange.cookie(COOKIE)
        if not code:
            return None
        try:
            return principal_of(await sandbox.bearer(code))
        except InkanError:
            return None  # the system is gone or suspended: the page asks for a code again

    return authenticate


def _enter(sandbox: Sandbox) -> Group:
    async def page(exchange: Exchange) -> Response:
        return exchange.page("sandbox/enter.html", action=ENTER_PATH)

    async def enter(exchange: Exchange) -> Response:
        form = await exchange.form(EnterForm)
        code = form.code.strip()
        try:
            await sandbox.bearer(code)
        except InkanError:
            raise CodeUnknown from None
        exchange.set_cookie(COOKIE, code, same_site=SameSite.STRICT)
        return see_other(HOME_PATH)

    async def leave(exchange: Exchange) -> Response:
        exchange.set_cookie(COOKIE, "", max_age_s=0, same_site=SameSite.STRICT)
        return see_other(ENTER_PATH)

    return Group(
        surface=Surface.PAGES,
        limit=ENTER_LIMIT,
        bare={
            ("GET", ENTER_PATH): Bare(endpoint=page, access=_OPEN),
            ("POST", ENTER_PATH): Bare(endpoint=enter, access=_OPEN),
            ("POST", "/sandbox/leave"): Bare(endpoint=leave, access=_OPEN),
        },
    )


def _home(sandbox: Sandbox, principal_of: PrincipalOf) -> Group:
    async def home(exchange: Exchange) -> Response:
        principal = await exchange.get_principal()
        record: SystemPrincipal = principal.record
        system = SystemID(principal.id)
        return exchange.page(
            "sandbox/home.html",
            system=record.system,
            persons=await sandbox.persons(system),
            phones=await sandbox.phones(system),
            clock=sandbox.clock(),
            now=exchange.now,
            faults=sandbox.faults.view(system),
            behaviours=BEHAVIOURS,
            states=STATES,
            buttons=BUTTONS,
            doors=DOOR_FORMS,
            returns=sandbox.returns,
            codes=tuple(FaultCode),
            try_path=TRY_PATH,
            path=HOME_PATH,
        )

    async def make(exchange: Exchange) -> Response:
        form = await exchange.form(PhoneForm)
        order: dict[str, str] = {"person": form.person}
        order |= {"behaviour": form.behaviour} if form.behaviour else {}
        order |= {"name": form.name.strip()} if form.name.strip() else {}
        await sandbox.make_phone(await _system(exchange), _order(order, PhoneOrder))
        return see_other(HOME_PATH)

    def reach(name: str, door: DoorForm) -> Bare:
        async def endpoint(exchange: Exchange) -> Response:
            form = await exchange.form(door.form)
            typed = str(getattr(form, door.field)).strip()
            order = {"action": name} | ({door.field: typed} if typed else {})
            action = _order(order, door.action)
            await sandbox.act(await _system(exchange), exchange.parameters["id"], action)
            return see_other(HOME_PATH)

        return Bare(endpoint=endpoint, access=_USE)

    async def end(exchange: Exchange) -> Response:
        await sandbox.end_phone(await _system(exchange), exchange.parameters["id"])
        return see_other(HOME_PATH)

    def act(action: Action) -> Bare:
        async def button(exchange: Exchange) -> Response:
            await sandbox.act(await _system(exchange), exchange.parameters["id"], action)
            return see_other(HOME_PATH)

        return Bare(endpoint=button, access=_USE)

    async def advance(exchange: Exchange) -> Response:
        form = await exchange.form(ClockForm)
        seconds = form.count * SECONDS[form.unit]
        order = _order({"advance_s": seconds}, ClockOrder)
        await sandbox.advance(await _system(exchange), order)
        return see_other(HOME_PATH)

    async def set_faults(exchange: Exchange) -> Response:
        form = await exchange.form(FaultForm)
        order = FaultOrder(
            latency_ms=form.latency_ms,
            error_rate=form.error_percent / 100,
            errors=[form.error],
            drop_rate=form.drop_percent / 100,
            push_lost_rate=form.push_lost_percent / 100,
            webhook_delay_s=form.webhook_delay_s,
            seed=form.seed,
        )
        sandbox.faults.set(await _system(exchange), order)
        return see_other(HOME_PATH)

    async def end_faults(exchange: Exchange) -> Response:
        sandbox.faults.end(await _system(exchange))
        return see_other(HOME_PATH)

    phone = "/sandbox/phones/{id}"
    return Group(
        surface=Surface.PAGES,
        authenticator=authenticator(sandbox, principal_of),
        login_path=ENTER_PATH,
        limit=USE_LIMIT,
        bare={
            ("GET", HOME_PATH): Bare(endpoint=home, access=_USE),
            ("POST", "/sandbox/phones"): Bare(endpoint=make, access=_USE),
            **{("POST", f"{phone}/{name}"): reach(name, door) for name, door in DOOR_FORMS.items()},
            ("POST", f"{phone}/end"): Bare(endpoint=end, access=_USE),
            **{("POST", f"{phone}/{name}"): act(action) for name, action in ACTIONS.items()},
            ("POST", "/sandbox/clock"): Bare(endpoint=advance, access=_USE),
            ("POST", "/sandbox/faults"): Bare(endpoint=set_faults, access=_USE),
            ("POST", "/sandbox/faults/end"): Bare(endpoint=end_faults, access=_USE),
        },
    )


async def _system(exchange: Exchange) -> SystemID:
    return SystemID((await exchange.get_principal()).id)


def _order(members: dict[str, Any], kind: type[T]) -> T:
    """What the API would have been sent; refused as there.

    Raises:
        Malformed: not of this kind.
    """
    return decode(msgspec.json.encode(members), kind)
