"""Time, randomness and outgoing HTTP have one source each: the linter catches every way around it."""

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from support.repository import ROOT

RUFF = Path(sys.executable).with_name("ruff")
RULES = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["ruff"]["lint"]
BANNED = RULES["flake8-tidy-imports"]["banned-api"]


def lint(source: str, file: str = "src/inkan/people/service.py") -> str:
    """What ruff says about ``source`` if it stood in ``file``."""
    command = [
        str(RUFF),
        "check",
        "--no-cache",
        "--output-format",
        "concise",
        "--stdin-filename",
        file,
        "-",
    ]
    ran = subprocess.run(
        command, cwd=ROOT, input=source, capture_output=True, text=True, timeout=60, check=False
    )
    assert ran.returncode in {0, 1}, ran.stderr
    return ran.stdout


@pytest.mark.parametrize("name", BANNED)
def test_a_banned_name_is_caught(name: str) -> None:
    package, _, leaf = name.partition(".")
    by_module = f"import {package}\n\nprint({name})\n" if leaf else f"import {package}\n"
    assert "TID251" in lint(by_module)
    if leaf:
        assert "TID251" in lint(
            f"from {package} import {leaf.partition('.')[0]}\n\nprint({leaf})\n"
        )


@pytest.mark.parametrize("file", ["src/inkan/kernel/clock.py", "src/inkan/kernel/ids.py"])
def test_the_one_source_may(file: str) -> None:
    assert "TID251" not in lint("import secrets\n", file)


@pytest.mark.parametrize(
    ("source", "rule"),
    [
        ("from . import model\n", "TID252"),
        ("from datetime import datetime\n\nprint(datetime(2026, 1, 1))\n", "DTZ001"),
        ("def keep(value: str, sealed: bool) -> None: ...\n", "FBT001"),
        ("try:\n    pass\nexcept Exception:\n    pass\n", "BLE001"),
        (
            'def find(db, name):\n    return db.run(f"SELECT 1 FROM people WHERE name = {name}")\n',
            "S608",
        ),
        ('print("hello")\n', "T201"),
    ],
)
def test_a_house_rule_is_a_rule_of_the_linter(source: str, rule: str) -> None:
    assert rule in lint(source)


def test_every_rule_left_out_has_its_reason() -> None:
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    lines = text[text.index("ignore = [") : text.index("]\nallowed-confusables")].splitlines()[1:]
    assert [line for line in lines if "#" not in line] == []
