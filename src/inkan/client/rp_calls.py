"""The RP API as conversations: what a relying party says and hears, without deciding how it is carried.

A token is fetched by private_key_jwt (RFC 7523 §2.2), bound to a key of this process by DPoP (RFC 9449) and used
until shortly before its end. The system code alone opens nothing (TW-66, threat 4).
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple, Self
from urllib.parse import urlencode

import msgspec
from cryptography.hazmat.primitives.asymmetric.ec import (
    SECP256R1,
    EllipticCurvePrivateKey,
    generate_private_key,
)

from inkan.client.exchange import (
    Answer,
    AnswerMalformed,
    Conversation,
    Request,
    ask,
    joined,
    segment,
    verify_success,
)
from inkan.client.published_view import Limits
from inkan.client.rates import RateLeft, read_rates
from inkan.client.repeating import PATIENCE, Patience, repeated
from inkan.client.session_view import (
    DOOR_KINDS,
    AddressDoor,
    Created,
    PushDoor,
    QRDoor,
    SessionOrder,
    SessionView,
)
from inkan.crypto import base64url, dpop, jose, jwk, keys
from inkan.crypto.jose import Algorithm
from inkan.crypto.keys import PrivateKey
from inkan.kernel.clock import Clock, to_seconds
from inkan.kernel.ids import random_bytes
from inkan.kernel.sensitive import Secret
from inkan.wire.binding import Door
from inkan.wire.evidence import EVIDENCE_LIMIT

ASSERTION_LIFE_S: Final = 60
RENEW_BEFORE_S: Final = 30
WAIT_MARGIN_S: Final = 15.0
_ASSERTION_TYPE: Final = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
_JSON: Final = {"content-type": "application/json"}


class SystemCredentials(msgspec.Struct, frozen=True, kw_only=True):
    """Who a relying party's application is.

    Attributes:
        issuer: the platform's issuer URL, as it stands in receipts.
        code: the system code (TW-66).
        key: the registered private key, P-256 or RSA.
    """

    issuer: str
    code: str
    key: PrivateKey

    @classmethod
    def load(
        cls, issuer: str, code: str, key_file: str | Path, *, passphrase: Secret[str] | None = None
    ) -> Self:
        """Return the credentials whose key lies in a PEM file, as ``openssl genpkey`` writes it.

        Raises:
            OSError: the file cannot be read.
            KeyMalformed: no private key, or another passphrase.
            KeyUnsupported: neither P-256 nor RSA.
        """
        key = keys.load_private_pem(Path(key_file).read_bytes(), passphrase=passphrase)
        return cls(issuer=issuer, code=code, key=key)

    @property
    def public_jwk(self) -> dict[str, str]:
        """The public key as a JWK (RFC 7517), as it is registered."""
        return jwk.to_jwk(self.key.public_key())

    def client_assertion(self, clock: Clock) -> str:
        """Return a JWT that authenticates the system once within a minute."""
        at = to_seconds(clock.wire_now())
        claims = {
            "iss": self.code,
            "sub": self.code,
            "aud": self.issuer,
            "iat": at,
            "exp": at + ASSERTION_LIFE_S,
            "jti": base64url.encode(random_bytes(16)),
        }
        is_ec = isinstance(self.key, EllipticCurvePrivateKey)
        return jose.sign_compact(
            msgspec.json.encode(claims),
            self.key,
            alg=Algorithm.ES256 if is_ec else Algorithm.PS256,
            typ="JWT",
            header={"kid": jwk.thumbprint(self.key.public_key())},
        )


class _TokenAnswer(msgspec.Struct, frozen=True):
    access_token: str
    expires_in: int
    token_type: str


class _Token(NamedTuple):
    value: Secret[str]
    ends_at: float


class Reading(NamedTuple):
    """A view of a session and the tag that a later wait compares with."""

    view: SessionView
    etag: str | None


def read_event(data: bytes) -> Reading:
    """Return the view that an event of the stream carries.

    Raises:
        AnswerMalformed: no session object.
    """
    return Reading(Answer(status=200, headers={}, body=data).read(SessionView), None)


class RPCalls:
    """Every call of the RP API about sessions, for one system.

    Each method is a conversation; it raises CallRefused and its subclasses, PlatformUnreachable,
    AnswerMalformed and AnswerTooLarge.

    Attributes:
        rates: by name of a rate, what the last answer said is left of it.
    """

    def __init__(
        self, credentials: SystemCredentials, clock: Clock, patience: Patience = PATIENCE
    ) -> None:
        self.credentials = credentials
        self.clock = clock
        self.rates: dict[str, RateLeft] = {}
        self._patience = patience
        self._dpop_key = generate_private_key(SECP256R1())
        self._token: _Token | None = None
        self._nonce: str | None = None

    def create(self, order: SessionOrder, *, idempotency_key: str) -> Conversation[Created]:
        """Open a session; repeating it with the same key opens no second one."""
        key = {"idempotency-key": idempotency_key}
        answer = yield from self.call("POST", "/v1/sessions", body=order.body(), headers=key)
        return answer.read(Created)

    def read(
        self, session: str, *, wait_s: int = 0, known: Reading | None = None
    ) -> Conversation[Reading]:
        """Read a session; with ``wait_s`` hold on until it differs from ``known``."""
        etag = known and known.etag
        answer = yield from self.call(
            "GET",
            _path(session) + (f"?wait={wait_s}" if wait_s else ""),
            headers={"if-none-match": etag} if etag else {},
            timeout_s=wait_s + WAIT_MARGIN_S,
        )
        if answer.status == 304 and known is not None:
            return known
        return Reading(answer.read(SessionView), answer.headers.get("etag"))

    def door(self, session: str, door: Door) -> Conversation[QRDoor | PushDoor | AddressDoor]:
        """Make a door or get it again: the present code, a push sent once more, an address."""
        path = _path(session, f"/doors/{door}")
        answer = yield from self.call("POST", path, body=b"{}", twice=False)
        return answer.read(DOOR_KINDS[Door(door)])

    def redeem(
        self, session: str, *, verifier: Secret[str], return_code: str | None
    ) -> Conversation[SessionView]:
        """Get the answer for the browser that began; once, so never repeated."""
        body = msgspec.json.encode({"verifier": verifier.reveal(), "return_code": return_code})
        answer = yield from self.call("POST", _path(session, "/redeem"), body=body, twice=False)
        return answer.read(SessionView)

    def cancel(self, session: str) -> Conversation[SessionView]:
        """End a session that nobody has decided."""
        answer = yield from self.call("POST", _path(session, "/cancel"), body=b"{}", twice=False)
        return answer.read(SessionView)

    def receipt(self, session: str) -> Conversation[str]:
        """Return the receipt's compact JWS, unverified."""
        answer = yield from self.call("GET", _path(session, "/receipt"))
        return answer.body.decode("ascii", errors="replace")

    def evidence(self, session: str) -> Conversation[bytes]:
        """Return the evidence bundle (JSON), unverified."""
        answer = yield from self.call("GET", _path(session, "/evidence"), limit=EVIDENCE_LIMIT)
        return answer.body

    def limits(self) -> Conversation[Limits]:
        """Return rates, sizes, counts and lives; the rates are this system's own."""
        return (yield from self.call("GET", "/v1/limits")).read(Limits)

    def events(self, session: str) -> Conversation[Request]:
        """Return the request that opens the stream of a session's events."""
        token = yield from self._fresh_token()
        headers = {"accept": "text/event-stream"}
        path = _path(session, "/events")
        return self._request("GET", path, token, headers=headers, timeout_s=60.0)

    def forget_token(self) -> None:
        """Fetch another token before the next request."""
        self._token = None

    def call(
        self, method: str, path: str, *, twice: bool = True, **parts: Any
    ) -> Conversation[Answer]:
        """Send a request under the system's token and return an answer of 2xx or 304.

        Token, assertion and proof are made anew for each try: none of them is accepted twice.

        Args:
            method: upper case.
            path: with its leading slash; what came from elsewhere went through ``segment``.
            twice: whether the request may arrive twice; see :mod:`inkan.client.repeating`.
            parts: ``body``, ``headers``, ``timeout_s``, ``limit`` of the request.
        """
        # A token may be asked for as often as it takes, whatever the request is.
        yield from self._fresh_token()
        return (
            yield from repeated(
                lambda: self._attempt(method, path, **parts), twice=twice, patience=self._patience
            )
        )

    def _attempt(self, method: str, path: str, **parts: Any) -> Conversation[Answer]:
        """Send with the token at hand; once more with a new one when it is not accepted."""
        token = yield from self._fresh_token()
        answer = yield from self._heard(self._request(method, path, token, **parts))
        if self._is_nonce_asked(answer):
            answer = yield from self._heard(self._request(method, path, token, **parts))
        if answer.status == 401:
            self.forget_token()
            token = yield from self._fresh_token()
            answer = yield from self._heard(self._request(method, path, token, **parts))
        return answer if answer.status == 304 else verify_success(answer)

    def _heard(self, request: Request) -> Conversation[Answer]:
        answer = yield from ask(request)
        self.rates |= {rate.policy: rate for rate in read_rates(answer.headers)}
        return answer

    def _request(
        self,
        method: str,
        path: str,
        token: str,
        *,
        body: bytes | None = None,
        headers: Mapping[str, str] = {},
        **limits: Any,
    ) -> Request:
        url = joined(self.credentials.issuer, path)
        own = {"authorization": f"DPoP {token}", "dpop": self._proof(method, url, token)}
        typed = _JSON if body is not None else {}
        return Request(
            method=method, url=url, headers={**typed, **headers, **own}, body=body, **limits
        )

    def _proof(self, method: str, url: str, token: str | None = None) -> str:
        return dpop.build_proof(
            self._dpop_key,
            method=method,
            url=url,
            at=self.clock.wire_now(),
            access_token=token,
            nonce=self._nonce,
        )

    def _fresh_token(self) -> Conversation[str]:
        held = self._token
        if held is None or self.clock.monotonic() >= held.ends_at:
            held = self._token = yield from repeated(self._fetch_token, patience=self._patience)
        return held.value.reveal()

    def _fetch_token(self) -> Conversation[_Token]:
        answer = yield from ask(self._token_request())
        if self._is_nonce_asked(answer):
            answer = yield from ask(self._token_request())
        received = verify_success(answer).read(_TokenAnswer)
        if received.token_type.lower() != "dpop":
            raise AnswerMalformed("the token is not bound by DPoP")
        life_s = max(received.expires_in - RENEW_BEFORE_S, 0)
        return _Token(Secret(received.access_token), self.clock.monotonic() + life_s)

    def _token_request(self) -> Request:
        url = joined(self.credentials.issuer, "/token")
        form = {
            "grant_type": "client_credentials",
            "client_assertion_type": _ASSERTION_TYPE,
            "client_assertion": self.credentials.client_assertion(self.clock),
        }
        headers = {
            "content-type": "application/x-www-form-urlencoded",
            "dpop": self._proof("POST", url),
        }
        return Request(method="POST", url=url, headers=headers, body=urlencode(form).encode())

    def _is_nonce_asked(self, answer: Answer) -> bool:
        """Whether the answer demands a nonce that it hands out (RFC 9449 §8)."""
        nonce = answer.headers.get("dpop-nonce")
        if nonce is None or nonce == self._nonce:
            return False
        self._nonce = nonce
        return answer.status in {400, 401}


def _path(session: str, below: str = "") -> str:
    return f"/v1/sessions/{segment(session)}{below}"
