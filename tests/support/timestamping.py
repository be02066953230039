"""A time-stamping authority for tests: certificates by the tests' own PKI, tokens by the product's templates or bent."""

import hashlib
from datetime import datetime

from asn1crypto import cms as asn1_cms
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.x509.oid import ExtendedKeyUsageOID

from inkan.crypto import der_values as der
from inkan.crypto import oids
from inkan.crypto.tsp import build_request, parse_request
from inkan.crypto.tsp_response import SIGNED_DATA, TST_INFO, TokenMaker
from support.keyring import ec_key
from support.pki import AT, DAY, Hierarchy, Issued

DATA = b"a document"
IMPRINT = hashlib.sha256(DATA).digest()
NONCE = 2**63 + 7
SERIAL = 2**134 + 5
STAMPING = ExtendedKeyUsageOID.TIME_STAMPING


def purposes(*usages: x509.ObjectIdentifier, critical: bool = True):
    """The extension that says what a certificate is for."""
    return [(x509.ExtendedKeyUsage(list(usages or [STAMPING])), critical)]


def key_period(begins: datetime = AT - DAY, ends: datetime = AT + DAY):
    """The extension that says when the key signs."""
    bounds = (begins.replace(tzinfo=None), ends.replace(tzinfo=None))
    return [(x509.PrivateKeyUsagePeriod(*bounds), False)]


class Authority:
    """A signer of time-stamps under the issuing authority of a hierarchy."""

    def __init__(self, hierarchy: Hierarchy, **bent) -> None:
        self.hierarchy = hierarchy
        defaults = {"key": ec_key(77), "extra": purposes()}
        self.signer: Issued = hierarchy.issuing.issue("TSA", **defaults | bent)
        self.chain = (self.signer.der, hierarchy.issuing.der)

    def maker(self, *, sign=None, chain=None) -> TokenMaker:
        return TokenMaker(
            chain=chain or self.chain,
            policy=oids.TIMESTAMP_POLICY,
            accuracy_ms=1000,
            sign=sign or (lambda data: self.signer.key.sign(data, ECDSA(SHA256()))),
        )

    def token(self, *, at: datetime = AT, cert_req: bool = True, chain=None, sign=None) -> bytes:
        request = build_request(IMPRINT, nonce=NONCE, cert_req=cert_req)
        maker = self.maker(chain=chain, sign=sign)
        return maker.make(parse_request(request), serial=SERIAL, at=at)

    def bent(self, change) -> bytes:
        """A token whose ``SignedData`` somebody changed by asn1crypto, signed again where there is something to sign."""
        content = asn1_cms.ContentInfo.load(self.token())
        signed = content["content"]
        change(signed)
        for signer in signed["signer_infos"]:
            if signer["signed_attrs"].native:
                data = b"\x31" + signer["signed_attrs"].dump(force=True)[1:]
                signer["signature"] = self.signer.key.sign(data, ECDSA(SHA256()))
        return content.dump(force=True)

    def over(self, info: bytes) -> bytes:
        """A token over any TSTInfo; digest, attributes and signature fit it."""
        token = self.token()
        old = asn1_cms.ContentInfo.load(token)["content"]["encap_content_info"]["content"]
        signer = asn1_cms.ContentInfo.load(token)["content"]["signer_infos"][0]
        attributes = signer["signed_attrs"].dump()
        digests = [hashlib.sha256(each).digest() for each in (old.contents, info)]
        fresh = attributes.replace(*digests)
        signature = self.signer.key.sign(b"\x31" + fresh[1:], ECDSA(SHA256()))
        head = asn1_cms.ContentInfo.load(token)["content"]
        members = [signer[name].dump() for name in ("version", "sid", "digest_algorithm")]
        algorithm = signer["signature_algorithm"].dump()
        signed = der.sequence(
            head["version"].dump(),
            head["digest_algorithms"].dump(),
            der.sequence(
                der.object_identifier(TST_INFO),
                der.tlv(der.CONTEXT_0, der.tlv(der.OCTET_STRING, info)),
            ),
            head["certificates"].dump(),
            der.set_of(
                der.sequence(*members, fresh, algorithm, der.tlv(der.OCTET_STRING, signature))
            ),
        )
        return der.sequence(der.object_identifier(SIGNED_DATA), der.tlv(der.CONTEXT_0, signed))
