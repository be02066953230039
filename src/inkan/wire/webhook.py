"""The webhook: a signed note to a relying party that a session changed. It holds an id and a state, nothing else.

Whoever gets one reads the session by the RP API; the note says only that it is worth while. It is a POST with a
canonical JSON body, signed by the platform as an HTTP message (RFC 9421, ES256, tag ``inkan-webhook``) together with
the method, the whole address, the type and the digest of the body. The same note may come more than once and notes
may overtake each other; ``id`` tells repetitions.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final, Literal, NamedTuple

import msgspec
from cryptography.hazmat.primitives.asymmetric.ec import (
    EllipticCurvePrivateKey,
    EllipticCurvePublicKey,
)

from inkan.crypto import http_signatures
from inkan.crypto.http_signatures import (
    HTTPSignatureMalformed,
    HTTPSignatureWrong,
    SignatureParameters,
)
from inkan.kernel.clock import from_seconds, to_seconds
from inkan.kernel.errors import Forbidden, Malformed
from inkan.wire.documents import Format
from inkan.wire.forms import Flaw, Identifier, Moment, is_moment
from inkan.wire.session import SessionState

TAG: Final = "inkan-webhook"
"""The tag of the signature (RFC 9421 §2.3): what a webhook key signs, and nothing else."""
LABEL: Final = "inkan"
METHOD: Final = "POST"
MEDIA_TYPE: Final = "application/json"
COMPONENTS: Final = ("@method", "@target-uri", "content-digest", "content-type")
LIFE: Final = timedelta(seconds=300)
LEEWAY: Final = timedelta(seconds=30)
"""How far the clock of a receiver may be behind."""
LIMIT: Final = 1_024


class WebhookMalformed(Malformed):
    """The body is not a webhook of version 1."""

    code = "webhook_malformed"
    title = "The webhook does not have the required form"


class WebhookStale(Forbidden):
    """The signature has ended, has not begun, or lives longer than a webhook does."""

    code = "webhook_stale"
    title = "The webhook is outside its 300 seconds"


class Webhook(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What a relying party is told.

    Attributes:
        v: version of the format.
        id: the delivery; the same at every repetition.
        session: the session that changed.
        state: its state when it changed; the session itself may have gone on since.
        at: when it changed, by the platform's time.
    """

    v: Literal[1]
    id: Identifier
    session: Identifier
    state: SessionState
    at: Moment


def _flaw(webhook: Webhook) -> Flaw | None:
    return None if is_moment(webhook.at) else Flaw("/at", "a day that exists")


WEBHOOK: Final = Format(Webhook, limit=LIMIT, malformed=WebhookMalformed, flaw=_flaw)


def webhook_bytes(webhook: Webhook) -> bytes:
    """Return the body of a webhook.

    Raises:
        WebhookMalformed: a member has a value that the format does not admit.
    """
    return WEBHOOK.encode(webhook)


def parse_webhook(data: bytes) -> Webhook:
    """Return the webhook whose body ``data`` is (at most 1 KiB). The signature is not checked here.

    Raises:
        JSONTooLarge: more bytes; nothing was parsed.
        WebhookMalformed: not JSON, or a wrong member.
        NotCanonical: another spelling.
    """
    return WEBHOOK.parse(data)


class WebhookRequest(NamedTuple):
    """A request as it arrived.

    Attributes:
        url: the address that the receiver registered, never one that the request itself names.
        headers: by lower-case name, each once.
    """

    method: str
    url: str
    headers: Mapping[str, str]
    body: bytes


class OpenedWebhook(NamedTuple):
    """A webhook whose signature holds; its nonce counts once until ``expires_at``."""

    webhook: Webhook
    nonce: str
    expires_at: datetime


def sign_webhook(
    url: str, body: bytes, key: EllipticCurvePrivateKey, *, keyid: str, nonce: str, now: datetime
) -> dict[str, str]:
    """Return the header fields under which ``body`` is sent to ``url``.

    Args:
        url: the whole address, as it is registered.
        body: see :func:`webhook_bytes`.
        key: a P-256 key for webhooks alone.
        keyid: its thumbprint (RFC 7638), as the key set names it.
        nonce: base64url of at least 16 random bytes, drawn for this try.
        now: true time, aware.
    """
    created = to_seconds(now)
    parameters = SignatureParameters(
        components=COMPONENTS,
        created=created,
        expires=created + int(LIFE.total_seconds()),
        nonce=nonce,
        keyid=keyid,
        tag=TAG,
    )
    headers = {"content-type": MEDIA_TYPE, "content-digest": http_signatures.content_digest(body)}
    signature = http_signatures.sign(_base(METHOD, url, headers, parameters), key)
    return headers | {
        "signature-input": f"{LABEL}={parameters.text}",
        "signature": http_signatures.signature_field(signature, label=LABEL),
    }


def open_webhook(
    request: WebhookRequest, keys: Mapping[str, EllipticCurvePublicKey], *, now: datetime
) -> OpenedWebhook:
    """Return what a request says, if the platform has signed it for this address and its time is not over.

    Plan:
        1. Form: a POST of JSON with each field of the signature once; exactly the components and the tag of webhooks.
        2. Time: begun, not ended, and no longer than 300 s.
        3. Key: one of the platform's webhook keys, by its thumbprint; nothing in the message brings a key or names
           an algorithm.
        4. Content: the digest is that of the body.
        5. Signature: over method, address, digest, type and parameters.
        6. Body: one canonical webhook.
        The nonce is for the caller to use up (:func:`inkan.client.verify_webhook`).

    Args:
        request: as it arrived.
        keys: the platform's webhook keys by thumbprint.
        now: true time, aware.

    Raises:
        HTTPSignatureMalformed: 1.
        WebhookStale: 2.
        HTTPSignatureWrong: 3 to 5.
        JSONTooLarge, WebhookMalformed, NotCanonical: 6.
    """
    parameters = _parameters(request)  # 1
    _verify_time(parameters, now)  # 2
    key = keys.get(parameters.keyid)  # 3
    if key is None:
        raise HTTPSignatureWrong("keyid")
    http_signatures.verify_content_digest(_field(request, "content-digest"), request.body)  # 4
    signature = http_signatures.parse_signature(_field(request, "signature"), label=LABEL)
    base = _base(request.method, request.url, request.headers, parameters)
    http_signatures.verify(base, signature, key)  # 5
    webhook = parse_webhook(request.body)  # 6
    return OpenedWebhook(webhook, parameters.nonce, from_seconds(parameters.expires))


def _parameters(request: WebhookRequest) -> SignatureParameters:
    if request.method != METHOD or _field(request, "content-type") != MEDIA_TYPE:
        raise HTTPSignatureMalformed(where="content-type", expected=f"{METHOD} of {MEDIA_TYPE}")
    field = _field(request, "signature-input")
    parameters = http_signatures.parse_signature_input(field, label=LABEL)
    if parameters.components != COMPONENTS or parameters.tag != TAG:
        raise HTTPSignatureMalformed(where="signature-input", expected=" ".join(COMPONENTS))
    return parameters


def _verify_time(parameters: SignatureParameters, now: datetime) -> None:
    seconds = to_seconds(now)
    life = parameters.expires - parameters.created
    begun = parameters.created - int(LEEWAY.total_seconds()) <= seconds
    if not (begun and seconds < parameters.expires and 0 < life <= int(LIFE.total_seconds())):
        raise WebhookStale


def _base(
    method: str, url: str, headers: Mapping[str, str], parameters: SignatureParameters
) -> bytes:
    values = {"@method": method, "@target-uri": url, **headers}
    components = [(name, values[name]) for name in COMPONENTS]
    return http_signatures.signature_base(components, parameters.text)


def _field(request: WebhookRequest, name: str) -> str:
    value = request.headers.get(name)
    if value is None:
        raise HTTPSignatureMalformed(where=name, expected="this field once")
    return value
