"""The settings about the wallet's origin (docs/doors.md)."""

import msgspec

from inkan.wallet import NativeApps


class Wallet(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which native apps the wallet's origin vouches for in its association files."""

    apps: NativeApps = NativeApps()
