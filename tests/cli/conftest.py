"""The command line as people call it: a process of its own, or click's runner where a process adds nothing."""

import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

Run = Callable[..., subprocess.CompletedProcess[str]]


@dataclass
class Home:
    """A fresh instance's folder and the variables that name it."""

    folder: Path
    variables: dict[str, str] = field(default_factory=dict)

    def inkan(
        self, *arguments: str, code: int = 0, typed: str | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Call the command, type something if it asks, and check its exit code."""
        done = subprocess.run(
            [sys.executable, "-c", "from inkan.cli import main; main()", *arguments],
            env={**os.environ, "INKAN_HOME": str(self.folder), **self.variables},
            capture_output=True,
            input=typed,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == code, f"{done.returncode}: {done.stdout}{done.stderr}"
        return done


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "home", {"INKAN_ENVIRONMENT": "demo"})
