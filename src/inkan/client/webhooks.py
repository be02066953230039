"""Take webhooks in: check that the platform sent this one, to this address, now, and for the first time.

    keys = read_webhook_keys(jwks)          # GET {issuer}/v1/jwks.json; again when a key is not known
    seen = NonceMemory()                    # one for all that receive at this address
    told = verify_webhook("POST", URL, headers, body, keys=keys, now=clock.wire_now(), seen=seen)
    session = await inkan.get_session(told.session)  # the note names a session; what happened is read, never believed

Answer 2xx once the note is safely kept: whatever else is answered, it comes again for a day.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Final, Protocol

import msgspec
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePublicKey

from inkan.crypto import jwk
from inkan.crypto.http_signatures import HTTPSignatureMalformed
from inkan.crypto.jwk import JWKMalformed
from inkan.kernel.errors import Conflict, InkanError
from inkan.wire.webhook import Webhook, WebhookRequest, open_webhook

Keys = Mapping[str, EllipticCurvePublicKey]
KEYS_LIMIT: Final = 16
_JWKS_LIMIT: Final = 65_536
_FIELDS: Final = frozenset({"content-type", "content-digest", "signature-input", "signature"})


class WebhookReplayed(Conflict):
    """This very message was taken in before."""

    code = "webhook_replayed"
    title = "This webhook was received before"


class Nonces(Protocol):
    """What remembers nonces; processes that share an address share one, for example a table with a unique key."""

    def use(self, nonce: str, *, until: datetime, now: datetime) -> bool:
        """Remember the nonce until then; False when it is remembered already."""
        ...


class NonceMemory:
    """The nonces of one process, each kept until its message could not be accepted any more."""

    def __init__(self) -> None:
        self._until: dict[str, datetime] = {}

    def use(self, nonce: str, *, until: datetime, now: datetime) -> bool:
        """See :class:`Nonces`."""
        self._until = {each: end for each, end in self._until.items() if end > now}
        if nonce in self._until:
            return False
        self._until[nonce] = until
        return True


class _KeySet(msgspec.Struct, frozen=True):
    keys: list[dict[str, object]]


def read_webhook_keys(jwks: bytes) -> Keys:
    """Return the keys of the platform's key set by their thumbprints; a ``kid`` that says otherwise is not believed.

    Raises:
        JWKMalformed: no key set, more than 16 keys, or one that is no public P-256 key.
    """
    try:
        if len(jwks) > _JWKS_LIMIT:
            raise JWKMalformed("the key set is too large")
        found = msgspec.json.decode(jwks, type=_KeySet).keys
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise JWKMalformed(f"no key set: {error}") from None
    if len(found) > KEYS_LIMIT:
        raise JWKMalformed("the key set holds too many keys")
    return dict(_named(members) for members in found)


def verify_webhook(
    method: str,
    url: str,
    headers: Mapping[str, str] | Iterable[tuple[str, str]],
    body: bytes,
    *,
    keys: Keys,
    now: datetime,
    seen: Nonces,
) -> Webhook:
    """Return what the platform says by this request.

    Args:
        method: of the request.
        url: the address that *you* registered, letter by letter; never one put together from the request, whose
            Host anybody can choose.
        headers: names and values; pairs are best, since a mapping hides a header that came twice.
        body: the bytes as they came.
        keys: see :func:`read_webhook_keys`.
        now: true time, aware.
        seen: the nonces of this address; used only after everything else held.

    Raises:
        HTTPSignatureMalformed: it is not signed as webhooks are, or a field stands twice.
        HTTPSignatureWrong: by no key of the platform, for another address, or over another body.
        WebhookStale: its 300 seconds are over.
        WebhookReplayed: it was taken in before.
        WebhookMalformed and its like: the platform's signature over something that is no webhook of version 1.
    """
    opened = open_webhook(WebhookRequest(method, url, _table(headers), body), keys, now=now)
    if not seen.use(opened.nonce, until=opened.expires_at, now=now):
        raise WebhookReplayed
    return opened.webhook


def _table(headers: Mapping[str, str] | Iterable[tuple[str, str]]) -> dict[str, str]:
    pairs = headers.items() if isinstance(headers, Mapping) else headers
    table: dict[str, str] = {}
    for name, value in pairs:
        key = name.lower()
        if key in _FIELDS and table.setdefault(key, value) is not value:
            raise HTTPSignatureMalformed(where=key, expected="this field once")
    return table


def _named(members: Mapping[str, object]) -> tuple[str, EllipticCurvePublicKey]:
    try:
        key, thumbprint = jwk.load_with_thumbprint(members)
    except InkanError as error:
        raise JWKMalformed(str(error)) from None
    if not (isinstance(key, EllipticCurvePublicKey) and isinstance(key.curve, SECP256R1)):
        raise JWKMalformed("a webhook key is on P-256")
    return thumbprint, key
