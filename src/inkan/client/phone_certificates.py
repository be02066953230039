"""What a phone believes of the certificates that it is given: only what fits its own keys and passkey.

A platform, or somebody between, could hand out a certificate over another key, for another use, or of another
binding; a phone that kept it would sign statements that prove nothing.
"""

from collections.abc import Mapping
from datetime import timedelta
from typing import Final

import msgspec

from inkan.client.chain import verify_chain, verify_in_term, verify_links, verify_usage
from inkan.client.evidence_checks import AUTH, SIGN, SINGLE, Usage
from inkan.client.phone_parts import PhoneParts
from inkan.client.phone_presence import get_with_presence
from inkan.client.phone_state import Certificates, HeldCertificate, HeldCredential, Keys
from inkan.crypto import base64url
from inkan.crypto.certificates import Certificate
from inkan.kernel.errors import Forbidden
from inkan.wire.enrolment_request import KeyUse
from inkan.wire.statement import credential_sha256

# The platform tells its time in whole seconds, and issues a moment after it told it.
LEEWAY: Final = timedelta(seconds=5)

USAGE_OF_USE: Mapping[KeyUse, Usage] = {
    KeyUse.AUTH: AUTH,
    KeyUse.SIGN: SIGN,
    KeyUse.SINGLE: SINGLE,
}


class CertificateNotOurs(Forbidden):
    """A certificate that the platform gave does not belong to this phone; ``use`` and ``member`` say where."""

    code = "phone_certificate_not_ours"
    title = "The platform gave a certificate that does not belong to this phone"
    public = ("use", "member")


class _CertificateAnswer(msgspec.Struct, frozen=True):
    der: str
    chain: tuple[str, ...] = ()


async def fetch_certificates(
    parts: PhoneParts, ids: Mapping[KeyUse, str], *, keys: Keys, credential: HeldCredential
) -> tuple[str, Certificates]:
    """Return the binding id and the checked certificates, one for each key.

    Raises:
        CertificateNotOurs: one is missing, or does not fit.
        CertificateUntrusted and its like: the chain does not hold.
    """
    if set(ids) != set(keys):
        raise CertificateNotOurs("other certificates than keys", use="", member="uses")
    bindings, held = set(), {}
    for use, key in keys.items():
        path = f"/phone/v1/certificates/{ids[use]}"
        answer = await get_with_presence(parts, path, _CertificateAnswer)
        ders = [base64url.decode(der) for der in (answer.der, *answer.chain)]
        certificate = _verify(parts, use, ders)
        _compare(use, "key", certificate.spki_sha256, key.spki_sha256)
        bindings.add(_binding_id(certificate, use, credential))
        held[use] = HeldCertificate(id=ids[use], der=ders[0], chain=tuple(ders[1:]))
    if len(bindings) != 1:
        raise CertificateNotOurs("two bindings", use="", member="binding")
    return bindings.pop(), held


def _verify(parts: PhoneParts, use: KeyUse, ders: list[bytes]) -> Certificate:
    """Check chain, term and purpose; without anchors only that each certificate is issued by the next."""
    usage, now = USAGE_OF_USE[use], parts.api.now() + LEEWAY
    if parts.anchors:
        return verify_chain(
            ders,
            parts.anchors,
            at=now,
            key_usage=usage.key_usage,
            policies=usage.policies,
        )[0]
    certificate = verify_links(ders)[0]
    verify_in_term(certificate, now)
    verify_usage(certificate, usage.key_usage)
    return certificate


def _binding_id(certificate: Certificate, use: KeyUse, credential: HeldCredential) -> str:
    binding = certificate.phone_binding
    if binding is None:
        raise CertificateNotOurs("no binding extension", use=str(use), member="binding")
    named = base64url.encode(binding.credential_sha256)
    _compare(use, "credential", named, credential_sha256(credential.id, credential.cose_key))
    return binding.binding_id


def _compare(use: KeyUse, member: str, theirs: object, ours: object) -> None:
    if theirs != ours:
        raise CertificateNotOurs(f"another {member}", use=str(use), member=member)
