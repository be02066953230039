"""CIBA: a client asks a person without a browser, and polls or is told (OpenID CIBA Core 1.0, poll and ping).

Numbered plan of a request:

1. a signed request is opened first, and then only what was signed counts;
2. the parameters hold for this client;
3. one session with a push by the hint is opened. Whoever it names, nobody, a person without a phone, or one who
   refuses: the same work and the same answer (design §5.4), so ``unknown_user_id`` is never said;
4. one grant lies over the session. The client gets its ``auth_req_id``, and the six digits of the session if it
   shows them; a client that does not asks by tap alone, at the lowest level.

The binding message stands at the end of the purpose, in each language: so the phone renders it, and its signature
covers it by ``text_sha256``.
"""

import hashlib
from collections.abc import Mapping
from datetime import datetime
from typing import Final

import msgspec

from inkan.crypto import base64url
from inkan.federation.model.backchannel import (
    BackchannelAnswer,
    BackchannelAsked,
    Hint,
    Notification,
)
from inkan.federation.model.grant import Grant, GrantKind
from inkan.federation.model.refusals import (
    ClientUnauthorized,
    RequestObjectRefused,
    RequestRefused,
)
from inkan.federation.rules import CIBA_GRANT, POLL_INTERVAL_S
from inkan.federation.service import collecting, grants
from inkan.federation.service.backchannel_request import client_openid, validate_backchannel
from inkan.federation.service.claims import order_members
from inkan.federation.service.parts import NOTIFICATION, Parts, draw
from inkan.federation.service.polled import polled
from inkan.federation.service.signed_requests import open_request
from inkan.federation.service.tokens import Tokens
from inkan.identification import Created, LevelTooLow, PushDoor, SessionOrder, SubjectHint
from inkan.kernel.idempotency import IdempotencyConflict
from inkan.kernel.identifiers import NationalIDMalformed
from inkan.kernel.ids import SessionID, new_id, random_bytes
from inkan.relying_parties import Client, OpenIDRegistration, System, TokenAnswer
from inkan.store.database import MOMENT, Step
from inkan.wire.binding import Door
from inkan.wire.forms import parse_moment

Form = Mapping[str, str]

MESSAGE: Final[Mapping[str, str]] = {
    "zh-Hant": "{text}（兩個畫面應同樣顯示「{message}」）",
    "ja": "{text}（両方の画面に「{message}」と表示されます）",
    "en": "{text} (both screens show “{message}”)",
}
"""The purpose with the binding message, by language; the marks around it are refused within it."""


class Backchannel:
    """The backchannel authentication endpoint, and what becomes of its requests."""

    def __init__(self, parts: Parts, *, tokens: Tokens) -> None:
        self._parts = parts
        self._tokens = tokens

    async def ask(self, form: Form, client: Client) -> BackchannelAnswer:
        """Ask a person; see the plan of this module.

        Args:
            form: the parameters of the request, none of them repeated.
            client: who was authenticated.

        Raises:
            OAuthError: one of its leaves; nobody was asked.
        """
        parameters, key = await self._opened(form, client)  # 1
        asked = validate_backchannel(parameters, client.system, is_signed="request" in form)  # 2
        openid = client_openid(client.system, grant=CIBA_GRANT, door=Door.PUSH)
        hint = await self._hint(asked.hint, client)
        made = await self._open_session(client.system, openid, asked, hint, key)  # 3
        auth_req_id = draw()
        await self._parts.db.transact(_begin, self._parts, client, asked, made, auth_req_id)  # 4
        door = msgspec.convert(made.doors[Door.PUSH], PushDoor, from_attributes=True)
        return BackchannelAnswer(
            auth_req_id=auth_req_id,
            expires_in=asked.expires_in,
            interval=POLL_INTERVAL_S,
            inkan_code=door.code,
        )

    async def collect(self, client: Client, form: Form) -> TokenAnswer:
        """The grant type of CIBA at the token endpoint.

        Raises:
            GrantRefused, HandleExpired, PollTooOften, AuthorizationPending, AnswerDenied: see ``collecting``.
            ClientUnauthorized, RequestRefused: not this client's grant, or no ``auth_req_id``.
        """
        client_openid(client.system, grant=CIBA_GRANT, door=Door.PUSH)
        handle = form.get("auth_req_id", "")
        if not handle:
            raise RequestRefused("auth_req_id")
        grant = await collecting.collect(self._parts, handle, GrantKind.CIBA, client)
        return await self._tokens.issue(client, grant)

    async def _opened(self, form: Form, client: Client) -> tuple[Form, str]:
        """What is asked, and the key under which its session is made once."""
        if "request" not in form:
            return form, f"ciba-{draw()}"
        keys = await self._parts.relying_parties.public_keys(client.code)
        opened = open_request(
            form,
            client_id=client.code,
            issuer=self._parts.issuer,
            keys=keys,
            now=self._parts.clock.wire_now(),
        )
        named = base64url.encode(hashlib.sha256(opened.jti.encode()).digest())
        return opened.parameters, f"ciba-{named}"

    async def _hint(self, hint: Hint, client: Client) -> SubjectHint:
        if hint.kind == "id_token":
            named = await self._tokens.hinted(hint.value, client.code)
            return SubjectHint(type="person_ref", value=named.sub)
        return SubjectHint(type=hint.kind, value=hint.value)

    async def _open_session(
        self,
        system: System,
        openid: OpenIDRegistration,
        asked: BackchannelAsked,
        hint: SubjectHint,
        key: str,
    ) -> Created:
        order = SessionOrder(
            **order_members(asked.asked, system),
            challenge=draw(),
            doors=[Door.PUSH],
            subject_hint=hint,
            expires_in=asked.expires_in,
        )
        try:
            return await self._parts.identification.create(
                amended(system, openid, asked.binding_message),
                order,
                # Drawn, so that a signed request that comes again is another order under the same key.
                body=random_bytes(32),
                idempotency_key=key,
                is_followed=bool(asked.notification_token),
            )
        except NationalIDMalformed:
            raise RequestRefused("login_hint") from None
        except LevelTooLow:
            raise ClientUnauthorized("its registration demands more than a tap") from None
        except IdempotencyConflict:
            raise RequestObjectRefused("used before") from None


def amended(system: System, openid: OpenIDRegistration, message: str) -> System:
    """The system as it asks this once: with the message in its purpose, and by tap when it shows no digits.

    Raises:
        ClientUnauthorized: its registration names no such purpose.
    """
    purpose = system.purposes.get(openid.purpose)
    if purpose is None:
        raise ClientUnauthorized("the registered purpose is gone")
    if message:
        text = {
            lang: MESSAGE.get(lang, MESSAGE["en"]).format(text=text, message=message)
            for lang, text in purpose.text.items()
        }
        purpose = msgspec.structs.replace(purpose, text=text)
    return msgspec.structs.replace(
        system,
        purposes={**system.purposes, openid.purpose: purpose},
        tap_only=system.tap_only or not openid.inkan_code,
    )


def _begin(
    parts: Parts, client: Client, asked: BackchannelAsked, made: Created, auth_req_id: str
) -> Step[Grant]:
    moment: datetime = yield MOMENT
    grant_id = new_id("gr")
    notification = None
    if asked.notification_token:
        told = Notification(auth_req_id=auth_req_id, token=asked.notification_token)
        notification = parts.sealer.seal(NOTIFICATION, grant_id, msgspec.json.encode(told))
    return (
        yield from grants.begin(
            parts,
            polled(
                grant_id,
                GrantKind.CIBA,
                client,
                asked=asked.asked,
                handle=auth_req_id,
                now=moment,
                ends_at=parse_moment(made.session.expires_at),
                session=SessionID(made.session.id),
                notification=notification,
            ),
        )
    )
