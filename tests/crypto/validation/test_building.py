"""Path building (RFC 4158): bridges, cross and link certificates, namesakes, circles; and what it may cost."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inkan.crypto.validation.settings import MAX_KNOWN, MAX_SUPPLIED, Bounds, Material
from inkan.crypto.validation.validator import Validator
from inkan.crypto.validation.verdict import Reason, Status
from support import paths
from support.keyring import ec_key
from support.paths import AT, DAY, P1, P2, Entity, dn, mapping, verdict


@pytest.fixture(scope="module")
def root():
    return Entity("Root")


def subjects(answer):
    return [step.subject.split(",")[0] for step in answer.path]


# --- bridges ------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def bridge():
    """Two domains, A and B, joined by a bridge that maps policies both ways."""
    a, b, hub = Entity("A"), Entity("B"), Entity("Bridge")
    to_hub = a.ca(key=hub.key, name=hub.name, policies=[P1], extra=[(mapping((P1, P1)), True)])
    to_b = hub.ca(key=b.key, name=b.name, policies=[P1], extra=[(mapping((P1, P2)), True)])
    from_b = b.ca(key=hub.key, name=hub.name, policies=[P2], extra=[(mapping((P2, P1)), True)])
    back = hub.ca(key=a.key, name=a.name, policies=[P1])
    issuing = b.ca("B issuing", policies=[P2])
    holder = issuing.holder("B holder", policies=[P2])
    return a, b, hub, [back, from_b, to_b, to_hub, issuing], holder


@pytest.mark.req("JPKI-38", "JPKI-40")
def test_a_path_over_the_bridge(bridge):
    a, _, _, known, holder = bridge
    answer = verdict(holder, a, known=known, policies=frozenset({P1}), explicit_policy=True)
    assert answer.reason is Reason.OK
    assert subjects(answer) == ["CN=B holder", "CN=B issuing", "CN=B", "CN=Bridge", "CN=A"]
    assert answer.policies == (P1,)


@pytest.mark.req("JPKI-38")
def test_the_bridge_itself_may_be_revoked(bridge):
    a, b, hub, known, holder = bridge
    _, _, to_b, to_hub, issuing = known
    clean = [a.crl(), hub.crl(), b.crl(), issuing.crl()]
    assert verdict(holder, a, known=known, crls=clean).reason is Reason.OK
    without_hub = [a.crl(), b.crl(), issuing.crl()]
    assert verdict(holder, a, known=known, crls=without_hub).reason is Reason.REVOCATION_UNKNOWN
    for index, revoking in enumerate((a.crl(to_hub), hub.crl(to_b))):
        crls = [*clean[:index], revoking, *clean[index + 1 :]]
        assert verdict(holder, a, known=known, crls=crls).reason is Reason.REVOKED


def test_the_domain_of_its_own_root_needs_no_bridge(bridge):
    a, b, _, known, holder = bridge
    answer = verdict(holder, a, b, known=known, policies=frozenset({P2}), explicit_policy=True)
    assert subjects(answer) == ["CN=B holder", "CN=B issuing", "CN=B"]


# --- the right one among many -------------------------------------------------------------------------


def test_another_path_is_taken_when_one_does_not_hold(root):
    ca = root.ca("CA")
    ended = root.ca(key=ca.key, name=ca.name, end=AT - DAY)
    plain = root.ca(key=ca.key, name=ca.name, basic=None)
    holder = ca.holder()
    for known in ([ended, plain, ca], [ca, plain, ended]):
        answer = verdict(holder, root, known=known)
        assert answer.reason is Reason.OK
        assert answer.path[1].sha256 == ca.certificate.fingerprint(paths.SHA256()).hex()
    assert verdict(holder, root, known=[ended]).reason is Reason.EXPIRED
    assert verdict(holder, root, known=[plain]).reason is Reason.NOT_AUTHORITY


def test_the_certificate_of_one_path_may_be_revoked_and_the_other_valid(root):
    other = Entity("Other root")
    ca = root.ca("CA")
    cross = other.ca(key=ca.key, name=ca.name)
    holder = ca.holder()
    crls = [root.crl(ca), other.crl(), ca.crl()]
    answer = verdict(holder, root, other, known=[ca, cross], crls=crls)
    assert answer.reason is Reason.OK
    assert subjects(answer)[-1] == "CN=Other root"
    # With evidence missing on the other path, nothing is decided.
    answer = verdict(holder, root, other, known=[ca, cross], crls=[root.crl(ca), ca.crl()])
    assert answer.status is Status.INDETERMINATE
    # A revoked holder is revoked on every path.
    crls = [root.crl(), ca.crl(holder)]
    assert verdict(holder, root, other, known=[cross, ca], crls=crls).reason is Reason.REVOKED


def test_many_keys_of_one_name(root):
    namesakes = [root.ca("Same", key=ec_key(100 + number)) for number in range(40)]
    holder = namesakes[-1].holder()
    answer = verdict(holder, root, known=namesakes)
    assert (answer.reason, answer.signatures) == (Reason.OK, 2)
    unnamed = namesakes[-1].holder(aki=False)
    answer = verdict(unnamed, root, known=namesakes)
    assert answer.reason is Reason.OK
    assert answer.signatures <= 42


def test_a_junk_certificate_beside_is_passed_over(root):
    ca = root.ca()
    answer = verdict(ca.holder(), root, known=[b"junk", ca, ca.der[:-1], b""])
    assert answer.reason is Reason.OK


def test_circles_end(root):
    first, second = Entity("First"), Entity("Second")
    known = [
        first.ca(key=second.key, name=second.name),
        second.ca(key=first.key, name=first.name),
        first,
        second,
    ]
    answer = verdict(first.holder(), root, known=known)
    assert answer.reason is Reason.NO_PATH
    assert answer.signatures < 10


def test_a_path_is_only_so_long(root):
    made = [root.ca("CA 0")]
    for number in range(1, 6):
        made.append(made[-1].ca(f"CA {number}"))
    holder = made[-1].holder()
    assert verdict(holder, root, known=made, bounds=Bounds(path=8)).reason is Reason.OK
    assert verdict(holder, root, known=made, bounds=Bounds(path=7)).reason is Reason.NO_PATH


# --- bounds -------------------------------------------------------------------------------------------


def mesh(size, *, keys=None):
    """Authorities that certified each other all round, of which none leads to a root."""
    nodes = [Entity(f"Node {index}", key=ec_key(200 + index)) for index in range(size)]
    return nodes, [
        issuer.ca(key=subject.key, name=subject.name)
        for issuer in nodes
        for subject in nodes
        if issuer is not subject
    ]


@pytest.fixture(scope="module")
def web():
    return mesh(8)


def test_a_mesh_without_a_root_costs_a_bounded_number_of_operations(root, web):
    nodes, known = web
    answer = verdict(nodes[0].holder(), root, known=known)
    assert answer.reason is Reason.TOO_COMPLEX
    assert answer.status is Status.INDETERMINATE
    assert answer.signatures <= len(known) + 1


def test_a_mesh_whose_paths_all_fail_costs_a_bounded_number_of_candidates(web):
    nodes, known = web
    root = Entity("Root")
    up = [
        root.ca(key=node.key, name=node.name, basic=None if node is nodes[0] else ...)
        for node in nodes
    ]
    holder = nodes[0].holder(policies=None)
    answer = verdict(holder, root, known=[*known[:56], *up], explicit_policy=True)
    assert answer.reason is Reason.TOO_COMPLEX
    assert answer.candidates == Bounds().candidates + 1


def test_forged_namesakes_cost_a_bounded_number_of_signatures(root):
    genuine = [root.ca("Same", key=ec_key(300 + number)) for number in range(64)]
    deep = Entity("Same", key=ec_key(299)).holder(aki=False)
    answer = verdict(deep, root, known=genuine, bounds=Bounds(signatures=32))
    assert (answer.reason, answer.signatures) == (Reason.TOO_COMPLEX, 33)
    assert verdict(deep, root, known=genuine).signatures <= 65


def test_the_deadline_ends_it_whatever_was_counted(root):
    ca = root.ca()
    answer = verdict(ca.holder(), root, known=[ca], bounds=Bounds(deadline_s=0.0))
    assert (answer.reason, answer.detail) == (Reason.TOO_COMPLEX, "the deadline has passed")


@pytest.mark.parametrize(
    "bent",
    [
        {"supplied": [b"x"] * (MAX_SUPPLIED + 1)},
        {"known": [b"x"] * (MAX_KNOWN + 1)},
        {"crls": [b"x"] * 65},
        {"ocsps": [b"x"] * 65},
        {"crls": [bytes(4 * 1024 * 1024)] * 9},
    ],
)
def test_only_so_much_may_lie_at_hand(root, bent):
    answer = Validator().validate(root.holder().der, Material(**bent), paths.settings(root))
    assert answer.reason is Reason.TOO_MANY
    many = paths.settings(*[root] * 65)
    assert Validator().validate(root.der, Material(), many).reason is Reason.TOO_MANY


def test_eight_supplied_certificates_are_enough(root):
    made = [root.ca("CA 0")]
    for number in range(1, MAX_SUPPLIED):
        made.append(made[-1].ca(f"CA {number}"))
    material = Material(supplied=[ca.der for ca in made])
    answer = Validator().validate(made[-1].holder().der, material, paths.settings(root))
    assert answer.reason is Reason.OK


# --- memory -------------------------------------------------------------------------------------------


def test_what_was_verified_is_remembered_and_nothing_else(root):
    ca = root.ca()
    holder, lost = ca.holder(), ca.holder()
    validator, wanted = Validator(), paths.settings(root, evidence=paths.Evidence.CRL)
    first = Material(known=[ca.der], crls=[root.crl(), ca.crl(lost)])
    cold = validator.validate(holder.der, first, wanted)
    warm = validator.validate(holder.der, first, wanted)
    assert (cold.reason, cold.signatures) == (Reason.OK, 4)
    assert (warm.reason, warm.signatures) == (Reason.OK, 0)
    assert validator.validate(lost.der, first, wanted).reason is Reason.REVOKED
    later = Material(known=[ca.der], crls=[root.crl(), ca.crl(holder, number=2)])
    assert validator.validate(holder.der, later, wanted).reason is Reason.REVOKED
    assert validator.validate(holder.der, first, paths.settings(ca)).reason is Reason.OK
    assert (
        validator.validate(holder.der, first, paths.settings(Entity("x"))).reason is Reason.NO_PATH
    )


# --- any small graph ----------------------------------------------------------------------------------


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), max_size=10))
def test_a_path_is_found_exactly_when_the_graph_has_one(edges):
    nodes = [Entity(f"G{index}", key=ec_key(400 + index)) for index in range(5)]
    known = [
        nodes[issuer].ca(key=nodes[subject].key, name=nodes[subject].name)
        for issuer, subject in edges
        if issuer != subject
    ]
    reached, frontier = {0}, [0]
    while frontier:
        here = frontier.pop()
        fresh = {subject for issuer, subject in edges if issuer == here} - reached
        reached |= fresh
        frontier += fresh
    answer = verdict(nodes[4].holder(), nodes[0], known=known)
    assert (answer.reason is Reason.OK) is (4 in reached)


def test_the_name_of_an_anchor_is_compared_like_any_other():
    root = Entity("Root")
    ca = root.ca(issuer_name=dn("  rOOT "))
    assert verdict(ca.holder(), root, known=[ca]).reason is Reason.OK
