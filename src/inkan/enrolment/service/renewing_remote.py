"""The renewal of a phone whose keys lie with their holder (back end B): the same plan, other hands.

The holder makes the new keys when the renewal begins, pinned to the passkey of the old ones, and signs the content by
the old key for the phone's assertion. The new keys are the holder's whatever the phone hands in: a certificate that
says so must not be had for a key of the phone's own.
"""

from hashlib import sha256

import msgspec

from inkan.crypto import cms, webauthn
from inkan.crypto.cms import CMSAlgorithm
from inkan.enrolment.model import Phone, PhoneCertificate
from inkan.enrolment.service import remote_keys
from inkan.enrolment.service.parts import Parts
from inkan.enrolment.service.preparing import uses_of
from inkan.schemes import Scheme
from inkan.wire import enrolment_request as wire
from inkan.wire.binding import BackEnd


class Brought(msgspec.Struct, frozen=True):
    """What a phone brings to be renewed: the CMS of its old key, or the content for back end B, and from where."""

    cms: bytes = b""
    content: bytes = b""
    address: str = ""


async def new_keys(parts: Parts, phone: Phone, scheme: Scheme, nonce: str) -> dict[str, str]:
    """The requests (base64url DER) of the renewal's keys by use; the same nonce gets the same ones.

    Empty for a phone that makes its own.

    Raises:
        PhoneKeysUnavailable: the holder cannot be asked.
    """
    if phone.back_end is not BackEnd.B:
        return {}
    old = next(iter(phone.certificates.values()))
    return await remote_keys.make(
        parts,
        f"rnw_{sha256(nonce.encode()).hexdigest()[:40]}",
        scheme=scheme,
        uses=uses_of(scheme),
        follows=sha256(old.spki).digest(),
    )


async def signed(
    parts: Parts,
    old: PhoneCertificate,
    scheme: Scheme,
    *,
    content: bytes,
    assertion: webauthn.Assertion,
) -> bytes:
    """The CMS over a renewal's content by the phone's old key.

    Raises:
        the refusals of :func:`inkan.enrolment.service.remote_keys.release_renewal`.
    """
    issued = await parts.pki.certificate(old.id)
    signature = await remote_keys.release_renewal(
        parts, old.spki, content=content, certificate=issued.der, assertion=assertion
    )
    is_ec = scheme.phone.key_spec == "P-256"
    return cms.build_signed_data(
        content,
        content_type=wire.CONTENT_TYPES[wire.Purpose.RENEW],
        chain=[issued.der, *issued.chain],
        algorithm=CMSAlgorithm.ECDSA if is_ec else CMSAlgorithm.RSA_PKCS1,
        sign=lambda _: signature,
    )
