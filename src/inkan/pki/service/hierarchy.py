"""The authorities of an instance: loaded once, looked up by name, and the URLs in their certificates."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from typing import Any

import msgspec
from cryptography import x509

from inkan.crypto.key_providers import KeyPairProvider, KeyProvider, KeyPurpose
from inkan.crypto.keys import PrivateKey, spki_der
from inkan.kernel.errors import InkanError
from inkan.pki import store
from inkan.pki.model import (
    Authority,
    AuthorityUnknown,
    CrossCertificate,
    KeyDiffers,
    KeyOffline,
    Role,
)
from inkan.store.database import Database, Step

AUTHORITIES_TOPIC = "pki.authorities"


class PublicURLs(msgspec.Struct, frozen=True):
    """Where third parties fetch certificates, lists and answers (RFC 5280 §4.2.1.13, §4.2.2.1)."""

    origin: str

    def certificate(self, name: str) -> str:
        """DER of an authority's certificate."""
        return f"{self.origin}/ca/{name}.cer"

    def bundle(self, name: str) -> str:
        """Every certificate that was issued for an authority's key, as a certs-only PKCS #7 (RFC 5280 §4.2.2.1)."""
        return f"{self.origin}/ca/{name}.p7c"

    def crl(self, name: str, *, shard: int, shards: int) -> str:
        """The list that carries a serial of this shard."""
        return (
            f"{self.origin}/crl/{name}.crl"
            if shards == 1
            else f"{self.origin}/crl/{name}/{shard}.crl"
        )

    @property
    def cps(self) -> str:
        """The practice statement that certificate policies point to (RFC 5280 §4.2.1.4)."""
        return f"{self.origin}/cps"

    def full(self, name: str) -> str:
        """The full list for mirrors; no certificate names it."""
        return f"{self.origin}/crl/{name}/full.crl"

    def delta(self, name: str) -> str:
        """The delta of the full list."""
        return f"{self.origin}/crl/{name}/delta.crl"

    def ocsp(self, name: str) -> str:
        """The responder of an authority."""
        return f"{self.origin}/ocsp/{name}"


class Hierarchy:
    """Every authority and signer of the instance.

    They change at ceremonies, signer renewals and revocations of an authority only, so they are read at start, after
    those, and by every process once a minute (:meth:`PKI.follow`).
    """

    def __init__(self, *, db: Database, keys: KeyPairProvider, urls: PublicURLs) -> None:
        self._db = db
        self._keys = keys
        self._offline: KeyProvider | None = None
        self.urls = urls
        self._by_name: dict[str, Authority] = {}
        self.crosses: tuple[CrossCertificate, ...] = ()
        self._signing: dict[tuple[bytes, KeyPurpose], PrivateKey] = {}

    async def load(self) -> None:
        """Read the authorities; an empty hierarchy means that no ceremony was held."""
        rows, crosses = await self._db.read(_authorities)
        self.crosses = tuple(
            CrossCertificate(
                name=row.name,
                issuer=row.issuer,
                subject=row.subject,
                certificate=row.certificate,
                is_link=row.is_link,
                not_after=row.not_after,
            )
            for row in crosses
        )
        certificates = {row.name: row.certificate for row in rows}
        parents = {row.name: row.parent for row in rows}
        self._by_name = {
            row.name: Authority(
                name=row.name,
                role=Role(row.role),
                certificate=row.certificate,
                chain=tuple(_chain(row.name, certificates, parents)),
                key_label=row.key_label,
                parent=row.parent,
                profiles=tuple(row.profiles),
                crl_shards=row.crl_shards,
                not_after=row.not_after,
                is_offline=bool(row.is_offline),
                successor=row.successor,
                revoked_at=row.revoked_at,
            )
            for row in rows
        }
        await asyncio.to_thread(self._fetch_keys)

    def __bool__(self) -> bool:
        return bool(self._by_name)

    def __iter__(self) -> Iterator[Authority]:
        return iter(self._by_name.values())

    def find(self, name: str) -> Authority | None:
        """The authority of that name, or None."""
        return self._by_name.get(name)

    def get(self, name: str) -> Authority:
        """The authority of that name.

        Raises:
            AuthorityUnknown: there is none.
        """
        found = self._by_name.get(name)
        if found is None:
            raise AuthorityUnknown()
        return found

    def of_role(self, role: Role) -> list[Authority]:
        """The authorities with that role, by name."""
        return [each for each in self._by_name.values() if each.role is role]

    def issuer_of(self, profile: str) -> Authority:
        """The one authority that issues this profile.

        Raises:
            AuthorityUnknown: none does, or the one that did was revoked.
        """
        for authority in self.issuers_of(profile):
            if authority.successor is None and authority.revoked_at is None:
                return authority
        raise AuthorityUnknown(f"no authority issues {profile}")

    def issuers_of(self, profile: str) -> list[Authority]:
        """Every authority that issues this profile or did before a successor took it over."""
        return [each for each in self._by_name.values() if profile in each.profiles]

    def certificate(self, name: str) -> bytes:
        """DER of an authority's own certificate, or of a cross-certificate by its name.

        Raises:
            AuthorityUnknown: there is neither.
        """
        for cross in self.crosses:
            if cross.name == name:
                return cross.certificate
        return self.get(name).certificate

    def bundle(self, name: str) -> list[bytes]:
        """Every certificate that was issued for an authority's key: its own, links, cross-certificates.

        Raises:
            AuthorityUnknown: there is none of this name.
        """
        own = self.get(name).certificate
        return [own, *(cross.certificate for cross in self.crosses if cross.subject == name)]

    def signer_for(self, authority: Authority, role: Role) -> Authority:
        """The signer of that role under an authority.

        Raises:
            AuthorityUnknown: none was made.
        """
        for each in self._by_name.values():
            if each.role is role and each.parent == authority.name:
                return each
        raise AuthorityUnknown(f"{authority.name} has no {role} signer")

    def anchors(self) -> list[bytes]:
        """DER of the roots: what a verifier trusts, compared by thumbprint beforehand (JPKI-36)."""
        return [each.certificate for each in self.of_role(Role.ROOT)]

    def key_of(self, authority: Authority, purpose: KeyPurpose) -> PrivateKey:
        """The authority's key for one purpose; the key provider refuses any other purpose.

        Raises:
            KeyOffline: it lies in the offline store, and that is closed.
            KeyDiffers: the provider's key is not the certified one.
            KeyUnknown and its like: see :meth:`KeyPairProvider.signer`.
        """
        key = self._signing.get((authority.certificate, purpose))
        if key is None:
            key = self._store_of(authority).signer(authority.key_label, purpose)
            if spki_der(key.public_key()) != spki_der(x509_of(authority).public_key()):  # type: ignore[arg-type]
                raise KeyDiffers(authority.key_label, authority=authority.name)
            if not authority.is_offline:  # those are forgotten with the ceremony
                self._signing[authority.certificate, purpose] = key
        return key

    def can_sign(self, authority: Authority) -> bool:
        """Whether the authority's key can be used now."""
        return not authority.is_offline or self._offline is not None

    @contextmanager
    def opened(self, offline: KeyProvider | None) -> Iterator[None]:
        """Let keys of the offline store be used inside the block."""
        self._offline = offline
        try:
            yield
        finally:
            self._offline = None

    def _store_of(self, authority: Authority) -> KeyPairProvider:
        if not authority.is_offline:
            return self._keys
        if self._offline is None:
            raise KeyOffline(authority.name)
        return self._offline

    def _fetch_keys(self) -> None:
        """Have the keys at hand: a device is asked for them here, and not in the event loop."""
        self._signing.clear()
        for authority in self._by_name.values():
            for purpose in _PURPOSES[authority.role]:
                # A key that is away now (an offline root, a token without PIN) is asked for again when it is needed.
                with suppress(InkanError):
                    self.key_of(authority, purpose)


_CA = (KeyPurpose.CERT, KeyPurpose.CRL)
_PURPOSES = {
    Role.ROOT: _CA,
    Role.BRIDGE: _CA,
    Role.ISSUING: _CA,
    Role.OCSP: (KeyPurpose.OCSP,),
    Role.RECEIPT: (KeyPurpose.RECEIPT,),
    Role.AUDIT_HEAD: (KeyPurpose.AUDIT_HEAD,),
    Role.TSA: (KeyPurpose.TSA,),
}


def _authorities() -> Step[tuple[list[Any], list[Any]]]:
    authorities: list[Any] = yield store.AUTHORITIES.all()
    crosses: list[Any] = yield store.CROSSES.all()
    return authorities, crosses


def key_end(authority: Authority) -> datetime:
    """The last moment at which the key signs: the end of its own period, else that of the certificate."""
    certificate = x509_of(authority)
    try:
        period = certificate.extensions.get_extension_for_class(x509.PrivateKeyUsagePeriod).value
    except x509.ExtensionNotFound:
        return authority.not_after
    end = period.not_after
    return authority.not_after if end is None else min(end.replace(tzinfo=UTC), authority.not_after)


def _chain(name: str, certificates: dict[str, bytes], parents: dict[str, str]) -> Iterator[bytes]:
    yield certificates[name]
    while parents[name] != name:
        name = parents[name]
        yield certificates[name]


def x509_of(authority: Authority) -> x509.Certificate:
    """The parsed certificate of an authority."""
    return x509.load_der_x509_certificate(authority.certificate)
