"""What the association files say (Android: Digital Asset Links; iOS: associated domains)."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from inkan.wallet.model import NativeApps
from inkan.wire.wallet_paths import ENROLMENT_PATH, LINK_PATH, SESSION_PATH

ADDRESSES: Final = (f"/{SESSION_PATH}", f"/{ENROLMENT_PATH}", f"/{LINK_PATH}")
"""The paths that belong to a native wallet: scanned codes and links. What they carry stands in the fragment."""

# Links are taken over, and passkeys of this origin are shared, by the same app.
_RELATIONS: Final = (
    "delegate_permission/common.handle_all_urls",
    "delegate_permission/common.get_login_creds",
)


def asset_links(apps: NativeApps) -> list[dict[str, Any]]:
    """``/.well-known/assetlinks.json``: one statement for each app of Android."""
    return [
        {
            "relation": list(_RELATIONS),
            "target": {
                "namespace": "android_app",
                "package_name": app.package,
                "sha256_cert_fingerprints": list(app.sha256),
            },
        }
        for app in apps.android
    ]


def site_association(apps: NativeApps) -> dict[str, Any]:
    """``/.well-known/apple-app-site-association``: the paths and the passkeys of the apps of iOS."""
    ids = list(apps.ios)
    components = [{"/": path} for path in ADDRESSES]
    details = [{"appIDs": ids, "components": components}] if ids else []
    return {"applinks": {"details": details}, "webcredentials": {"apps": ids}}


FILES: Final[Mapping[str, Any]] = MappingProxyType(
    {
        "/.well-known/assetlinks.json": asset_links,
        "/.well-known/apple-app-site-association": site_association,
    }
)
