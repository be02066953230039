"""The files of the repository: readable in one sitting, and free of the machine they were written on."""

import ast
import re
from pathlib import Path

import pytest

from support import repository
from support.repository import ROOT

LINES = 400
# Longer files, each with the reason why it reads better in one piece.
LONG: dict[str, str] = {}
PROGRAMS = {".py", ".js", ".mjs", ".css", ".html", ".sh"}

# Written so that this file does not match itself.
MACHINE = {
    "a folder of one machine": re.compile(
        r"/wor[k]/|/hom[e]/[a-z]|/roo[t]/|/opt/(pypi|wheel)|\.pyen[v]"
    ),
    "a package index": re.compile(r"//pyp[i]|pypi\.or[g]|pythonhoste[d]|--(extra-)?index-ur[l]"),
}
OPEN_END = re.compile(r"\b(TOD[O]|FIXM[E]|XX[X])\b(?!\(#[0-9]+\))")
DRAWERS = {"utils", "util", "helpers", "helper", "common", "misc", "manager", "managers"}


def relative(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def texts() -> list[tuple[str, str]]:
    found = ((relative(path), repository.text(path)) for path in repository.files())
    return [(name, text) for name, text in found if text is not None]


def test_no_file_is_too_long() -> None:
    counts = {
        name: text.count("\n")
        for name, text in texts()
        if Path(name).suffix in PROGRAMS and text.count("\n") > LINES
    }
    assert {name: count for name, count in counts.items() if name not in LONG} == {}
    assert set(LONG) <= set(counts), "no longer long: take it off the list"


@pytest.mark.parametrize("what", MACHINE)
def test_no_file_names_a_machine_or_an_index(what: str) -> None:
    hits = [
        f"{name}:{number}: {line.strip()[:80]}"
        for name, text in texts()
        for number, line in enumerate(text.splitlines(), start=1)
        if MACHINE[what].search(line)
    ]
    assert hits == []


def test_an_open_end_carries_an_issue_number() -> None:
    hits = [f"{name}: {found[0]}" for name, text in texts() if (found := OPEN_END.search(text))]
    assert hits == []


def test_there_is_no_drawer() -> None:
    packages = [path for path in repository.files() if path.is_relative_to(repository.SOURCE)]
    assert [relative(p) for p in packages if p.suffix == ".py" and p.stem in DRAWERS] == []


def test_every_module_says_what_it_is() -> None:
    silent = [
        relative(path)
        for path in repository.files()
        if path.suffix == ".py"
        and ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) is None
    ]
    assert silent == []


def test_no_type_checking_imports() -> None:
    # Imports that only the type checker sees would be hidden from whoever runs the program.
    hits = [name for name, text in texts() if name.startswith("src/") and "TYPE_CHECKING" in text]
    assert hits == []


def test_an_entrance_lists_what_it_exports() -> None:
    import configparser

    parser = configparser.ConfigParser()
    parser.read(ROOT / ".importlinter", encoding="utf-8")
    features = parser["importlinter:contract:entrances"]["features"].split()
    assert features == parser["importlinter:contract:rooms"]["containers"].split()
    for module in repository.modules():
        if module.__name__ in features:
            exported = getattr(module, "__all__", None)
            assert exported, f"{module.__name__} has no __all__"
            assert [name for name in exported if not hasattr(module, name)] == []


@pytest.mark.parametrize(
    ("pattern", "line"),
    [
        (MACHINE["a folder of one machine"], "see /home" + "/alice/key"),
        (MACHINE["a package index"], "https:/" + "/pypi.example/simple"),
        (OPEN_END, "# TOD" + "O later"),
    ],
)
def test_the_patterns_find_what_they_are_for(pattern: re.Pattern[str], line: str) -> None:
    assert pattern.search(line)
    assert not OPEN_END.search("TOD" + "O(#12): after the ceremony")
