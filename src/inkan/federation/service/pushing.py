"""Pushed requests (RFC 9126): checked when the authenticated client sends them, used once by a browser.

Numbered plan of a push:

1. no ``request_uri`` in it (§2.1), and its ``client_id``, if any, is the authenticated client;
2. its request object, if any, holds; FAPI 2.0 Message Signing demands one (§5.3.1);
3. every row of the table of the authorization endpoint;
4. the key of a DPoP proof is that of ``dpop_jkt`` (RFC 9449 §10.1);
5. whom it expects is one person;
6. kept under the hash of a fresh URI.
"""

from datetime import datetime
from typing import Final

import msgspec

from inkan.audit import Actor, ActorKind
from inkan.federation.model.grant import Grant
from inkan.federation.model.refusals import (
    RequestObjectRefused,
    RequestRefused,
    RequestURIRefused,
)
from inkan.federation.model.request import Asked
from inkan.federation.rules import PUSHED_LIFE
from inkan.federation.service import grants
from inkan.federation.service.clients import RegisteredClient
from inkan.federation.service.expecting import Hinted, expecting
from inkan.federation.service.parameters import Parameters
from inkan.federation.service.parts import Parts, draw, hashed
from inkan.federation.service.request_objects import read_request_object
from inkan.federation.service.validation import REQUEST_URI_PREFIX, validate_authorization
from inkan.federation.store import grants as grant_store
from inkan.federation.store import requests as store
from inkan.kernel.ids import SessionID
from inkan.store.database import MOMENT, Step

# Parameters of client authentication, which are none of the request (RFC 9126 §2.1).
AUTHENTICATION: Final = frozenset({"client_secret", "client_assertion", "client_assertion_type"})


class Pushed(msgspec.Struct, frozen=True):
    """The answer of the endpoint (RFC 9126 §2.2)."""

    request_uri: str
    expires_in: int


async def push(
    parts: Parts,
    client: RegisteredClient,
    parameters: Parameters,
    *,
    hinted: Hinted,
    jkt: str | None,
) -> Pushed:
    """Keep a request for one use.

    Args:
        parts: of the feature.
        client: authenticated.
        parameters: of the form.
        hinted: reads ID tokens.
        jkt: thumbprint of the key of a DPoP proof that came with it.

    Raises:
        OAuthError: a leaf of the first step of the plan that does not hold.
    """
    asked_by = _signed(parts, client, parameters, now=parts.clock.wire_now())
    asked = validate_push(client, asked_by, jkt=jkt)
    asked = await expecting(hinted, client.code, asked_by, asked)
    handle = draw()
    await parts.db.transact(_keep, parts, client, asked, hashed(handle))
    return Pushed(
        request_uri=f"{REQUEST_URI_PREFIX}{handle}", expires_in=int(PUSHED_LIFE.total_seconds())
    )


def _signed(
    parts: Parts, client: RegisteredClient, parameters: Parameters, *, now: datetime
) -> Parameters:
    """Steps 1 and 2: the parameters that count."""
    if parameters.get("request_uri"):  # 1
        raise RequestRefused("a pushed request has no request_uri")
    if parameters.get("client_id") not in ("", client.code):
        raise RequestRefused("client_id is another client's")
    if parameters.get("request"):  # 2
        return read_request_object(
            parameters.get("request"), client.system, client.keys, issuer=parts.issuer, now=now
        )
    if client.openid.profile == "fapi2_message_signing":
        raise RequestObjectRefused("FAPI 2.0 Message Signing §5.3.1: the request is signed")
    return parameters


def validate_push(client: RegisteredClient, parameters: Parameters, *, jkt: str | None) -> Asked:
    """Steps 3 and 4 of the plan, without any input or output.

    Raises:
        OAuthError: a leaf of the first step that does not hold.
    """
    asked = validate_authorization(
        parameters, client.openid, system=client.system, is_pushed=True
    )  # 3
    if jkt is None:
        return asked
    if asked.dpop_jkt not in ("", jkt):  # 4
        raise RequestRefused("dpop_jkt is another key's")
    return msgspec.structs.replace(asked, dpop_jkt=jkt)


def _keep(parts: Parts, client: RegisteredClient, asked: Asked, uri_sha256: str) -> Step[None]:
    moment = yield MOMENT
    event = yield from parts.audit.record(
        "federation.request_pushed",
        actor=Actor(ActorKind.SYSTEM, client.system.id),
        object=client.system.id,
        details={"uri": uri_sha256},
    )
    yield store.INSERT.run(
        uri_sha256=uri_sha256,
        system=client.system.id,
        asked=msgspec.to_builtins(asked),
        expires_at=moment + PUSHED_LIFE,
        used_at=None,
        session=None,
        event_id=event,
    )


def begun_by(client: RegisteredClient, request_uri: str) -> Step[Grant | None]:
    """Step: the grant that the use of a URI began, while the URI lives: a reload of the page is no second use."""
    handle = request_uri.removeprefix(REQUEST_URI_PREFIX)
    row = yield store.SESSION.one(key=hashed(handle), whose=client.system.id)
    if row is None or row.session is None:
        return None
    return (yield from grants.find(grant_store.BY_SESSION, row.session))


def note_session(request_uri: str, session: SessionID) -> Step[None]:
    """Step: the session that the use of a URI began."""
    handle = request_uri.removeprefix(REQUEST_URI_PREFIX)
    yield store.SET_SESSION.run(key=hashed(handle), new_session=session)


async def use(parts: Parts, client: RegisteredClient, request_uri: str) -> Asked:
    """The request behind a URI, which is used up by that.

    Raises:
        RequestURIRefused: unknown, used, over, or another client's: one answer.
    """
    handle = request_uri.removeprefix(REQUEST_URI_PREFIX)
    return await parts.db.transact(_use, parts, client, hashed(handle))


def _use(parts: Parts, client: RegisteredClient, uri_sha256: str) -> Step[Asked]:
    event = yield from parts.audit.record(
        "federation.pushed_request_used",
        actor=Actor(ActorKind.SYSTEM, client.system.id),
        object=client.system.id,
        details={"uri": uri_sha256},
    )
    used = yield store.USE.run(key=uri_sha256, whose=client.system.id, event=event)
    if not used:
        raise RequestURIRefused()
    row = yield store.ASKED.one(key=uri_sha256)
    return msgspec.convert(row.asked, Asked)
