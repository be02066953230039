"""The authorities of an instance as a picture: who certifies whom, read from the certificates themselves.

A picture of one root with its children is a tree. With several roots, a bridge and cross-certificates it is not, so
each key has one *main* certificate (its self-signed one, else the first) and hangs below whoever certified that;
every further certificate of a key (cross and link certificates) is a leaf below its own issuer. So each certificate
stands exactly once, however the authorities certify each other.
"""

import hashlib
from collections.abc import Iterable, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any, NamedTuple

import msgspec
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from inkan.kernel.clock import rfc3339
from inkan.pki.model import Authority, CrossCertificate, Role
from inkan.pki.service.hierarchy import PublicURLs


class Place(StrEnum):
    """What a certificate is in the picture."""

    ROOT = "root"
    """Signed by itself: its thumbprint is what people compare (JPKI-36, JPKI-38)."""
    AUTHORITY = "authority"
    """Certified by another authority, and certifies."""
    CROSS = "cross"
    """A further certificate of an authority that stands elsewhere: across to another one, or from old key to new."""
    SIGNER = "signer"
    """Certifies nobody: answers, receipts, time-stamps."""


class Tree(msgspec.Struct, frozen=True, kw_only=True):
    """One certificate of the picture, and what hangs below it.

    Attributes:
        name: of the authority in this instance; part of addresses.
        title: the common name in the certificate.
        issuer: the common name of who signed it.
        thumbprint: SHA-256, lower-case hexadecimal.
        below: certificates that it signed.
        crl, ocsp, timestamps: addresses, empty where there is none.
    """

    name: str
    role: str
    place: Place
    title: str
    issuer: str
    thumbprint: str
    der: bytes
    not_before: datetime
    not_after: datetime
    crl: str
    crl_shards: int
    ocsp: str
    timestamps: str
    below: tuple["Tree", ...] = ()

    @property
    def groups(self) -> tuple[str, ...]:
        """The thumbprint as it is printed: sixteen groups of four."""
        upper = self.thumbprint.upper()
        return tuple(upper[place : place + 4] for place in range(0, len(upper), 4))


class Forest(msgspec.Struct, frozen=True):
    """The whole picture: trees, roots first."""

    trees: tuple[Tree, ...]

    def all(self) -> list[Tree]:
        """Every certificate, in the order of the picture."""
        return list(_walk(self.trees))

    def find(self, der: bytes) -> Tree | None:
        """The certificate with these very bytes, or None: a comparison of SHA-256 thumbprints."""
        thumbprint = hashlib.sha256(der).hexdigest()
        return next((each for each in self.all() if each.thumbprint == thumbprint), None)


def _walk(trees: Sequence[Tree]) -> Iterable[Tree]:
    for tree in trees:
        yield tree
        yield from _walk(tree.below)


class _Part(NamedTuple):
    name: str
    role: str
    certificate: bytes
    crl_shards: int


class _Node:
    """One authority while the picture is drawn."""

    def __init__(self, authority: _Part) -> None:
        parsed = x509.load_der_x509_certificate(authority.certificate)
        self.authority = authority
        self.parsed = parsed
        spki = parsed.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        self.key = hashlib.sha256(spki).digest()
        self.key_id = _key_id(parsed, x509.SubjectKeyIdentifier)
        self.issuer_key_id = _key_id(parsed, x509.AuthorityKeyIdentifier)

    @property
    def is_self_signed(self) -> bool:
        named = self.parsed.issuer == self.parsed.subject
        return named and self.issuer_key_id in {None, self.key_id}

    @property
    def is_ca(self) -> bool:
        try:
            return self.parsed.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
        except x509.ExtensionNotFound:
            return False

    def may_have_issued(self, other: "_Node") -> bool:
        named = self.is_ca and self.parsed.subject == other.parsed.issuer
        return named and other.issuer_key_id in {None, self.key_id}


def _key_id(
    parsed: x509.Certificate, kind: type[x509.SubjectKeyIdentifier | x509.AuthorityKeyIdentifier]
) -> bytes | None:
    try:
        value = parsed.extensions.get_extension_for_class(kind).value
    except x509.ExtensionNotFound:
        return None
    return value.key_identifier


def draw(
    authorities: Iterable[Authority], urls: PublicURLs, *, crosses: Iterable[CrossCertificate] = ()
) -> Forest:
    """Return the picture of these authorities, of however many roots, bridges and cross-certificates."""
    parts = [
        _Part(each.name, each.role.value, each.certificate, each.crl_shards) for each in authorities
    ]
    parts += [
        _Part(each.name, "link" if each.is_link else "cross", each.certificate, 0)
        for each in crosses
    ]
    nodes = [_Node(each) for each in sorted(parts, key=lambda each: each.name)]
    return Forest(_Drawing(nodes, urls).trees())


class _Drawing:
    def __init__(self, nodes: list[_Node], urls: PublicURLs) -> None:
        self._nodes = nodes
        self._urls = urls
        self._drawn: set[str] = set()
        self._mains: dict[bytes, _Node] = {}
        for node in sorted(nodes, key=lambda node: not node.is_self_signed):
            self._mains.setdefault(node.key, node)
        self._below: dict[str, list[_Node]] = {node.authority.name: [] for node in nodes}
        for node in nodes:
            parent = self._parent(node)
            if parent is not None:
                self._below[parent.authority.name].append(node)

    def trees(self) -> tuple[Tree, ...]:
        """Roots first, then whoever was certified by none of these, then what certifies itself in a circle."""
        starts = sorted(
            self._nodes, key=lambda node: (not node.is_self_signed, self._parent(node) is not None)
        )
        return tuple(
            self._tree(node)
            for node in starts
            if node.authority.name not in self._drawn
            and (node.is_self_signed or self._parent(node) is None or not self._hangs(node))
        )

    def _hangs(self, node: _Node) -> bool:
        """Whether the way up ends: at a root, or at one that nobody here certified."""
        seen: set[str] = set()
        above: _Node | None = node
        while above is not None and above.authority.name not in seen:
            seen.add(above.authority.name)
            above = self._parent(above)
        return above is None

    def _parent(self, node: _Node) -> _Node | None:
        if node.is_self_signed:
            return None
        return next(
            (m for m in self._mains.values() if m is not node and m.may_have_issued(node)), None
        )

    def _tree(self, node: _Node) -> Tree:
        self._drawn.add(node.authority.name)
        is_main = self._mains[node.key] is node
        children = self._below[node.authority.name] if is_main else []
        below = [
            self._tree(each)
            for each in sorted(children, key=lambda each: (not each.is_ca, each.authority.name))
            if each.authority.name not in self._drawn
        ]
        authority, parsed = node.authority, node.parsed
        crl, ocsp = self._addresses(node)
        return Tree(
            name=authority.name,
            role=authority.role,
            place=_place(node, is_main=is_main),
            title=_common_name(parsed.subject),
            issuer=_common_name(parsed.issuer),
            thumbprint=hashlib.sha256(authority.certificate).hexdigest(),
            der=authority.certificate,
            not_before=parsed.not_valid_before_utc,
            not_after=parsed.not_valid_after_utc,
            crl=crl,
            crl_shards=authority.crl_shards,
            ocsp=ocsp,
            timestamps=f"{self._urls.origin}/tsa" if authority.role == Role.TSA.value else "",
            below=tuple(below),
        )

    def _addresses(self, node: _Node) -> tuple[str, str]:
        """Where its revocation list lies (the first shard of many), and where it answers OCSP."""
        name, shards = node.authority.name, node.authority.crl_shards
        crl = self._urls.crl(name, shard=0, shards=shards) if shards else ""
        answers = any(each.authority.role == Role.OCSP.value for each in self._below[name])
        return crl, self._urls.ocsp(name) if answers else ""


def _place(node: _Node, *, is_main: bool) -> Place:
    if node.is_self_signed:
        return Place.ROOT
    if not node.is_ca:
        return Place.SIGNER
    return Place.AUTHORITY if is_main else Place.CROSS


def _common_name(name: x509.Name) -> str:
    found = name.get_attributes_for_oid(x509.NameOID.COMMON_NAME)
    return str(found[-1].value) if found else name.rfc4514_string()


def told(tree: Tree) -> dict[str, Any]:
    """A certificate of the picture as JSON."""
    return {
        "name": tree.name,
        "role": tree.role,
        "place": tree.place,
        "common_name": tree.title,
        "issuer": tree.issuer,
        "sha256": tree.thumbprint,
        "not_before": rfc3339(tree.not_before),
        "not_after": rfc3339(tree.not_after),
        "crl": tree.crl or None,
        "crl_shards": tree.crl_shards,
        "ocsp": tree.ocsp or None,
        "timestamps": tree.timestamps or None,
        "below": [told(each) for each in tree.below],
    }
