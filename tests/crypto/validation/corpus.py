"""Chains of every kind on which the semantics of RFC 5280 leave no choice, to be held against other validators."""

from collections.abc import Iterator
from datetime import timedelta
from itertools import product
from typing import NamedTuple

from cryptography import x509
from cryptography.x509.oid import NameOID

from support.paths import ANY, AT, DAY, HOUR, P1, P2, P3, Entity, dn, mapping, point, uri

SECOND = timedelta(seconds=1)
UNKNOWN = x509.UnrecognizedExtension(x509.ObjectIdentifier("2.25.9.9"), b"\x05\x00")
SHARD = uri("http://pki.localhost/crl/7.crl")
DELTA = "http://pki.localhost/crl/delta.crl"
COUNTRY = x509.NameAttribute(NameOID.COUNTRY_NAME, "TW")


def directory(org: str) -> x509.DirectoryName:
    name = [COUNTRY, x509.NameAttribute(NameOID.ORGANIZATION_NAME, org)]
    return x509.DirectoryName(x509.Name(name))


class Chain(NamedTuple):
    """A holder, what lies at hand, and what is asked."""

    label: str
    root: Entity
    known: list[Entity]
    holder: Entity
    crls: list[bytes]
    policies: tuple[str, ...]


AUTHORITIES = {
    "plain": {},
    "not critical": {"basic_critical": False},
    "no authority": {"basic": None},
    "no keyCertSign": {"bits": ("crl_sign",)},
    "length 0": {"path_length": 0},
    "ended": {"end": AT - SECOND},
    "not begun": {"start": AT + SECOND},
    "unknown critical": {"extra": [(UNKNOWN, True)]},
    "permitted": {"permitted": [directory("Test")]},
    "permitted elsewhere": {"permitted": [directory("Elsewhere")]},
    "excluded": {"excluded": [directory("Test")]},
    "hosts": {"permitted": [x509.DNSName("example.com")]},
    "mailboxes": {"excluded": [x509.RFC822Name("example.com")]},
    "uris": {"permitted": [x509.UniformResourceIdentifier(".example.com")]},
    "any policy": {"policies": [ANY]},
    "two policies": {"policies": [P1, P2]},
    "no policy": {"policies": None},
    "maps": {"extra": [(mapping((P1, P2)), True)]},
    "maps any": {"extra": [(mapping((ANY, P2)), True)]},
    "no mapping": {"limits": (None, 0), "extra": [(mapping((P1, P2)), True)]},
    "explicit": {"limits": (0, None)},
    "no any": {"inhibit_any": 0},
}
HOLDERS = {
    "plain": {},
    "ended": {"end": AT - DAY},
    "elsewhere": {"name": dn("x", org="Elsewhere")},
    "names": {
        "names": [
            x509.DNSName("a.example.com"),
            x509.RFC822Name("a@example.com"),
            x509.UniformResourceIdentifier("https://a.example.com/"),
        ]
    },
    "other names": {"names": [x509.DNSName("a.example.org"), x509.RFC822Name("a@example.org")]},
    "second policy": {"policies": [P2]},
    "third policy": {"policies": [P3]},
    "any policy": {"policies": [ANY]},
    "no policy": {"policies": None},
}
DEEP = {"plain", "second policy"}
MAPPING = {"maps", "maps any", "no mapping", "explicit", "no any"}
LISTS = {
    "none": None,
    "clean": lambda ca, holder: [ca.crl()],
    "revoked": lambda ca, holder: [ca.crl(holder, reason="keyCompromise")],
    "missing": lambda ca, holder: [],
    "stale": lambda ca, holder: [ca.crl(end=AT - SECOND)],
    "future": lambda ca, holder: [ca.crl(start=AT + HOUR)],
    "wrong key": lambda ca, holder: [Entity("CA").crl(name=ca.name)],
    "unknown critical": lambda ca, holder: [ca.crl(extra=[(UNKNOWN, True)])],
    "holders": lambda ca, holder: [ca.crl(user=True)],
    "authorities": lambda ca, holder: [ca.crl(authority=True)],
    "shard": lambda ca, holder: [ca.crl(full=[SHARD])],
    "revoked shard": lambda ca, holder: [ca.crl(holder, full=[SHARD])],
    "delta": lambda ca, holder: [
        ca.crl(number=5, freshest=DELTA),
        ca.crl(holder, base=5, number=6),
    ],
    "clean delta": lambda ca, holder: [
        ca.crl(number=5, freshest=DELTA),
        ca.crl(base=5, number=6),
    ],
}


def chains() -> Iterator[Chain]:
    """Every authority with every holder, at two depths; then every list."""
    root = Entity("Root")
    for (kind, authority), (other, fields) in product(AUTHORITIES.items(), HOLDERS.items()):
        for deep in (False, True) if other in DEEP or kind == "plain" else (False,):
            ca = root.ca("CA", **authority)
            known, issuer = [ca], ca
            if deep:
                issuer = ca.ca("Sub", policies=fields.get("policies", [P1]))
                known.append(issuer)
            holder = issuer.holder(**fields)
            for policies in ((), (P1,)) if "polic" in kind + other or kind in MAPPING else ((),):
                label = f"{kind} / {other} / {'deep' if deep else 'flat'} / {policies}"
                yield Chain(label, root, known, holder, [], policies)


def listed() -> Iterator[Chain]:
    """Every list for a holder with and without distribution point."""
    root = Entity("Root")
    for (kind, make), points in product(LISTS.items(), (None, [point(SHARD)])):
        ca = root.ca("CA")
        holder = ca.holder(points=points)
        crls = [] if make is None else [root.crl(), *make(ca, holder)]
        yield Chain(f"{kind} / {bool(points)}", root, [ca], holder, crls, ())
