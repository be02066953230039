"""The command line as people call it: a process of its own, or click's runner where a process adds nothing."""

import os
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from support.commands import Commands

Run = Callable[..., subprocess.CompletedProcess[str]]


@dataclass
class Home:
    """A fresh instance's folder and the variables that name it."""

    folder: Path
    commands: Commands
    variables: dict[str, str] = field(default_factory=dict)

    def inkan(
        self, *arguments: str, code: int = 0, typed: str | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Call the command, type something if it asks, and check its exit code."""
        variables = {**os.environ, "INKAN_HOME": str(self.folder), **self.variables}
        done = self.commands.run(arguments, variables=variables, typed=typed)
        assert done.returncode == code, f"{done.returncode}: {done.stdout}{done.stderr}"
        return done


@pytest.fixture(scope="session")
def commands() -> Iterator[Commands]:
    """One importing process for all calls of this worker."""
    commands = Commands.start()
    yield commands
    commands.close()


@pytest.fixture
def home(tmp_path: Path, commands: Commands) -> Home:
    return Home(tmp_path / "home", commands, {"INKAN_ENVIRONMENT": "demo"})
