"""What a copy of the database tells: no name, no national ID, no subject number of a certificate."""

import pytest

from pki.hands import on_sqlite
from support.world import CITIZENS


@on_sqlite
async def test_the_files_hold_no_name_and_no_number_in_clear(world):
    phone = await world.bind("chen")
    agency = await world.agency()
    await world.identify(agency, phone)
    await world.events()
    name, _, number = CITIZENS["chen"]
    files = [path for path in world.folder.glob("inkan.db*") if path.is_file()]
    assert any(path.stat().st_size for path in files)
    spki = phone.binding.keys["auth"].spki
    for path in files:
        bytes_ = path.read_bytes()
        for secret in (name.encode(), name.encode("utf-16-le"), number.encode()):
            assert secret not in bytes_, path
        # a certificate names its holder, so it is sealed whole
        assert spki[-64:] not in bytes_ or phone.certificates["auth"].der not in bytes_


@on_sqlite
@pytest.mark.req("JPKI-10")
async def test_a_receipt_is_signed_under_the_receipt_certificate(world):
    import base64

    from cryptography import x509

    from inkan.crypto import jose
    from inkan.crypto.jose import Algorithm
    from inkan.kernel.errors import InkanError

    pki = world.platform.pki
    signed = await pki.sign_receipt(b'{"v":1}')
    token = jose.parse_compact(signed, typ="inkan-receipt+jws", optional=("x5c",))
    chain = [base64.b64decode(each) for each in token.header["x5c"]]
    assert chain == list(pki.hierarchy.get("receipt").chain[:-1])
    key = x509.load_der_x509_certificate(chain[0]).public_key()
    jose.verify_signature(token, key, algs=(Algorithm.ES256,))
    changed = jose.parse_compact(
        signed.replace(signed.split(".")[1], "eyJ2IjoyfQ"),
        typ="inkan-receipt+jws",
        optional=("x5c",),
    )
    with pytest.raises(InkanError):
        jose.verify_signature(changed, key, algs=(Algorithm.ES256,))


@on_sqlite
async def test_each_key_serves_its_purpose_alone(world):
    from inkan.crypto.key_providers import KeyPurpose, KeyPurposeRefused

    hierarchy = world.platform.pki.hierarchy
    allowed = {
        "root": {KeyPurpose.CERT, KeyPurpose.CRL},
        "card": {KeyPurpose.CERT, KeyPurpose.CRL},
        "card-ocsp": {KeyPurpose.OCSP},
        "receipt": {KeyPurpose.RECEIPT},
    }
    for name, purposes in allowed.items():
        authority = hierarchy.get(name)
        for purpose in (KeyPurpose.CERT, KeyPurpose.CRL, KeyPurpose.OCSP, KeyPurpose.RECEIPT):
            if purpose in purposes:
                assert hierarchy.key_of(authority, purpose)
            else:
                with pytest.raises(KeyPurposeRefused):
                    hierarchy.key_of(authority, purpose)
