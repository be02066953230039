"""What every key provider must do; the tests of a provider subclass this and give the two fixtures.

``provider`` is an empty provider; ``reopen`` opens the same keys again, as after a restart.
"""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from asn1crypto import cms as asn1_cms
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec, padding
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, pkcs7
from cryptography.x509 import ocsp

from inkan.crypto import jose
from inkan.crypto.jose import Algorithm
from inkan.crypto.key_providers import (
    SECRET_PURPOSES,
    SIGNING_PURPOSES,
    KeyExists,
    KeyLabelMalformed,
    KeyProvider,
    KeyPurpose,
    KeyPurposeRefused,
    KeyUnknown,
)
from inkan.crypto.keys import KeySpec, PrivateKey, PublicKey, key_spec

NOW = datetime(2026, 11, 21, tzinfo=UTC)
LATER = NOW + timedelta(days=1)
NAME = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "CA")])
CA = (KeyPurpose.CERT, KeyPurpose.CRL)
SPECS = [KeySpec.P256, KeySpec.P384, KeySpec.RSA2048]

Reopen = Callable[[], KeyProvider]


def certificate(key: PrivateKey, public: PublicKey) -> x509.Certificate:
    builder = x509.CertificateBuilder(NAME, NAME, public, 7, NOW, LATER)
    return builder.sign(key, SHA256())


def holds(public: PublicKey, signature: bytes, data: bytes) -> bool:
    try:
        if isinstance(public, ec.EllipticCurvePublicKey):
            public.verify(signature, data, ec.ECDSA(SHA256()))
        else:
            public.verify(signature, data, padding.PKCS1v15(), SHA256())
    except InvalidSignature:
        return False
    return True


class KeyProviderContract:
    @pytest.fixture
    def provider(self) -> KeyProvider:
        raise NotImplementedError

    @pytest.fixture
    def reopen(self) -> Reopen:
        raise NotImplementedError

    @pytest.mark.parametrize("spec", SPECS)
    def test_a_key_is_there_after_a_restart(
        self, provider: KeyProvider, reopen: Reopen, spec: KeySpec
    ) -> None:
        public = provider.generate("ca", spec, CA)
        assert key_spec(public) is spec
        for opened in (provider, reopen()):
            assert opened.public_key("ca") == public
            assert opened.signer("ca", KeyPurpose.CERT).public_key() == public
            assert opened.purposes("ca") == set(CA)
            assert opened.labels() == ("ca",)

    @pytest.mark.parametrize("spec", SPECS)
    def test_the_builders_sign_with_it(
        self, provider: KeyProvider, reopen: Reopen, spec: KeySpec
    ) -> None:
        """The five artefacts of a CA; the builder's contract with foreign keys is not documented anywhere."""
        public = provider.generate("ca", spec, CA)
        signer = reopen().signer("ca", KeyPurpose.CERT)
        issued = certificate(signer, public)
        crl = x509.CertificateRevocationListBuilder(NAME, NOW, LATER).sign(signer, SHA256())
        csr = x509.CertificateSigningRequestBuilder(NAME).sign(signer, SHA256())
        answer = (
            ocsp.OCSPResponseBuilder()
            .add_response(
                issued, issued, SHA256(), ocsp.OCSPCertStatus.GOOD, NOW, LATER, None, None
            )
            .responder_id(ocsp.OCSPResponderEncoding.HASH, issued)
            .sign(signer, SHA256())
        )
        cms = pkcs7.PKCS7SignatureBuilder(b"data", [(issued, signer, SHA256(), None)]).sign(
            Encoding.DER, [pkcs7.PKCS7Options.Binary]
        )
        assert holds(public, issued.signature, issued.tbs_certificate_bytes)
        assert crl.is_signature_valid(public)
        assert csr.is_signature_valid
        assert holds(public, answer.signature, answer.tbs_response_bytes)
        signed = asn1_cms.ContentInfo.load(cms)["content"]["signer_infos"][0]
        attributes = signed["signed_attrs"].untag().dump()
        assert holds(public, signed["signature"].native, attributes)

    @pytest.mark.parametrize(
        ("spec", "alg"), [(KeySpec.P256, Algorithm.ES256), (KeySpec.RSA2048, Algorithm.PS256)]
    )
    def test_tokens_are_signed_with_it(
        self, provider: KeyProvider, spec: KeySpec, alg: Algorithm
    ) -> None:
        public = provider.generate("token", spec, (KeyPurpose.TOKEN,))
        signer = provider.signer("token", KeyPurpose.TOKEN)
        token = jose.sign_compact(b"{}", signer, alg=alg, typ="t")
        assert jose.verify_compact(token, public, algs=(alg,), typ="t").payload == b"{}"

    @pytest.mark.parametrize("purpose", KeyPurpose)
    def test_a_key_serves_its_own_purpose_only(
        self, provider: KeyProvider, purpose: KeyPurpose
    ) -> None:
        provider.generate("ocsp", KeySpec.P256, (KeyPurpose.OCSP,))
        if purpose is KeyPurpose.OCSP:
            assert provider.signer("ocsp", purpose)
            return
        with pytest.raises(KeyPurposeRefused):
            provider.signer("ocsp", purpose)

    @pytest.mark.parametrize(
        "purposes",
        [
            (),
            (KeyPurpose.CERT, KeyPurpose.OCSP),
            (KeyPurpose.CERT, KeyPurpose.CRL, KeyPurpose.TOKEN),
            (KeyPurpose.RECEIPT, KeyPurpose.TOKEN),
            (KeyPurpose.MAC,),
            (KeyPurpose.CERT, KeyPurpose.SEAL),
        ],
    )
    def test_purposes_that_need_a_key_each_are_refused(
        self, provider: KeyProvider, purposes: tuple[KeyPurpose, ...]
    ) -> None:
        with pytest.raises(KeyPurposeRefused):
            provider.generate("mixed", KeySpec.P256, purposes)
        assert provider.labels() == ()

    def test_a_key_is_never_overwritten(self, provider: KeyProvider, reopen: Reopen) -> None:
        public = provider.generate("ca", KeySpec.P256, CA)
        for opened in (provider, reopen()):
            with pytest.raises(KeyExists):
                opened.generate("ca", KeySpec.P256, CA)
        assert reopen().public_key("ca") == public

    @pytest.mark.parametrize(
        "label", ["", "A", "../ca", "a/b", ".hidden", "a" * 65, "ca\n", "ca\0", "憑證", "-x", "a b"]
    )
    def test_labels_have_one_form(self, provider: KeyProvider, label: str) -> None:
        calls: list[Callable[[], Any]] = [
            lambda: provider.generate(label, KeySpec.P256, CA),
            lambda: provider.secret(label, KeyPurpose.MAC),
            lambda: provider.signer(label, KeyPurpose.CERT),
            lambda: provider.public_key(label),
        ]
        for call in calls:
            with pytest.raises(KeyLabelMalformed):
                call()

    def test_an_unknown_key_is_unknown(self, provider: KeyProvider) -> None:
        for call in (provider.public_key, provider.purposes):
            with pytest.raises(KeyUnknown):
                call("nobody")
        with pytest.raises(KeyUnknown):
            provider.signer("nobody", KeyPurpose.CERT)

    @pytest.mark.parametrize("purpose", sorted(SECRET_PURPOSES))
    def test_a_secret_is_made_once(
        self, provider: KeyProvider, reopen: Reopen, purpose: KeyPurpose
    ) -> None:
        secret = provider.secret("s", purpose)
        assert len(secret.reveal()) == 32
        assert provider.secret("s", purpose) == reopen().secret("s", purpose) == secret
        assert provider.secret("other", purpose) != secret
        assert len(provider.secret("long", purpose, length=64).reveal()) == 64
        assert provider.labels() == ("long", "other", "s")

    def test_a_secret_serves_its_own_purpose_and_length_only(self, provider: KeyProvider) -> None:
        provider.secret("mac", KeyPurpose.MAC)
        provider.generate("ca", KeySpec.P256, CA)
        refused: list[Callable[[], Any]] = [
            lambda: provider.secret("mac", KeyPurpose.SEAL),
            lambda: provider.secret("mac", KeyPurpose.MAC, length=16),
            lambda: provider.secret("ca", KeyPurpose.MAC),
            lambda: provider.signer("mac", KeyPurpose.MAC),
        ]
        for call in refused:
            with pytest.raises(KeyPurposeRefused):
                call()
        for purpose in SIGNING_PURPOSES:
            with pytest.raises(KeyPurposeRefused):
                provider.secret("new", purpose)
        assert provider.labels() == ("ca", "mac")
        with pytest.raises(KeyUnknown):
            provider.public_key("mac")
