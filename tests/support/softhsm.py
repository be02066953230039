"""Tokens of SoftHSM for tests: a configuration and a folder of their own, and what a token suffers in life."""

import itertools
import math
import os
import subprocess
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

from inkan.crypto.pkcs11.module import Module, load_module
from inkan.crypto.pkcs11.provider import TokenKeyProvider
from inkan.kernel.sensitive import Secret
from support.tools import require

PIN = "204886"
SO_PIN = "77204886"
_ticks = itertools.count(step=10)


def leaping() -> float:
    """A monotonic clock in which every look is ten seconds after the last: no pause between resets is felt."""
    return float(next(_ticks))


class Token:
    """A token in a folder that nothing else uses."""

    def __init__(self, folder: Path, module: Path) -> None:
        self.folder = folder
        self.module = module
        self.label = f"inkan-{uuid.uuid4().hex[:12]}"
        self.initialise()

    @property
    def loaded(self) -> Module:
        return load_module(self.module, leaping)

    def open(self, *, pin: str = PIN, sessions: int = 3, **more: Any) -> TokenKeyProvider:
        """A provider over the token."""
        return TokenKeyProvider(
            self.module,
            token=self.label,
            pin=Secret(pin),
            monotonic=leaping,
            sessions=sessions,
            **more,
        )

    def initialise(self) -> None:
        """Make the token, empty."""
        self._util(
            "--init-token", "--free", "--label", self.label, "--so-pin", SO_PIN, "--pin", PIN
        )

    def remove(self) -> None:
        """Take the token away."""
        self._util("--delete-token", "--token", self.label)

    def _util(self, *arguments: str) -> None:
        subprocess.run(["softhsm2-util", *arguments], check=True, capture_output=True)


@contextmanager
def patient(module: Path) -> Iterator[Module]:
    """The loaded module by a leaping clock, never reset yet.

    A process loads a module once; whoever came first may have loaded it with a clock that runs as slowly as time,
    and may have reset it a moment ago, or at an hour that the leaping clock never reaches.
    """
    loaded = load_module(module, leaping)
    with patch.multiple(loaded, _monotonic=leaping, _reset_at=-math.inf):
        yield loaded


@contextmanager
def token_in(folder: Path) -> Iterator[Token]:
    """A token; skipped where SoftHSM is missing. The module is left without a token afterwards."""
    module = require("softhsm2")
    tokens = folder / "tokens"
    tokens.mkdir(parents=True)
    configuration = folder / "softhsm2.conf"
    configuration.write_text(
        f"directories.tokendir = {tokens}\nobjectstore.backend = file\nlog.level = ERROR\n"
    )
    before = os.environ.get("SOFTHSM2_CONF")
    os.environ["SOFTHSM2_CONF"] = str(configuration)
    try:
        made = Token(folder, module)
        with patient(module):
            yield made
    finally:
        if before is None:
            del os.environ["SOFTHSM2_CONF"]
        else:
            os.environ["SOFTHSM2_CONF"] = before
