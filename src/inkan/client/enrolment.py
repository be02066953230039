"""The page's and the card's side of a binding (`/enrol/v1`): start it, show its code, have the card sign.

The page knows the secret of the request and the phone does not; the card client computes the digits from the bytes
that it is about to sign, and the person carries them over from the phone (design §5.2).
"""

from typing import Any, Final, Self, TypeVar

import msgspec

from inkan.client.card import CardConnection, Confirm
from inkan.client.exchange import (
    TIMEOUT_S,
    Answer,
    Conversation,
    Request,
    ask,
    joined,
    verify_success,
)
from inkan.client.http import AsyncTransport
from inkan.client.repeating import repeated
from inkan.crypto import base64url
from inkan.kernel.errors import Gone
from inkan.kernel.sensitive import Secret
from inkan.wire.enrolment_request import KeyUse
from inkan.wire.shown import Language

T = TypeVar("T")
WAIT_S: Final = 25
WAIT_MARGIN_S: Final = 15.0
_OVER: Final = frozenset({"refused", "expired"})
_BEFORE_PREPARED: Final = frozenset({"started", "joined"})


class EnrolmentEnded(Gone):
    """The request was refused or ran out, as page or phone hears it; ``refusal`` is the platform's code."""

    code = "client_enrolment_ended"
    title = "This request to bind a phone has ended"
    public = ("refusal",)


class _Started(msgspec.Struct, frozen=True):
    id: str
    secret: str
    expires_at: str


class EnrolmentStatus(msgspec.Struct, frozen=True):
    """Where a binding stands: ``started → joined → prepared → accepted → issued``, or refused, expired."""

    state: str
    phone_name: str | None = None
    refusal: str | None = None


class ToSign(msgspec.Struct, frozen=True):
    """What the card is asked to sign.

    Attributes:
        content: canonical bytes.
        content_type: dotted OID of the purpose.
    """

    content: bytes
    content_type: str


class Accepted(msgspec.Struct, frozen=True):
    """The platform took the card's signature; the certificates may take a moment longer."""

    state: str
    phone: str | None = None
    certificates: dict[KeyUse, str] = {}


class _Frame(msgspec.Struct, frozen=True):
    frame: str


class _Content(msgspec.Struct, frozen=True):
    content: str
    content_type: str


class StartedEnrolment:
    """One binding, from its start to the card's signature."""

    def __init__(
        self, started: _Started, *, platform: str, lang: Language, transport: AsyncTransport
    ) -> None:
        self.id = started.id
        self.expires_at = started.expires_at
        self._secret = Secret(started.secret)
        self._base = joined(platform, f"/enrol/v1/requests/{started.id}")
        self._lang = lang
        self._transport = transport

    async def frame(self) -> str:
        """Return the address that the code on the page shows now; ask again every second."""
        return (await self._get("/frame", _Frame)).frame

    async def status(self, *, wait_s: int = 0) -> EnrolmentStatus:
        """Return where the binding stands; with ``wait_s`` the platform may wait for a change."""
        return await self._get("", EnrolmentStatus, wait_s=wait_s)

    async def wait_prepared(self, *, wait_s: int = WAIT_S) -> EnrolmentStatus:
        """Wait until the phone has made its keys and there is something to sign.

        Raises:
            EnrolmentEnded: it ended before.
        """
        while (status := await self.status(wait_s=wait_s)).state in _BEFORE_PREPARED:
            pass
        if status.state in _OVER:
            raise EnrolmentEnded(refusal=status.refusal or status.state)
        return status

    async def to_sign(self) -> ToSign:
        """Return what the card has to sign.

        Raises:
            CallConflict: the phone is not ready yet.
        """
        answer = await self._get("/content", _Content)
        return ToSign(base64url.decode(answer.content), answer.content_type)

    async def submit(self, cms: bytes) -> Accepted:
        """Hand in the card's signature; the same bytes again get the same answer.

        Raises:
            CallRefused: the platform's reason (card, keys, eligibility, no free place for a phone).
        """
        body = msgspec.json.encode({"cms": base64url.encode(cms)})
        return await self._send("POST", "/cms", Accepted, body=body)

    async def sign_with(
        self, card: CardConnection, *, pin: Secret[str], confirm: Confirm
    ) -> Accepted:
        """Have an opened card sign, and hand the signature in.

        Raises:
            CardRequestRefused, CardRequestDeclined, DigitsMismatch, WrongPIN, PINLocked, CardRemoved: the card's.
            CallRefused: the platform's.
        """
        wanted = await self.to_sign()
        cms = card.sign_request(
            wanted.content, content_type=wanted.content_type, pin=pin, confirm=confirm
        )
        return await self.submit(cms)

    async def _get(self, path: str, kind: type[T], *, wait_s: int = 0) -> T:
        query = f"?wait={wait_s}" if wait_s else ""
        return await self._send("GET", path + query, kind, timeout_s=wait_s + WAIT_MARGIN_S)

    async def _send(
        self,
        method: str,
        path: str,
        kind: type[T],
        *,
        body: bytes | None = None,
        timeout_s: float = TIMEOUT_S,
    ) -> T:
        headers = {
            "authorization": f"Inkan-Enrol {self._secret.reveal()}",
            "accept-language": str(self._lang),
        }
        if body is not None:
            headers["content-type"] = "application/json"
        request = Request(
            method=method,
            url=self._base + path,
            headers=headers,
            body=body,
            timeout_s=timeout_s,
        )
        return (await self._transport.run(repeated(lambda: _verified(request)))).read(kind)


class EnrolmentClient:
    """Where bindings start.

    Args:
        platform: origin of the platform.
        lang: language of refusals.
        transport: an own one is made, and closed with this object, when None.
    """

    def __init__(
        self,
        platform: str,
        *,
        lang: Language = Language.ZH_HANT,
        transport: AsyncTransport | None = None,
    ) -> None:
        self._platform = platform
        self._lang = lang
        self._own = transport is None
        self._transport = transport or AsyncTransport()

    async def start(self, scheme: str, *, terms_version: str) -> StartedEnrolment:
        """Start a binding: one use, ten minutes.

        Args:
            scheme: code of the rule set.
            terms_version: of the terms that the person has read.

        Raises:
            CallRefused: unknown scheme, or outdated terms, among others.
        """
        members: dict[str, Any] = {"scheme": scheme, "terms_version": terms_version}
        request = Request(
            method="POST",
            url=joined(self._platform, "/enrol/v1/requests"),
            headers={"content-type": "application/json", "accept-language": str(self._lang)},
            body=msgspec.json.encode(members),
        )
        started = (await self._transport.run(_verified(request))).read(_Started)
        return StartedEnrolment(
            started, platform=self._platform, lang=self._lang, transport=self._transport
        )

    def resume(self, request_id: str, secret: str) -> StartedEnrolment:
        """Go on with a request that somebody else started, as a card program does for the enrolment page.

        Args:
            request_id: as the page hands it over.
            secret: likewise; whoever has it goes on with the request.
        """
        return StartedEnrolment(
            _Started(id=request_id, secret=secret, expires_at=""),
            platform=self._platform,
            lang=self._lang,
            transport=self._transport,
        )

    async def aclose(self) -> None:
        """Close the connections, if they are this object's own."""
        if self._own:
            await self._transport.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()


def _verified(request: Request) -> Conversation[Answer]:
    return verify_success((yield from ask(request)))
