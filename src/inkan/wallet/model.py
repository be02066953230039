"""Which native wallets may take the wallet's addresses."""

from typing import Annotated

import msgspec

Package = Annotated[
    str, msgspec.Meta(max_length=150, pattern=r"^[A-Za-z][A-Za-z0-9_]*(\.[A-Za-z][A-Za-z0-9_]*)+\Z")
]
Fingerprint = Annotated[str, msgspec.Meta(pattern=r"^[0-9A-F]{2}(:[0-9A-F]{2}){31}\Z")]
AppID = Annotated[str, msgspec.Meta(pattern=r"^[A-Z0-9]{10}\.[A-Za-z0-9.-]{1,150}\Z")]


class AndroidApp(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An app of Android (Digital Asset Links).

    Attributes:
        package: its name.
        sha256: thumbprints of the certificates that sign it, as upper-case octets joined by colons.
    """

    package: Package
    sha256: Annotated[tuple[Fingerprint, ...], msgspec.Meta(min_length=1, max_length=5)]


class NativeApps(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The apps that the wallet's origin vouches for; without any its addresses open in browsers.

    Attributes:
        ios: team and bundle, ``ABCDE12345.tw.example.wallet``.
    """

    android: tuple[AndroidApp, ...] = ()
    ios: tuple[AppID, ...] = ()
