"""Settings of sandbox instances for tests."""

from pathlib import Path
from typing import Any

from inkan.composition.settings import Environment, SandboxSettings, Settings


def sandbox_settings(folder: Path, **members: Any) -> Settings:
    """A sandbox in this folder."""
    return Settings(
        environment=Environment.SANDBOX, home=str(folder), sandbox=SandboxSettings(**members)
    )
