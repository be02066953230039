"""The golden vectors of webhooks: signed messages, forged ones, and bodies that are none."""

from typing import Any

import msgspec
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256

from inkan.crypto import base64url, http_signatures, jwk
from inkan.wire import webhook
from inkan.wire.forms import parse_moment
from wire import negatives, proofs, samples
from wire.negatives import Row, no_documents, refused, spellings

KEY = proofs.fixed_key("webhook key")
OTHER_KEY = proofs.fixed_key("another webhook key")
URL = "https://tax.example.gov.tw/inkan/hook?from=id"
NONCE = base64url.encode(samples.fixed("webhook nonce", 16))
KEYID = jwk.thumbprint(KEY.public_key())
NOW = parse_moment(samples.AT)
LATE = "2026-11-21T23:00:04Z"


class Deterministic:
    """Signs by RFC 6979, so that the same vectors come out on every machine."""

    def __init__(self, key: ec.EllipticCurvePrivateKey) -> None:
        self._key = key

    def sign(self, data: bytes, _: Any) -> bytes:
        return self._key.sign(data, ec.ECDSA(SHA256(), deterministic_signing=True))


def signed(**bent: Any) -> Row:
    """A whole message, one of its makings bent."""
    body = bent.get("body", webhook.webhook_bytes(samples.webhook()))
    headers = webhook.sign_webhook(
        bent.get("url", URL),
        body,
        Deterministic(bent.get("key", KEY)),  # type: ignore[arg-type]
        keyid=bent.get("keyid", KEYID),
        nonce=NONCE,
        now=NOW,
    )
    return {
        "now": samples.AT,
        "method": "POST",
        "url": URL,
        "headers": headers,
        "body": body.decode(),
    }


def base_of(row: Row) -> str:
    text = row["headers"]["signature-input"].partition("=")[2]
    values = {"@method": row["method"], "@target-uri": row["url"], **row["headers"]}
    components = [(name, values[name]) for name in webhook.COMPONENTS]
    return http_signatures.signature_base(components, text).decode()


def webhook_vectors() -> Row:
    good = signed()
    opened = signed(body=webhook.webhook_bytes(samples.webhook(id="whd_2", state="opened")))
    return {
        "about": "method, url, headers and body of a signed webhook (RFC 9421); now is the receiver's time",
        "keys": {
            "webhook_key": proofs.public_jwk(KEY) | {"kid": KEYID, "use": "sig", "alg": "ES256"}
        },
        "valid": [
            {"name": name, **row, "signature_base": base_of(row)}
            for name, row in {"closed": good, "opened": opened}.items()
        ],
        "forged": [
            {"name": name, **good, **change, "error": error}
            for name, change, error in _forged(good)
        ],
        "invalid": [
            *spellings(samples.webhook()),
            *no_documents("webhook_malformed"),
            *refused(samples.webhook(), "webhook_malformed", negatives.WEBHOOK),
        ],
    }


def _forged(good: Row) -> list[tuple[str, Row, str]]:
    wrong, malformed, stale = "http_signature_wrong", "http_signature_malformed", "webhook_stale"
    other_body = msgspec.json.encode(samples.webhook(session="ses_2"), order="sorted").decode()
    digest = http_signatures.content_digest(other_body.encode())

    def headers(**changes: str) -> Row:
        changed = {name.replace("_", "-"): value for name, value in changes.items()}
        return {"headers": good["headers"] | changed}

    field = good["headers"]["signature-input"]
    signature = good["headers"]["signature"]
    return [
        ("another key under the same name", signed(key=OTHER_KEY), wrong),
        ("a key of nobody", signed(key=OTHER_KEY, keyid=jwk.thumbprint(OTHER_KEY.public_key())), wrong),
        ("another address", {"url": "https://tax.example.gov.tw/inkan/hook?from=id2"}, wrong),
        ("another method", {"method": "PUT"}, malformed),
        ("another body", {"body": other_body}, wrong),
        ("another body with its digest", {"body": other_body, **headers(content_digest=digest)}, wrong),
        ("a digest by sha-512", headers(content_digest="sha-512=:" + "A" * 86 + "==:"), malformed),
        ("another type", headers(content_type="text/plain"), malformed),
        ("another nonce", headers(signature_input=field.replace(NONCE, NONCE[:-1] + "A")), wrong),
        ("a later end", headers(signature_input=field.replace("expires=1795302004", "expires=1795302005")), stale),
        ("no end", headers(signature_input=field.replace(";expires=1795302004", "")), malformed),
        ("after its end", {"now": LATE}, stale),
        ("before its beginning", {"now": "2026-11-21T22:54:33Z"}, stale),
        ("fewer components", headers(signature_input=field.replace(' "content-digest"', "")), malformed),
        ("another order", headers(signature_input=field.replace('"@method" "@target-uri"', '"@target-uri" "@method"')), malformed),
        ("a component twice", headers(signature_input=field.replace('"@method"', '"@method" "@method"')), malformed),
        ("another tag", headers(signature_input=field.replace("inkan-webhook", "inkan-receipt")), malformed),
        ("another label", headers(signature_input=field.replace("inkan=", "other=", 1)), malformed),
        ("an algorithm named", headers(signature_input=field.replace(";keyid", ';alg="hmac-sha256";keyid')), malformed),
        ("two signatures", headers(signature_input=f"{field}, {field}"), malformed),
        ("a signature of another length", headers(signature="inkan=:AAAA:"), malformed),
        ("a signature of zeroes", headers(signature="inkan=:" + "A" * 86 + "==:"), wrong),
        ("unused bits set", headers(signature=signature[:-4] + "B==:" if signature[-4] != "B" else signature), malformed),
    ]  # fmt: skip
