"""Name constraints (RFC 5280 §4.2.1.10): subtrees of names, and whether a name lies in one.

A kind of name that is constrained and cannot be compared here is refused, as the RFC demands. A constraint that is
no constraint of its kind (a host with a leading dot, a scheme in a URI) refuses the path.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final, NamedTuple, TypeAlias
from urllib.parse import urlsplit

from cryptography import x509

from inkan.crypto import der_reader
from inkan.crypto.validation.budget import Budget
from inkan.crypto.validation.names import CanonicalName, canonical_name, is_within
from inkan.crypto.validation.verdict import Reason, Refused

_HOST: Final = re.compile(
    r"[A-Za-z0-9_](?:[A-Za-z0-9_-]*[A-Za-z0-9_])?(?:\.[A-Za-z0-9_](?:[A-Za-z0-9_-]*[A-Za-z0-9_])?)*"
)
_ADDRESS: Final = re.compile(r"[0-9.]+|\[.*|.*:.*")
_EMAIL: Final = x509.oid.NameOID.EMAIL_ADDRESS
Base: TypeAlias = Any
"""A general name in the form in which it is compared: text, address, network, canonical name."""


class Named(NamedTuple):
    """A general name: its kind and its comparable form."""

    kind: type[x509.GeneralName]
    value: Base


class Subtrees(NamedTuple):
    """One name constraints extension; None where the field is missing."""

    permitted: tuple[Named, ...] | None
    excluded: tuple[Named, ...] | None


class Constraints:
    """permitted_subtrees and excluded_subtrees of RFC 5280 §6.1.2, growing along a path.

    Permitted subtrees are kept as layers, one for each extension: a name has to lie in a subtree of every layer that
    speaks of its kind, which is the intersection without computing it.
    """

    def __init__(self) -> None:
        self._layers: list[tuple[Named, ...]] = []
        self._excluded: list[Named] = []

    def add(self, subtrees: Subtrees) -> None:
        """Restrict further (RFC 5280 §6.1.4 g)."""
        if subtrees.permitted is not None:
            self._layers.append(subtrees.permitted)
        self._excluded += subtrees.excluded or ()

    @property
    def are_empty(self) -> bool:
        """Whether nothing is restricted."""
        return not self._layers and not self._excluded

    def verify(self, names: Iterable[Named], budget: Budget) -> None:
        """Check every name of a certificate (RFC 5280 §6.1.3 b, c).

        Raises:
            Refused: a name outside the permitted or inside the excluded subtrees, or not comparable.
        """
        for name in names:
            if any(self._holds(name, base, budget, excluded=True) for base in self._excluded):
                raise Refused(Reason.NAME_CONSTRAINTS, "a name in an excluded subtree")
            for layer in self._layers:
                bases = [base for base in layer if base.kind is name.kind]
                if bases and not any(self._holds(name, base, budget) for base in bases):
                    raise Refused(Reason.NAME_CONSTRAINTS, "a name outside the permitted subtrees")

    def _holds(self, name: Named, base: Named, budget: Budget, *, excluded: bool = False) -> bool:
        budget.compare()
        if name.kind is not base.kind:
            return False
        compare = (_EXCLUDING if excluded else _COMPARISONS).get(name.kind)
        if compare is None:
            raise Refused(Reason.NAME_CONSTRAINTS, "a constrained name of an unknown kind")
        return compare(name.value, base.value)


def read_subtrees(extension: x509.NameConstraints, der: bytes) -> Subtrees:
    """Return the subtrees of an extension.

    Args:
        extension: as the library reads it, which passes over minimum and maximum.
        der: as the certificate has it.

    Raises:
        ValueError: a base with a minimum or a maximum (RFC 5280: minimum 0, maximum absent), or neither field.
    """
    _verify_bases(der)
    permitted, excluded = extension.permitted_subtrees, extension.excluded_subtrees
    return Subtrees(
        None if permitted is None else tuple(map(_named, permitted)),
        None if excluded is None else tuple(map(_named, excluded)),
    )


def names_of(subject: x509.Name, alternative: tuple[x509.GeneralName, ...] | None) -> list[Named]:
    """Return the names of a certificate that constraints apply to (RFC 5280 §4.2.1.10).

    The subject's emailAddress counts as a mailbox when there is no subjectAltName.
    """
    found = [_named(name) for name in alternative or ()]
    if subject.rdns:
        found.append(Named(x509.DirectoryName, canonical_name(subject)))
    if alternative is None:
        found += [
            Named(x509.RFC822Name, row.value) for row in subject.get_attributes_for_oid(_EMAIL)
        ]
    return found


def _named(name: x509.GeneralName) -> Named:
    value = name.value
    return Named(type(name), canonical_name(value) if isinstance(value, x509.Name) else value)


def _verify_bases(extension: bytes) -> None:
    fields = der_reader.children(der_reader.read(extension).contents)
    if not fields:
        raise ValueError("name constraints without subtrees")
    for field in fields:
        subtrees = der_reader.children(field.contents)
        if not subtrees or any(len(der_reader.children(tree.contents)) != 1 for tree in subtrees):
            raise ValueError("no subtree, or one with a minimum or a maximum")


def _refuse(what: str) -> Refused:
    return Refused(Reason.NAME_CONSTRAINTS, f"a constraint that is not {what}")


def _is_directory_name(name: CanonicalName, base: CanonicalName) -> bool:
    return is_within(name, base)


def _is_host_below(name: str, base: str) -> bool:
    if base and not _HOST.fullmatch(base):
        raise _refuse("a host name")
    name, base = name.lower().rstrip("."), base.lower()
    return not base or name == base or name.endswith("." + base)


def _may_be_host_below(name: str, base: str) -> bool:
    """Whether some host that a name stands for is excluded: a wildcard stands for many."""
    is_wild = name.startswith("*.") and base.lower().endswith(name[1:].lower())
    return is_wild or _is_host_below(name, base)


def _is_mailbox(name: str, base: str) -> bool:
    local, at, host = name.rpartition("@")
    if not at or not local or not _HOST.fullmatch(host):
        raise Refused(Reason.NAME_CONSTRAINTS, "a constrained mailbox that is none")
    host = host.lower()
    base_local, base_at, base_host = base.rpartition("@")
    if not _HOST.fullmatch(base_host.removeprefix("." if not base_at else "")):
        raise _refuse("a mailbox, a host or a domain")
    if base_at:
        return local == base_local and host == base_host.lower()
    return host.endswith(base_host.lower()) if base_host[0] == "." else host == base_host.lower()


def _is_uri_at(name: str, base: str) -> bool:
    if not _HOST.fullmatch(base.removeprefix(".")):
        raise _refuse("a host or a domain")
    try:
        host = urlsplit(name).hostname
    except ValueError:
        host = None
    # RFC 5280: a URI without a host name that can be compared is refused where URIs are constrained.
    if not host or _ADDRESS.fullmatch(host) or not _HOST.fullmatch(host):
        raise Refused(Reason.NAME_CONSTRAINTS, "a constrained URI without a host name")
    base = base.lower()
    return host.endswith(base) if base[0] == "." else host == base


def _is_address_in(name: Any, base: Any) -> bool:
    if not hasattr(base, "network_address") or hasattr(name, "network_address"):
        raise _refuse("a network")
    return name.version == base.version and name in base


Comparisons: TypeAlias = Mapping[type[x509.GeneralName], Callable[[Any, Any], bool]]

_COMPARISONS: Final[Comparisons] = {
    x509.DirectoryName: _is_directory_name,
    x509.DNSName: _is_host_below,
    x509.RFC822Name: _is_mailbox,
    x509.UniformResourceIdentifier: _is_uri_at,
    x509.IPAddress: _is_address_in,
}
_EXCLUDING: Final[Comparisons] = dict(_COMPARISONS) | {x509.DNSName: _may_be_host_below}
