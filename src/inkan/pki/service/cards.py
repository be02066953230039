"""Requests that a card signed: verified in full, or refused with the reason a person can act on.

Numbered plan (design §5.2 step 4, HCA-19):

1. the message is one CMS SignedData of the expected content type (form, in this process);
2. the signer's certificate names the authority that this instance accepts for cards, and that one's key
   signed it: whoever only claims the name asks no source and costs no worker; nothing that came along in
   the message is trusted;
3. the status source of that authority answers now: good; an unreachable source accepts nothing;
4. in a worker: signature intact, valid and trusted; policy and key usage of the scheme; term; revocation
   demanded for every certificate of the path, from the lists of step 3;
5. what the certificate says of its holder: the random subject serial number that finds the person.
"""

import hashlib
from collections.abc import Mapping

from cryptography import x509
from cryptography.exceptions import InvalidSignature

from inkan.crypto import base64url, oids, path
from inkan.crypto.certificates import Certificate, CertificateMalformed, parse_certificate
from inkan.crypto.cms import (
    CMSContentTypeWrong,
    CMSMalformed,
    CMSSignatureWrong,
    CMSTooLarge,
    parse_signed_data,
)
from inkan.crypto.workers.pool import WorkerPool
from inkan.kernel.clock import Clock
from inkan.kernel.errors import InkanError
from inkan.pki.model import (
    Authority,
    CardExpired,
    CardRequest,
    CardRequestMalformed,
    CardRevoked,
    CardState,
    CardStatus,
    CardUntrusted,
    CardWrongPurpose,
    Role,
    StatusUnavailable,
)
from inkan.pki.ports import StatusSource
from inkan.pki.rules import get_profile
from inkan.pki.service.hierarchy import Hierarchy

# What the worker finds, in the words of somebody who holds the card.
_REFUSALS: Mapping[type[InkanError], type[InkanError]] = {
    path.CertificateUntrusted: CardUntrusted,
    path.CertificateExpired: CardExpired,
    path.CertificateNotYetValid: CardExpired,
    path.CertificateRevoked: CardRevoked,
    path.CertificateWrongPurpose: CardWrongPurpose,
    path.CertificatePolicyUnmet: CardWrongPurpose,
    path.RevocationUnknown: StatusUnavailable,
    path.PathTooLarge: CardRequestMalformed,
    CMSSignatureWrong: CardUntrusted,
    CMSMalformed: CardRequestMalformed,
    CMSTooLarge: CardRequestMalformed,
    CMSContentTypeWrong: CardRequestMalformed,
    CertificateMalformed: CardRequestMalformed,
}


class Cards:
    """Verifies card-signed requests and asks for the status of cards."""

    def __init__(
        self,
        *,
        hierarchy: Hierarchy,
        workers: WorkerPool,
        clock: Clock,
        sources: Mapping[str, StatusSource],
        own: StatusSource,
    ) -> None:
        """Ask ``sources`` by authority name, and ``own`` for authorities of this instance."""
        self._hierarchy = hierarchy
        self._workers = workers
        self._clock = clock
        self._sources = sources
        self._own = own

    async def verify(
        self, cms: bytes, *, content_type: str, profile: str, key_usage: path.KeyUsage
    ) -> CardRequest:
        """Return what a card signed; see the plan of this module.

        Raises:
            CardRequestMalformed, CardUntrusted, CardExpired, CardRevoked, CardWrongPurpose,
            StatusUnavailable.
        """
        try:
            message = parse_signed_data(cms)  # 1
            signer = parse_certificate(message.signer)
        except (CMSMalformed, CMSTooLarge, CertificateMalformed) as wrong:
            raise CardRequestMalformed(str(wrong)) from None
        if message.content_type != content_type:
            raise CardRequestMalformed("another content type", expected=content_type)
        authority = self._authority(profile, signer)  # 2
        serial = f"{signer.serial:x}"
        await self._good(authority, serial)  # 3
        # Before the moment of judgement: a list signed just now must not lie in its future.
        crls = await self._source(authority).lists(authority, serial)
        policy = path.ValidationPolicy(
            anchors=tuple(self._hierarchy.anchors()),
            at=self._clock.now(),
            key_usage=frozenset({key_usage}),
            policies=frozenset({oids.POLICIES[name] for name in get_profile(profile).policies}),
            intermediates=authority.chain[:-1],
            crls=crls,
        )
        verified = await self._checked(cms, content_type, policy)  # 4
        return CardRequest(  # 5
            content=verified,
            cms_sha256=base64url.encode(hashlib.sha256(cms).digest()),
            subject_serial=signer.subject_serial or "",
            authority=authority.name,
            serial=serial,
            certificate=message.signer,
            not_after=signer.not_after,
        )

    async def status(self, authority_name: str, serial: str) -> CardStatus:
        """The status of a card certificate now.

        Raises:
            StatusUnavailable: the source does not answer.
        """
        authority = self._hierarchy.get(authority_name)
        return await self._source(authority).status(authority, serial)

    async def _good(self, authority: Authority, serial: str) -> None:
        status = await self._source(authority).status(authority, serial)
        match status.state:
            case CardState.GOOD:
                return
            case CardState.EXPIRED:
                raise CardExpired()
            case CardState.REVOKED | CardState.SUSPENDED:
                raise CardRevoked()

    async def _checked(self, cms: bytes, content_type: str, policy: path.ValidationPolicy) -> bytes:
        try:
            verified = await self._workers.verify_cms(cms, content_type=content_type, policy=policy)
        except InkanError as refusal:
            raise _REFUSALS.get(type(refusal), type(refusal))(refusal.detail) from None
        return verified.content

    def _authority(self, profile: str, signer: Certificate) -> Authority:
        """The profile's authority that the signer names, a replaced one included; others make no cards."""
        for authority in self._hierarchy.issuers_of(profile):
            if _subject(authority) == signer.issuer:
                _verify_signed_by(authority, signer)
                return authority
        if any(_subject(each) == signer.issuer for each in self._hierarchy.of_role(Role.ISSUING)):
            raise CardWrongPurpose()
        raise CardUntrusted()

    def _source(self, authority: Authority) -> StatusSource:
        return self._sources.get(authority.name, self._own)


def _subject(authority: Authority) -> x509.Name:
    return parse_certificate(authority.certificate).subject


def _verify_signed_by(authority: Authority, signer: Certificate) -> None:
    issuer = x509.load_der_x509_certificate(authority.certificate)
    try:
        signer.x509.verify_directly_issued_by(issuer)
    except (
        InvalidSignature,
        TypeError,
        ValueError,
    ):  # another key, another kind of key, another name
        raise CardUntrusted() from None
