"""Claims: what a request asks of the person, and what of the answer a token or the userinfo endpoint gives.

A scope or a wish never reaches beyond what the purpose registers. What is not there is left out, essential or not
(OIDC Core §5.5.1): a missing claim is no error.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal, NamedTuple

from inkan.federation.model.grant import Answered, Grant
from inkan.federation.model.refusals import ClientUnauthorized, RequestRefused
from inkan.federation.model.request import Asked, ClaimWishes
from inkan.federation.rules.claims import ANSWER_CLAIM, CLAIM_ROWS, CLAIMS_OF_SCOPE, OPENID
from inkan.federation.rules.details import KIND_OF_TYPE
from inkan.federation.service.claims_request import VERIFIED, parse_claims
from inkan.federation.service.details import (
    detail_of,
    details_for,
    order_of,
    parse_authorization_details,
)
from inkan.federation.service.levels import binding_min
from inkan.federation.service.verified import fits, verified_claims
from inkan.identification import ContentOrder
from inkan.relying_parties import Purpose, System
from inkan.wire.session import Kind

Place = Literal["id_token", "userinfo"]
_ANSWER_MEMBERS = ("door", "binding", "back_end", "attested", "young", "decided_at")


class Order(NamedTuple):
    """What a session is made of for a request.

    Attributes:
        kind: ``identify``, ``approve`` or ``sign``.
        purpose: code of the registered purpose.
        claims: codes of the attributes that are asked of the person.
        contents: what is approved or signed; documents and batches stand in :func:`order_members` alone.
    """

    kind: Kind
    purpose: str
    claims: list[str]
    contents: list[ContentOrder]


def order_for(asked: Asked, system: System) -> Order:
    """Return the kind, purpose, claims and contents of the session that a request needs.

    Without ``authorization_details`` it is an identification under the client's login purpose; with them it is what
    they ask, under theirs.

    Raises:
        ClientUnauthorized: the system is no client, or the purpose is not registered any more.
    """
    if system.openid is None:
        raise ClientUnauthorized("the system is no client")
    if not asked.authorization_details:
        purpose = _purpose(system, system.openid.purpose, Kind.IDENTIFY)
        return Order(Kind.IDENTIFY, purpose.code, codes_for(asked, purpose), [])
    detail = detail_of(asked.authorization_details)
    kind = KIND_OF_TYPE[detail.type]
    purpose = _purpose(system, detail.purpose, kind)
    return Order(kind, purpose.code, codes_for(asked, purpose), order_of(detail))


def order_members(asked: Asked, system: System) -> dict[str, Any]:
    """Return the members of the :class:`~inkan.identification.SessionOrder` that the request decides: those of
    :func:`order_for`, documents, batch, and the level that an essential ``acr`` demands.

    Raises:
        ClientUnauthorized: see :func:`order_for`.
    """
    order = order_for(asked, system)
    members: dict[str, Any] = {**order._asdict(), "kind": str(order.kind)}
    if asked.authorization_details:
        detail = detail_of(asked.authorization_details)
        members |= {"documents": detail.documents, "batch": detail.batch}
    demanded = binding_min(asked)
    return members if demanded is None else members | {"binding_min": demanded}


def codes_for(asked: Asked, purpose: Purpose) -> list[str]:
    """The attributes that a request asks for and the purpose registers, each once, in the order of the table."""
    if OPENID not in asked.scope:
        return []
    names = {name for scope in asked.scope for name in CLAIMS_OF_SCOPE.get(scope, ())}
    for wishes in (asked.id_token_claims, asked.userinfo_claims):
        names |= set(wishes.plain)
        names |= {name for wish in wishes.verified for name in wish.claims}
    return [
        str(row.attribute)
        for name, row in CLAIM_ROWS.items()
        if name in names and row.attribute in purpose.claims
    ]


def claims_for(grant: Grant, answered: Answered, place: Place) -> dict[str, Any]:
    """Return the claims of the answer for one place, without those of the token itself (``sub``, ``acr``, times).

    What scopes ask goes to the userinfo endpoint alone (OIDC Core §5.4: an access token is issued); a wish of the
    ``claims`` parameter goes where it was made.

    Args:
        grant: that was answered.
        answered: what the person gave, as :func:`~inkan.federation.service.grants.answered_of` reads it.
        place: ``id_token`` or ``userinfo``.
    """
    if OPENID not in grant.scope:
        return {}
    asked = grant.asked
    wishes = asked.id_token_claims if place == "id_token" else asked.userinfo_claims
    names = set(wishes.plain)
    if place == "userinfo":
        names |= {name for scope in grant.scope for name in CLAIMS_OF_SCOPE.get(scope, ())}
    claims = {
        name: value
        for name, value in _plain(answered.claims).items()
        if name in names and fits(wishes.plain.get(name), value)
    }
    if ANSWER_CLAIM in wishes.plain:
        claims[ANSWER_CLAIM] = _answer(answered.view)
    return claims | _verified(wishes, answered)


def wanted_sub(asked: Asked) -> str | None:
    """The ``sub`` that the request demands (OIDC Core §3.1.2.2): a positive answer of anybody else is refused.

    Raises:
        RequestRefused: two different ones, or one that is no text.
    """
    values = [
        value
        for wishes in (asked.id_token_claims, asked.userinfo_claims)
        for value in getattr(wishes.plain.get("sub"), "values", [])
    ]
    if not values:
        return None
    if len({repr(value) for value in values}) > 1 or not isinstance(values[0], str):
        raise RequestRefused("sub is one text")
    return values[0]


def essential_acr(wishes: ClaimWishes) -> list[str]:
    """The values of ``acr`` that oblige: of an essential wish for the ID token (OIDC Core §5.5.1.1).

    Raises:
        RequestRefused: a value that is no text.
    """
    wish = wishes.plain.get("acr")
    if wish is None or not wish.essential:
        return []
    if not all(isinstance(value, str) for value in wish.values):
        raise RequestRefused("acr values are texts")
    return list(wish.values)


def _purpose(system: System, code: str, kind: Kind) -> Purpose:
    purpose = system.purposes.get(code)
    if purpose is None or kind not in purpose.kinds:
        raise ClientUnauthorized("the purpose is not registered")
    return purpose


def _plain(given: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: row.shape(given[row.attribute]["value"])
        for name, row in CLAIM_ROWS.items()
        if row.attribute in given
    }


def _verified(wishes: ClaimWishes, answered: Answered) -> dict[str, Any]:
    if not wishes.verified:
        return {}
    at = datetime.fromisoformat(answered.view["decided_at"])
    elements = verified_claims(wishes.verified, answered.claims, at=at)
    if not elements:
        return {}
    return {VERIFIED: elements[0] if len(elements) == 1 else elements}


def _answer(view: Mapping[str, Any]) -> dict[str, Any]:
    return {name: view[name] for name in _ANSWER_MEMBERS if view.get(name) is not None}


__all__ = [
    "Order",
    "Place",
    "claims_for",
    "codes_for",
    "details_for",
    "essential_acr",
    "order_for",
    "order_members",
    "parse_authorization_details",
    "parse_claims",
    "wanted_sub",
]
