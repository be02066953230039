"""Keys of back end B: made by their holder for a joined phone, and released by the phone's assertions (design §5.1).

The platform is not the holder. It carries the passkey's registration and later each assertion there, and gets
requests and signatures back; without an assertion that the holder accepts it has nothing to sign with
(docs/decisions/0017-activated-keys.md).
"""

from collections.abc import Awaitable, Sequence
from hashlib import sha256
from ipaddress import ip_address, ip_network
from typing import TypeVar

import msgspec

from inkan.crypto import base64url, webauthn
from inkan.crypto.activation.port import (
    ActivatedKeys,
    ActivatedKeyUnknown,
    KeyOrder,
    Release,
)
from inkan.crypto.keys import KeySpec
from inkan.enrolment.model import (
    BackEndRefused,
    OutsideNetwork,
    Phone,
    PhoneCertificate,
    PhoneFacts,
    PhoneKeysUnavailable,
)
from inkan.enrolment.service.parts import Parts
from inkan.kernel.errors import Unavailable
from inkan.schemes import Scheme
from inkan.store.database import Step
from inkan.store.outbox import enqueue
from inkan.wire import activation
from inkan.wire.binding import BackEnd

T = TypeVar("T")

END_KEYS_JOB = "enrolment.end_keys"


class EndKeysJob(msgspec.Struct, frozen=True):
    """The job :data:`END_KEYS_JOB`: keys that sign no more, by the base64url SHA-256 of their SPKI."""

    keys: list[str]


def offered(parts: Parts, scheme: Scheme) -> list[str]:
    """The back ends that a phone may declare here: the scheme's, B only where somebody holds such keys."""
    return [each for each in scheme.key_backends if each != BackEnd.B or parts.activated]


def offered_at(parts: Parts, scheme: Scheme, address: str) -> list[str]:
    """Of :func:`offered`, what a phone at this address could declare."""
    return [
        each for each in offered(parts, scheme) if each != BackEnd.B or _is_inside(parts, address)
    ]


def verify_inside(parts: Parts, address: str) -> None:
    """Check that a request about such keys comes from the institution's own network (HCA-39).

    Raises:
        OutsideNetwork: it does not.
    """
    if not _is_inside(parts, address):
        raise OutsideNetwork()


def _is_inside(parts: Parts, address: str) -> bool:
    try:
        host = ip_address(address)
    except ValueError:
        return False
    return any(host in ip_network(each) for each in parts.networks)


async def make(
    parts: Parts,
    owner: str,
    *,
    scheme: Scheme,
    uses: Sequence[str],
    registration: bytes = b"",
    challenge: bytes = b"",
    follows: bytes = b"",
) -> dict[str, str]:
    """Have the keys of a phone made; returns their certificate requests (base64url DER) by use.

    The same owner and passkey again get the same keys.

    Args:
        parts: of the feature.
        owner: names the keys for ever.
        scheme: says of what kind they are.
        uses: one key for each.
        registration: of the passkey that they are pinned to.
        challenge: that it answers.
        follows: in the place of both, SHA-256 of the SPKI of a key whose passkey they are pinned to.

    Raises:
        PhoneKeysUnavailable: the holder cannot be asked.
    """
    order = KeyOrder(
        owner=owner,
        spec=KeySpec(scheme.phone.key_spec),
        uses=tuple(uses),
        registration=registration,
        challenge=challenge,
        follows=follows,
    )
    made = await _asked(_holder(parts).make(order))
    return {each.use: base64url.encode(each.csr) for each in made}


async def release_statement(
    parts: Parts,
    facts: PhoneFacts,
    certificate: PhoneCertificate,
    *,
    statement: bytes,
    assertion: webauthn.Assertion,
    address: str,
) -> str:
    """Have a statement signed by the phone's key; returns the compact JWS.

    Raises:
        BackEndRefused: this phone signs by itself.
        OutsideNetwork: HCA-39.
        ActivationRefused, ActivationUsed: the holder does not release the key.
        PhoneKeysUnavailable: it cannot be asked, or does not hold the key.
    """
    if facts.back_end is not BackEnd.B:
        raise BackEndRefused("this phone signs by itself", allowed=[str(facts.back_end)])
    verify_inside(parts, address)
    wish = Release(
        spki_sha256=sha256(certificate.spki).digest(),
        format=activation.STATEMENT,
        content=statement,
        assertion=assertion,
    )
    return (await _asked(_holder(parts).release(wish))).decode("ascii")


async def release_renewal(
    parts: Parts,
    spki: bytes,
    *,
    content: bytes,
    certificate: bytes,
    assertion: webauthn.Assertion,
) -> bytes:
    """Have a renewal signed by the phone's old key; returns the signature over the CMS's signed attributes.

    Raises:
        ActivationRefused, ActivationUsed, PhoneKeysUnavailable: as :func:`release_statement`.
    """
    wish = Release(
        spki_sha256=sha256(spki).digest(),
        format=activation.RENEWAL,
        content=content,
        certificate=certificate,
        assertion=assertion,
    )
    return await _asked(_holder(parts).release(wish))


def order_end(phone: Phone) -> Step[None]:
    """Step: leave the job that ends the keys of a revoked phone at their holder."""
    if phone.back_end is BackEnd.B:
        held = (*phone.certificates.values(), *phone.pending.values())
        keys = [base64url.encode(sha256(each.spki).digest()) for each in held]
        yield from enqueue(END_KEYS_JOB, EndKeysJob(keys), key=f"{END_KEYS_JOB}:{phone.id}")


async def end(parts: Parts, job: EndKeysJob) -> None:
    """The outbox's :data:`END_KEYS_JOB`; tried again until the holder hears it.

    Raises:
        PhoneKeysUnavailable: it cannot be asked.
    """
    for key in job.keys:
        await _asked(_holder(parts).end(base64url.decode(key, size=32)))


def _holder(parts: Parts) -> ActivatedKeys:
    if parts.activated is None:
        raise PhoneKeysUnavailable("this instance has no holder of such keys: see keys.phones")
    return parts.activated


async def _asked(call: Awaitable[T]) -> T:
    """What the holder answers; fails closed when it cannot."""
    try:
        return await call
    except (Unavailable, ActivatedKeyUnknown) as silent:
        raise PhoneKeysUnavailable(f"{silent.code}: {silent.detail}") from None
