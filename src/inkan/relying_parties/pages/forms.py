"""From the fields of a form to the parts of a draft. Everything that people type passes through here."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

import msgspec

from inkan.crypto import jwk
from inkan.kernel.errors import InkanError
from inkan.relying_parties.model import Purpose
from inkan.relying_parties.model.application import (
    ApplicationIncomplete,
    Contact,
    Draft,
    Organisation,
    WantedSystem,
)
from inkan.relying_parties.model.window import WindowWrong
from inkan.relying_parties.service.drafting import convert
from inkan.wire.binding import Door
from inkan.wire.claims import Claim
from inkan.wire.forms import parse_moment

Fields = Mapping[str, str]
LANGUAGES: Final = ("zh-Hant", "ja", "en")
KINDS: Final = ("identify", "approve", "sign")


def organisation(fields: Fields) -> Organisation:
    """The organisation of its form.

    Raises:
        ApplicationIncomplete: with the place.
    """
    read: Organisation = convert(
        Organisation,
        {
            "code": fields.get("code", "").strip(),
            "name": _texts(fields, "name"),
            "number": fields.get("number", "").strip(),
            "sector": fields.get("sector", ""),
        },
        where="/organisation",
    )
    return read


def contact(fields: Fields) -> Contact:
    """A contact of its form.

    Raises:
        ApplicationIncomplete: with the place.
    """
    wanted = {name: fields.get(name, "").strip() for name in ("role", "name", "mail")}
    read: Contact = convert(Contact, wanted, where="/contacts")
    return read


def system(fields: Fields, purposes: list[Purpose]) -> WantedSystem:
    """A system of its form, with the purposes that it had.

    Raises:
        ApplicationIncomplete: with the place.
    """
    read: WantedSystem = convert(
        WantedSystem,
        {
            "code": fields.get("code", "").strip(),
            "name": fields.get("name", "").strip(),
            "domain": fields.get("domain", "").strip(),
            "doors": [door.value for door in Door if fields.get(f"door_{door.value}")],
            "purposes": msgspec.to_builtins(purposes),
            "keys": public_keys(fields.get("keys", ""), where="/systems/keys"),
            "return_urls": fields.get("return_urls", "").split(),
            "webhooks": _webhooks(fields.get("webhooks", "")),
            "binding_min": fields.get("binding_min") or None,
        },
        where="/systems",
    )
    return read


def purpose(fields: Fields) -> Purpose:
    """A purpose of its form.

    Raises:
        ApplicationIncomplete: with the place.
    """
    read: Purpose = convert(
        Purpose,
        {
            "code": fields.get("code", "").strip(),
            "kinds": [kind for kind in KINDS if fields.get(f"kind_{kind}")],
            "text": _texts(fields, "text"),
            "evidence": "full" if fields.get("full") else "platform",
            "claims": [claim.value for claim in Claim if fields.get(f"claim_{claim.value}")],
        },
        where="/purposes",
    )
    return read


def public_keys(text: str, *, where: str) -> list[dict[str, str]]:
    """The public keys of a JWK, of a JWK set (RFC 7517 §5) or of several JWKs in a list; none of an empty text.

    Raises:
        ApplicationIncomplete: no JSON of that kind, or a key that is none.
    """
    if not text.strip():
        return []
    try:
        value = msgspec.json.decode(text.encode(), type=dict[str, Any] | list[dict[str, Any]])
        found = value.get("keys", [value]) if isinstance(value, dict) else value
        return [jwk.to_jwk(jwk.load_jwk(each)) for each in msgspec.convert(found, list[dict])]  # type: ignore[type-arg]
    except (msgspec.MsgspecError, InkanError, UnicodeEncodeError):
        raise ApplicationIncomplete(where=where, expected="public P-256 keys as JWK") from None


def moment(fields: Fields, name: str) -> datetime:
    """A time of a form: ``2026-11-21T22:55`` as browsers send it, in UTC.

    Raises:
        WindowWrong: no such time.
    """
    text = fields.get(name, "")
    try:
        return parse_moment(f"{text}:00Z" if len(text) == len("2026-11-21T22:55") else text)
    except InkanError:
        raise WindowWrong(where=f"/{name}", expected="2026-11-21T22:55 (UTC)") from None


def with_system(draft: Draft, old: str, new: WantedSystem) -> Draft:
    """The draft with a system in the place of the one with the code ``old``, else at the end."""
    if any(each.code == old for each in draft.systems):
        systems = [new if each.code == old else each for each in draft.systems]
    else:
        systems = [*draft.systems, new]
    return msgspec.structs.replace(draft, systems=systems)


def _texts(fields: Fields, name: str) -> dict[str, str]:
    return {language: fields.get(f"{name}_{language}", "").strip() for language in LANGUAGES}


def _webhooks(text: str) -> list[dict[str, str]]:
    lines = [line.split(maxsplit=1) for line in text.splitlines() if line.strip()]
    return [{"id": line[0], "url": line[1].strip() if len(line) > 1 else ""} for line in lines]
