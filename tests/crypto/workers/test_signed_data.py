"""CMS verification: the ten cases of the matrix, then everything that the gate and the attributes can get wrong."""

import hashlib
from datetime import timedelta

import msgspec
import pytest
from asn1crypto import cms as asn1
from asn1crypto import x509 as asn1_x509
from cryptography.hazmat.primitives.asymmetric import ec

from inkan.crypto import cms, oids
from inkan.crypto.cms import (
    CMSAlgorithm,
    CMSContentTypeWrong,
    CMSMalformed,
    CMSSignatureWrong,
    build_signed_data,
    key_signer,
    signed_attributes,
)
from inkan.crypto.path import (
    CertificateExpired,
    CertificateRevoked,
    CertificateUntrusted,
    CertificateWrongPurpose,
    KeyUsage,
    RevocationUnknown,
)
from inkan.crypto.workers.signed_data import verify_cms
from support.keyring import ec_key, rsa_key
from support.pki import AT, DAY, POLICY, Authority, Hierarchy

CONTENT = b'{"purpose":"bind"}'
TYPE = oids.CONTENT_BIND


@pytest.fixture(scope="module")
def pki():
    return Hierarchy()


def sign(issued, *above, content=CONTENT, content_type=TYPE, key=None, algorithm=None):
    key = key or issued.key
    chosen = algorithm or cms.algorithm_of(key)
    return build_signed_data(
        content,
        content_type=content_type,
        chain=[issued.der, *(row.der for row in above)],
        algorithm=chosen,
        sign=key_signer(key, chosen),
        signing_time=AT,
    )


def bend(der: bytes, change) -> bytes:
    """Change a parsed SignedData in place and encode it again."""
    info = asn1.ContentInfo.load(der)
    change(info["content"])
    return info.dump(force=True)


# --- the matrix of ten -------------------------------------------------------------------------------------------


def case_good(pki):
    return sign(pki.leaf, pki.issuing), pki.policy()


def case_content_changed(pki):
    def change(signed):
        signed["encap_content_info"]["content"] = CONTENT.replace(b"bind", b"kind")

    return bend(sign(pki.leaf, pki.issuing), change), pki.policy()


def case_signature_changed(pki):
    def change(signed):
        signature = bytearray(signed["signer_infos"][0]["signature"].native)
        signature[-1] ^= 1
        signed["signer_infos"][0]["signature"] = bytes(signature)

    return bend(sign(pki.leaf, pki.issuing), change), pki.policy()


def case_leaf_revoked(pki):
    crls = (pki.root.crl(), pki.issuing.crl({pki.leaf.certificate: "keyCompromise"}))
    return sign(pki.leaf, pki.issuing), pki.policy(crls=crls)


def case_authority_revoked(pki):
    crls = (pki.root.crl({pki.issuing.certificate: "cACompromise"}), pki.issuing.crl())
    return sign(pki.leaf, pki.issuing), pki.policy(crls=crls)


def case_no_crl(pki):
    return sign(pki.leaf, pki.issuing), pki.policy(crls=())


def case_expired(pki):
    expired = pki.issuing.issue(not_after=AT - timedelta(seconds=1))
    return sign(expired, pki.issuing), pki.policy()


def case_rogue_authority(pki):
    rogue = Authority.root().subordinate()
    return sign(rogue.issue(), rogue), pki.policy(crls=(*pki.crls, rogue.crl()))


def case_encipherment_only(pki):
    leaf = pki.issuing.issue(usage=["key_encipherment"], key=rsa_key())
    return sign(leaf, pki.issuing), pki.policy()


def case_crl_by_the_wrong_key(pki):
    forged = pki.issuing.crl(signer=Authority.root().subordinate())
    return sign(pki.leaf, pki.issuing), pki.policy(crls=(pki.root.crl(), forged))


MATRIX = {
    case_good: None,
    case_content_changed: CMSSignatureWrong,
    case_signature_changed: CMSSignatureWrong,
    case_leaf_revoked: CertificateRevoked,
    case_authority_revoked: CertificateRevoked,
    case_no_crl: RevocationUnknown,
    case_expired: CertificateExpired,
    case_rogue_authority: CertificateUntrusted,
    case_encipherment_only: CertificateWrongPurpose,
    case_crl_by_the_wrong_key: RevocationUnknown,
}


@pytest.mark.req("TW-22")
@pytest.mark.parametrize(
    ("case", "refusal"), MATRIX.items(), ids=lambda row: getattr(row, "__name__", "")
)
def test_only_the_first_case_of_the_matrix_is_accepted(pki, case, refusal):
    der, policy = case(pki)
    if refusal is None:
        assert verify_cms(der, TYPE, policy).content == CONTENT
        return
    with pytest.raises(refusal) as caught:
        verify_cms(der, TYPE, policy)
    assert type(caught.value) is refusal


# --- what comes back -----------------------------------------------------------------------------------------------


def test_the_result_says_who_signed_what_and_when(pki):
    der = sign(pki.leaf, pki.issuing)
    verified = verify_cms(der, TYPE, pki.policy())
    assert verified.content_type == TYPE
    assert verified.certificate == pki.leaf.der
    assert verified.signing_time == AT
    assert verified.sha256 == hashlib.sha256(der).digest()
    assert verified.path.chain == tuple(
        row.certificate.sha256 for row in (pki.leaf, pki.issuing, pki.root)
    )
    assert verified.path.policies == {POLICY}


def test_a_revoked_signer_is_named_with_reason_and_time(pki):
    der, policy = case_leaf_revoked(pki)
    with pytest.raises(CertificateRevoked) as caught:
        verify_cms(der, TYPE, policy)
    assert caught.value.public_facts == {
        "reason": "keyCompromise",
        "revoked_at": AT - timedelta(hours=2),
    }


@pytest.mark.parametrize(
    ("key", "algorithm"),
    [
        (ec_key(1), CMSAlgorithm.ECDSA),
        (ec_key(1, curve=ec.SECP384R1), CMSAlgorithm.ECDSA),
        (rsa_key(), CMSAlgorithm.RSA_PKCS1),
        (rsa_key(), CMSAlgorithm.RSA_PSS),
    ],
    ids=["p256", "p384", "pkcs1", "pss"],
)
def test_every_algorithm_is_verified(pki, key, algorithm):
    leaf = pki.issuing.issue(key=key)
    verified = verify_cms(sign(leaf, algorithm=algorithm), TYPE, pki.policy())
    assert verified.algorithm is algorithm


@pytest.mark.parametrize("version", [0, 1])
@pytest.mark.parametrize("algorithm", CMSAlgorithm)
def test_other_encodings_of_an_algorithm_are_verified(pki, algorithm, version):
    key = ec_key(1) if algorithm is CMSAlgorithm.ECDSA else rsa_key()
    encodings = cms._IDENTIFIERS[algorithm]
    der = sign(pki.issuing.issue(key=key), algorithm=algorithm)
    if version < len(encodings):
        der = (
            der.replace(encodings[0], encodings[version])
            if len(encodings[0]) == len(encodings[version])
            else bend(der, lambda signed: _set_algorithm(signed, encodings[version]))
        )
    assert verify_cms(der, TYPE, pki.policy()).algorithm is algorithm


def _set_algorithm(signed, der):
    signed["signer_infos"][0]["signature_algorithm"] = asn1.SignedDigestAlgorithm.load(der)


def test_a_curve_that_is_not_used_here_is_refused(pki):
    leaf = pki.issuing.issue(key=ec.generate_private_key(ec.SECP521R1()))
    with pytest.raises(CMSMalformed, match="P-384"):
        verify_cms(sign(leaf), TYPE, pki.policy())


def test_the_content_type_is_exactly_the_one_demanded(pki):
    der = sign(pki.leaf, content_type=oids.CONTENT_RENEW)
    with pytest.raises(CMSContentTypeWrong) as caught:
        verify_cms(der, TYPE, pki.policy())
    assert caught.value.public_facts == {"expected": TYPE}


def test_the_type_under_the_signature_counts(pki):
    """The same signature under another eContentType: types cannot be swapped after signing."""

    def change(signed):
        signed["encap_content_info"]["content_type"] = oids.CONTENT_REVOKE

    with pytest.raises(CMSMalformed, match="another content type was signed"):
        verify_cms(bend(sign(pki.leaf), change), oids.CONTENT_REVOKE, pki.policy())


def test_the_intermediate_may_come_along_or_from_the_policy(pki):
    assert verify_cms(sign(pki.leaf, pki.issuing), TYPE, pki.policy(intermediates=()))
    with pytest.raises(CertificateUntrusted):
        verify_cms(sign(pki.leaf), TYPE, pki.policy(intermediates=()))


def test_the_key_usage_demanded_is_the_callers(pki):
    with pytest.raises(CertificateWrongPurpose):
        verify_cms(
            sign(pki.leaf),
            TYPE,
            pki.policy(key_usage=frozenset({KeyUsage.CONTENT_COMMITMENT})),
        )


# --- signed attributes ---------------------------------------------------------------------------------------------


def resign(issued, attributes: asn1.CMSAttributes, **signer) -> bytes:
    """A SignedData whose signature covers exactly these attributes."""

    def change(signed):
        info = signed["signer_infos"][0]
        info["signed_attrs"] = attributes
        info["signature"] = key_signer(issued.key)(attributes.dump())
        for name, value in signer.items():
            info[name] = value

    return bend(sign(issued), change)


def attribute_rows(issued, **bent):
    der = signed_attributes(CONTENT, content_type=TYPE, certificate=issued.der, **bent)
    return list(asn1.CMSAttributes.load(der))


def without(rows, name):
    return asn1.CMSAttributes([row for row in rows if row["type"].native != name])


def test_signing_time_and_certificate_reference_are_optional(pki):
    rows = attribute_rows(pki.leaf)
    verified = verify_cms(
        resign(pki.leaf, without(rows, "signing_certificate_v2")), TYPE, pki.policy()
    )
    assert verified.signing_time is None


@pytest.mark.parametrize("name", ["content_type", "message_digest"])
def test_content_type_and_digest_are_demanded(pki, name):
    with pytest.raises(CMSMalformed):
        verify_cms(resign(pki.leaf, without(attribute_rows(pki.leaf), name)), TYPE, pki.policy())


def test_a_certificate_reference_names_the_signer(pki):
    other = pki.issuing.issue()
    der = signed_attributes(CONTENT, content_type=TYPE, certificate=other.der)
    with pytest.raises(CMSSignatureWrong, match="certificate"):
        verify_cms(resign(pki.leaf, asn1.CMSAttributes.load(der)), TYPE, pki.policy())


def test_one_key_with_two_certificates_cannot_be_confused(pki):
    """Same key, same names, another certificate: the reference under the signature decides (RFC 5035)."""
    twin = pki.issuing.issue(key=pki.leaf.key)

    def change(signed):
        signed["certificates"] = [asn1_x509.Certificate.load(twin.der)]
        identifier = signed["signer_infos"][0]["sid"].chosen
        identifier["serial_number"] = twin.certificate.serial

    with pytest.raises(CMSSignatureWrong):
        verify_cms(bend(sign(pki.leaf), change), TYPE, pki.policy())


def test_a_certificate_reference_by_sha1_is_refused(pki):
    rows = attribute_rows(pki.leaf)
    sha1 = asn1.CMSAttribute(
        {
            "type": "signing_certificate",
            "values": [{"certs": [{"cert_hash": hashlib.sha1(pki.leaf.der).digest()}]}],
        }
    )
    with pytest.raises(CMSMalformed, match="SHA-1"):
        verify_cms(resign(pki.leaf, asn1.CMSAttributes([*rows, sha1])), TYPE, pki.policy())


def test_an_attribute_stands_once(pki):
    rows = attribute_rows(pki.leaf, signing_time=AT)
    again = attribute_rows(pki.leaf, signing_time=AT + DAY)
    with pytest.raises(CMSMalformed, match="more than once"):
        verify_cms(resign(pki.leaf, asn1.CMSAttributes([*rows, *again])), TYPE, pki.policy())


def test_no_signed_attributes_is_no_signature_over_a_type(pki):
    def change(signed):
        info = signed["signer_infos"][0]
        info["signature"] = key_signer(pki.leaf.key)(CONTENT)
        del info["signed_attrs"]

    with pytest.raises(CMSMalformed, match="no signed attributes"):
        verify_cms(bend(sign(pki.leaf), change), TYPE, pki.policy())


def test_the_policy_may_bring_its_own_intermediates_and_evidence(pki):
    policy = msgspec.structs.replace(pki.policy(), max_path=3)
    assert len(verify_cms(sign(pki.leaf, pki.issuing), TYPE, policy).path.chain) == 3
