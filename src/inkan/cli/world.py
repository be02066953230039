"""What commands work on: the instance that the settings describe, composed when a command first asks."""

import asyncio
import importlib
import os
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, TypeVar

T = TypeVar("T")


class World:
    """The settings file of this call, and the platform behind it.

    The composition is imported when it is asked for: `inkan --help` must answer at once.
    """

    def __init__(self, file: Path | None) -> None:
        self._file = file

    def settings(self, environment: str | None = None) -> Any:
        """The settings in force.

        Args:
            environment: what the instance is for, where the command says so.

        Raises:
            SettingsWrong: the file or the environment is not usable.
        """
        named = {"INKAN_ENVIRONMENT": environment} if environment else {}
        load = importlib.import_module("inkan.composition.settings").load
        return load(self._file, {**os.environ, **named})

    def run(self, use: Callable[[Any], Awaitable[T]]) -> T:
        """Compose the platform, run ``use`` on it, and close it again."""
        return asyncio.run(self._run(use))

    async def _run(self, use: Callable[[Any], Awaitable[T]]) -> T:
        composed = importlib.import_module("inkan.composition.platform").compose
        async with composed(self.settings()) as platform:
            return await use(platform)
