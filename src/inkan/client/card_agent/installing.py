"""Putting the agent beside a browser: configuration, launcher, native manifest, extension; and taking it away again.

A browser starts a program for an extension only when a manifest names both: the program's absolute path and the id
of the extension. The id follows from the key in the extension's own manifest, so it is the same everywhere.
"""

import hashlib
import shlex
import shutil
from collections.abc import Mapping, Sequence
from enum import StrEnum
from importlib import resources
from pathlib import Path
from typing import Any, Final, NamedTuple

import msgspec

from inkan.client.card_agent import configuration
from inkan.client.card_agent.configuration import Configuration
from inkan.crypto import base64url

USE_HOST: Final = "org.inkan.card.use"
MANAGE_HOST: Final = "org.inkan.card.manage"
GECKO_ID: Final = "card-agent@inkan.org"
_SCRIPTS: Final = ("background.js", "content.js")
_ID_LENGTH: Final = 32


class Browser(StrEnum):
    """Browsers that are known."""

    CHROMIUM = "chromium"
    CHROME = "chrome"
    FIREFOX = "firefox"


# Where each looks for native manifests of one user, below the home folder.
_HOST_FOLDERS: Final[Mapping[Browser, str]] = {
    Browser.CHROMIUM: ".config/chromium/NativeMessagingHosts",
    Browser.CHROME: ".config/google-chrome/NativeMessagingHosts",
    Browser.FIREFOX: ".mozilla/native-messaging-hosts",
}


class Places(NamedTuple):
    """Where the agent's files are.

    Attributes:
        hosts: the browser's folder of native manifests.
        configuration: the configuration file.
        data: launcher and extension.
    """

    hosts: Path
    configuration: Path
    data: Path


def places(browser: Browser, *, home: Path, profile: Path | None = None) -> Places:
    """The places of one user.

    Args:
        browser: which.
        home: of the user.
        profile: another data folder of a Chromium (``--user-data-dir``).
    """
    hosts = home / _HOST_FOLDERS[browser] if profile is None else profile / "NativeMessagingHosts"
    return Places(
        hosts=hosts,
        configuration=home / ".config" / "inkan" / configuration.FILE_NAME,
        data=home / ".local" / "share" / "inkan" / "card-agent" / browser.value,
    )


def install(at: Places, browser: Browser, chosen: Configuration, command: Sequence[str]) -> Path:
    """Write everything and return the folder of the extension, which the browser is still to be given.

    Args:
        at: where.
        browser: for which.
        chosen: whose pages may ask.
        command: starts the native program.

    Raises:
        AgentConfigurationUnsafe: an origin is none; nothing was written.
    """
    settings = configuration.text(chosen)
    for folder in (at.hosts, at.configuration.parent, at.data):
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    _write(at.configuration, settings, mode=0o600)
    launcher = write_host(at, browser, USE_HOST, command)
    extension = launcher.parent / "extension"
    extension.mkdir(exist_ok=True)
    source = resources.files(__package__) / "extension"
    for name in _SCRIPTS:
        _write(extension / name, (source / name).read_text(encoding="utf-8"), mode=0o644)
    manifest = msgspec.json.encode(extension_manifest(browser, chosen.origins))
    _write(extension / "manifest.json", _pretty(manifest), mode=0o644)
    return extension


def write_host(at: Places, browser: Browser, name: str, command: Sequence[str]) -> Path:
    """Write the launcher of a native program and its manifest; return the launcher."""
    at.hosts.mkdir(parents=True, exist_ok=True)
    at.data.mkdir(parents=True, exist_ok=True)
    launcher = at.data / name
    # Browsers start a file without arguments of ours, and add who asks.
    _write(launcher, f'#!/bin/sh\nexec {shlex.join(command)} "$@"\n', mode=0o700)
    manifest = msgspec.json.encode(host_manifest(browser, name, launcher))
    _write(at.hosts / f"{name}.json", _pretty(manifest), mode=0o644)
    return launcher


def uninstall(at: Places) -> None:
    """Remove native manifest, launcher and extension; the configuration stays with the person."""
    (at.hosts / f"{USE_HOST}.json").unlink(missing_ok=True)
    (at.data / USE_HOST).unlink(missing_ok=True)
    shutil.rmtree(at.data / "extension", ignore_errors=True)


def extension_id() -> str:
    """The id of the extension in Chromium: the first half of SHA-256 of its key, in the letters a to p."""
    key = base64url.decode(_template()["key"].translate(_TO_URL).rstrip("="))
    return hashlib.sha256(key).hexdigest()[:_ID_LENGTH].translate(_ID_LETTERS)


def callers() -> frozenset[str]:
    """What a browser names when it starts the program for our extension: an argument of it."""
    return frozenset({f"chrome-extension://{extension_id()}/", GECKO_ID})


def host_manifest(browser: Browser, name: str, program: Path) -> dict[str, Any]:
    """The native manifest: which program, and for which extension alone."""
    common = {
        "name": name,
        "description": "Inkan card agent",
        "path": str(program),
        "type": "stdio",
    }
    if browser is Browser.FIREFOX:
        return common | {"allowed_extensions": [GECKO_ID]}
    return common | {"allowed_origins": [f"chrome-extension://{extension_id()}/"]}


def extension_manifest(browser: Browser, origins: Sequence[str]) -> dict[str, Any]:
    """The extension's manifest; it is in pages of the listed hosts only, and no other page can see it."""
    manifest = _template()
    # Before any script of the page: its greeting is said once.
    manifest["content_scripts"] = [
        {
            "matches": sorted({_pattern(each) for each in origins}),
            "js": ["content.js"],
            "run_at": "document_start",
        }
    ]
    if browser is Browser.FIREFOX:
        del manifest["key"]
        manifest["browser_specific_settings"] = {"gecko": {"id": GECKO_ID}}
        manifest["background"] = {"scripts": ["background.js"]}
    else:
        manifest["background"] = {"service_worker": "background.js"}
    return manifest


def _pattern(origin: str) -> str:
    """A match pattern; browsers do not agree on ports in it, the program compares whole origins."""
    scheme, _, rest = origin.partition("://")
    return f"{scheme}://{rest.partition(':')[0]}/*"


def _template() -> dict[str, Any]:
    data = (resources.files(__package__) / "extension" / "manifest.json").read_bytes()
    manifest: dict[str, Any] = msgspec.json.decode(data)
    return manifest


def _pretty(data: bytes) -> str:
    return msgspec.json.format(data, indent=2).decode() + "\n"


def _write(path: Path, text: str, *, mode: int) -> None:
    path.write_text(text, encoding="utf-8")
    path.chmod(mode)


_TO_URL: Final = str.maketrans("+/", "-_")
_ID_LETTERS: Final = str.maketrans("0123456789abcdef", "abcdefghijklmnop")
