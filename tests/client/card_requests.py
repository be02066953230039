"""What the tests ask a card to sign, and the PIN they ask with."""

from inkan.kernel.sensitive import Secret
from inkan.wire import enrolment_request as requests
from inkan.wire.enrolment_request import Purpose

PIN = Secret("246810")
WRONG = Secret("000000")
BIND = requests.CONTENT_TYPES[Purpose.BIND]
REVOKE = requests.CONTENT_TYPES[Purpose.REVOKE]
RENEW = requests.CONTENT_TYPES[Purpose.RENEW]


def b32(seed: int) -> str:
    from inkan.crypto import base64url

    return base64url.encode(bytes([seed]) * 32)


def bind_content(**changes) -> requests.BindContent:
    members = {
        "v": 1,
        "purpose": "bind",
        "aud": "https://id.example.org",
        "scheme": "tw-citizen",
        "nonce": b32(1),
        "keys": (
            requests.RequestedKey(use="auth", spki_sha256=b32(2)),
            requests.RequestedKey(use="sign", spki_sha256=b32(3)),
        ),
        "credential_id_sha256": b32(4),
        "cose_key_sha256": b32(5),
        "channel_jkt": b32(6),
        "rp_id": "wallet.example.org",
        "back_end": "A",
        "attestation_sha256": b32(7),
        "scope": (),
        "terms_version": "2026-1",
        "phone_name": "ASUS_A007",
        "at": "2026-11-21T12:00:00Z",
    }
    return requests.BindContent(**members | changes)


def revoke_content() -> requests.RevokeContent:
    return requests.RevokeContent(
        v=1,
        purpose="revoke",
        aud="https://id.example.org",
        scheme="tw-citizen",
        nonce=b32(1),
        bindings=("bnd_1",),
        cause="lost",
        at="2026-11-21T12:00:00Z",
    )


CONTENT = bind_content()
BYTES = requests.content_bytes(CONTENT)
DIGITS = requests.pairing_digits(CONTENT)


def sign(card, content=BYTES, *, content_type=BIND, pin=PIN, digits=DIGITS):
    return card.sign_request(content, content_type=content_type, pin=pin, confirm=lambda _: digits)
