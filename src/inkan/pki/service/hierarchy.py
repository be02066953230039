"""The authorities of an instance: loaded once, looked up by name, and the URLs in their certificates."""

from collections.abc import Iterator
from typing import Any

import msgspec
from cryptography import x509

from inkan.crypto.key_providers import KeyProvider, KeyPurpose
from inkan.crypto.keys import PrivateKey
from inkan.pki import store
from inkan.pki.model import Authority, AuthorityUnknown, Role
from inkan.store.database import Database, Step

AUTHORITIES_TOPIC = "pki.authorities"


class PublicURLs(msgspec.Struct, frozen=True):
    """Where third parties fetch certificates, lists and answers (RFC 5280 §4.2.1.13, §4.2.2.1)."""

    origin: str

    def certificate(self, name: str) -> str:
        """DER of an authority's certificate."""
        return f"{self.origin}/ca/{name}.cer"

    def crl(self, name: str, *, shard: int, shards: int) -> str:
        """The list that carries a serial of this shard."""
        return (
            f"{self.origin}/crl/{name}.crl"
            if shards == 1
            else f"{self.origin}/crl/{name}/{shard}.crl"
        )

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

    def __init__(self, *, db: Database, keys: KeyProvider, urls: PublicURLs) -> None:
        self._db = db
        self._keys = keys
        self.urls = urls
        self._by_name: dict[str, Authority] = {}

    async def load(self) -> None:
        """Read the authorities; an empty hierarchy means that no ceremony was held."""
        rows = await self._db.read(_authorities)
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
                revoked_at=row.revoked_at,
            )
            for row in rows
        }

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
        for authority in self._by_name.values():
            if profile in authority.profiles and authority.revoked_at is None:
                return authority
        raise AuthorityUnknown(f"no authority issues {profile}")

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
        """The authority's key for one purpose; the key provider refuses any other purpose."""
        return self._keys.signer(authority.key_label, purpose)


def _authorities() -> Step[list[Any]]:
    rows: list[Any] = yield store.AUTHORITIES.all()
    return rows


def _chain(name: str, certificates: dict[str, bytes], parents: dict[str, str]) -> Iterator[bytes]:
    yield certificates[name]
    while parents[name] != name:
        name = parents[name]
        yield certificates[name]


def x509_of(authority: Authority) -> x509.Certificate:
    """The parsed certificate of an authority."""
    return x509.load_der_x509_certificate(authority.certificate)
