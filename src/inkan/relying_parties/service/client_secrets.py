"""Client secrets: drawn here, shown once, kept as a hash. Each instance has its own; an export carries none."""

import hashlib
import hmac
from typing import Any, Final

import msgspec

from inkan.audit import Actor, Audit
from inkan.crypto import base64url
from inkan.kernel.ids import random_bytes
from inkan.relying_parties import store
from inkan.relying_parties.model import RegistrationWrong, SystemNotFound
from inkan.relying_parties.model.openid import OpenIDRegistration
from inkan.store.database import Step

SECRET_BYTES: Final = 32
BY_SECRET: Final = frozenset({"client_secret_basic", "client_secret_post"})
# Compared with when there is no secret, so that an unknown client takes as long as a wrong secret.
_NO_SECRET: Final = "-" * 43


def secret_hash(secret: str) -> str:
    """What is registered of a client secret: base64url of its SHA-256. It has 256 random bits, so no salt is needed."""
    return base64url.encode(hashlib.sha256(secret.encode("utf-8", "surrogatepass")).digest())


def is_secret(secret: str, registered: str) -> bool:
    """Whether a secret is the registered one (its hash; empty for none, which no secret is)."""
    same = hmac.compare_digest(secret_hash(secret), registered or _NO_SECRET)
    return same and bool(registered)


def draw_secret(audit: Audit, code: str, actor: Actor) -> Step[str]:
    """Step: a new secret for a client, in the place of the one before; this is the only time that it is seen.

    Raises:
        SystemNotFound: no such code.
        RegistrationWrong: the system is no client that proves itself by a secret.
    """
    row = yield store.BY_CODE.one(code=code)
    if row is None:
        raise SystemNotFound()
    openid = read_openid(row.openid)
    if openid is None or openid.token_endpoint_auth_method not in BY_SECRET:
        raise RegistrationWrong(
            where="/openid/token_endpoint_auth_method",
            expected="client_secret_basic or client_secret_post",
        )
    secret = base64url.encode(random_bytes(SECRET_BYTES))
    event = yield from audit.record(
        "relying_parties.client_secret_drawn", actor=actor, object=row.id
    )
    changed = msgspec.structs.replace(openid, client_secret_sha256=secret_hash(secret))
    yield store.SET_OPENID.run(code=code, new_openid=changed, event=event)
    return secret


def with_kept_secret(said: OpenIDRegistration | None, row: Any) -> OpenIDRegistration | None:
    """The metadata that a registration says, with the secret that the row (its JSON) has, if it says none itself."""
    kept = read_openid(row)
    if said is None or kept is None or said.client_secret_sha256:
        return said
    if said.token_endpoint_auth_method not in BY_SECRET:
        return said
    return msgspec.structs.replace(said, client_secret_sha256=kept.client_secret_sha256)


def read_openid(row: Any) -> OpenIDRegistration | None:
    """The metadata of its column."""
    read: OpenIDRegistration | None = msgspec.convert(row, OpenIDRegistration | None)
    return read
