"""Certificate policies: sets, explicit policy, mapping, anyPolicy (PKITS 4.8 to 4.12), and the graph's size."""

import pytest
from cryptography import x509

from inkan.crypto.validation.budget import Budget
from inkan.crypto.validation.policies import PolicyState
from inkan.crypto.validation.settings import Bounds
from inkan.crypto.validation.verdict import Reason
from support.paths import ANY, P1, P2, P3, P4, Entity, mapping, settings, verdict


@pytest.fixture(scope="module")
def root():
    return Entity("Root")


def build(root, *steps, holder):
    """A chain: each step the keywords of an authority's certificate; then the holder's."""
    made, issuer = [], root
    for index, step in enumerate(steps):
        fields = dict(step)
        if fields.pop("self_issued", False):
            fields["name"] = issuer.name
        issuer = issuer.ca(f"CA {index}", **fields)
        made.append(issuer)
    return issuer.holder(**holder), made


def ask(root, steps, holder, wanted=(ANY,), explicit=True, **bent):
    leaf, made = build(root, *steps, holder=holder)
    return verdict(
        leaf,
        root,
        known=made,
        policies=frozenset(wanted),
        explicit_policy=explicit,
        **bent,
    )


def has(*policies):
    return {"policies": policies}


def maps(policies, *pairs, critical=True):
    return {"policies": policies, "extra": [(mapping(*pairs), critical)]}


# --- 4.8 certificate policies -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("steps", "holder", "wanted", "held"),
    [
        ([has(P1)], has(P1), (ANY,), {P1}),
        ([has(P1)], has(P1), (P1,), {P1}),
        ([has(P1)], has(P1), (P2,), None),
        ([has(P1)], has(P1), (P1, P2), {P1}),
        ([has()], has(), (ANY,), None),
        ([has(P1)], has(), (ANY,), None),
        ([has(P1)], has(P2), (ANY,), None),
        ([has(P1, P2), has(P1)], has(P1), (ANY,), {P1}),
        ([has(P1, P2), has(P1)], has(P2), (ANY,), None),
        ([has(P1, P2, P3)], has(P1, P2), (ANY,), {P1, P2}),
        ([has(ANY)], has(P1), (P1,), {P1}),
        ([has(ANY)], has(ANY), (P1,), {P1}),
        ([has(ANY)], has(ANY), (ANY,), {ANY}),
        ([has(P1)], has(ANY), (P1,), {P1}),
        ([has(P1)], has(ANY), (P2,), None),
        ([has(P1, ANY)], has(P2), (P2,), {P2}),
        ([has(P1), has(ANY), has(P1)], has(P1), (P1,), {P1}),
    ],
)
def test_policies(root, steps, holder, wanted, held):
    answer = ask(root, steps, holder, wanted)
    assert answer.reason is (Reason.POLICY if held is None else Reason.OK)
    assert set(answer.policies) == (held or set())
    # Without the demand for one the path is valid, whatever its policies are.
    assert ask(root, steps, holder, wanted, explicit=False).reason is Reason.OK


# --- 4.9 requireExplicitPolicy ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("steps", "holder", "reason"),
    [
        ([{"limits": (10, None)}, has(), has()], has(), Reason.OK),
        ([{"limits": (5, None)}, has(), has()], has(), Reason.OK),
        ([{"limits": (4, None)}, has(P1)], has(P1), Reason.OK),
        ([{"limits": (0, None)}, has(P1)], has(), Reason.POLICY),
        ([{"limits": (1, None)}, has()], has(), Reason.POLICY),
        (
            [{"limits": (7, None)}, {"limits": (2, None)}, {"limits": (4, None)}, has()],
            has(),
            Reason.POLICY,
        ),
        # Self-issued certificates do not count.
        ([{"limits": (2, None)}, has() | {"self_issued": True}], has(), Reason.OK),
        (
            [{"limits": (2, None)}, has() | {"self_issued": True}, has(), has()],
            has(),
            Reason.POLICY,
        ),
        ([has()], has() | {"limits": (0, None)}, Reason.POLICY),
        ([has()], has() | {"limits": (1, None)}, Reason.OK),
    ],
)
def test_require_explicit_policy(root, steps, holder, reason):
    assert ask(root, steps, holder, explicit=False).reason is reason


# --- 4.10 and 4.11 mapping ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("steps", "holder", "wanted", "reason"),
    [
        ([maps([P1], (P1, P2))], has(P2), (P1,), Reason.OK),
        ([maps([P1], (P1, P2))], has(P2), (P2,), Reason.POLICY),
        ([maps([P1], (P1, P2))], has(P1), (P1,), Reason.POLICY),
        ([maps([P1], (P1, P2)), maps([P2], (P2, P3))], has(P3), (P1,), Reason.OK),
        ([maps([P1], (P1, P2)), maps([P2], (P2, P3))], has(P2), (P1,), Reason.POLICY),
        ([maps([P1, P2], (P1, P3), (P2, P4))], has(P3), (P1,), Reason.OK),
        ([maps([P1, P2], (P1, P3), (P2, P4))], has(P3), (P2,), Reason.POLICY),
        ([maps([P1], (P1, P2), (P1, P3))], has(P3), (P1,), Reason.OK),
        ([maps([P1, P2], (P1, P3), (P2, P3))], has(P3), (P2,), Reason.OK),
        ([maps([ANY], (P1, P2))], has(P2), (P1,), Reason.OK),
        ([maps([ANY], (P1, P2))], has(P2), (P3,), Reason.POLICY),
        ([has(P1), maps([ANY], (P1, P2))], has(P2), (P1,), Reason.OK),
        ([maps([P1], (ANY, P1))], has(P1), (ANY,), Reason.POLICY_MAPPING),
        ([maps([P1], (P1, ANY))], has(P1), (ANY,), Reason.POLICY_MAPPING),
        ([maps([P1], (P1, P2), critical=False)], has(P2), (P1,), Reason.OK),
    ],
)
def test_mapping(root, steps, holder, wanted, reason):
    assert ask(root, steps, holder, wanted).reason is reason


@pytest.mark.parametrize(
    ("steps", "holder", "reason"),
    [
        ([{"limits": (0, 0)}, maps([P1], (P1, P2))], has(P2), Reason.POLICY),
        ([{"limits": (None, 1)}, maps([P1], (P1, P2))], has(P2), Reason.OK),
        ([{"limits": (None, 1)}, maps([P1], (P1, P2)), maps([P2], (P2, P3))], has(P3), Reason.POLICY),
        ([{"limits": (None, 5)}, maps([P1], (P1, P2)), {"policies": [P2], "limits": (None, 0)}], has(P2), Reason.OK),
        # Self-issued certificates do not count.
        ([{"limits": (None, 1)}, {"self_issued": True}, maps([P1], (P1, P2))], has(P2), Reason.OK),
        ([{"limits": (None, 1)}, {"self_issued": True}, maps([P1], (P1, P2)), maps([P2], (P2, P3))], has(P3), Reason.POLICY),
    ],
)  # fmt: skip
def test_inhibit_mapping(root, steps, holder, reason):
    assert ask(root, steps, holder).reason is reason


def test_mapping_may_be_inhibited_from_the_start(root):
    steps = [maps([P1], (P1, P2))]
    assert ask(root, steps, has(P2), (P1,)).reason is Reason.OK
    assert ask(root, steps, has(P2), (P1,), inhibit_mapping=True).reason is Reason.POLICY


@pytest.mark.req("JPKI-40")
def test_bridge_paths_may_be_refused(root):
    steps = [maps([P1], (P1, P2))]
    assert ask(root, steps, has(P2), (P1,)).policies == (P1,)
    assert ask(root, steps, has(P2), (P1,), bridge=False).reason is Reason.BRIDGE


# --- 4.12 inhibitAnyPolicy ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("steps", "holder", "reason"),
    [
        ([has(P1) | {"inhibit_any": 0}], has(ANY), Reason.POLICY),
        ([has(P1) | {"inhibit_any": 0}], has(P1, ANY), Reason.OK),
        ([has(P1) | {"inhibit_any": 1}, has(ANY)], has(P1), Reason.OK),
        ([has(P1) | {"inhibit_any": 1}, has(ANY)], has(ANY), Reason.POLICY),
        ([has(P1) | {"inhibit_any": 5}, has(P1) | {"inhibit_any": 1}, has(ANY)], has(ANY), Reason.POLICY),
        # A self-issued authority may use it all the same, a self-issued last certificate may not.
        ([has(P1) | {"inhibit_any": 0}, has(ANY) | {"self_issued": True}], has(P1), Reason.OK),
        ([has(P1) | {"inhibit_any": 1}, has(ANY) | {"self_issued": True}], has(ANY), Reason.OK),
    ],
)  # fmt: skip
def test_inhibit_any_policy(root, steps, holder, reason):
    assert ask(root, steps, holder).reason is reason


def test_any_policy_may_be_inhibited_from_the_start(root):
    assert ask(root, [has(P1)], has(ANY)).reason is Reason.OK
    assert ask(root, [has(P1)], has(ANY), inhibit_any=True).reason is Reason.POLICY
    last = root.ca("Last", policies=[ANY], name=root.name)
    assert verdict(last, root, explicit_policy=True, inhibit_any=True).reason is Reason.POLICY


# --- size ---------------------------------------------------------------------------------------------


class Crossing:
    """A certificate that maps each of 20 policies to all of the next 20: a tree of it grows twentyfold a step."""

    is_self_issued = False
    require_explicit_policy = inhibit_mapping = inhibit_any = None

    def __init__(self, depth: int) -> None:
        own, below = ([f"2.25.{depth + step}.{row}" for row in range(20)] for step in (0, 1))
        self.policies = frozenset(own)
        self.mappings = tuple((upper, lower) for upper in own for lower in below)


def test_mappings_that_multiply_stay_within_the_graph():
    bounds = Bounds(comparisons=20_000)
    state = PolicyState(settings(explicit_policy=True), 14, Budget(bounds))
    for depth in range(14):
        certificate = Crossing(depth)
        state.process(certificate, is_final=depth == 13)
        if depth < 13:
            state.prepare(certificate)
    assert len(state.wrap_up(certificate)) == 20


def test_an_empty_list_of_mappings_is_malformed(root):
    empty = x509.UnrecognizedExtension(x509.ObjectIdentifier("2.5.29.33"), b"\x30\x00")
    ca = root.ca(extra=[(empty, True)])
    assert verdict(ca, root).reason is Reason.CERTIFICATE_MALFORMED
    assert verdict(ca.holder(), root, known=[ca]).reason is Reason.NO_PATH
