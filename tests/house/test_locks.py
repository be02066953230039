"""The locks: every requirement pinned and hashed, nothing that names where it came from."""

import json
import re
import tomllib
from typing import NamedTuple

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from support.repository import ROOT

LOCKS = ("requirements.lock", "requirements-dev.lock")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
HASH = re.compile(r"--hash=sha256:[0-9a-f]{64}")


class Pin(NamedTuple):
    requirement: Requirement
    hashes: list[str]

    @property
    def name(self) -> str:
        return canonicalize_name(self.requirement.name)

    @property
    def version(self) -> str:
        (specifier,) = self.requirement.specifier
        assert specifier.operator == "=="
        return specifier.version


def pins(lock: str) -> list[Pin]:
    """The requirements of a lock, with the lines that a backslash continues joined."""
    text = (ROOT / lock).read_text(encoding="utf-8").replace("\\\n", " ")
    lines = (line.strip() for line in text.splitlines())
    return [_pin(line) for line in lines if line and not line.startswith("#")]


def _pin(line: str) -> Pin:
    requirement, *options = re.split(r"\s+(?=--)", line)
    return Pin(Requirement(requirement), options)


def wanted(groups: list[str]) -> list[Requirement]:
    project = PROJECT["project"]
    named = [*project["dependencies"], *project["optional-dependencies"]["postgresql"]]
    for group in groups:
        named += PROJECT["dependency-groups"][group]
    return [Requirement(text) for text in named]


@pytest.mark.parametrize("lock", LOCKS)
def test_every_requirement_is_pinned_and_hashed(lock: str) -> None:
    found = pins(lock)
    assert len(found) > 20
    for pin in found:
        assert pin.version
        assert pin.hashes, pin.name
        assert all(HASH.fullmatch(option) for option in pin.hashes), pin.name


@pytest.mark.parametrize("lock", LOCKS)
def test_no_lock_names_an_address_or_a_path(lock: str) -> None:
    text = (ROOT / lock).read_text(encoding="utf-8")
    assert re.findall(r"\w+://\S*|@ \S+|^\s*-[-\w]* .*|^\s*[./]\S*", text, re.MULTILINE) == []
    assert all(pin.requirement.url is None for pin in pins(lock))


@pytest.mark.parametrize(("lock", "groups"), [(LOCKS[0], ["build"]), (LOCKS[1], ["build", "dev"])])
def test_the_lock_satisfies_the_project(lock: str, groups: list[str]) -> None:
    locked = {pin.name: pin.version for pin in pins(lock)}
    for requirement in wanted(groups):
        name = canonicalize_name(requirement.name)
        assert name in locked, f"{name}: run make lock"
        assert requirement.specifier.contains(locked[name]), f"{name}: run make lock"


def test_both_locks_agree() -> None:
    product = {pin.name: pin.version for pin in pins(LOCKS[0])}
    tests = {pin.name: pin.version for pin in pins(LOCKS[1])}
    assert {name: tests.get(name) for name in product} == product


# --- the packages of npm ------------------------------------------------------------------------------


@pytest.mark.parametrize("place", ["wallet", "tests/js"])
def test_the_packages_of_npm_are_pinned_and_hashed_and_name_no_place(place: str) -> None:
    """npm's lock may hold the address of every archive; ours holds hashes alone, so any registry will do."""
    folder = ROOT / place
    wanted_packages = json.loads((folder / "package.json").read_text("utf-8"))["devDependencies"]
    lock = json.loads((folder / "package-lock.json").read_text("utf-8"))
    locked = {name: entry for name, entry in lock["packages"].items() if name}
    assert len(locked) > len(wanted_packages) > 0
    for name, version in wanted_packages.items():
        assert re.fullmatch(r"[0-9]+\.[0-9]+\.[0-9]+", version), name
        assert locked[f"node_modules/{name}"]["version"] == version
    for name, entry in locked.items():
        assert entry["integrity"].startswith("sha512-"), name
        assert "resolved" not in entry, name
