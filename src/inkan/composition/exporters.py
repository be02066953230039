"""The sandboxes whose exports this instance takes in: read once, at the start."""

from pathlib import Path
from typing import Any

import msgspec
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePublicKey

from inkan.composition.settings import Settings, SettingsWrong
from inkan.crypto import jwk
from inkan.kernel.errors import InkanError
from inkan.relying_parties import Exporter, ExporterFile

_WHERE = "onboarding.exporters"


def read(settings: Settings) -> list[Exporter]:
    """The sandboxes of the files that the settings name.

    Raises:
        SettingsWrong: a file cannot be read, is of another form, or holds no two public P-256 JWKs that differ.
    """
    return [_read(Path(file)) for file in settings.onboarding.exporters]


def _read(file: Path) -> Exporter:
    try:
        told = msgspec.json.decode(file.read_bytes(), type=ExporterFile)
        exports, reports = _key(told.exports), _key(told.reports)
    except (OSError, msgspec.MsgspecError, InkanError) as wrong:
        raise SettingsWrong(f"{file}: {wrong}", where=_WHERE) from None
    if jwk.thumbprint(exports) == jwk.thumbprint(reports):
        raise SettingsWrong(f"{file}: one key for exports and reports", where=_WHERE)
    return Exporter(issuer=told.issuer, exports=exports, reports=reports)


def _key(public: dict[str, Any]) -> EllipticCurvePublicKey:
    key = jwk.load_jwk(public)
    if not (isinstance(key, EllipticCurvePublicKey) and isinstance(key.curve, SECP256R1)):
        raise SettingsWrong("no public P-256 key", where=_WHERE)
    return key
