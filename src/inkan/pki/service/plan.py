"""What each kind of ceremony makes: the file's sections turned into calls of the maker, one after the other."""

from datetime import timedelta

import msgspec
from cryptography import x509

from inkan.audit import HEAD_KEY
from inkan.crypto import oids
from inkan.crypto.cross_terms import CrossTerms
from inkan.crypto.keys import PublicKey
from inkan.pki.model import Authority, CeremonyWrong, CrossCertificate, Role
from inkan.pki.service import ceremony_file as file_
from inkan.pki.service.ceremony_file import AnyCeremony, Ceremony, CrossPart, IssuingPart
from inkan.pki.service.hierarchy import Hierarchy
from inkan.pki.service.making import YEAR, Domain, Maker

OCSP_SIGNER_LIFE = timedelta(days=89)


class Made(msgspec.Struct):
    """What a ceremony makes, before it is stored.

    Attributes:
        succeeded: name of an authority to that of its successor.
    """

    authorities: list[Authority] = []
    crosses: list[CrossCertificate] = []
    succeeded: dict[str, str] = {}


class Plan:
    """Makes what a ceremony file asks for, in an empty hierarchy or beside what is there."""

    def __init__(self, maker: Maker, hierarchy: Hierarchy, *, head_key: PublicKey) -> None:
        self._maker = maker
        self._hierarchy = hierarchy
        self._head_key = head_key

    def make(self, ceremony: AnyCeremony) -> Made:
        """Make everything, and store nothing.

        Raises:
            CeremonyWrong: the file names what is not there, or is taken.
            KeyOffline: an offline key is needed, and its store is closed.
        """
        match ceremony:
            case Ceremony():
                return self._found(ceremony)
            case file_.ReplaceRoot():
                return self._replace_root(ceremony)
            case file_.ReplaceAuthority():
                return self._replace_authority(ceremony)
            case file_.CrossCertify():
                known = {each.name: each for each in self._hierarchy}
                return Made(crosses=[_cross(self._maker, part, known) for part in ceremony.cross])
            case file_.SignLists():
                return Made()

    def _found(self, ceremony: Ceremony) -> Made:
        domain = Domain(ceremony.country, ceremony.organisation)
        known: dict[str, Authority] = {}

        def keep(authority: Authority) -> Authority:
            known[authority.name] = authority
            return authority

        tops = [(Role.ROOT, part) for part in ceremony.roots]
        tops += [(Role.BRIDGE, ceremony.bridge)] if ceremony.bridge else []
        for role, top in tops:
            name = domain.of(top).name(top.common_name)
            keep(self._maker.self_signed(top, role, subject=name, years=top.years))
        above = {root.name: domain.of(root) for root in ceremony.roots}
        for part in ceremony.issuing:
            parent = part.parent or ceremony.root.name
            subject = above[parent].name(part.common_name)
            issuing = keep(self._maker.issuing(part, known[parent], subject=subject))
            keep(_ocsp_signer(self._maker, issuing, above[parent]))
        keep(
            self._maker.signer(
                Role.RECEIPT,
                Role.RECEIPT.value,
                subject=domain.name(ceremony.receipt.common_name),
                parent=known[ceremony.receipt.authority],
                life=ceremony.receipt.years * YEAR,
            )
        )
        keep(
            self._maker.certified(  # it signed heads before there was a ceremony
                Role.AUDIT_HEAD,
                Role.AUDIT_HEAD.value,
                subject=domain.name(ceremony.audit.common_name),
                parent=known[ceremony.audit.authority],
                life=ceremony.audit.years * YEAR,
                key=self._head_key,
                label=HEAD_KEY,
            )
        )
        if ceremony.tsa is not None:
            keep(
                self._maker.signer(
                    Role.TSA,
                    Role.TSA.value,
                    subject=domain.name(ceremony.tsa.common_name),
                    parent=known[ceremony.tsa.authority],
                    life=ceremony.tsa.years * YEAR,
                )
            )
        crosses = [_cross(self._maker, part, known) for part in ceremony.cross]
        return Made(authorities=list(known.values()), crosses=crosses)

    def _replace_root(self, ceremony: file_.ReplaceRoot) -> Made:
        old = self._of_role(ceremony.root, Role.ROOT, Role.BRIDGE)
        self._verify_free(ceremony.name)
        self._maker.store_of(old)  # before a new key is made
        part = file_.RootPart(common_name=ceremony.title, name=ceremony.name, years=ceremony.years)
        new = self._maker.self_signed(part, old.role, subject=subject_of(old), years=ceremony.years)
        terms = CrossTerms(policies=(oids.ANY_POLICY,), path_length=2)
        links = [
            self._maker.crossed(
                one, other.name, other.certificate, terms=terms, years=ceremony.years
            )
            for one, other in ((new, old), (old, new))
        ]
        return Made(authorities=[new], crosses=links, succeeded={old.name: new.name})

    def _replace_authority(self, ceremony: file_.ReplaceAuthority) -> Made:
        old = self._of_role(ceremony.authority, Role.ISSUING)
        self._verify_free(ceremony.name)
        parent = self._of_role(ceremony.parent or old.parent, Role.ROOT)
        part = IssuingPart(
            name=ceremony.name,
            common_name=ceremony.common_name,
            profiles=list(old.profiles),
            years=ceremony.years,
            crl_shards=old.crl_shards,
        )
        domain = _domain(old)
        new = self._maker.issuing(part, parent, subject=domain.name(ceremony.common_name))
        return Made(
            authorities=[new, _ocsp_signer(self._maker, new, domain)],
            succeeded={old.name: new.name},
        )

    def _of_role(self, name: str, *roles: Role) -> Authority:
        found = self._hierarchy.find(name)
        if found is None or found.role not in roles or found.successor is not None:
            raise CeremonyWrong(f"{name} is no living {roles[0]} authority", where="authority")
        return found

    def _verify_free(self, name: str) -> None:
        if self._hierarchy.find(name) is not None:
            raise CeremonyWrong(f"{name} exists", where="name")


def _ocsp_signer(maker: Maker, parent: Authority, domain: Domain) -> Authority:
    return maker.signer(
        Role.OCSP,
        f"{parent.name}-ocsp",
        subject=domain.name(f"{parent.name} OCSP responder"),
        parent=parent,
        life=OCSP_SIGNER_LIFE,
    )


def _cross(maker: Maker, part: CrossPart, known: dict[str, Authority]) -> CrossCertificate:
    issuer = known.get(part.issuer)
    if issuer is None or issuer.role not in (Role.ROOT, Role.BRIDGE):
        raise CeremonyWrong(f"{part.issuer} certifies no other domain", where="cross")
    der = part.der if part.certificate else None
    if der is None:
        subject = known.get(part.subject)
        if subject is None:
            raise CeremonyWrong(f"there is no {part.subject}", where="cross")
        der = subject.certificate
    return maker.crossed(issuer, part.subject, der, terms=part.terms, years=part.years)


def subject_of(authority: Authority) -> x509.Name:
    """The name in an authority's certificate."""
    return x509.load_der_x509_certificate(authority.certificate).subject


def _domain(authority: Authority) -> Domain:
    """The domain in an authority's own name."""
    parts = {each.rfc4514_attribute_name: str(each.value) for each in subject_of(authority)}
    return Domain(country=parts["C"], organisation=parts["O"])
