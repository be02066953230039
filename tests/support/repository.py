"""The repository as data: its files, and every module and error of the package."""

import ast
import importlib
import inspect
import pkgutil
import shutil
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

import inkan
from inkan.kernel.errors import InkanError

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src" / "inkan"
# Alembic runs these with a context of its own; they are not imported by name.
NOT_IMPORTED = ("migrations", "__main__")
UNTRACKED = {".git", ".venv", "build", "dist"}


@cache
def files() -> tuple[Path, ...]:
    """The files under version control, and those that would be with the next commit."""
    if (ROOT / ".git").exists() and shutil.which("git"):
        command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
        listed = subprocess.run(command, cwd=ROOT, check=True, capture_output=True).stdout
        found = [ROOT / name.decode() for name in listed.split(b"\0") if name]
    else:
        found = [path for path in ROOT.rglob("*") if not _ignored(path)]
    return tuple(sorted(path for path in found if path.is_file()))


def _ignored(path: Path) -> bool:
    parts = path.relative_to(ROOT).parts
    caches = any(part == "__pycache__" or part.endswith("_cache") for part in parts)
    return caches or "node_modules" in parts or bool(UNTRACKED.intersection(parts[:1]))


@cache
def text(path: Path) -> str | None:
    """The text of a file; None when it is not text."""
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        return None


@cache
def modules() -> tuple[ModuleType, ...]:
    """Every module of the package, imported."""
    return tuple(importlib.import_module(name) for name in sorted(_module_names()))


def _module_names() -> Iterator[str]:
    yield "inkan"
    for found in pkgutil.walk_packages(inkan.__path__, "inkan.", onerror=_raise):
        if not set(NOT_IMPORTED).intersection(found.name.split(".")):
            yield found.name


def values() -> Iterator[tuple[str, Any]]:
    """Every value that a module assigns at its top level, under the module's name and its own."""
    for module in modules():
        for name in _assigned(ast.parse(inspect.getsource(module) or "")):
            if hasattr(module, name):
                yield f"{module.__name__}.{name}", getattr(module, name)


def _assigned(tree: ast.Module) -> Iterator[str]:
    for statement in tree.body:
        targets = statement.targets if isinstance(statement, ast.Assign) else []
        if isinstance(statement, ast.AnnAssign):
            targets = [statement.target]
        yield from (target.id for target in targets if isinstance(target, ast.Name))


def _raise(name: str) -> None:
    raise ImportError(f"{name} cannot be imported")


def errors() -> list[type[InkanError]]:
    """Every error class that the package defines, by code; a node that only groups its leaves has no code of its own."""
    modules()
    found: set[type[InkanError]] = set()
    stack: list[type[InkanError]] = [InkanError]
    while stack:
        error = stack.pop()
        if error not in found:
            found.add(error)
            stack.extend(error.__subclasses__())
    own = (
        error
        for error in found
        if error.__module__.partition(".")[0] == "inkan" and not _only_groups(error)
    )
    return sorted(own, key=lambda error: (error.code, error.__qualname__))


def _only_groups(error: type[InkanError]) -> bool:
    return "code" not in vars(error) and bool(error.__subclasses__())


def package_of(error: type[InkanError]) -> str:
    """The package under ``inkan`` that defines it."""
    return error.__module__.split(".")[1]
