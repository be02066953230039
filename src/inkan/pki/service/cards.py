"""Requests that a card signed: verified in full, or refused with the reason a person can act on.

Numbered plan (design §5.2 step 4, HCA-19):

1. the message is one CMS SignedData of the expected content type (form, in this process);
2. the signer's certificate names an authority that this instance accepts for such cards, its own or a
   foreign one of the settings, and that one's key signed it: whoever only claims the name asks no source and
   costs no worker; nothing that came along in the message is trusted;
3. the status source of that authority answers now: good; an unreachable source accepts nothing;
4. in a worker: signature intact, valid and trusted; policy and key usage of the scheme; term; revocation
   demanded for every certificate of the path, from the evidence of step 3; a foreign card leads to the anchor
   of its own authority, and to no other;
5. what the certificate says of its holder: the random subject serial number that finds the person. The
   certificate of a foreign card is kept, since only it says where the status is asked later.
"""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

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
    ForeignAuthority,
    Role,
    StatusUnavailable,
)
from inkan.pki.ports import StatusSource
from inkan.pki.rules import get_profile
from inkan.pki.service.hierarchy import Hierarchy
from inkan.pki.service.known_cards import KnownCards

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


class _Accepted(NamedTuple):
    """An authority whose cards may sign, and what their path has to satisfy."""

    authority: Authority
    anchors: tuple[bytes, ...]
    policies: frozenset[str]


class Cards:
    """Verifies card-signed requests and asks for the status of cards."""

    def __init__(
        self,
        *,
        hierarchy: Hierarchy,
        workers: WorkerPool,
        clock: Clock,
        foreign: Sequence[ForeignAuthority],
        known: KnownCards,
        sources: Mapping[str, StatusSource],
        own: StatusSource,
    ) -> None:
        """Ask ``sources`` by authority name, and ``own`` for authorities of this instance."""
        self._hierarchy = hierarchy
        self._workers = workers
        self._clock = clock
        self._foreign = {each.authority.name: each for each in foreign}
        self._known = known
        self._sources = sources
        self._own = own

    async def verify(
        self,
        cms: bytes,
        *,
        content_type: str,
        profile: str,
        key_usage: path.KeyUsage,
        own: bool = False,
    ) -> CardRequest:
        """Return what a card signed; see the plan of this module.

        ``own`` is for what only cards of this instance may do: a foreign one is a stranger's then, no source of
        its is asked and nothing of it is kept.

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
        accepted = self._accepted(profile, signer, own=own)  # 2
        authority = accepted.authority
        serial = f"{signer.serial:x}"
        await self._good(authority, serial, message.signer)  # 3
        # Before the moment of judgement: a list signed just now must not lie in its future.
        evidence = await self._source(authority).evidence(authority, serial, message.signer)
        policy = path.ValidationPolicy(
            anchors=accepted.anchors,
            at=self._clock.now(),
            key_usage=frozenset({key_usage}),
            policies=accepted.policies,
            intermediates=authority.chain[:-1],
            crls=evidence.crls,
            ocsps=evidence.ocsp,
        )
        verified = await self._checked(cms, content_type, policy)  # 4
        if authority.name in self._foreign:  # 5
            await self._known.keep(
                authority.name, serial, message.signer, not_after=signer.not_after
            )
        return CardRequest(
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
            StatusUnavailable: the source does not answer, or no authority has this name any more.
        """
        foreign = self._foreign.get(authority_name)
        authority = foreign.authority if foreign else self._hierarchy.find(authority_name)
        if authority is None:
            raise StatusUnavailable("the authority of this card is not accepted any more")
        certificate = await self._known.find(authority_name, serial) if foreign else None
        return await self._source(authority).status(authority, serial, certificate)

    async def _good(self, authority: Authority, serial: str, certificate: bytes) -> None:
        status = await self._source(authority).status(authority, serial, certificate)
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

    def _accepted(self, profile: str, signer: Certificate, *, own: bool) -> _Accepted:
        """The authority that made the signer's certificate; one for other certificates makes no such cards."""
        named = [
            each
            for each in self._authorities(profile, own=own)
            if _subject(each.authority) == signer.issuer
        ]
        for each in named:
            if _is_signed_by(each.authority, signer):
                return each
        if named:
            raise CardUntrusted()
        others = [
            *self._hierarchy.of_role(Role.ISSUING),
            *(each.authority for each in self._foreign.values() if not own),
        ]
        if any(_subject(each) == signer.issuer for each in others):
            raise CardWrongPurpose()
        raise CardUntrusted()

    def _authorities(self, profile: str, *, own: bool) -> Iterator[_Accepted]:
        policies = frozenset(oids.POLICIES[name] for name in get_profile(profile).policies)
        for ours in self._hierarchy.of_role(Role.ISSUING):
            if profile in ours.profiles:
                yield _Accepted(ours, tuple(self._hierarchy.anchors()), policies)
        for foreign in () if own else self._foreign.values():
            if profile in foreign.authority.profiles:
                anchor = foreign.authority.chain[-1]
                yield _Accepted(foreign.authority, (anchor,), foreign.policies)

    def _source(self, authority: Authority) -> StatusSource:
        return self._sources.get(authority.name, self._own)


def _subject(authority: Authority) -> x509.Name:
    return parse_certificate(authority.certificate).subject


def _is_signed_by(authority: Authority, signer: Certificate) -> bool:
    issuer = x509.load_der_x509_certificate(authority.certificate)
    try:
        signer.x509.verify_directly_issued_by(issuer)
    except (
        InvalidSignature,
        TypeError,
        ValueError,
    ):  # another key, another kind of key, another name
        return False
    return True
