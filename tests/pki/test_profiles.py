"""The golden structure of a certificate of each profile: extensions, criticality, usage, pointers."""

import pytest
from cryptography import x509
from cryptography.x509.oid import NameOID

from inkan.crypto import oids
from inkan.crypto.certificates import parse_certificate
from inkan.crypto.phone_binding import parse_phone_binding
from pki.hands import BINDING, issue, on_sqlite
from support.world import PLATFORM

KEY_ID = {"subjectKeyIdentifier": False, "authorityKeyIdentifier": False}
POINTERS = {"cRLDistributionPoints": False, "authorityInfoAccess": False}
HOLDER = {**KEY_ID, **POINTERS, "keyUsage": True, "certificatePolicies": False}
GOLDEN = {
    "root": {"subjectKeyIdentifier": False, "keyUsage": True, "basicConstraints": True},
    "card": {**HOLDER, "basicConstraints": True},
    "phone": {**HOLDER, "basicConstraints": True},
    "service": {**HOLDER, "basicConstraints": True},
    "card-ocsp": {**KEY_ID, "keyUsage": True, "extendedKeyUsage": False, "OCSPNoCheck": False},
    "receipt": HOLDER,
    "audit-head": HOLDER,
    "tsa": {**HOLDER, "extendedKeyUsage": True, "privateKeyUsagePeriod": False},
    "card-sign": HOLDER,
    "card-auth": HOLDER,
    "phone-auth": {**HOLDER, oids.PHONE_BINDING: False},
    "phone-sign": {**HOLDER, oids.PHONE_BINDING: False},
}
USAGE = {
    "root": {"key_cert_sign", "crl_sign"},
    "card": {"key_cert_sign", "crl_sign"},
    "phone": {"key_cert_sign", "crl_sign"},
    "service": {"key_cert_sign", "crl_sign"},
    "card-ocsp": {"digital_signature"},
    "receipt": {"digital_signature"},
    "audit-head": {"digital_signature"},
    "tsa": {"digital_signature"},
    "card-sign": {"content_commitment"},
    "card-auth": {"digital_signature"},
    "phone-auth": {"digital_signature"},
    "phone-sign": {"content_commitment"},
}
ALL_USAGES = (
    "digital_signature",
    "content_commitment",
    "key_encipherment",
    "data_encipherment",
    "key_agreement",
    "key_cert_sign",
    "crl_sign",
)


async def every(world):
    hierarchy = world.platform.pki.hierarchy
    found = {name: hierarchy.get(name).certificate for name in GOLDEN if hierarchy.find(name)}
    for number, profile in enumerate(name for name in GOLDEN if name not in found):
        found[profile] = (await issue(world, number, profile=profile)).der
    return {name: x509.load_der_x509_certificate(der) for name, der in found.items()}


def name_of(extension):
    known = extension.oid._name
    return extension.oid.dotted_string if known == "Unknown OID" else known


@on_sqlite
@pytest.mark.req("TW-21", "TW-23")
async def test_extensions_and_their_criticality(world):
    for name, certificate in (await every(world)).items():
        assert certificate.version is x509.Version.v3
        found = {name_of(each): each.critical for each in certificate.extensions}
        assert found == GOLDEN[name], name
        usage = certificate.extensions.get_extension_for_class(x509.KeyUsage).value
        assert {bit for bit in ALL_USAGES if getattr(usage, bit)} == USAGE[name], name
        assert certificate.serial_number.bit_length() == 127  # RFC 5280 §4.1.2.2


@on_sqlite
@pytest.mark.req("JPKI-10", "TW-22")
async def test_chain_names_and_pointers(world):
    made = await every(world)
    for name, issuer in {
        "card": "root",
        "phone": "root",
        "service": "root",
        "receipt": "phone",
        "audit-head": "phone",
        "tsa": "service",
        "card-ocsp": "card",
        "card-sign": "card",
        "card-auth": "card",
        "phone-auth": "phone",
        "phone-sign": "phone",
    }.items():
        made[name].verify_directly_issued_by(made[issuer])
        if name == "card-ocsp":
            continue
        (point,) = made[name].extensions.get_extension_for_class(x509.CRLDistributionPoints).value
        assert point.full_name[0].value == f"{PLATFORM}/crl/{issuer}.crl"
        access = made[name].extensions.get_extension_for_class(x509.AuthorityInformationAccess)
        places = [each.access_location.value for each in access.value]
        ocsp = [] if issuer == "root" else [f"{PLATFORM}/ocsp/{issuer}"]
        assert places == [*ocsp, f"{PLATFORM}/ca/{issuer}.cer"]


@on_sqlite
async def test_a_person_is_named_without_a_national_id(world):
    made = await every(world)
    for profile in ("card-sign", "phone-auth", "phone-sign"):
        subject = made[profile].subject
        found = {each.oid: each.value for each in subject}
        assert found == {
            NameOID.COUNTRY_NAME: "TW",
            NameOID.COMMON_NAME: "陳怡君",
            NameOID.SERIAL_NUMBER: "1234567890123456",
        }
    assert [each.oid for each in made["card-auth"].subject] == [
        NameOID.COUNTRY_NAME,
        NameOID.SERIAL_NUMBER,
    ]
    wrapped = made["phone-auth"].extensions.get_extension_for_oid(
        x509.ObjectIdentifier(oids.PHONE_BINDING)
    )
    assert parse_phone_binding(wrapped.value.value) == parse_phone_binding(BINDING)


async def test_certificates_of_a_citizen_hold_no_national_id(world):
    from support.world import CITIZENS

    phone = await world.bind("chen")
    citizen = await world.citizen("chen")
    number = CITIZENS["chen"][2].encode()
    for der in (citizen.certificate.der, *(each.der for each in phone.certificates.values())):
        assert number not in der
        assert parse_certificate(der).subject_serial == citizen.person.subject_serial
