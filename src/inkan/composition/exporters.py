"""The public keys of review instances whose exports this instance takes in: read once, at the start."""

from pathlib import Path

import msgspec
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePublicKey

from inkan.composition.settings import Settings, SettingsWrong
from inkan.crypto import jwk
from inkan.kernel.errors import InkanError

_WHERE = "onboarding.exporters"


def read(settings: Settings) -> list[EllipticCurvePublicKey]:
    """The keys of the files that the settings name.

    Raises:
        SettingsWrong: a file cannot be read, or holds no public P-256 JWK.
    """
    return [_read(Path(file)) for file in settings.onboarding.exporters]


def _read(file: Path) -> EllipticCurvePublicKey:
    try:
        key = jwk.load_jwk(msgspec.json.decode(file.read_bytes(), type=dict[str, str]))
    except (OSError, msgspec.MsgspecError, InkanError) as wrong:
        raise SettingsWrong(f"{file}: {wrong}", where=_WHERE) from None
    if not (isinstance(key, EllipticCurvePublicKey) and isinstance(key.curve, SECP256R1)):
        raise SettingsWrong(f"{file}: no public P-256 key", where=_WHERE)
    return key
