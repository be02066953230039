"""What the wallet's origin says of itself: paths, manifest, association files (Android and iOS)."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Final

from inkan.wallet.model import NativeApps
from inkan.wire.wallet_paths import ENROLMENT_PATH, LINK_PATH, SESSION_PATH

ADDRESSES: Final = (f"/{SESSION_PATH}", f"/{ENROLMENT_PATH}", f"/{LINK_PATH}")
"""The paths that belong to a native wallet: scanned codes and links. What they carry stands in the fragment."""

HOME: Final = "/"
"""Where the wallet starts."""

ENTRY: Final = "wallet/app.js"
STYLES: Final = (
    "web/tokens.css",
    "web/base.css",
    "web/components.css",
    "web/forms.css",
    "web/media.css",
    "wallet/wallet.css",
    "wallet/wallet_screens.css",
)
"""The wallet's first module, and its sheets in order."""

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


def manifest(url: Callable[[str], str]) -> dict[str, Any]:
    """``/manifest.webmanifest`` (W3C Web Application Manifest); ``url`` tells where a static file is."""

    def icon(name: str, sizes: str, kind: str, purpose: str) -> dict[str, str]:
        return {"src": url(name), "sizes": sizes, "type": kind, "purpose": purpose}

    return {
        "id": HOME,
        "name": "Inkan 印鑑",
        "short_name": "Inkan",
        "start_url": HOME,
        "scope": HOME,
        "display": "standalone",
        "background_color": "#faf8f3",
        "theme_color": "#faf8f3",
        "launch_handler": {"client_mode": "focus-existing"},
        "icons": [
            icon("web/seal.svg", "any", "image/svg+xml", "any"),
            icon("wallet/icon-192.png", "192x192", "image/png", "any"),
            icon("wallet/icon-512.png", "512x512", "image/png", "any"),
            icon("wallet/icon-maskable-512.png", "512x512", "image/png", "maskable"),
        ],
    }
