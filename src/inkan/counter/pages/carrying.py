"""What the page carries between the platform and the counter's card program: commands one way, answers the other.

Both are signed by whoever made them (:mod:`inkan.wire.card_command`); the page can hold them back, and nothing else.
"""

from typing import Final, Literal

import msgspec

from inkan.counter.model import CaseState, Clerk
from inkan.counter.pages.cases import Pages
from inkan.counter.pages.parts import CASE_PATH, FORM_LIMIT, card_policy, clerk_of, group, login_of
from inkan.counter.service import Counter
from inkan.counter.service.commands import BOTH_KEYS
from inkan.crypto import base64url
from inkan.web.exchange import Exchange
from inkan.web.principal import Access
from inkan.web.response import Response, ok
from inkan.web.routes import Bare, Group
from inkan.wire.card_command import CardAct

_ACT: Final = Access("counter.act")


class CommandForm(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the card program is asked to do, with which card, at which terminal; base64url of a photo for it."""

    act: CardAct
    card: str = ""
    terminal: str = ""
    keys: Literal["", "signature", "authentication"] = ""
    photo: str = ""


class AnswerForm(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The card program's answer, a compact JWS, and the fields of the form that asked for it."""

    answer: str
    act: str = ""
    keys: str = ""


class Command(msgspec.Struct, frozen=True):
    """What the page hands to the card program, a compact JWS."""

    command: str


def routes(counter: Counter, *, loopback: str) -> Group:
    """The two ways of the carrying."""
    pages = Pages(counter, loopback=loopback)

    async def give(exchange: Exchange) -> Response:
        clerk, login = await clerk_of(counter, exchange), await login_of(exchange)
        form = await exchange.form(CommandForm)
        command = await counter.commands.give(
            clerk,
            exchange.parameters["id"],
            form.act,
            login=login.id,
            terminal=form.terminal,
            card=form.card or None,
            keys=(form.keys,) if form.keys else BOTH_KEYS,
            photo=base64url.decode(form.photo) if form.photo else None,
        )
        return ok(Command(command))

    async def take(exchange: Exchange, clerk: Clerk, case_id: str) -> object:
        login, form = await login_of(exchange), await exchange.form(AnswerForm)
        case = await counter.commands.take(clerk, case_id, form.answer, login=login.id)
        if case.state is CaseState.KEYED:
            # The keys stand; whoever comes back to the case after a fault here finds a button for this.
            case = await counter.cases.order(clerk, case_id)
        return case

    return group(
        counter.parts.accounts,
        {
            ("POST", f"{CASE_PATH}/command"): Bare(
                endpoint=give, access=_ACT, body_limit=FORM_LIMIT
            ),
            ("POST", f"{CASE_PATH}/answer"): Bare(
                endpoint=pages.acts(take),
                access=_ACT,
                body_limit=FORM_LIMIT,
                policy=card_policy(loopback),
            ),
        },
    )
