"""The RP API called before a developer's eyes: what was sent, what came back, and the same call for a shell.

The calls go over HTTP like everybody's; a sandbox admits the system code as proof (design §5.5). Nothing is kept:
what a later step needs travels in the page's own forms.
"""

import hashlib
import shlex
from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec

from inkan.client.exchange import Answer, Request
from inkan.crypto import base64url
from inkan.kernel.errors import InkanError, Malformed
from inkan.kernel.ids import new_id, random_bytes
from inkan.kernel.sensitive import Secret
from inkan.relying_parties import System
from inkan.sandbox.model import Action, Code, Open, Scan
from inkan.sandbox.service.parts import Parts
from inkan.wire.binding import Door
from inkan.wire.forms import parse_moment
from inkan.wire.qr import frame, qr_key

CHALLENGE_BYTES: Final = 32
RETURNING: Final = frozenset({Door.WEB_LINK, Door.APP_LINK, Door.REDIRECT})
SHOWN_LIMIT: Final = 20_000
"""Characters of an answer that a page shows; a receipt with its chain is some thousands."""


class Call(msgspec.Struct, frozen=True):
    """One call of the API as a developer reads it.

    Attributes:
        body, answer: JSON with line breaks, or the text as it came; empty where there is none.
        curl: the same call for a POSIX shell.
    """

    method: str
    url: str
    headers: Sequence[tuple[str, str]]
    body: str
    status: int
    answer: str
    curl: str


class Tried(msgspec.Struct, frozen=True):
    """A session that was begun here.

    Attributes:
        session: its id, empty when the call was refused.
        made: what the platform answered about the door.
        verifier: what the starting browser or app would keep; empty for doors that do not return.
    """

    call: Call
    session: str
    made: Mapping[str, Any]
    verifier: str


async def begin(
    parts: Parts, system: System, *, door: Door, purpose: str, kind: str, number: str
) -> Tried:
    """Open a session by one door; ``number`` is the national ID that a push is aimed at."""
    verifier = base64url.encode(random_bytes(32)) if door in RETURNING else ""
    order: dict[str, Any] = {
        "kind": kind,
        "purpose": purpose,
        "challenge": base64url.encode(random_bytes(CHALLENGE_BYTES)),
        "doors": [door.value],
    }
    if door is Door.PUSH:
        order["subject_hint"] = {"type": "national_id", "value": number}
    if verifier:
        order["return"] = {
            "url": min(system.return_urls, default=""),
            "binding": base64url.encode(hashlib.sha256(base64url.decode(verifier)).digest()),
        }
    if kind == "approve":
        digest = base64url.encode(hashlib.sha256(b"an example").digest())
        order["contents"] = [{"id": "example", "name": "Example", "digest": digest}]
    call, answer = await _call(parts, system.code, "POST", "/v1/sessions", order, is_new=True)
    if answer is None:
        return Tried(call=call, session="", made={}, verifier=verifier)
    return Tried(
        call=call,
        session=str(answer["session"]["id"]),
        made=dict(answer["doors"].get(door.value) or {}),
        verifier=verifier,
    )


async def read(parts: Parts, system: System, session: str) -> Call:
    """Read a session."""
    return (await _call(parts, system.code, "GET", f"/v1/sessions/{_id(session)}"))[0]


async def receipt(parts: Parts, system: System, session: str) -> Call:
    """Fetch a session's receipt."""
    return (await _call(parts, system.code, "GET", f"/v1/sessions/{_id(session)}/receipt"))[0]


async def redeem(parts: Parts, system: System, session: str, body: Mapping[str, str]) -> Call:
    """Redeem what came back with ``verifier`` and ``return_code``."""
    path = f"/v1/sessions/{_id(session)}/redeem"
    return (await _call(parts, system.code, "POST", path, dict(body)))[0]


def answering(parts: Parts, door: Door, made: Mapping[str, Any]) -> Action:
    """What a virtual phone does to open the session now.

    Raises:
        Malformed: the form does not hold what the platform answered about this door.
    """
    try:
        if door is Door.QR:
            since = parts.clock.now() - parse_moment(made["t0"])
            key = qr_key(Secret(base64url.decode(made["secret"])))
            second = max(0, int(since.total_seconds()))
            return Scan(frame=frame(made["origin"], handle=made["handle"], t=second, key=key))
        return Code() if door is Door.PUSH else Open(link=str(made["url"]))
    except (InkanError, KeyError, TypeError, ValueError):
        raise Malformed(where="/made", expected="what the platform answered") from None


async def _call(
    parts: Parts,
    code: str,
    method: str,
    path: str,
    body: Mapping[str, Any] | None = None,
    *,
    is_new: bool = False,
) -> tuple[Call, Any]:
    """The call as it is shown, and the JSON of its answer where it succeeded."""
    headers = {"authorization": f"Bearer {code}"}
    if body is not None:
        headers["content-type"] = "application/json"
    if is_new:
        headers["idempotency-key"] = new_id("try")
    sent = msgspec.json.encode(body) if body is not None else None
    request = Request(method=method, url=parts.platform + path, headers=headers, body=sent)
    answer = await parts.way.send(request)
    shown = Call(
        method=method,
        url=request.url,
        headers=tuple(headers.items()),
        body=_pretty(sent or b""),
        status=answer.status,
        answer=_pretty(answer.body),
        curl=_curl(request),
    )
    return shown, _json(answer) if answer.status < 300 else None


def _curl(request: Request) -> str:
    words = ["curl", "-X", request.method, request.url]
    for name, value in request.headers.items():
        words += ["-H", f"{name}: {value}"]
    if request.body is not None:
        words += ["--data-raw", request.body.decode()]
    return shlex.join(words)


def _pretty(data: bytes) -> str:
    try:
        text = msgspec.json.format(data, indent=2).decode() if data else ""
    except (msgspec.MsgspecError, ValueError):
        text = data.decode("utf-8", "replace")
    return text if len(text) <= SHOWN_LIMIT else f"{text[:SHOWN_LIMIT]}…"


def _json(answer: Answer) -> Any:
    try:
        return msgspec.json.decode(answer.body)
    except msgspec.MsgspecError:
        return None


def _id(session: str) -> str:
    """A session's id, which is about to be part of an address.

    Raises:
        Malformed: it has another form.
    """
    if not (session.isascii() and session.replace("_", "").isalnum() and len(session) <= 40):
        raise Malformed(where="/session", expected="the id of a session")
    return session
