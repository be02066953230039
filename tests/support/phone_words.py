"""What the stand-in for the platform's phone side and its parts share: addresses, codes, refusals."""

import hashlib
from datetime import UTC, datetime
from typing import Any

from inkan.crypto import base64url, oids

PLATFORM = "http://id.localhost:8480"
WALLET = "http://wallet.localhost:8480"
RP_ID = "wallet.localhost"
HANDLE = "qr_abcdefghijklmnopqrstuvwxyz"
MAC = "A" * 22
USAGE = {"auth": ["digital_signature"], "sign": ["content_commitment"]}
POLICY = {"auth": oids.POLICY_PHONE_AUTH, "sign": oids.POLICY_PHONE_SIGN}
ENROL_FRAME = f"{WALLET}/e#1.{HANDLE}.0.{MAC}"
FRAME = f"{WALLET}/q#1.{HANDLE}.0.{MAC}"


class Refusal(Exception):
    """What the stand-in answers instead of 200."""

    def __init__(self, status: int, code: str, **members: Any):
        super().__init__(code)
        self.status = status
        self.members = {"code": code, "title": code, "status": status} | members


def b64(data: bytes) -> str:
    return base64url.encode(data)


def sha(data: bytes) -> str:
    return b64(hashlib.sha256(data).digest())


def true_now() -> datetime:
    return datetime.now(UTC)


class KeyOf:
    """A public key in the shape that the certificate builder wants."""

    def __init__(self, public):
        self._public = public

    def public_key(self):
        return self._public
