"""The import contracts: kept by the house, and broken by each violation that they are there for.

The violations are tried on a stub of the house in a temporary folder, under the very `.importlinter` of
the repository. A contract that lets its seed through would be decoration.
"""

import configparser
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parents[2]
CONFIGURATION = ROOT / ".importlinter"
LINT = Path(sys.executable).with_name("lint-imports")

# The stub: one package of each kind and some features, with imports as they are meant to be.
STUB = {
    "kernel/errors.py": "import enum, msgspec",
    "crypto/cms.py": "import cryptography\nfrom inkan.kernel import errors",
    "crypto/workers/pool.py": "import asyncio",
    "crypto/workers/jobs.py": "import pkilint, pyhanko, pyhanko_certvalidator, lxml, fpdf, fontTools",
    "wire/statement.py": "from inkan.crypto import cms",
    "wire/binding.py": "from inkan.kernel import errors",
    "store/sqlite.py": "import sqlite3, sqlalchemy",
    "web/fetch.py": "import httpx",
    "web/app.py": "import litestar, uvicorn",
    "client/phone.py": "import httpx\nfrom inkan.wire import statement",
    "people/model.py": "from inkan.kernel import errors",
    "people/store.py": "import sqlalchemy\nfrom inkan.people import model\nfrom inkan.store import sqlite",
    "people/service.py": "from inkan.people import model, store",
    "people/__init__.py": "from inkan.people.service import model",
    "pki/model.py": "from inkan.kernel import errors\nfrom inkan.wire import binding",
    "pki/rules.py": "from inkan.pki import model",
    "pki/service/issue.py": "from inkan import people\nfrom inkan.crypto.workers import pool\nfrom inkan.pki import rules",
    "pki/service/__init__.py": "from inkan.pki.service.issue import rules",
    "pki/api.py": "import litestar\nfrom inkan.pki import service",
    "pki/commands.py": "import click\nfrom inkan.pki import service",
    "pki/__init__.py": "from inkan.pki.service import issue",
    "relying_parties/model.py": "",
    "attributes/model.py": "",
    "approvals/service.py": "from inkan import people, pki",
    "composition/routes.py": "import litestar\nfrom inkan.pki import api",
    "migrations/env.py": "import alembic, sqlalchemy\nfrom inkan.store import sqlite",
    "apps/desk/pages.py": "import litestar\nfrom inkan.client import phone",
    "apps/desk/store.py": "import sqlalchemy\nfrom inkan.store import sqlite",
    "apps/showcase/clinic/api.py": "import litestar\nfrom inkan.web import app",
    "apps/showcase/tax_office/pages.py": "import litestar\nfrom inkan.web import app",
    "demo/world.py": "from inkan import composition, people\nfrom inkan.apps.showcase import clinic",
    "cli/root.py": "from inkan.demo import world\nfrom inkan.pki import commands",
}  # fmt: skip


class Seed(NamedTuple):
    """One violation: a line appended to a file of the stub, and the contracts that must break."""

    file: str
    line: str
    breaks: set[str]


SEEDS = {
    "model imports a database": Seed("pki/model.py", "import sqlite3", {"purity", "drivers"}),
    "low floor imports high": Seed("crypto/cms.py", "from inkan.store import sqlite", {"floors"}),
    "model imports its own service": Seed("pki/model.py", "from inkan.pki import service", {"rooms", "circles", "purity"}),
    "rules import the store": Seed("people/rules.py", "from inkan.people import store", {"rooms", "purity"}),
    "neighbours on one floor": Seed("attributes/model.py", "from inkan import relying_parties", {"floors"}),
    "service imports the framework": Seed("pki/service/issue.py", "import litestar", {"http"}),
    "past an entrance": Seed("approvals/service.py", "from inkan.people import service", {"entrances"}),
    "past an entrance, from the demo": Seed("demo/world.py", "from inkan.people import store", {"entrances"}),
    "a room through its own entrance": Seed("pki/service/issue.py", "from inkan.pki import Revoked", {"entrances"}),
    "lazy import in a function": Seed("people/service.py", "def lazy():\n    import litestar", {"http"}),
    "upward under TYPE_CHECKING": Seed(
        "people/service.py",
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from inkan import approvals",
        {"floors", "circles"},
    ),
    "undeclared package": Seed("helpers/__init__.py", "", {"floors"}),
    "undeclared room": Seed("pki/manager.py", "", {"rooms"}),
    "circle inside a package": Seed("web/fetch.py", "from inkan.web import app\n# and back\n", {"circles"}),
    "model reaches cryptography through wire": Seed("people/model.py", "from inkan.wire import statement", {"purity"}),
    "rules know the network": Seed("pki/rules.py", "import socket", {"purity"}),
    "kernel takes a library": Seed("kernel/errors.py", "import click", {"kernel"}),
    "client needs the store": Seed("client/phone.py", "from inkan.store import sqlite", {"client"}),
    "app imports a feature": Seed("apps/desk/pages.py", "from inkan import people", {"apps"}),
    "app imports another app": Seed("apps/showcase/clinic/api.py", "from inkan.apps import desk", {"apps", "circles"}),
    "showcase imports its neighbour": Seed("apps/showcase/clinic/api.py", "from inkan.apps.showcase import tax_office", {"apps"}),
    "migration imports a feature": Seed("migrations/env.py", "from inkan import people", {"migrations"}),
    "query in a service": Seed("people/service.py", "import sqlalchemy", {"queries"}),
    "driver in a feature": Seed("people/store.py", "import asyncpg", {"drivers"}),
    "a token beside its adapter": Seed("crypto/keys.py", "import pkcs11", {"tokens"}),
    "http beside the one door": Seed("web/app.py", "import httpx", {"fetch"}),
    "parser in the format package": Seed("crypto/cms.py", "import pyhanko", {"parsers", "server"}),
    "a paper written beside the workers": Seed("crypto/cms.py", "import fpdf", {"papers", "server"}),
    "server loads the worker's jobs": Seed("pki/service/issue.py", "from inkan.crypto.workers import jobs", {"server"}),
}  # fmt: skip

# What a seed needs besides its line, so that it is the only thing wrong.
COMPANIONS = {
    "rules import the store": ("people/store.py", ""),
    "circle inside a package": ("web/app.py", "from inkan.web import fetch"),
    "app imports another app": ("apps/desk/pages.py", "from inkan.apps import showcase"),
}


def write(house: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        file = house / name
        file.parent.mkdir(parents=True, exist_ok=True)
        for folder in (file.parent, *file.parent.relative_to(house.parent).parents):
            (house.parent / folder / "__init__.py").touch()
        with file.open("a", encoding="utf-8") as out:
            out.write(f"{text}\n")


def broken(folder: Path) -> set[str]:
    """The ids of the contracts that `lint-imports` reports as broken in ``folder``."""
    environment = os.environ | {"PYTHONPATH": str(ROOT), "COLUMNS": "200", "NO_COLOR": "1"}
    ran = subprocess.run(
        [str(LINT), "--no-logo", "--no-cache"],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    found = {i for i, name in contract_names().items() if f"{name} BROKEN" in ran.stdout}
    kept = {i for i, name in contract_names().items() if f"{name} KEPT" in ran.stdout}
    assert found | kept == set(contract_names()), ran.stdout + ran.stderr
    assert (ran.returncode == 0) == (not found), ran.stdout
    return found


def contract_names() -> dict[str, str]:
    parser = configparser.ConfigParser()
    parser.read(CONFIGURATION, encoding="utf-8")
    prefix = "importlinter:contract:"
    return {s.removeprefix(prefix): parser[s]["name"] for s in parser if s.startswith(prefix)}


@pytest.fixture
def stub(tmp_path: Path) -> Path:
    shutil.copy(CONFIGURATION, tmp_path)
    write(tmp_path / "inkan", {"__init__.py": "", **STUB})
    return tmp_path


def test_the_house_keeps_its_contracts() -> None:
    ran = subprocess.run(
        [str(LINT), "--no-logo", "--no-cache"],
        cwd=ROOT,
        env=os.environ | {"COLUMNS": "200", "NO_COLOR": "1"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout


def test_the_stub_keeps_them_too(stub: Path) -> None:
    assert broken(stub) == set()


def test_a_kernel_alone_keeps_them(tmp_path: Path) -> None:
    shutil.copy(CONFIGURATION, tmp_path)
    write(tmp_path / "inkan", {"__init__.py": "", "kernel/errors.py": "import msgspec"})
    assert broken(tmp_path) == set()


@pytest.mark.parametrize("name", SEEDS)
def test_a_seeded_violation_is_caught(stub: Path, name: str) -> None:
    seed = SEEDS[name]
    if name in COMPANIONS:
        write(stub / "inkan", dict([COMPANIONS[name]]))
    write(stub / "inkan", {seed.file: seed.line})
    assert broken(stub) == seed.breaks


def test_every_contract_has_a_seed() -> None:
    assert {contract for seed in SEEDS.values() for contract in seed.breaks} == set(
        contract_names()
    )
