"""The settings about the wallet's origin (docs/doors.md)."""

import msgspec

from inkan.wallet import NativeApps


class Wallet(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the wallet's origin says of the wallet.

    Attributes:
        apps: the native apps that it vouches for in its association files.
        official_site: where the operator publishes name, version and download place (TW-35, HCA-51); the platform's
            own origin when empty.
        screens: origins of sites whose codes a wallet without a camera may read as text; empty in production.
    """

    apps: NativeApps = NativeApps()
    official_site: str = ""
    screens: tuple[str, ...] = ()
