"""Certificate policies along a path: RFC 5280 §6.1 with the policy graph of RFC 9618.

The tree of RFC 5280 can grow exponentially with mappings; the graph holds each policy once for each depth, gives the
same answer and is at most policies × depth large.
"""

from collections.abc import Iterable
from typing import Final

from inkan.crypto import oids
from inkan.crypto.validation.budget import Budget
from inkan.crypto.validation.certificate import PathCertificate
from inkan.crypto.validation.settings import Settings
from inkan.crypto.validation.verdict import Reason, Refused

ANY: Final = oids.ANY_POLICY


class _Node:
    """A valid policy at one depth."""

    __slots__ = ("expected", "parents")

    def __init__(self, expected: Iterable[str], parents: Iterable[str]) -> None:
        self.expected = set(expected)
        self.parents = set(parents)


class PolicyState:
    """The policy variables of RFC 5280 §6.1.2 for a path of ``length`` certificates below the anchor."""

    def __init__(self, settings: Settings, length: int, budget: Budget) -> None:
        self._initial = settings.policies
        self._budget = budget
        self._explicit = 0 if settings.explicit_policy else length + 1
        self._mapping = 0 if settings.inhibit_mapping else length + 1
        self._any = 0 if settings.inhibit_any else length + 1
        # One row for each depth: valid policy → node. None is the NULL tree.
        self._graph: list[dict[str, _Node]] | None = [{ANY: _Node({ANY}, ())}]

    def process(self, certificate: PathCertificate, *, is_final: bool) -> None:
        """§6.1.3 (d), (e), (f).

        Raises:
            Refused: an explicit policy is demanded and none is left.
        """
        if certificate.policies is None:
            self._graph = None
        elif self._graph is not None:
            self._grow(certificate, certificate.policies, is_final=is_final)
        if self._explicit == 0 and self._graph is None:
            raise Refused(Reason.POLICY, "no policy holds for the path")

    def prepare(self, certificate: PathCertificate) -> None:
        """§6.1.4 (a), (b), (h), (i), (j).

        Raises:
            Refused: anyPolicy is mapped.
        """
        if any(ANY in pair for pair in certificate.mappings):
            raise Refused(Reason.POLICY_MAPPING, "anyPolicy is mapped")
        if certificate.mappings and self._graph is not None:
            self._map(certificate.mappings)
        if not certificate.is_self_issued:
            self._explicit = max(self._explicit - 1, 0)
            self._mapping = max(self._mapping - 1, 0)
            self._any = max(self._any - 1, 0)
        self._explicit = _least(self._explicit, certificate.require_explicit_policy)
        self._mapping = _least(self._mapping, certificate.inhibit_mapping)
        self._any = _least(self._any, certificate.inhibit_any)

    def wrap_up(self, certificate: PathCertificate) -> frozenset[str]:
        """§6.1.5 (a), (b), (g): the user-constrained-policy-set.

        Raises:
            Refused: an explicit policy is demanded and none of the demanded ones holds.
        """
        self._explicit = max(self._explicit - 1, 0)
        if certificate.require_explicit_policy == 0:
            self._explicit = 0
        held = self._user_constrained()
        if self._explicit == 0 and not held:
            raise Refused(Reason.POLICY, "none of the demanded policies holds")
        return held

    def _grow(
        self, certificate: PathCertificate, policies: frozenset[str], *, is_final: bool
    ) -> None:
        graph = self._graph or []
        above = graph[-1]
        by_expected: dict[str, set[str]] = {}
        for valid, node in above.items():
            self._budget.compare(len(node.expected))
            for expected in node.expected:
                by_expected.setdefault(expected, set()).add(valid)
        level: dict[str, _Node] = {}
        for policy in sorted(policies - {ANY}):  # (d) (1)
            parents = by_expected.get(policy) or ({ANY} if ANY in above else set())
            if parents:
                level[policy] = _Node({policy}, parents)
        admits_any = self._any > 0 or (not is_final and certificate.is_self_issued)
        if ANY in policies and admits_any:  # (d) (2)
            for policy, parents in by_expected.items():
                if policy not in level:
                    level[policy] = _Node({policy}, parents)
        graph.append(level)
        self._prune()  # (d) (3)

    def _map(self, mappings: tuple[tuple[str, str], ...]) -> None:
        graph = self._graph or []
        level = graph[-1]
        targets: dict[str, set[str]] = {}
        for issuer, subject in mappings:
            self._budget.compare()
            targets.setdefault(issuer, set()).add(subject)
        for policy, subjects in targets.items():
            if self._mapping == 0:
                level.pop(policy, None)
            elif policy in level:
                level[policy].expected = subjects
            elif ANY in level:
                level[policy] = _Node(subjects, {ANY})
        self._prune()

    def _prune(self) -> None:
        """Drop nodes without children, from the bottom; an empty graph is NULL."""
        graph = self._graph or []
        for depth in range(len(graph) - 1, 0, -1):
            alive = set[str]().union(*(node.parents for node in graph[depth].values()))
            above = graph[depth - 1]
            self._budget.compare(len(above))
            graph[depth - 1] = {valid: node for valid, node in above.items() if valid in alive}
        if not graph[0]:
            self._graph = None

    def _user_constrained(self) -> frozenset[str]:
        graph = self._graph
        if graph is None:
            return frozenset()
        # The policies of the anchor's domain: those whose parent is anyPolicy.
        found = {
            valid
            for level in graph[1:]
            for valid, node in level.items()
            if valid != ANY and ANY in node.parents
        }
        has_any = ANY in graph[-1]
        if ANY in self._initial:
            return frozenset(found | ({ANY} if has_any else set()))
        return self._initial if has_any else frozenset(found) & self._initial


def _least(value: int, limit: int | None) -> int:
    return value if limit is None else min(value, limit)
