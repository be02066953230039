"""The settings about a sandbox."""

from typing import Literal

import msgspec


class SandboxSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A sandbox instance; read in the environment ``sandbox`` alone.

    ``clock`` says whether a system may move the clock, which it does for the whole instance: ``shared`` or ``off``.
    A system may have ``phones`` virtual phones; each ends after ``days``, or after a week without use.
    """

    clock: Literal["shared", "off"] = "shared"
    phones: int = 20
    days: int = 30
