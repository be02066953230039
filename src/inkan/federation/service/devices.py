"""The device grant (RFC 8628): a device shows a code, a person types it into a page here, and answers on the phone.

Numbered plan:

1. the device gets a ``device_code``, which it polls with, and eight letters to show; both are kept as hashes, the
   letters under a key, because 35 bits are soon tried through;
2. whoever types the letters into the page sees who asks and what for, and has to say that it is their own device:
   a code that came in a message logs somebody else in (§5.4). A GET, and a code in an address, never do;
3. with that the page opens one session with the redirect page; the browser that does so keeps a cookie, and only it
   brings the answer back. The session's key is the grant: a second browser is another order under the same key;
4. what ties the answer to that browser ties it to no device, so its level is the lowest there is (``collecting``).
"""

import hashlib
import hmac
from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime
from typing import Final

import msgspec

from inkan.approvals import ApprovalEnded
from inkan.crypto import base64url
from inkan.crypto.aead import hmac_sha256
from inkan.crypto.key_providers import KeyPurpose
from inkan.federation.model.device import DeviceAnswer, DeviceView, UserCodeUnknown
from inkan.federation.model.grant import Grant, GrantKind, GrantState
from inkan.federation.model.refusals import (
    ClientUnauthorized,
    GrantNotFound,
    GrantRefused,
    RequestRefused,
)
from inkan.federation.model.request import Asked
from inkan.federation.rules import (
    DEVICE_GRANT,
    DEVICE_LEAST,
    DEVICE_LIFE,
    POLL_INTERVAL_S,
    USER_CODE_LETTERS,
    USER_CODE_SIZE,
)
from inkan.federation.service import collecting, grants
from inkan.federation.service.backchannel_request import check_scope, client_openid
from inkan.federation.service.claims import order_members
from inkan.federation.service.parts import Parts, active_system, draw
from inkan.federation.service.polled import polled
from inkan.federation.service.tokens import Tokens
from inkan.federation.store import grants as store
from inkan.identification import (
    AddressDoor,
    LevelTooLow,
    NotDecided,
    Redemption,
    Return,
    ReturnRefused,
    SessionNotFound,
    SessionOrder,
)
from inkan.kernel.idempotency import IdempotencyConflict
from inkan.kernel.ids import new_id, random_below
from inkan.relying_parties import Client, OpenIDRegistration, System, TokenAnswer
from inkan.store.database import MOMENT, Step
from inkan.wire.binding import Door
from inkan.wire.shown import Language

Form = Mapping[str, str]

PAGE_PATH: Final = "/device"
RETURN_PATH: Final = "/device/done"
_GROUP: Final = 4


class Devices:
    """Devices without a browser, and the page that answers for them."""

    def __init__(self, parts: Parts, *, tokens: Tokens) -> None:
        self._parts = parts
        self._tokens = tokens
        self._key = parts.keys.secret("openid-user-code", KeyPurpose.MAC)

    # --- the device ------------------------------------------------------------------------------

    async def ask(self, form: Form, client: Client) -> DeviceAnswer:
        """Give a device its codes: 1 of the plan.

        Raises:
            ClientUnauthorized: the client does not use this grant, or is bound by FAPI.
            RequestRefused, ScopeRefused: the scope.
        """
        openid = _device_openid(client.system)
        check_scope(form.get("scope", ""), openid)
        device_code, user_code = draw(), draw_user_code()
        asked = Asked(scope=list(dict.fromkeys(form["scope"].split(" "))))
        await self._parts.db.transact(
            _begin, self._parts, client, asked, device_code, self._hashed(user_code)
        )
        page = self._parts.issuer + PAGE_PATH
        shown = grouped(user_code)
        return DeviceAnswer(
            device_code=device_code,
            user_code=shown,
            verification_uri=page,
            verification_uri_complete=f"{page}?user_code={shown}",
            expires_in=int(DEVICE_LIFE.total_seconds()),
            interval=POLL_INTERVAL_S,
        )

    async def collect(self, client: Client, form: Form) -> TokenAnswer:
        """The grant type of devices at the token endpoint.

        Raises:
            GrantRefused, HandleExpired, PollTooOften, AuthorizationPending, AnswerDenied: see ``collecting``.
            ClientUnauthorized, RequestRefused: not this client's grant, or no ``device_code``.
        """
        _device_openid(client.system)
        handle = form.get("device_code", "")
        if not handle:
            raise RequestRefused("device_code")
        grant = await collecting.collect(self._parts, handle, GrantKind.DEVICE, client)
        return await self._tokens.issue(client, grant)

    # --- the page --------------------------------------------------------------------------------

    async def find(self, user_code: str, *, lang: Language) -> DeviceView:
        """What the page says of the device that shows this code.

        Raises:
            UserCodeUnknown: none does, or it was answered or taken.
        """
        _, system = await self._found(user_code)
        openid = _device_openid(system)
        purpose = system.purposes[openid.purpose]
        names = system.organisation_name
        return DeviceView(
            user_code=grouped(plain(user_code)),
            client=system.name,
            organisation=names.get(lang, system.name),
            domain=system.domain,
            purpose=purpose.text[lang],
        )

    async def confirm(self, user_code: str, *, browser: str) -> str:
        """The person says that it is their own device: the address of the page that asks the phone.

        The same browser gets the same page again.

        Args:
            user_code: as it was typed.
            browser: the cookie that brings the answer back.

        Raises:
            UserCodeUnknown: no device shows it, too little time is left, or another browser has taken it.
        """
        grant, system = await self._found(user_code)
        _device_openid(system)
        left = collecting.answer_ends_at(grant) - self._parts.db.now()
        if left < DEVICE_LEAST:
            raise UserCodeUnknown()
        address = self._parts.issuer + RETURN_PATH
        verifier = _verifier(grant.id, browser)
        binding = base64url.encode(hashlib.sha256(base64url.decode(verifier)).digest())
        order = SessionOrder(
            **order_members(grant.asked, system),
            challenge=draw(),
            doors=[Door.REDIRECT],
            return_=Return(url=address, binding=binding),
            expires_in=int(min(left, DEVICE_LIFE).total_seconds()),
        )
        try:
            made = await self._parts.identification.create(
                msgspec.structs.replace(system, return_urls=system.return_urls | {address}),
                order,
                body=binding.encode(),
                idempotency_key=f"device-{grant.id}",
            )
        except (IdempotencyConflict, LevelTooLow):
            raise UserCodeUnknown() from None
        if grant.session is None:
            with suppress(GrantRefused):  # the same browser, a moment ago
                await self._parts.db.transact(
                    _take, self._parts, grant, made.session.id, _mark(grant.id, browser)
                )
        door = msgspec.convert(made.doors[Door.REDIRECT], AddressDoor, from_attributes=True)
        return door.url.removeprefix(self._parts.issuer)

    async def refuse(self, user_code: str) -> None:
        """The person says that it is not their device: it hears so.

        Raises:
            UserCodeUnknown: no device shows it, or somebody is answering for it.
        """
        grant, _ = await self._found(user_code)
        if grant.session is not None:
            raise UserCodeUnknown()
        with suppress(GrantRefused):
            await self._parts.db.transact(grants.deny, self._parts, grant)

    async def finish(self, session: str, return_code: str | None, *, browser: str) -> bool:
        """The browser came back from its page: whether the device may now go on.

        Raises:
            GrantNotFound: no device's session, or another browser's.
        """
        grant = await self._parts.db.read(grants.find, store.BY_SESSION, session)
        if grant is None or grant.kind is not GrantKind.DEVICE:
            raise GrantNotFound()
        if not hmac.compare_digest(grant.browser_sha256 or "", _mark(grant.id, browser)):
            raise GrantNotFound()
        system = await active_system(self._parts, grant.client)
        if system is None:
            raise GrantNotFound()
        redemption = Redemption(verifier=_verifier(grant.id, browser), return_code=return_code)
        with suppress(ApprovalEnded, NotDecided, ReturnRefused, SessionNotFound):
            await self._parts.identification.redeem(session, redemption, system=grant.system)
        settled = await collecting.settle(self._parts, grant)
        return settled.state in (GrantState.GRANTED, GrantState.USED)

    async def _found(self, user_code: str) -> tuple[Grant, System]:
        """The waiting grant of a code that is shown now, and its active client."""
        grant = await self._parts.db.read(grants.find, store.BY_USER_CODE, self._hashed(user_code))
        if grant is None or grant.state is not GrantState.PENDING:
            raise UserCodeUnknown()
        system = await active_system(self._parts, grant.client)
        if system is None or collecting.answer_ends_at(grant) <= self._parts.db.now():
            raise UserCodeUnknown()
        return grant, system

    def _hashed(self, user_code: str) -> str:
        message = f"inkan-user-code-v1\x00{plain(user_code)}".encode()
        return base64url.encode(hmac_sha256(self._key, message))


def plain(typed: str) -> str:
    """What was typed, as it was drawn: without the dash, spaces and small letters (RFC 8628 §6.1)."""
    kept = (letter for letter in typed.upper() if letter in USER_CODE_LETTERS)
    return "".join(kept)[: USER_CODE_SIZE + 1]


def draw_user_code() -> str:
    """Eight letters, each of twenty: 34.6 bits."""
    count = len(USER_CODE_LETTERS)
    return "".join(USER_CODE_LETTERS[random_below(count)] for _ in range(USER_CODE_SIZE))


def grouped(user_code: str) -> str:
    """As it is shown: in groups of four."""
    return "-".join(user_code[start : start + _GROUP] for start in range(0, len(user_code), _GROUP))


def _device_openid(system: System) -> OpenIDRegistration:
    openid = client_openid(system, grant=DEVICE_GRANT, door=Door.REDIRECT)
    if openid.is_fapi or openid.purpose not in system.purposes:
        raise ClientUnauthorized("a device's answer is of the lowest level")
    return openid


def _begin(
    parts: Parts, client: Client, asked: Asked, device_code: str, user_code_sha256: str
) -> Step[Grant]:
    moment: datetime = yield MOMENT
    grant = polled(
        new_id("gr"),
        GrantKind.DEVICE,
        client,
        asked=asked,
        handle=device_code,
        now=moment,
        ends_at=moment + DEVICE_LIFE,
        user_code_sha256=user_code_sha256,
    )
    return (yield from grants.begin(parts, grant))


def _take(parts: Parts, grant: Grant, session: str, mark: str) -> Step[Grant]:
    values = {"new_session": session, "new_browser": mark}
    changed = msgspec.structs.replace(grant, browser_sha256=mark)
    return (
        yield from grants.change(
            parts, grant, changed, query=store.SET_SESSION, values=values, did="taken"
        )
    )


def _verifier(grant_id: str, browser: str) -> str:
    """What only the browser that confirmed can bring (RFC 7636 §4.1): base64url of 32 bytes."""
    mark = f"inkan-device-v1\x00{grant_id}\x00{browser}".encode()
    return base64url.encode(hashlib.sha256(mark).digest())


def _mark(grant_id: str, browser: str) -> str:
    """What the grant keeps of that browser."""
    return base64url.encode(
        hashlib.sha256(f"inkan-device-browser-v1\x00{grant_id}\x00{browser}".encode()).digest()
    )
