"""The checks of a registration: keys, purposes, addresses, and texts that every later format can hold.

What a statement could not carry is refused here, once, and not when a person opens the first approval.
"""

from collections.abc import Sequence
from typing import Any

import msgspec
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from inkan.crypto import jwk
from inkan.crypto.keys import verify_key_strength
from inkan.kernel.errors import InkanError
from inkan.kernel.identifiers import holds_my_number
from inkan.relying_parties.model import (
    RegistrationWrong,
    ReturnOutsideDomain,
    SystemRegistration,
)
from inkan.relying_parties.rules import LANGUAGES, is_address, is_within
from inkan.relying_parties.service.openid_checking import check_openid
from inkan.wire.claims import Claim
from inkan.wire.forms import Code, Domain, Issuer, UnsafeText, verify_line

Keys = dict[str, dict[str, str]]


def check_registration(
    registration: SystemRegistration, *, loopback: bool, issuer: str = ""
) -> Keys:
    """Return the keys of a registration that can be used, by their thumbprint.

    Raises:
        RegistrationWrong: with a pointer to the first place that cannot.
        ReturnOutsideDomain: a return address leads out of the system's domain.
    """
    keys = read_keys(registration.keys, rsa=registration.openid is not None)
    check_said(registration, loopback=loopback, issuer=issuer)
    return keys


def check_said(registration: SystemRegistration, *, loopback: bool, issuer: str = "") -> None:
    """The checks besides the keys.

    Raises:
        RegistrationWrong: with a pointer to the first place that cannot be used.
        ReturnOutsideDomain: a return address leads out of the system's domain.
    """
    _check_purposes(registration)
    _check_texts(registration)
    _check_forms(registration)
    _check_addresses(registration, loopback=loopback)
    check_openid(registration, loopback=loopback, issuer=issuer)


def read_keys(publics: Sequence[dict[str, Any]], *, rsa: bool = False) -> Keys:
    """The keys by thumbprint; ES256 is what a client assertion is signed with, so only P-256 helps.

    With ``rsa`` keys for PS256 are admitted too: of 2048 to 8192 bits, without a known weakness.
    """
    found: Keys = {}
    for index, public in enumerate(publics):
        try:
            key = jwk.load_jwk(public)
            verify_key_strength(key)
        except InkanError as wrong:
            raise RegistrationWrong(str(wrong), where=f"/keys/{index}") from None
        is_p256 = isinstance(key, EllipticCurvePublicKey) and isinstance(key.curve, SECP256R1)
        if not is_p256 and not (rsa and isinstance(key, RSAPublicKey)):
            expected = "a public P-256 or RSA key" if rsa else "a public P-256 key"
            raise RegistrationWrong(where=f"/keys/{index}", expected=expected)
        found[jwk.thumbprint(key)] = jwk.to_jwk(key)
    if not found:
        raise RegistrationWrong(where="/keys", expected="at least one key")
    return found


def verify_origin(text: str) -> str:
    """Return the origin of an instance, as it is written where it stands in signed bytes.

    Raises:
        RegistrationWrong: it is none.
    """
    try:
        return msgspec.convert(text, Issuer)
    except msgspec.ValidationError:
        raise RegistrationWrong(where="/audience", expected="an origin: https://host") from None


def _check_purposes(registration: SystemRegistration) -> None:
    codes = [purpose.code for purpose in registration.purposes]
    if len(set(codes)) != len(codes):
        raise RegistrationWrong(where="/purposes", expected="each code once")


def _check_addresses(registration: SystemRegistration, *, loopback: bool) -> None:
    addresses = [(f"/return_urls/{i}", url) for i, url in enumerate(registration.return_urls)]
    addresses += [(f"/webhooks/{i}/url", each.url) for i, each in enumerate(registration.webhooks)]
    for where, url in addresses:
        if not is_address(url, loopback=loopback):
            raise RegistrationWrong(where=where, expected="an https address in its plain form")
    domain = registration.domain
    for where, url in addresses[: len(registration.return_urls)]:
        if not is_within(url, domain):
            raise ReturnOutsideDomain(where=where, expected=f"a host that is {domain} or below it")
    ids = [webhook.id for webhook in registration.webhooks]
    if len(set(ids)) != len(ids):
        raise RegistrationWrong(where="/webhooks", expected="each id once")


def _check_texts(registration: SystemRegistration) -> None:
    texts = [("/organisation_name", registration.organisation_name)]
    texts += [(f"/purposes/{each.code}/text", each.text) for each in registration.purposes]
    for where, text in texts:
        if text.keys() != LANGUAGES:
            raise RegistrationWrong(where=where, expected="en, ja and zh-Hant")
        for language, line in text.items():
            _check_line(line, where=f"{where}/{language}")


def _check_forms(registration: SystemRegistration) -> None:
    """The forms of a statement (:mod:`inkan.wire.statement`): name, domain, purpose, claims."""
    _check_line(registration.name, where="/name")
    forms: list[tuple[str, str, Any]] = [("/domain", registration.domain, Domain)]
    for purpose in registration.purposes:
        where = f"/purposes/{purpose.code}"
        forms.append((f"{where}/code", purpose.code, Code))
        forms += [(f"{where}/claims", claim, Claim) for claim in purpose.claims]
        if len(set(purpose.claims)) != len(purpose.claims):
            raise RegistrationWrong(where=f"{where}/claims", expected="each claim once")
    for where, text, form in forms:
        try:
            msgspec.convert(text, form)
        except msgspec.ValidationError:
            raise RegistrationWrong(where=where, expected="the form of a statement") from None


def _check_line(text: str, *, where: str) -> None:
    try:
        verify_line(text, where=where)
    except UnsafeText as wrong:
        raise RegistrationWrong(where=where, expected=wrong.facts["expected"]) from None
    if holds_my_number(text):  # WAT-62
        raise RegistrationWrong(where=where, expected="no My Number")
