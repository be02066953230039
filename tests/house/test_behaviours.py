"""The behaviour table of the OpenID provider and the tests that prove it: one row, one test, both ways.

Read from the sources, so that nothing needs to be collected or run: a row whose test is gone, skipped or twice there
fails here, whatever part of the suite runs.
"""

import ast
import re
import tomllib
from collections import Counter
from collections.abc import Iterator
from functools import cache
from typing import NamedTuple

from support.repository import ROOT

TABLE = ROOT / "tests" / "federation" / "behaviours.toml"
TESTS = "test_*.py"
PARTS = (
    *("OIDC", "PAR", "JAR", "JARM", "TOK", "UI", "INT", "REV", "KEY", "AUTH", "DPOP", "MTLS"),
    *("CIBA", "DEV", "CLM", "IDA", "RAR", "STEP", "OUT", "SSF"),
)
ID = re.compile(rf"({'|'.join(PARTS)})-[1-9][0-9]*")
MEMBERS = {"id", "section", "says"}
MARKER = "behaviour"
NOT_RUN = {"skip", "skipif", "xfail"}


class Binding(NamedTuple):
    """A mark in the source: where it stands, and the rows that it names."""

    where: str
    rows: list[object]


def rows() -> list[dict[str, str]]:
    return tomllib.loads(TABLE.read_text(encoding="utf-8")).get("row", [])


def is_marker(node: ast.AST) -> bool:
    """Whether a node is ``pytest.mark.behaviour``."""
    return (
        isinstance(node, ast.Attribute)
        and node.attr == MARKER
        and isinstance(node.value, ast.Attribute)
        and node.value.attr == "mark"
    )


def aliases(tree: ast.Module) -> set[str]:
    """The names that a module gives the marker."""
    return {
        target.id
        for node in tree.body
        if isinstance(node, ast.Assign) and is_marker(node.value)
        for target in node.targets
        if isinstance(target, ast.Name)
    }


def marks(tree: ast.AST, known: set[str]) -> list[ast.Call]:
    """Each use of the marker: as a decorator, or among the marks of a parameter."""
    return [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and (is_marker(node.func) or (isinstance(node.func, ast.Name) and node.func.id in known))
    ]


class Source(NamedTuple):
    """A file of black-box tests."""

    name: str
    tree: ast.Module

    @property
    def marks(self) -> list[ast.Call]:
        return marks(self.tree, aliases(self.tree))

    def rows_of(self, mark: ast.Call) -> list[list[object]]:
        """What a mark names; one inside of ``for id_, … in TABLE.items()`` names each key of that table in turn."""
        if [type(each) for each in mark.args] != [ast.Name]:
            return [[getattr(each, "value", None) for each in mark.args]]
        tables = [table for table in self._tables_around(mark) if isinstance(table, ast.Dict)]
        keys = [getattr(key, "value", None) for table in tables for key in table.keys]
        return [[key] for key in keys] or [[None]]

    def _tables_around(self, mark: ast.Call) -> Iterator[ast.expr]:
        named = {
            target.id: node.value
            for node in self.tree.body
            if isinstance(node, ast.Assign | ast.AnnAssign) and node.value is not None
            for target in (node.targets if isinstance(node, ast.Assign) else [node.target])
            if isinstance(target, ast.Name)
        }
        for node in ast.walk(self.tree):
            if isinstance(node, ast.ListComp) and mark in ast.walk(node):
                for loop in node.generators:
                    names = [each.id for each in ast.walk(loop.iter) if isinstance(each, ast.Name)]
                    yield from (named[name] for name in names if name in named)

    def functions(self) -> Iterator[tuple[str, list[ast.expr], list[ast.Call]]]:
        """Each test: where it is, its decorators, and the marks among them."""
        for node in ast.walk(self.tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                known, decorators = aliases(self.tree), node.decorator_list
                found = [mark for each in decorators for mark in marks(each, known)]
                yield f"{self.name}::{node.name}", decorators, found


@cache
def sources() -> list[Source]:
    return [
        Source(path.name, ast.parse(path.read_text(encoding="utf-8")))
        for path in sorted(TABLE.parent.glob(TESTS))
    ]


def bindings() -> list[Binding]:
    return [
        Binding(f"{source.name}:{mark.lineno}", named)
        for source in sources()
        for mark in source.marks
        for named in source.rows_of(mark)
    ]


def test_every_row_is_whole() -> None:
    for row in rows():
        assert set(row) == MEMBERS, row
        assert ID.fullmatch(row["id"]), row["id"]
        assert row["section"].strip(), f"{row['id']}: the standard that asks for it"
        assert 20 <= len(row["says"]) <= 240, row["id"]


def test_no_row_stands_twice() -> None:
    for members in (("id",), ("section", "says")):
        counted = Counter(tuple(row[member] for member in members) for row in rows())
        assert [value for value, count in counted.items() if count > 1] == []


def test_every_row_has_exactly_one_test() -> None:
    named = Counter(row for binding in bindings() for row in binding.rows)
    wrong = {row["id"]: named[row["id"]] for row in rows() if named[row["id"]] != 1}
    assert wrong == {}


def test_every_mark_names_exactly_one_row() -> None:
    known = {row["id"] for row in rows()}
    strange = [each for each in bindings() if len(each.rows) != 1 or each.rows[0] not in known]
    assert strange == []


def test_no_test_proves_two_rows_at_once() -> None:
    """A table of parameters may prove a row with each of them; one body that proves two hides which one broke."""
    crowded = [
        name
        for source in sources()
        for name, decorators, found in source.functions()
        if len(found) > 1 and any(mark in decorators for mark in found)
    ]
    assert crowded == []


def test_no_proof_is_left_out_of_the_run() -> None:
    idle = [
        name
        for source in sources()
        for name, decorators, found in source.functions()
        if found
        and any(
            isinstance(node, ast.Attribute) and node.attr in NOT_RUN
            for each in decorators
            for node in ast.walk(each)
        )
    ]
    assert idle == []


def test_marks_stand_in_black_box_tests_alone() -> None:
    others = (
        path
        for path in sorted((ROOT / "tests").rglob("*.py"))
        if not (path.parent == TABLE.parent and path.match(TESTS))
    )
    texts = ((path, path.read_text(encoding="utf-8")) for path in others)
    elsewhere = [
        path.name
        for path, text in texts
        if "mark.behaviour" in text and any(is_marker(node) for node in ast.walk(ast.parse(text)))
    ]
    assert elsewhere == []
