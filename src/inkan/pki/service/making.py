"""Making the keys and certificates of authorities and signers; what a ceremony asks for, and nothing it decides."""

import hashlib
from datetime import datetime, timedelta

import msgspec
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from inkan.crypto.cross_terms import CrossTerms
from inkan.crypto.key_providers import KeyProvider, KeyPurpose
from inkan.crypto.key_ring import KeyRing
from inkan.crypto.keys import KeySpec, PublicKey, spki_der
from inkan.crypto.signatures import digest_for
from inkan.kernel.clock import Clock
from inkan.kernel.ids import random_bytes
from inkan.pki.model import Authority, CeremonyWrong, CrossCertificate, KeyOffline, Role
from inkan.pki.rules import get_profile
from inkan.pki.service import builder
from inkan.pki.service.ceremony_file import IssuingPart, RootPart
from inkan.pki.service.hierarchy import PublicURLs
from inkan.pki.service.issue import begin
from inkan.pki.service.rehearsal import ThrowAwayKeys

YEAR = timedelta(days=365)
CA_PURPOSES = frozenset({KeyPurpose.CERT, KeyPurpose.CRL})


class Domain(msgspec.Struct, frozen=True):
    """Country and organisation in the names of authorities."""

    country: str
    organisation: str

    def name(self, common_name: str) -> x509.Name:
        """The distinguished name of an authority or signer."""
        return builder.ca_name(
            country=self.country, organisation=self.organisation, common_name=common_name
        )

    def of(self, part: RootPart) -> "Domain":
        """The domain of a root that may have one of its own."""
        return Domain(part.country or self.country, part.organisation or self.organisation)


class Maker:
    """Makes authorities; with an offline key store, roots and bridges get their keys there."""

    def __init__(
        self, *, keys: KeyProvider, offline: KeyProvider | None, urls: PublicURLs, clock: Clock
    ) -> None:
        self._keys = keys
        self._offline = offline
        self._urls = urls
        self._clock = clock

    def self_signed(
        self, part: RootPart, role: Role, *, subject: x509.Name, years: int
    ) -> Authority:
        """A root, or a bridge's own certificate, with a new key."""
        profile = get_profile(role.value)
        label = f"ca.{part.name}"
        store = self._offline or self._keys
        key = self._generate(store, part.provider, label, KeySpec(part.key))
        contents = self._contents(subject, key, begin(self._clock.now(), profile), years * YEAR)
        der = _sign(builder.self_signed(profile, contents), store, label)
        return Authority(
            name=part.name,
            role=role,
            certificate=der,
            chain=(der,),
            key_label=label,
            parent=part.name,
            profiles=(),
            crl_shards=1,
            not_after=contents.not_after,
            is_offline=self._offline is not None,
        )

    def issuing(self, part: IssuingPart, parent: Authority, *, subject: x509.Name) -> Authority:
        """An issuing authority with a new key."""
        label = f"ca.{part.name}"
        key = self._generate(self._keys, part.provider, label, KeySpec(part.key))
        der, end = self._certify("issuing", key, subject, parent, part.years * YEAR)
        return Authority(
            name=part.name,
            role=Role.ISSUING,
            certificate=der,
            chain=(der, *parent.chain),
            key_label=label,
            parent=parent.name,
            profiles=tuple(part.profiles),
            crl_shards=part.crl_shards,
            not_after=end,
        )

    def signer(
        self, role: Role, name: str, *, subject: x509.Name, parent: Authority, life: timedelta
    ) -> Authority:
        """A signer of the platform with a new key."""
        label = f"{role.value}.{name}.{random_bytes(4).hex()}"
        key = self._keys.generate(label, KeySpec.P256, frozenset({KeyPurpose(role.value)}))
        return self.certified(
            role, name, subject=subject, parent=parent, life=life, key=key, label=label
        )

    def certified(
        self,
        role: Role,
        name: str,
        *,
        subject: x509.Name,
        parent: Authority,
        life: timedelta,
        key: PublicKey,
        label: str,
    ) -> Authority:
        """A signer whose key is there already."""
        der, end = self._certify(role.value, key, subject, parent, life)
        return Authority(
            name=name,
            role=role,
            certificate=der,
            chain=(der, *parent.chain),
            key_label=label,
            parent=parent.name,
            profiles=(),
            crl_shards=0,
            not_after=end,
        )

    def crossed(
        self, issuer: Authority, subject: str, der: bytes, *, terms: CrossTerms, years: int
    ) -> CrossCertificate:
        """Certify the key of the certificate ``der`` on these terms.

        A self-issued one (RFC 5280 §4.2.1.9) ties two keys of one name together.
        """
        other = x509.load_der_x509_certificate(der)
        profile = get_profile("cross")
        begins = begin(self._clock.now(), profile)
        ends = min(begins + years * YEAR, issuer.not_after, other.not_valid_after_utc)
        contents = self._contents(other.subject, other.public_key(), begins, ends - begins)  # type: ignore[arg-type]
        unsigned = builder.crossed(profile, contents, issuer=issuer, urls=self._urls, terms=terms)
        return CrossCertificate(
            name=f"{issuer.name}-to-{subject}",
            issuer=issuer.name,
            subject=subject,
            certificate=_sign(unsigned, self.store_of(issuer), issuer.key_label),
            is_link=x509.load_der_x509_certificate(issuer.certificate).subject == other.subject,
            not_after=ends,
        )

    def _generate(self, store: KeyProvider, place: str, label: str, spec: KeySpec) -> PublicKey:
        """A CA key, in the provider that its row names, or where the settings say."""
        if not place or isinstance(store, ThrowAwayKeys):
            return store.generate(label, spec, CA_PURPOSES)
        if not isinstance(store, KeyRing) or place not in store.places:
            raise CeremonyWrong(f"{place} is not configured: see keys.*", where="provider")
        return store.generate_in(place, label, spec, CA_PURPOSES)

    def _certify(
        self,
        profile_name: str,
        key: PublicKey,
        subject: x509.Name,
        parent: Authority,
        life: timedelta,
    ) -> tuple[bytes, datetime]:
        profile = get_profile(profile_name)
        begins = begin(self._clock.now(), profile)
        ends = min(begins + life, parent.not_after)
        contents = self._contents(subject, key, begins, ends - begins)
        unsigned = builder.issued(profile, contents, issuer=parent, urls=self._urls)
        return _sign(unsigned, self.store_of(parent), parent.key_label), ends

    def _contents(
        self, subject: x509.Name, key: PublicKey, begins: datetime, life: timedelta
    ) -> builder.Contents:
        return builder.Contents(
            subject=subject,
            spki=spki_der(key),
            serial=int.from_bytes(random_bytes(16)) >> 1 | 1 << 126,
            not_before=begins,
            not_after=begins + life,
        )

    def store_of(self, authority: Authority) -> KeyProvider:
        """Where the authority's key lies.

        Raises:
            KeyOffline: in the offline key store, and that is closed.
        """
        if not authority.is_offline:
            return self._keys
        if self._offline is None:
            raise KeyOffline(authority.name)
        return self._offline


def thumbprint(der: bytes) -> str:
    """SHA-256 of a certificate in hexadecimal pairs: what people compare (JPKI-36)."""
    return hashlib.sha256(der).digest().hex(":").upper()


def _sign(unsigned: x509.CertificateBuilder, keys: KeyProvider, label: str) -> bytes:
    key = keys.signer(label, KeyPurpose.CERT)
    return unsigned.sign(key, digest_for(key)).public_bytes(Encoding.DER)
