"""What object identifiers of certificates are called: English texts that pages translate, and names of standards."""

from collections.abc import Mapping
from typing import Final

from inkan.crypto import oids

# RFC 5280 appendix A.1, RFC 4519 §2, RFC 3739 §3.1; ITU-T X.520.
ATTRIBUTES: Final[Mapping[str, str]] = {
    "2.5.4.3": "Common name",
    "2.5.4.4": "Surname",
    "2.5.4.5": "Serial number of the holder",
    "2.5.4.6": "Country",
    "2.5.4.7": "Locality",
    "2.5.4.8": "State or province",
    "2.5.4.9": "Street",
    "2.5.4.10": "Organisation",
    "2.5.4.11": "Organisational unit",
    "2.5.4.12": "Title",
    "2.5.4.16": "Postal address",
    "2.5.4.17": "Postal code",
    "2.5.4.42": "Given name",
    "2.5.4.46": "Distinguished name qualifier",
    "2.5.4.65": "Pseudonym",
    "2.5.4.97": "Organisation identifier",
    "0.9.2342.19200300.100.1.1": "User id",
    "0.9.2342.19200300.100.1.25": "Domain component",
    "1.2.840.113549.1.9.1": "E-mail address",
}
# RFC 5280 §4.2, RFC 6960 §4.2.2.2.1, RFC 3739 §3.2, RFC 6962 §3.3, RFC 7633.
EXTENSIONS: Final[Mapping[str, str]] = {
    "2.5.29.9": "Attributes of the holder",
    "2.5.29.14": "Identifier of the holder's key",
    "2.5.29.15": "Key usage",
    "2.5.29.16": "Period of use of the private key",
    "2.5.29.17": "Other names of the holder",
    "2.5.29.18": "Other names of the issuer",
    "2.5.29.19": "Basic constraints",
    "2.5.29.30": "Name constraints",
    "2.5.29.31": "Where the revocation list is",
    "2.5.29.32": "Certificate policies",
    "2.5.29.33": "Policy mappings",
    "2.5.29.35": "Identifier of the issuer's key",
    "2.5.29.36": "Policy constraints",
    "2.5.29.37": "Extended key usage",
    "2.5.29.46": "Where the delta revocation list is",
    "2.5.29.54": "No further any-policy",
    "1.3.6.1.5.5.7.1.1": "Where the issuer answers",
    "1.3.6.1.5.5.7.1.3": "Statements of a qualified certificate",
    "1.3.6.1.5.5.7.1.11": "Where the subject answers",
    "1.3.6.1.5.5.7.1.24": "TLS feature",
    "1.3.6.1.5.5.7.48.1.5": "Signer of OCSP answers needs no status",
    "1.3.6.1.4.1.11129.2.4.2": "Certificate transparency",
    oids.PHONE_BINDING: "Binding to a phone",
}
# RFC 5280 §4.2.1.3, in the order of its bits: name in the library, name in the RFC, what it means.
KEY_USAGES: Final = (
    ("digital_signature", "digitalSignature", "Proving who one is"),
    ("content_commitment", "contentCommitment", "Signing contents"),
    ("key_encipherment", "keyEncipherment", "Encrypting keys"),
    ("data_encipherment", "dataEncipherment", "Encrypting data"),
    ("key_agreement", "keyAgreement", "Agreeing on keys"),
    ("key_cert_sign", "keyCertSign", "Issuing certificates"),
    ("crl_sign", "cRLSign", "Signing revocation lists"),
)
# RFC 5280 §4.2.1.12, RFC 3161 §2.3, RFC 9336.
PURPOSES: Final[Mapping[str, tuple[str, str]]] = {
    "1.3.6.1.5.5.7.3.1": ("serverAuth", "Web server"),
    "1.3.6.1.5.5.7.3.2": ("clientAuth", "Logging in to a server"),
    "1.3.6.1.5.5.7.3.3": ("codeSigning", "Signing programs"),
    "1.3.6.1.5.5.7.3.4": ("emailProtection", "Protecting e-mail"),
    "1.3.6.1.5.5.7.3.8": ("timeStamping", "Time-stamps"),
    "1.3.6.1.5.5.7.3.9": ("OCSPSigning", "Signing OCSP answers"),
    "1.3.6.1.5.5.7.3.36": ("documentSigning", "Signing documents"),
    "2.5.29.37.0": ("anyExtendedKeyUsage", "Any purpose"),
}
POLICIES: Final[Mapping[str, str]] = {
    oids.POLICY_CARD_AUTH: "Login with an IC card from a counter",
    oids.POLICY_CARD_SIGN: "Signature with an IC card from a counter",
    oids.POLICY_PHONE_AUTH: "Approval with a phone that was bound by a card",
    oids.POLICY_PHONE_SIGN: "Signature with a phone that was bound by a card",
    oids.POLICY_RECEIPT: "Receipts of an Inkan platform",
    oids.ANY_POLICY: "Any policy",
}
# RFC 5758, RFC 8017 appendix A.2, RFC 8410; names of standards, not translated.
SIGNATURES: Final[Mapping[str, str]] = {
    "1.2.840.113549.1.1.4": "RSA (PKCS #1) with MD5",
    "1.2.840.113549.1.1.5": "RSA (PKCS #1) with SHA-1",
    "1.2.840.113549.1.1.10": "RSA-PSS",
    "1.2.840.113549.1.1.11": "RSA (PKCS #1) with SHA-256",
    "1.2.840.113549.1.1.12": "RSA (PKCS #1) with SHA-384",
    "1.2.840.113549.1.1.13": "RSA (PKCS #1) with SHA-512",
    "1.2.840.10040.4.3": "DSA with SHA-1",
    "1.2.840.10045.4.1": "ECDSA with SHA-1",
    "1.2.840.10045.4.3.2": "ECDSA with SHA-256",
    "1.2.840.10045.4.3.3": "ECDSA with SHA-384",
    "1.2.840.10045.4.3.4": "ECDSA with SHA-512",
    "1.3.101.112": "Ed25519",
    "1.3.101.113": "Ed448",
}
# The personal data of Japan's signature certificates, as otherName of subjectAltName (J-LIS profile, §3).
JPKI_NAME: Final = "1.2.392.200149.8.5.5.1"
JPKI_SEX: Final = "1.2.392.200149.8.5.5.3"
JPKI_BIRTH_DATE: Final = "1.2.392.200149.8.5.5.4"
JPKI_ADDRESS: Final = "1.2.392.200149.8.5.5.5"
# RFC 5280 §4.2.1.8, and what stands in it: RFC 3739 §3.2.2; ITU-T X.520 §6.6.1
SUBJECT_DIRECTORY_ATTRIBUTES: Final = "2.5.29.9"
DATE_OF_BIRTH: Final = "1.3.6.1.5.5.7.9.1"
GENDER: Final = "1.3.6.1.5.5.7.9.3"
POSTAL_ADDRESS: Final = "2.5.4.16"
OTHER_NAMES: Final[Mapping[str, str]] = {
    JPKI_NAME: "Name",
    JPKI_SEX: "Sex",
    JPKI_BIRTH_DATE: "Date of birth",
    JPKI_ADDRESS: "Address",
    DATE_OF_BIRTH: "Date of birth",
    GENDER: "Sex",
    POSTAL_ADDRESS: "Address",
}
