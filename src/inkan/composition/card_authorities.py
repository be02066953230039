"""Card authorities that others run, read from the files that the settings name, and the way out to their status."""

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.serialization import Encoding

from inkan.composition.settings import DEFAULT_PORTS, CardAuthority, Settings, SettingsWrong
from inkan.crypto.certificates import Certificate, parse_certificate
from inkan.kernel.errors import InkanError
from inkan.pki import FOREIGN, Authority, ForeignAuthority, Role
from inkan.web.fetch import Fetcher

PEM = b"-----BEGIN CERTIFICATE-----"


def read(settings: Settings) -> tuple[ForeignAuthority, ...]:
    """The card authorities of the settings, their files read.

    Raises:
        SettingsWrong: a file that is no certificate of an authority, or a chain whose links do not hold.
    """
    return tuple(map(_read, settings.cards.authorities))


def fetcher(settings: Settings, foreign: Sequence[ForeignAuthority]) -> Fetcher | None:
    """The way out to the status services; None when there is nobody to ask."""
    if not foreign:
        return None
    origins = {urlsplit(origin) for each in foreign for origin in each.origins}
    plain = {
        f"{origin.hostname}:{origin.port or DEFAULT_PORTS['http']}"
        for origin in origins
        if origin.scheme == "http"
    }
    return Fetcher(admitted=settings.fetch.admitted, plain=plain)


def _read(told: CardAuthority) -> ForeignAuthority:
    where = f"cards.authorities.{told.name}.chain"
    chain = [_certificate(Path(file), where) for file in told.chain]
    for certificate, issuer in pairwise(chain):
        try:
            certificate.x509.verify_directly_issued_by(issuer.x509)
        except (InvalidSignature, TypeError, ValueError):
            raise SettingsWrong("each certificate is signed by the next one", where=where) from None
    own = chain[0]
    authority = Authority(
        name=f"{FOREIGN}{told.name}",
        role=Role.ISSUING,
        certificate=own.der,
        chain=tuple(each.der for each in chain),
        key_label="",
        parent=f"{FOREIGN}{told.name}",
        profiles=(told.profile,),
        crl_shards=1,
        not_after=own.not_after,
    )
    return ForeignAuthority(
        authority=authority, policies=frozenset(told.policies), origins=frozenset(told.origins)
    )


def _certificate(file: Path, where: str) -> Certificate:
    """One certificate of an authority, DER or PEM."""
    try:
        data = file.read_bytes()
        if data.lstrip().startswith(PEM):
            data = x509.load_pem_x509_certificate(data).public_bytes(Encoding.DER)
        certificate = parse_certificate(data)
    except (OSError, ValueError, InkanError) as wrong:
        raise SettingsWrong(f"{file}: {wrong}", where=where) from None
    if not certificate.is_ca:
        raise SettingsWrong(f"{file}: not a certificate of an authority", where=where)
    return certificate
