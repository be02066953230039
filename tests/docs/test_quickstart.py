"""docs/relying-parties/quickstart.md, run from top to bottom as its reader runs it: one shell, real processes, HTTP."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from docs.blocks import DOCS, sections
from support import tools
from support.ports import free_port
from support.repository import ROOT

PAGE = DOCS / "relying-parties" / "quickstart.md"
PORT = "8480"
LONGEST_S = 300


def program() -> str:
    """The blocks of the page as one script: shell as it stands, Python through the interpreter."""
    parts = ["set -euo pipefail"]
    for section in sections(PAGE):
        for language, code in section.blocks:
            assert language in {"sh", "python"}, section.title
            parts.append(f"python - <<'PYTHON'\n{code}PYTHON" if language == "python" else code)
    return "\n".join(parts)


@pytest.fixture
def reader(tmp_path: Path) -> Path:
    """A folder as the reader has it: the source, and on the path what `make setup` leaves."""
    (tmp_path / "src").symlink_to(ROOT / "src")
    bin_ = tmp_path / "bin"
    bin_.mkdir()
    _program(bin_ / "python", f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
    _program(bin_ / "inkan", f"#!{sys.executable}\nfrom inkan.cli import main\n\nmain()\n")
    return tmp_path


def _program(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")
    path.chmod(0o755)


def test_the_quickstart_holds(reader: Path) -> None:
    for tool in ("curl", "openssl"):
        tools.require(tool)
    variables = {name: value for name, value in os.environ.items() if "INKAN" not in name}
    shell = subprocess.Popen(
        ["bash", "-c", program().replace(PORT, str(free_port()))],
        cwd=reader,
        env=variables
        | {
            "PATH": f"{reader / 'bin'}:{variables['PATH']}",
            "PYTHONPATH": str(ROOT / "src"),
        },
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    try:
        said, _ = shell.communicate(timeout=LONGEST_S)
    finally:
        # The page ends its server itself; this is for a page that fails half way.
        _end_group(shell)
    assert shell.returncode == 0, said
    assert "\nok " in said
    assert "The receipt is valid." in said, said
    assert (reader / "receipt.jws").read_text().count(".") == 2


def _end_group(shell: subprocess.Popen[str]) -> None:
    try:
        os.killpg(shell.pid, signal.SIGKILL)
    except ProcessLookupError:
        return
    shell.wait()
