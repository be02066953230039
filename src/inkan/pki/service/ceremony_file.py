"""The ceremony file: the only input of a key ceremony, read and verified as one (TOML).

Its ``kind`` says what the ceremony is for: found a hierarchy, replace the key of a root or of an issuing authority
before its end, certify another domain's key, or sign the lists of offline authorities.
"""

import base64
import binascii
import tomllib
from collections.abc import Iterator
from typing import Annotated, Literal, TypeAlias

import msgspec
from msgspec import Meta

from inkan.crypto import oids
from inkan.crypto.certificates import CertificateMalformed, parse_certificate
from inkan.crypto.cross_terms import CrossTerms, verify_terms
from inkan.crypto.path import RevocationReason
from inkan.kernel.errors import Malformed
from inkan.pki.model import CeremonyWrong
from inkan.pki.rules import profiles

Name = Annotated[str, Meta(pattern=r"^[a-z][a-z0-9-]{0,30}$")]
Common = Annotated[str, Meta(min_length=1, max_length=64)]
Country = Annotated[str, Meta(pattern=r"^[A-Z]{2}$")]
Thumbprint = Annotated[str, Meta(pattern=r"^[0-9A-F]{2}(:[0-9A-F]{2}){31}$")]
Policy = Annotated[str, Meta(min_length=1, max_length=100)]

# Where a key is made: a provider of the settings (docs/keys.md), or the one that keys.authorities names.
Place = Literal["", "file", "pkcs11", "remote"]

OUTSIDERS = 2
"""Custodians outside operations that every custody has, of as many units (HCA-33)."""


class Custodian(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Somebody who approves ceremonies with a card and keeps a share.

    Attributes:
        unit: of the organisation.
        operations: whether the unit develops or runs the system.
        certificate_sha256: of the card's certificate, in hexadecimal pairs.
    """

    name: Common
    unit: Common
    certificate_sha256: Thumbprint
    operations: bool = False


class Custody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who has to agree, and how many of them open the offline key store.

    Attributes:
        approvals: signatures that every ceremony needs.
        shares_needed: of the shares, one for each custodian.
    """

    custodian: Annotated[list[Custodian], Meta(min_length=2, max_length=16)]
    approvals: Annotated[int, Meta(ge=2, le=16)] = 2
    shares_needed: Annotated[int, Meta(ge=2, le=16)] = 2


class RootPart(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A root: its key signs issuing authorities, and one list of their revocations for 400 days."""

    common_name: Common
    name: Name = "root"
    country: Country | None = None
    organisation: Common | None = None
    key: Literal["P-384"] = "P-384"
    provider: Place = ""
    years: Annotated[int, Meta(ge=1, le=30)] = 20


class BridgePart(RootPart, frozen=True, forbid_unknown_fields=True):
    """A bridge: nobody's anchor; it certifies roots and is certified by them."""

    name: Name = "bridge"


class IssuingPart(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One issuing authority, the root above it, and the profiles it may issue."""

    name: Name
    common_name: Common
    profiles: Annotated[list[str], Meta(min_length=1)]
    parent: Name | None = None
    key: Literal["P-256", "RSA-3072"] = "P-256"
    provider: Place = ""
    years: Annotated[int, Meta(ge=1, le=15)] = 10
    crl_shards: Annotated[int, Meta(ge=1, le=1024)] = 1


class CrossPart(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A certificate of one authority for another's key.

    Attributes:
        subject: an authority of this instance, or the name that the other domain goes by here.
        certificate: base64 DER of the other domain's own certificate; None for an authority of this instance.
        policies, mappings: names of the OID table, or dotted OIDs.
        permitted: directory names by RFC 4514.
    """

    issuer: Name
    subject: Name
    policies: Annotated[list[Policy], Meta(min_length=1, max_length=16)]
    certificate: str | None = None
    mappings: Annotated[list[tuple[Policy, Policy]], Meta(max_length=16)] = []
    permitted: Annotated[list[Common], Meta(max_length=16)] = []
    path_length: Annotated[int, Meta(ge=0, le=4)] = 1
    years: Annotated[int, Meta(ge=1, le=10)] = 3

    @property
    def der(self) -> bytes:
        """The other domain's certificate.

        Raises:
            CeremonyWrong: not base64 of a certificate that may certify others.
        """
        try:
            found = parse_certificate(base64.b64decode(self.certificate or "", validate=True))
        except (binascii.Error, CertificateMalformed):
            raise CeremonyWrong(f"{self.subject}: no certificate", where="cross") from None
        if not found.is_ca:
            raise CeremonyWrong(f"{self.subject}: no certificate of an authority", where="cross")
        return found.der

    @property
    def terms(self) -> CrossTerms:
        """The terms with every policy as an OID.

        Raises:
            CrossTermsWrong: see :func:`inkan.crypto.cross_terms.verify_terms`.
        """
        return verify_terms(
            CrossTerms(
                policies=tuple(map(_oid, self.policies)),
                mappings=tuple((_oid(here), _oid(there)) for here, there in self.mappings),
                permitted=tuple(self.permitted),
                path_length=self.path_length,
            )
        )


class SignerPart(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A signer of the platform and the authority that certifies it."""

    authority: Name
    common_name: Common
    years: Annotated[int, Meta(ge=1, le=5)] = 3


class TSAPart(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The signer of time-stamps and the authority that certifies it; its key is renewed each year."""

    authority: Name
    common_name: Common
    years: Annotated[int, Meta(ge=2, le=5)] = 5


class Ceremony(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="found"
):
    """Found the hierarchy of an instance."""

    title: Common
    country: Country
    organisation: Common
    root: RootPart
    issuing: Annotated[list[IssuingPart], Meta(min_length=1, max_length=16)]
    receipt: SignerPart
    audit: SignerPart
    further_root: Annotated[list[RootPart], Meta(max_length=8)] = []
    tsa: TSAPart | None = None
    bridge: BridgePart | None = None
    cross: Annotated[list[CrossPart], Meta(max_length=32)] = []
    custody: Custody | None = None

    @property
    def roots(self) -> list[RootPart]:
        """The first root and the further ones."""
        return [self.root, *self.further_root]


class ReplaceRoot(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="replace-root"
):
    """A new key for a root, tied to the old one by link certificates in both directions (RFC 4210 §4.4)."""

    title: Common
    root: Name
    name: Name
    years: Annotated[int, Meta(ge=1, le=30)] = 20
    custody: Custody | None = None


class ReplaceAuthority(
    msgspec.Struct,
    frozen=True,
    forbid_unknown_fields=True,
    tag_field="kind",
    tag="replace-authority",
):
    """A successor of an issuing authority takes over its profiles; the old one goes on to sign lists (HCA-36)."""

    title: Common
    authority: Name
    name: Name
    common_name: Common
    parent: Name | None = None
    years: Annotated[int, Meta(ge=1, le=15)] = 10
    custody: Custody | None = None


class CrossCertify(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="cross-certify"
):
    """Certify keys of other domains, or of this instance."""

    title: Common
    cross: Annotated[list[CrossPart], Meta(min_length=1, max_length=32)]
    custody: Custody | None = None


class RevokedPart(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An authority, or a cross-certificate by its name ``issuer-to-subject``, that ends here."""

    name: Annotated[str, Meta(min_length=1, max_length=70)]
    reason: RevocationReason


class SignLists(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="sign-lists"
):
    """Sign the lists of offline authorities again, with what is revoked from now on."""

    title: Common
    revoke: Annotated[list[RevokedPart], Meta(max_length=32)] = []
    custody: Custody | None = None


AnyCeremony: TypeAlias = Ceremony | ReplaceRoot | ReplaceAuthority | CrossCertify | SignLists


def read_ceremony(text: str) -> AnyCeremony:
    """Return the ceremony that a TOML text describes; without ``kind`` it founds a hierarchy.

    Raises:
        CeremonyWrong: not TOML, an unknown key, a profile twice or unknown, a missing authority, terms that no
            certificate can state, or too few custodians outside operations.
    """
    try:
        fields = tomllib.loads(text)
        ceremony: AnyCeremony = msgspec.convert({"kind": "found", **fields}, AnyCeremony)
        for part in _crosses(ceremony):
            _ = part.terms
    except tomllib.TOMLDecodeError as wrong:
        raise CeremonyWrong(str(wrong)) from None
    except Malformed as wrong:
        raise CeremonyWrong(wrong.detail or wrong.title, where="cross") from None
    except msgspec.ValidationError as wrong:
        raise CeremonyWrong(str(wrong)) from None
    if ceremony.custody is not None:
        _verify_custody(ceremony.custody)
    if isinstance(ceremony, Ceremony):
        _verify_founding(ceremony)
    return ceremony


def _crosses(ceremony: AnyCeremony) -> Iterator[CrossPart]:
    if isinstance(ceremony, Ceremony | CrossCertify):
        yield from ceremony.cross


def _verify_founding(ceremony: Ceremony) -> None:
    named = [profile for part in ceremony.issuing for profile in part.profiles]
    if len(set(named)) != len(named) or not set(named) <= profiles().keys():
        raise CeremonyWrong("each profile belongs to exactly one authority", where="issuing")
    roots = [part.name for part in ceremony.roots]
    issuing = [part.name for part in ceremony.issuing]
    above = [*roots, *([ceremony.bridge.name] if ceremony.bridge else [])]
    if len({*above, *issuing}) != len(above) + len(issuing):
        raise CeremonyWrong("two authorities have one name", where="issuing")
    for part in ceremony.issuing:
        if part.parent not in {None, *roots}:
            raise CeremonyWrong(f"{part.name}: there is no such root", where="issuing")
    signers = {"receipt": ceremony.receipt, "audit": ceremony.audit, "tsa": ceremony.tsa}
    for where, signer in signers.items():
        if signer is not None and signer.authority not in issuing:
            raise CeremonyWrong("the signer's authority does not exist", where=where)
    for cross in ceremony.cross:
        if cross.issuer not in above or (cross.certificate is None and cross.subject not in above):
            raise CeremonyWrong(f"{cross.issuer} to {cross.subject}: no such root", where="cross")


def _verify_custody(custody: Custody) -> None:
    """At least two custodians outside operations, of different units; nobody twice (HCA-33)."""
    count = len(custody.custodian)
    if len({each.certificate_sha256 for each in custody.custodian}) != count:
        raise CeremonyWrong("two custodians have one card", where="custody")
    if max(custody.approvals, custody.shares_needed) > count:
        raise CeremonyWrong("more are needed than there are", where="custody")
    units = {each.unit for each in custody.custodian if not each.operations}
    if len(units) < OUTSIDERS:
        raise CeremonyWrong(
            "two custodians outside operations, of different units", where="custody"
        )


def _oid(policy: str) -> str:
    return oids.POLICIES.get(policy, policy)
