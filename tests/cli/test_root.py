"""The root command: it answers at once, says what there is, and refuses in one line."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from cli.conftest import Home
from inkan.cli.root import EXIT_CODES, NOUNS, root
from inkan.kernel.errors import Category

HEAVY = {
    "sqlalchemy", "litestar", "cryptography", "alembic", "uvicorn", "httpx", "jinja2", "structlog", "segno",
    "asn1crypto", "pyhanko", "pkilint", "asyncpg", "msgspec",
}  # fmt: skip
LIST_HEAVY = f"""
import json, sys
from inkan.cli.root import root
root.main(["--help"], standalone_mode=False)
print(json.dumps(sorted({HEAVY!r} & set(sys.modules))))
"""

IMPORT_EACH = f"""
import gc, importlib, os, sys
from importlib.util import find_spec
for library in {sorted(HEAVY)!r}:
    if find_spec(library):
        importlib.import_module(library)
gc.freeze()
for module in sys.argv[1:]:
    if os.fork() == 0:
        importlib.import_module(module)
        os._exit(0)
    if os.wait()[1]:
        print(module)
"""


def commands() -> Iterator[tuple[tuple[str, ...], click.Command]]:
    """Every command, with the words that call it."""
    context = click.Context(root)
    stack = [((name,), root.get_command(context, name)) for name in root.list_commands(context)]
    while stack:
        words, command = stack.pop()
        assert command is not None
        yield words, command
        if isinstance(command, click.Group):
            stack += [((*words, name), each) for name, each in command.commands.items()]


def test_help_lists_every_noun_and_imports_nothing_heavy() -> None:
    done = subprocess.run(
        [sys.executable, "-c", LIST_HEAVY], capture_output=True, text=True, timeout=60, check=True
    )
    *text, imported = done.stdout.splitlines()
    for noun in NOUNS:
        assert any(line.split()[:1] == [noun] for line in text), noun
    assert json.loads(imported) == []


def test_every_noun_can_be_the_first_that_is_imported() -> None:
    """Its process has the libraries and nothing of the product; ``support.commands`` has all of it."""
    modules = sorted({noun.module for noun in NOUNS.values()})
    done = subprocess.run(
        [sys.executable, "-c", IMPORT_EACH, *modules, "inkan.composition.platform"],
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    assert done.stdout == "", done.stderr


@pytest.mark.parametrize(("words", "command"), list(commands()), ids=str)
def test_every_command_has_help_with_an_example(
    words: tuple[str, ...], command: click.Command
) -> None:
    shown = CliRunner().invoke(root, [*words, "--help"])
    assert shown.exit_code == 0, shown.output
    said = " ".join(shown.output.split())
    assert re.search(rf"Example: inkan (--settings \S+ )?{words[0]}", said), said
    for parameter in command.params:
        if isinstance(parameter, click.Option):
            assert parameter.help or parameter.is_eager, parameter.name


def test_the_table_of_nouns_is_what_the_modules_say() -> None:
    context = click.Context(root)
    for name in NOUNS:
        command = root.get_command(context, name)
        assert command is not None
        assert command.help
    assert root.get_command(context, "nothing") is None


def test_every_kind_of_refusal_has_an_exit_code() -> None:
    assert set(EXIT_CODES) == set(Category)
    assert all(code not in {0, 2} for code in EXIT_CODES.values())


def test_a_refusal_is_one_line_with_its_code(home: Home) -> None:
    home.variables["INKAN_SERVER__PROT"] = "1"
    done = home.inkan("config", "check", code=65)
    assert done.stdout == ""
    assert done.stderr.count("\n") == 1
    assert done.stderr.startswith("inkan: ")
    assert done.stderr.endswith("[settings_wrong]\n")


@pytest.mark.parametrize(
    "arguments",
    [["nothing"], ["ca", "nothing"], ["ca", "show"], ["verify", "receipt", "none"], ["--nothing"]],
)
def test_a_call_that_nobody_understands_ends_with_2(home: Home, arguments: list[str]) -> None:
    done = home.inkan(*arguments, code=2)
    assert "Usage:" in done.stderr
    assert done.stdout == ""


def test_the_version_is_said(home: Home) -> None:
    assert home.inkan("--version").stdout.startswith("inkan, version ")


def test_a_settings_file_is_read(home: Home, tmp_path: Path) -> None:
    path = tmp_path / "inkan.toml"
    path.write_text("[server]\nport = 9123\n", encoding="utf-8")
    shown = home.inkan("--settings", str(path), "config", "show").stdout
    assert "server.port = 9123\n" in shown
    home.variables["INKAN_SETTINGS"] = str(path)
    assert "server.port = 9123\n" in home.inkan("config", "show").stdout


def test_settings_are_shown_without_secrets(home: Home) -> None:
    home.variables["INKAN_KEYS__PASSPHRASE"] = "s3cr3t"
    home.variables["INKAN_DATABASE__URL"] = "postgresql://inkan:s3cr3t@db/inkan"
    assert home.inkan("config", "check").stdout == "The settings are usable.\n"
    assert "s3cr3t" not in home.inkan("config", "show").stdout
    assert not home.folder.exists(), "looking at settings makes nothing"


def test_settings_that_no_production_can_run_on_are_refused(home: Home) -> None:
    home.variables["INKAN_ENVIRONMENT"] = "production"
    assert "[settings_wrong]" in home.inkan("config", "check", code=65).stderr
