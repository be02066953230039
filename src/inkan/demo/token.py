"""A SoftHSM token for the test country, where SoftHSM 2 is installed: keys that stay in a module of PKCS #11.

SoftHSM is software and protects nothing that files would not; it shows that the way through a token works.
"""

import os
import shutil
import subprocess
from collections.abc import Collection
from pathlib import Path
from typing import Final

import msgspec

from inkan.composition.settings import Settings, Token
from inkan.crypto import base64url
from inkan.kernel.ids import new_id, random_bytes
from inkan.pki import Ceremony

CONFIGURATION: Final = "SOFTHSM2_CONF"
_FOLDERS: Final = ("/usr/lib/softhsm", "/usr/lib64/softhsm", "/usr/local/lib/softhsm")


def find_softhsm() -> Path | None:
    """Return SoftHSM's module, if it and its tool are on this machine; Debian's package is softhsm2."""
    if shutil.which("softhsm2-util") is None:
        return None
    folders = [Path(each) for each in _FOLDERS] + sorted(Path("/usr/lib").glob("*/softhsm"))
    found = (each / "libsofthsm2.so" for each in folders)
    return next((path for path in found if path.exists()), None)


def with_token(settings: Settings, module: Path) -> Settings:
    """Return settings with a fresh token under the instance's home; made by SoftHSM's own tool.

    The environment of this process names the token's folder from then on, as SoftHSM knows no other way. The PIN is
    drawn at random and lives in the settings only, so the token dies with the process, as the test country does.
    Its label is drawn too: a process that runs a second country must not find the token of the first.
    """
    folder = settings.home_path / "softhsm"
    tokens = folder / "tokens"
    tokens.mkdir(mode=0o700, parents=True)
    configuration = folder / "softhsm2.conf"
    configuration.write_text(
        f"directories.tokendir = {tokens}\nobjectstore.backend = file\nlog.level = ERROR\n",
        encoding="utf-8",
    )
    os.environ[CONFIGURATION] = str(configuration)
    pin = base64url.encode(random_bytes(12))
    officer_pin = base64url.encode(random_bytes(12))
    label = new_id("demo")
    command = ["softhsm2-util", "--init-token", "--free", "--label", label]
    subprocess.run(  # noqa: S603 - a fixed command; the PINs are of a token that was just made
        [*command, "--so-pin", officer_pin, "--pin", pin], check=True, capture_output=True
    )
    token = Token(module=str(module), label=label, pin=pin)
    return msgspec.structs.replace(settings, token=token)


def keys_in_token(ceremony: Ceremony, names: Collection[str]) -> Ceremony:
    """Return the ceremony with the keys of these authorities made in the token; the others stay in files."""
    root = ceremony.root
    if root.name in names:
        root = msgspec.structs.replace(root, provider="pkcs11")
    issuing = [
        msgspec.structs.replace(part, provider="pkcs11") if part.name in names else part
        for part in ceremony.issuing
    ]
    return msgspec.structs.replace(ceremony, root=root, issuing=issuing)
