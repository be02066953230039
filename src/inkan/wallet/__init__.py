"""The wallet's origin: what phones and browsers find there besides the wallet itself.

Start with :func:`inkan.wallet.pages.routes` and :func:`inkan.wallet.api.routes`; ``docs/doors.md`` tells what the
addresses are for.
"""

from inkan.wallet.model import AndroidApp, NativeApps

__all__ = ["AndroidApp", "NativeApps"]
