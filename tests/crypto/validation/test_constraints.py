"""Name constraints of every kind that certificates use (PKITS 4.13, RFC 5280 §4.2.1.10)."""

from ipaddress import ip_address, ip_network

import pytest
from cryptography import x509
from cryptography.x509.oid import NameOID
from hypothesis import given
from hypothesis import strategies as st

from inkan.crypto.validation.budget import Budget
from inkan.crypto.validation.constraints import Constraints, Named, Subtrees
from inkan.crypto.validation.settings import Bounds
from inkan.crypto.validation.verdict import Reason, Refused
from support.paths import PRINTABLE, Entity, dn, resign, verdict


@pytest.fixture(scope="module")
def root():
    return Entity("Root")


def directory(*parts):
    return x509.DirectoryName(x509.Name([x509.NameAttribute(*part) for part in parts]))


C = (NameOID.COUNTRY_NAME, "TW")
O1, O2 = (NameOID.ORGANIZATION_NAME, "Test"), (NameOID.ORGANIZATION_NAME, "Elsewhere")
mail, host, uri = x509.RFC822Name, x509.DNSName, x509.UniformResourceIdentifier


def address(text):
    return x509.IPAddress(ip_address(text))


def network(text):
    return x509.IPAddress(ip_network(text))


def held(root, *, permitted=None, excluded=None, **holder):
    ca = root.ca("Constrained", permitted=permitted, excluded=excluded)
    reason = verdict(ca.holder(**holder), root, known=[ca]).reason
    assert reason in {Reason.OK, Reason.NAME_CONSTRAINTS}
    return reason is Reason.OK


# --- directory names ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("permitted", "excluded", "is_held"),
    [
        ([directory(C, O1)], None, True),
        ([directory(C, (O1[0], "  TEST "))], None, True),
        ([directory(C)], None, True),
        ([directory(C, O2)], None, False),
        ([directory(C, O2), directory(C, O1)], None, True),
        ([directory(O1)], None, False),
        (None, [directory(C, O2)], True),
        (None, [directory(C, O1)], False),
        ([directory(C)], [directory(C, O1)], False),
        ([directory(C, O1)], [directory(C, O2)], True),
        ([host("example.com")], None, True),
    ],
)
def test_directory_names(root, permitted, excluded, is_held):
    assert held(root, permitted=permitted, excluded=excluded) is is_held


def test_directory_names_in_alternative_names(root):
    inside, outside = directory(C, O1, (NameOID.COMMON_NAME, "x")), directory(C, O2)
    assert held(root, permitted=[directory(C, O1)], names=[inside])
    assert not held(root, permitted=[directory(C, O1)], names=[inside, outside])


def test_the_encoding_makes_no_difference(root):
    name = dn("Holder", kind=PRINTABLE)
    assert not held(root, excluded=[directory(C, O1)], name=name)


def test_constraints_of_several_authorities_intersect(root):
    first = root.ca("First", permitted=[directory(C, O1), directory(C, O2)])
    second = first.ca("Second", permitted=[directory(C, O1)])
    inside, outside = second.holder(), second.holder(name=dn("x", org="Elsewhere"))
    assert verdict(inside, root, known=[first, second]).reason is Reason.OK
    assert verdict(outside, root, known=[first, second]).reason is Reason.NAME_CONSTRAINTS
    disjoint = first.ca("Third", permitted=[directory(C, (O1[0], "Third"))])
    third = disjoint.holder(name=dn("x", org="Third"))
    assert verdict(third, root, known=[first, disjoint]).reason is Reason.NAME_CONSTRAINTS


def test_self_issued_authorities_are_exempt_and_the_last_is_not(root):
    ca = root.ca("Constrained", excluded=[directory(C, O1)])
    link = ca.ca(name=ca.name)
    outside = link.holder(name=dn("x", org="Elsewhere"))
    assert verdict(outside, root, known=[ca, link]).reason is Reason.OK
    assert verdict(link, root, known=[ca]).reason is Reason.NAME_CONSTRAINTS


def test_the_anchor_constrains_too():
    root = Entity("Root", permitted=[directory(C, O2)])
    assert verdict(root.holder(), root).reason is Reason.NAME_CONSTRAINTS


# --- mailboxes ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("base", "name", "is_within"),
    [
        ("example.com", "a@example.com", True),
        ("example.com", "a@EXAMPLE.com", True),
        ("example.com", "a@mail.example.com", False),
        (".example.com", "a@mail.example.com", True),
        (".example.com", "a@example.com", False),
        ("a@example.com", "a@example.com", True),
        ("a@example.com", "A@example.com", False),
        ("a@example.com", "b@example.com", False),
        ("ample.com", "a@example.com", False),
    ],
)
def test_mailboxes(root, base, name, is_within):
    assert held(root, permitted=[mail(base)], names=[mail(name)]) is is_within
    assert held(root, excluded=[mail(base)], names=[mail(name)]) is not is_within


def test_a_mailbox_in_the_subject_counts_without_alternative_names(root):
    name = x509.Name([*dn("x"), x509.NameAttribute(NameOID.EMAIL_ADDRESS, "a@evil.com")])
    assert not held(root, permitted=[mail("example.com")], name=name)
    assert held(root, permitted=[mail("example.com")], name=name, names=[mail("a@example.com")])


# --- hosts --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("base", "name", "is_within"),
    [
        ("example.com", "example.com", True),
        ("example.com", "a.b.EXAMPLE.com", True),
        ("example.com", "myexample.com", False),
        ("example.com", "example.com.evil", False),
        ("", "anything.example", True),
        ("example.com", "*.example.com", True),
    ],
)
def test_hosts(root, base, name, is_within):
    assert held(root, permitted=[host(base)], names=[host(name)]) is is_within
    assert held(root, excluded=[host(base)], names=[host(name)]) is not is_within


def test_a_wildcard_that_may_stand_for_an_excluded_host(root):
    assert not held(root, excluded=[host("a.example.com")], names=[host("*.example.com")])
    assert not held(root, permitted=[host("a.example.com")], names=[host("*.example.com")])


def test_a_constraint_that_is_no_host_refuses(root):
    assert not held(root, permitted=[host(".example.com")], names=[host("a.example.com")])
    assert not held(root, excluded=[host(".example.com")], names=[host("other.org")])


# --- URIs ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("base", "name", "is_within"),
    [
        ("example.com", "https://example.com/path", True),
        ("example.com", "ftp://user@EXAMPLE.com:21/x", True),
        ("example.com", "https://a.example.com/", False),
        (".example.com", "https://a.example.com/", True),
        (".example.com", "https://example.com/", False),
    ],
)
def test_uris(root, base, name, is_within):
    assert held(root, permitted=[uri(base)], names=[uri(name)]) is is_within
    assert held(root, excluded=[uri(base)], names=[uri(name)]) is not is_within


@pytest.mark.parametrize(
    "name", ["urn:isbn:1", "https://192.0.2.1/", "https://[2001:db8::1]/", "https://[x/"]
)
def test_a_uri_without_host_name_is_refused_where_uris_are_constrained(root, name):
    assert not held(root, permitted=[uri("example.com")], names=[uri(name)])
    assert not held(root, excluded=[uri("example.com")], names=[uri(name)])
    assert held(root, permitted=[host("example.com")], names=[uri(name)])


# --- addresses and other kinds ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("base", "name", "is_within"),
    [
        ("192.0.2.0/24", "192.0.2.9", True),
        ("192.0.2.0/24", "192.0.3.9", False),
        ("2001:db8::/32", "2001:db8::1", True),
        ("2001:db8::/32", "2001:db9::1", False),
        ("0.0.0.0/0", "2001:db8::1", False),
    ],
)
def test_addresses(root, base, name, is_within):
    assert held(root, permitted=[network(base)], names=[address(name)]) is is_within
    assert held(root, excluded=[network(base)], names=[address(name)]) is not is_within


def test_a_constrained_kind_that_cannot_be_compared_is_refused(root):
    upn = x509.OtherName(x509.ObjectIdentifier("1.3.6.1.4.1.311.20.2.3"), b"\x0c\x01a")
    number = x509.RegisteredID(x509.ObjectIdentifier("2.25.1"))
    for base in (upn, number):
        assert not held(root, permitted=[base], names=[base])
        assert not held(root, excluded=[base], names=[base])
        assert held(root, excluded=[base], names=[host("example.com")])


def test_a_subtree_with_a_minimum_is_malformed(root):
    """GeneralSubtree with minimum 1: the base shortened to make room in the same length."""
    ca = root.ca(permitted=[host("example.com")])
    old, new = b"\x30\x0d\x82\x0bexample.com", b"\x30\x0d\x82\x08examplec\x80\x01\x01"
    answer = verdict(resign(ca.der, old, new, root.key), root)
    assert answer.reason is Reason.CERTIFICATE_MALFORMED


# --- the algebra --------------------------------------------------------------------------------------

LABELS = st.lists(st.sampled_from(["a", "b", "c"]), min_size=1, max_size=4).map(".".join)


@given(st.lists(LABELS, max_size=3), st.lists(LABELS, max_size=3), LABELS)
def test_layers_are_an_intersection_and_exclusions_a_union(first, second, name):
    def below(base):
        return name == base or name.endswith("." + base)

    state = Constraints()
    for layer in (first, second):
        rows = tuple(Named(x509.DNSName, base) for base in layer)
        state.add(Subtrees(rows or None, None))
    expected = all(any(map(below, layer)) for layer in (first, second) if layer)
    try:
        state.verify([Named(x509.DNSName, name)], Budget(Bounds()))
        found = True
    except Refused:
        found = False
    assert found is expected
