"""The person's phones and certificates: what they are, until when, and how they end (TW-36, JPKI-23).

Ending one phone asks for a proof of the last ten minutes. Freezing all of them does not: whoever has just lost the
phone cannot prove anything with it, and what is frozen comes back with the card.
"""

from datetime import timedelta
from typing import Any, Final

import msgspec

from inkan.accounts import Accounts, authenticator
from inkan.audit import Actor, ActorKind
from inkan.crypto.serial_numbers import show_serial
from inkan.enrolment import Phone, PhoneState
from inkan.pki import PublicState
from inkan.portal.pages.places import (
    CERTIFICATES_PATH,
    ENROL_PATH,
    FREEZE_PATH,
    HOME_PATH,
    LOGIN_PATH,
    PHONES_PATH,
    who,
)
from inkan.portal.pages.words import CAUSES, CERTIFICATE_STATES, KEY_USES, PHONE_STATES
from inkan.portal.service import Portal
from inkan.portal.service.holdings import Held
from inkan.schemes import get_scheme
from inkan.web.exchange import Exchange
from inkan.web.limits import RateLimit
from inkan.web.principal import Access
from inkan.web.response import Response, see_other
from inkan.web.routes import Bare, Group, Surface
from inkan.wire.enrolment_request import KeyUse, RevokeCause

_LIMIT: Final = RateLimit(name="person-phones", requests=120, window=timedelta(minutes=1))
_PHONES: Final = Access("portal.phones")
_REVOKE: Final = Access("portal.revoke")
_FREEZE: Final = Access("portal.freeze")
_DONE: Final = frozenset({"revoked", "frozen"})


class RevokeForm(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Why the phone is revoked."""

    reason: RevokeCause


class EmptyForm(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A button without fields."""


def phone_routes(portal: Portal, accounts: Accounts) -> Group:
    """The pages of phones and certificates; each act is a form of this site on a page of its own."""

    async def phones_page(exchange: Exchange) -> Response:
        person, _ = await who(exchange)
        phones = await portal.phones(person)
        done = exchange.query("done") or ""
        return exchange.page(
            "portal/phones.html",
            phones=[phone_facts(each, portal) for each in phones],
            can_freeze=any(each.state is not PhoneState.SUSPENDED for each in phones),
            done=done if done in _DONE else "",
            freeze_path=FREEZE_PATH,
            certificates_path=CERTIFICATES_PATH,
            enrol_path=ENROL_PATH,
            home_path=HOME_PATH,
        )

    async def revoke_page(exchange: Exchange) -> Response:
        person, _ = await who(exchange)
        phone = await portal.phone(person, exchange.parameters["id"])
        return exchange.page(
            "portal/revoke.html",
            phone=phone_facts(phone, portal),
            causes=CAUSES,
            phones_path=PHONES_PATH,
        )

    async def revoke(exchange: Exchange) -> Response:
        person, _ = await who(exchange)
        form = await exchange.form(RevokeForm)
        actor = Actor(ActorKind.PERSON, person)
        await portal.revoke(person, exchange.parameters["id"], cause=form.reason, actor=actor)
        return see_other(f"{PHONES_PATH}?done=revoked")

    async def freeze_page(exchange: Exchange) -> Response:
        person, _ = await who(exchange)
        phones = [phone_facts(each, portal) for each in await portal.phones(person)]
        return exchange.page(
            "portal/freeze.html", phones=phones, action=FREEZE_PATH, phones_path=PHONES_PATH
        )

    async def freeze(exchange: Exchange) -> Response:
        person, _ = await who(exchange)
        await exchange.form(EmptyForm)
        await portal.freeze(person, actor=Actor(ActorKind.PERSON, person))
        return see_other(f"{PHONES_PATH}?done=frozen")

    async def certificates_page(exchange: Exchange) -> Response:
        person, _ = await who(exchange)
        return exchange.page(
            "portal/certificates.html",
            certificates=[_certificate_facts(each) for each in await portal.certificates(person)],
            phones_path=PHONES_PATH,
        )

    async def certificate_page(exchange: Exchange) -> Response:
        person, _ = await who(exchange)
        held = await portal.certificate(person, exchange.parameters["id"])
        return exchange.page(
            "portal/certificate.html",
            held=held,
            certificate=_certificate_facts(held),
            serial=show_serial(held.view.serial),
            certificates_path=CERTIFICATES_PATH,
        )

    return Group(
        surface=Surface.PAGES,
        authenticator=authenticator(accounts),
        login_path=LOGIN_PATH,
        limit=_LIMIT,
        bare={
            ("GET", PHONES_PATH): Bare(endpoint=phones_page, access=_PHONES),
            ("GET", FREEZE_PATH): Bare(endpoint=freeze_page, access=_FREEZE),
            ("POST", FREEZE_PATH): Bare(endpoint=freeze, access=_FREEZE),
            ("GET", f"{PHONES_PATH}/{{id}}/revoke"): Bare(endpoint=revoke_page, access=_REVOKE),
            ("POST", f"{PHONES_PATH}/{{id}}/revoke"): Bare(endpoint=revoke, access=_REVOKE),
            ("GET", CERTIFICATES_PATH): Bare(endpoint=certificates_page, access=_PHONES),
            ("GET", f"{CERTIFICATES_PATH}/{{id}}"): Bare(endpoint=certificate_page, access=_PHONES),
        },
    )


def phone_facts(phone: Phone, portal: Portal) -> dict[str, Any]:
    """What a page shows of a phone; ``opens`` is when its certificates can be renewed, in the wallet."""
    now, scheme = portal.now(), get_scheme(phone.scheme)
    ends = [each.not_after for each in phone.certificates.values()]
    until = min(ends) if ends else None
    opens = scheme.renewal_opens(until) if until else None
    is_active = phone.state is PhoneState.ACTIVE
    return {
        "name": phone.name,
        "state": PHONE_STATES[phone.state],
        "is_active": is_active,
        "is_on_hold": phone.state is PhoneState.SUSPENDED,
        "scheme": scheme,
        "bound_at": phone.bound_at,
        "young_until": phone.young_until if phone.young_until > now else None,
        "until": until,
        "opens": opens,
        "renews_now": bool(is_active and opens and until and opens <= now <= until),
        "revoke_path": f"{PHONES_PATH}/{phone.id}/revoke",
    }


def _certificate_facts(held: Held) -> dict[str, Any]:
    return {
        "path": f"{CERTIFICATES_PATH}/{held.issued.id}",
        "phone": held.phone.name,
        "use": KEY_USES[KeyUse(held.use)],
        "is_coming": held.is_coming,
        "is_good": held.state.state is PublicState.VALID,
        "state": CERTIFICATE_STATES[held.state.state],
        "since": held.state.since,
        "serial": show_serial(held.view.serial),
        "view": held.view,
    }
