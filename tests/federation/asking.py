"""A client's system, requests, answers and grants as plain values, for tests without a database."""

from datetime import UTC, datetime
from typing import Any

import msgspec

from inkan.federation.model.grant import Answered, Grant, GrantKind, GrantState
from inkan.federation.model.request import Asked
from inkan.federation.service.claims import parse_claims
from inkan.kernel.ids import RelyingPartyID, SystemID
from inkan.relying_parties import OpenIDRegistration, Purpose, System
from inkan.wire.binding import Door

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
ADDRESS = "臺北市中正區重慶南路一段122號"
DIGEST = "n4bQgYhMfWWaL-qgxVrQFaO_TxsrC4Is0V1sFbDwCgg"
TEXT = {"en": "Log in", "ja": "ログイン", "zh-Hant": "登入"}


def purpose(code: str, *kinds: str, claims: tuple[str, ...] = ()) -> Purpose:
    said = {"code": code, "kinds": list(kinds), "text": TEXT, "claims": list(claims)}
    return msgspec.convert(said, Purpose)


PURPOSES = (
    purpose("login", "identify", claims=("name", "birth_date", "age_over_18", "address")),
    purpose("approve_payment", "approve", claims=("name",)),
    purpose("sign_contract", "sign"),
    purpose("not_for_clients", "approve"),
)


def system(**openid: Any) -> System:
    """The system of a client whose login may ask for name, birth date, age and address."""
    registration = OpenIDRegistration(
        **{
            "purpose": "login",
            "approval_purposes": ["approve_payment", "sign_contract"],
            **openid,
        }
    )
    return System(
        id=SystemID("sys_1"),
        organisation=RelyingPartyID("org"),
        organisation_name=TEXT,
        code="shop",
        name="Shop",
        domain="shop.example",
        doors=frozenset(Door),
        purposes={each.code: each for each in PURPOSES},
        internal=False,
        binding_min=None,
        sector="shop.example",
        openid=registration,
    )


def asked(scope: str = "openid", *, claims: Any = None, **members: Any) -> Asked:
    """A request; ``claims`` goes through the parser of the parameter."""
    wishes = {}
    if claims is not None:
        id_token, userinfo = parse_claims(msgspec.json.encode(claims).decode())
        wishes = {"id_token_claims": id_token, "userinfo_claims": userinfo}
    return Asked(scope=scope.split(), **wishes, **members)


def grant(request: Asked, **members: Any) -> Grant:
    values: dict[str, Any] = {
        "id": "grt_1",
        "kind": GrantKind.CODE,
        "state": GrantState.GRANTED,
        "system": SystemID("sys_1"),
        "client": "shop",
        "session": None,
        "asked": request,
        "handle_sha256": None,
        "handle_expires_at": NOW,
        "user_code_sha256": None,
        "interval_s": 5,
        "polled_at": None,
        "notification_token": None,
        "browser_sha256": None,
        "login": None,
        "sid": None,
        "sub": "pairwise",
        "acr": "",
        "amr": [],
        "auth_time": NOW,
        "jkt": None,
        "x5t": None,
        "scope": request.scope,
        "refresh_sha256": None,
        "created_at": NOW,
        "expires_at": NOW,
        "version": 1,
    }
    return Grant(**values | members)


def value(of: Any, source: str = "card", *, level: int = 3, as_of: str = "2026-11-22T11:00:00Z"):
    """One attribute as the receipt gives it."""
    return {"value": of, "source": source, "level": level, "as_of": as_of}


GIVEN = {
    "name": value("陳怡君"),
    "birth_date": value("1988-03-14", as_of="2026-11-20T08:00:00Z"),
    "age_over_18": value(True),
    "address": value(ADDRESS, "authority:moi", level=2),
}

VIEW: dict[str, Any] = {
    "outcome": "ok",
    "door": "redirect/push",
    "binding": {"level": "matched", "evidence": ["browser_bound", "code_entered"]},
    "young": False,
    "back_end": "A",
    "attested": False,
    "decided_at": "2026-11-22T12:00:00Z",
}


def answered(given: dict[str, Any] | None = None, **members: Any) -> Answered:
    return Answered(claims=GIVEN if given is None else given, view=VIEW, **members)
