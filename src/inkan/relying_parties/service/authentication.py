"""Client authentication at the OAuth endpoints: which system sends a request.

Numbered plan:

1. the request uses one method, and one only (RFC 6749 §2.3); what it presents decides which;
2. the method's own proof: an assertion (:mod:`.assertions`), a secret, or the certificate of the connection;
3. the system has registered this method (an assertion proves every system: its keys are always there);
4. ``client_id``, if it stands in the body too, is the system that was proved (RFC 7521 §4.2);
5. the system is active now.

Every failure of 2, 3 and 5 is one answer, so that the endpoint is no oracle of codes.
"""

import base64
import binascii
import hmac
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Final
from urllib.parse import unquote_plus

import msgspec

from inkan.crypto import jwk
from inkan.crypto.client_certificates import (
    ClientCertificate,
    certificate_thumbprint,
    parse_client_certificate,
)
from inkan.kernel.clock import Clock
from inkan.kernel.errors import InkanError
from inkan.relying_parties import store
from inkan.relying_parties.model import (
    Code,
    OAuthInvalidClient,
    OAuthInvalidRequest,
    System,
    SystemState,
)
from inkan.relying_parties.model.client import Client, Form
from inkan.relying_parties.model.openid import AuthMethod
from inkan.relying_parties.service.assertions import Assertions
from inkan.relying_parties.service.client_secrets import is_secret
from inkan.relying_parties.service.register import read_text_row
from inkan.store.database import Database, Step


class Presented:
    """What one request presents of its client."""

    def __init__(self, form: Form, authorization: str | None, certificate: bytes | None) -> None:
        self.form = form
        self.authorization = authorization or ""
        self.certificate = certificate

    @property
    def tries_basic(self) -> bool:
        """``Authorization: Basic``; the scheme's name has no case (RFC 9110 §11.1)."""
        return self.authorization.partition(" ")[0].lower() == "basic"

    @property
    def tries_post(self) -> bool:
        """A secret in the body."""
        return "client_secret" in self.form

    @property
    def tries_assertion(self) -> bool:
        """An assertion, or the beginning of one."""
        return not self.form.keys().isdisjoint({"client_assertion", "client_assertion_type"})

    @property
    def tries_certificate(self) -> bool:
        """No other method, a name and a certificate (RFC 8705 §2): the certificate alone is no try."""
        others = self.tries_basic or self.tries_post or self.tries_assertion
        return not others and self.certificate is not None and "client_id" in self.form


_TRIES: Final[Mapping[AuthMethod, Callable[[Presented], bool]]] = MappingProxyType(
    {
        "private_key_jwt": lambda presented: presented.tries_assertion,  # RFC 7523 §2.2
        "client_secret_basic": lambda presented: presented.tries_basic,  # RFC 6749 §2.3.1
        "client_secret_post": lambda presented: presented.tries_post,  # RFC 6749 §2.3.1
        "self_signed_tls_client_auth": lambda presented: (
            presented.tries_certificate
        ),  # RFC 8705 §2.2
    }
)


class ClientAuthentication:
    """Authenticates the clients of the OAuth endpoints."""

    def __init__(self, *, db: Database, clock: Clock, issuer: str) -> None:
        self._db = db
        self._clock = clock
        self._assertions = Assertions(db=db, clock=clock, issuer=issuer)

    async def authenticate(
        self, form: Form, authorization: str | None = None, certificate: bytes | None = None
    ) -> Client:
        """The client of a request; see the plan of this module. Its proof of a key (DPoP) is not looked at.

        Args:
            form: the parameters of the body, none repeated.
            authorization: the header.
            certificate: of the connection, DER.

        Raises:
            OAuthInvalidRequest: 1, 4, and an assertion of another type.
            OAuthInvalidClient: everything else.
        """
        presented = Presented(form, authorization, certificate)
        method = _method_of(presented)  # 1
        code, secret = await self._proved(method, presented)  # 2
        row, keys = (None, []) if not _is_code(code) else await self._db.read(_found, code, method)
        system = None if row is None else read_text_row(row)
        self._verify(method, presented, system, secret, keys)  # 2, 3
        if row is None or system is None:
            raise OAuthInvalidClient("no such client")
        if form.get("client_id", code) != code:  # 4
            raise OAuthInvalidRequest("client_id is another one")
        if row.state != SystemState.ACTIVE:  # 5
            raise OAuthInvalidClient("suspended")
        x5t = certificate_thumbprint(certificate) if certificate is not None else None
        return Client(code=code, system=system, method=method, x5t=x5t)

    async def _proved(self, method: AuthMethod, presented: Presented) -> tuple[str, str]:
        """The client that a request names, and the secret that comes with the name; an assertion proves it too."""
        if method == "private_key_jwt":
            return await self._assertions.verify(presented.form), ""
        if method == "client_secret_basic":
            return _read_basic(presented.authorization)
        return presented.form.get("client_id", ""), presented.form.get("client_secret", "")

    def _verify(
        self,
        method: AuthMethod,
        presented: Presented,
        system: System | None,
        secret: str,
        keys: list[dict[str, Any]],
    ) -> None:
        if method == "private_key_jwt":
            return
        openid = system.openid if system is not None else None
        is_registered = openid is not None and openid.token_endpoint_auth_method == method  # 3
        if method == "self_signed_tls_client_auth":
            is_proved = self._is_registered_key(presented.certificate, keys)
        else:
            is_proved = is_secret(secret, openid.client_secret_sha256 if openid else "")
        if not (is_registered and is_proved):
            raise OAuthInvalidClient("no such client, method or proof")

    def _is_registered_key(self, der: bytes | None, keys: list[dict[str, Any]]) -> bool:
        """RFC 8705 §2.2: the certificate is a wrapper around a registered key, and within its term."""
        try:
            certificate = parse_client_certificate(der or b"")
            named = jwk.thumbprint(certificate.key)
        except InkanError:
            return False
        known = any(hmac.compare_digest(jwk.thumbprint(jwk.load_jwk(each)), named) for each in keys)
        return known and self._is_in_term(certificate)

    def _is_in_term(self, certificate: ClientCertificate) -> bool:
        return certificate.not_before <= self._clock.wire_now() <= certificate.not_after


def _method_of(presented: Presented) -> AuthMethod:
    tried = [method for method, is_tried in _TRIES.items() if is_tried(presented)]
    if len(tried) > 1:
        raise OAuthInvalidRequest("two methods of client authentication")
    if not tried:
        raise OAuthInvalidClient("no client authentication")
    return tried[0]


def _read_basic(authorization: str) -> tuple[str, str]:
    """Name and secret, each form-encoded inside the Base64 (RFC 6749 §2.3.1)."""
    try:
        encoded = authorization.partition(" ")[2].strip().encode("ascii")
        text = base64.b64decode(encoded, validate=True).decode("utf-8")
        name, colon, secret = text.partition(":")
        if not colon:
            raise OAuthInvalidClient("Basic without a colon")
        return unquote_plus(name, errors="strict"), unquote_plus(secret, errors="strict")
    except (binascii.Error, UnicodeError):
        raise OAuthInvalidClient("Basic that cannot be read") from None


def _is_code(text: str) -> bool:
    """Whether a text can be a system code; anything else reaches no database."""
    try:
        msgspec.convert(text, Code)
    except msgspec.ValidationError:
        return False
    return True


def _found(code: str, method: AuthMethod) -> Step[tuple[Any, list[dict[str, Any]]]]:
    """Step: the client's row, and its keys where a certificate is compared with them."""
    row = yield store.TEXT_BY_CODE.one(code=code)
    if row is None or method != "self_signed_tls_client_auth":
        return row, []
    keys = yield store.KEYS_OF.all(code=code)
    return row, [each.jwk for each in keys]
