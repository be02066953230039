"""Reading lists as a stranger does: fetched over HTTP, linted, their signature checked."""

from cryptography import x509

from inkan.crypto.workers.linters import lint_crl
from pki.hands import authority, fetch


async def crl_at(world, path) -> x509.CertificateRevocationList:
    """The list at an address, in force, linted."""
    answer = await fetch(world, path)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/pkix-crl"
    assert lint_crl(answer.content).findings == ()
    crl = x509.load_der_x509_crl(answer.content)
    assert crl.is_signature_valid(
        authority(world, path.split("/")[2].removesuffix(".crl")).public_key
    )
    assert crl.last_update_utc <= world.clock.now() < crl.next_update_utc
    return crl


def path_of(issued) -> str:
    """Where the certificate says that its list is."""
    (url,) = (
        x509_of(issued)
        .extensions.get_extension_for_class(x509.CRLDistributionPoints)
        .value[0]
        .full_name
    )
    return "/" + url.value.split("/", 3)[3]


def x509_of(issued) -> x509.Certificate:
    return x509.load_der_x509_certificate(issued.der)


def told(crl) -> dict[int, str | None]:
    """Serial to reason."""
    found = {}
    for entry in crl:
        reasons = [
            e.value.reason.value for e in entry.extensions if isinstance(e.value, x509.CRLReason)
        ]
        found[entry.serial_number] = reasons[0] if reasons else None
    return found


def number(crl) -> int:
    return crl.extensions.get_extension_for_class(x509.CRLNumber).value.crl_number
