"""What the use cases of the OpenID provider share."""

import hashlib
from dataclasses import dataclass

from inkan.attributes import Attributes
from inkan.audit import Audit
from inkan.crypto import base64url
from inkan.crypto.key_providers import KeyProvider
from inkan.enrolment import Enrolment
from inkan.federation.rules import SECRET_BYTES
from inkan.identification import Identification
from inkan.kernel.clock import Clock
from inkan.kernel.ids import random_bytes
from inkan.people import People
from inkan.pki import PKI
from inkan.relying_parties import RelyingParties, System, SystemNotFound, SystemState
from inkan.store.database import Database
from inkan.store.sealing import SealedColumn, Sealer

ANSWER = SealedColumn("federation_grant", "answer")
NOTIFICATION = SealedColumn("federation_grant", "notification_token")
AUTHORIZATION = SealedColumn("federation_stream", "authorization")


@dataclass(frozen=True, kw_only=True)
class Parts:
    """The dependencies of every use case of this feature.

    Attributes:
        issuer: the issuer identifier: the platform's origin.
        reuse_s: for how many seconds a login may be used again by another client (design §5.7: 0 to 1800).
    """

    db: Database
    audit: Audit
    sealer: Sealer
    clock: Clock
    keys: KeyProvider
    people: People
    pki: PKI
    enrolment: Enrolment
    relying_parties: RelyingParties
    attributes: Attributes
    identification: Identification
    issuer: str
    reuse_s: int = 0


def draw() -> str:
    """A fresh code, handle or token: base64url of 32 random bytes."""
    return base64url.encode(random_bytes(SECRET_BYTES))


def hashed(secret: str) -> str:
    """What is stored of such a value: base64url of its SHA-256."""
    return base64url.encode(hashlib.sha256(secret.encode()).digest())


async def active_system(parts: Parts, code: str) -> System | None:
    """The system of a client, unless it is suspended or gone."""
    try:
        system, state, _ = await parts.relying_parties.registered(code)
    except SystemNotFound:
        return None
    return system if state == SystemState.ACTIVE else None
