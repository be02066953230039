"""The programs that tests need beside Python: one table of Debian packages, how to find each, what needs it.

A test asks for a program with :func:`require` and is skipped where it is missing; with INKAN_REQUIRE_ALL=1
(`.ci/run`) a skip is a failure. As a program this file installs what is missing when root, and otherwise
says which packages are missing and which tests will be skipped. A later issue adds a row to :data:`TOOLS`.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

REQUIRE_ALL = "INKAN_REQUIRE_ALL"
# A cluster on a system port is no business of a test suite: the tests start their own from the binaries.
CLUSTER_CONFIGURATION = Path("/etc/postgresql-common/createcluster.conf")
NO_CLUSTER = "create_main_cluster = false"


class Tool(NamedTuple):
    """A program of a Debian package: where it is (None when missing), and what is skipped without it."""

    package: str
    find: Callable[[], Path | None]
    serves: str


def _command(*names: str) -> Callable[[], Path | None]:
    return lambda: next((Path(path) for name in names if (path := shutil.which(name))), None)


def _postgresql() -> Path | None:
    """The folder of the server binaries, newest version first; Debian keeps them off the path."""
    folders = Path("/usr/lib/postgresql").glob("*/bin")
    for folder in sorted(folders, key=lambda path: int(path.parent.name), reverse=True):
        if (folder / "initdb").exists() and (folder / "postgres").exists():
            return folder
    found = shutil.which("initdb")
    return Path(found).resolve().parent if found else None


def _softhsm() -> Path | None:
    """The module; Debian keeps it off the linker's path."""
    folders = (Path("/usr/lib/softhsm"), *sorted(Path("/usr/lib").glob("*/softhsm")))
    return next((path for each in folders if (path := each / "libsofthsm2.so").exists()), None)


def _cjk_font() -> Path | None:
    return next(Path("/usr/share/fonts").rglob("*CJK*"), None)


def _file(*candidates: str) -> Callable[[], Path | None]:
    """The first of these that exists."""
    return lambda: next((path for each in candidates if (path := Path(each)).exists()), None)


def _opensc() -> Path | None:
    """The PKCS #11 module; Debian puts it beside the libraries of the machine's architecture."""
    return next(iter(sorted(Path("/usr/lib").glob("*/opensc-pkcs11.so"))), None)


TOOLS = {
    "openssl": Tool("openssl", _command("openssl"), "artefacts checked with openssl (marker pki)"),
    "curl": Tool("curl", _command("curl"), "the example in plain curl (docs/relying-parties/curl.md) and the quickstart"),
    "postgresql": Tool("postgresql", _postgresql, "every service test on PostgreSQL"),
    "softhsm2": Tool("softhsm2", _softhsm, "keys in a token over PKCS #11"),
    "pcscd": Tool("pcscd", _command("pcscd", "/usr/sbin/pcscd"), "cards over real PC/SC"),
    "vpcd": Tool("vsmartcard-vpcd", _file("/usr/lib/pcsc/drivers/serial/libifdvpcd.so"), "cards over real PC/SC: the virtual reader"),
    "opensc": Tool("opensc", _opensc, "cards through a PKCS #11 module"),
    "unshare": Tool("util-linux", _command("unshare"), "cards over real PC/SC: namespaces of the service"),
    "ip": Tool("iproute2", _command("ip"), "cards over real PC/SC: the loopback of its namespace"),
    "chromium": Tool("chromium", _command("chromium", "chromium-browser"), "journeys in a browser (marker browser)"),
    "cjk-font": Tool("fonts-noto-cjk", _cjk_font, "pages in Chinese and Japanese (marker browser), and printed papers"),
}  # fmt: skip


def missing() -> list[Tool]:
    """The rows of the table that this machine lacks."""
    return [tool for tool in TOOLS.values() if tool.find() is None]


def require(name: str) -> Path:
    """Return where the program is, or skip the test (fail it where nothing may be missing)."""
    import pytest

    tool = TOOLS[name]
    found = tool.find()
    if found is None:
        pytest.skip(f"missing program: {name} (Debian package {tool.package})")
    return found


# --- program ----------------------------------------------------------------------------------------


def keep_clusters_away(configuration: Path = CLUSTER_CONFIGURATION) -> None:
    """Tell Debian's package, before it is installed, to create no database cluster."""
    text = configuration.read_text(encoding="utf-8") if configuration.exists() else ""
    if NO_CLUSTER not in text.splitlines():
        configuration.parent.mkdir(parents=True, exist_ok=True)
        configuration.write_text(f"{text.rstrip()}\n{NO_CLUSTER}\n".lstrip(), encoding="utf-8")


def install(packages: list[str]) -> None:
    """Install Debian packages; needs root."""
    if "postgresql" in packages:
        keep_clusters_away()
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    # The configuration written above is ours to keep.
    keep = ["-o", "Dpkg::Options::=--force-confold"]
    subprocess.run(["apt-get", "update", "-qq"], env=environment, check=True)
    command = ["apt-get", "install", "-qq", "--no-install-recommends", *keep, *packages]
    subprocess.run(command, env=environment, check=True)


def main() -> int:
    lacking = missing()
    if not lacking:
        return 0
    packages = [tool.package for tool in lacking]
    if os.geteuid() == 0 and shutil.which("apt-get"):
        print(f"setup: installing the Debian packages {' '.join(packages)}", flush=True)
        install(packages)
        return 0
    print(f"Missing Debian packages: {' '.join(packages)}. Without them these tests are skipped:")
    for tool in lacking:
        print(f"  {tool.package:<16}{tool.serves}")
    return 1 if os.environ.get(REQUIRE_ALL) else 0


if __name__ == "__main__":
    sys.exit(main())
