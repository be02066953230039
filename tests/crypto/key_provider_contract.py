"""What every key provider must do; the tests of a provider subclass this and give the two fixtures.

``provider`` is an empty provider; ``reopen`` opens the same keys again, as after a restart. A provider of key
pairs passes :class:`KeyPairContract`; one that holds secrets too passes :class:`KeyProviderContract`.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from asn1crypto import cms as asn1_cms
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec, padding
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, pkcs7
from cryptography.x509 import ocsp

from inkan.crypto import jose
from inkan.crypto.foreign_keys import SignatureSchemeRefused
from inkan.crypto.jose import Algorithm
from inkan.crypto.key_providers import (
    SECRET_PURPOSES,
    SIGNING_PURPOSES,
    KeyExists,
    KeyLabelMalformed,
    KeyPairProvider,
    KeyProvider,
    KeyPurpose,
    KeyPurposeRefused,
    KeyUnknown,
)
from inkan.crypto.keys import KeySpec, PrivateKey, PublicKey, generate, key_spec

NOW = datetime(2026, 11, 21, tzinfo=UTC)
LATER = NOW + timedelta(days=1)
NAME = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "CA")])
CA = (KeyPurpose.CERT, KeyPurpose.CRL)
SPECS = [KeySpec.P256, KeySpec.P384, KeySpec.RSA2048]

Reopen = Callable[[], KeyPairProvider]
ReopenAll = Callable[[], KeyProvider]


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


class KeyPairContract:
    @pytest.fixture
    def provider(self) -> KeyPairProvider:
        raise NotImplementedError

    @pytest.fixture
    def reopen(self) -> Reopen:
        raise NotImplementedError

    @pytest.mark.parametrize("spec", SPECS)
    def test_a_key_is_there_after_a_restart(
        self, provider: KeyPairProvider, reopen: Reopen, spec: KeySpec
    ) -> None:
        public = provider.generate("ca", spec, CA)
        assert key_spec(public) is spec
        for opened in (provider, reopen()):
            assert opened.public_key("ca") == public
            assert opened.signer("ca", KeyPurpose.CERT).public_key() == public
            assert opened.purposes("ca") == set(CA)
            assert opened.labels() == ("ca",)

    @pytest.mark.parametrize("spec", SPECS)
    def test_a_ca_signs_certificates_requests_and_lists(
        self, provider: KeyPairProvider, reopen: Reopen, spec: KeySpec
    ) -> None:
        """The builder's contract with foreign keys is not documented anywhere."""
        public = provider.generate("ca", spec, CA)
        opened = reopen()
        signer = opened.signer("ca", KeyPurpose.CERT)
        issued = certificate(signer, public)
        csr = x509.CertificateSigningRequestBuilder(NAME).sign(signer, SHA256())
        crl = x509.CertificateRevocationListBuilder(NAME, NOW, LATER).sign(
            opened.signer("ca", KeyPurpose.CRL), SHA256()
        )
        assert holds(public, issued.signature, issued.tbs_certificate_bytes)
        assert crl.is_signature_valid(public)
        assert csr.is_signature_valid

    @pytest.mark.parametrize("spec", SPECS)
    def test_a_responder_signs_answers(self, provider: KeyPairProvider, spec: KeySpec) -> None:
        public = provider.generate("ocsp", spec, (KeyPurpose.OCSP,))
        known = generate(KeySpec.P256)
        issued = certificate(known, public)
        answer = (
            ocsp.OCSPResponseBuilder()
            .add_response(
                issued, issued, SHA256(), ocsp.OCSPCertStatus.GOOD, NOW, LATER, None, None
            )
            .responder_id(ocsp.OCSPResponderEncoding.HASH, issued)
            .sign(provider.signer("ocsp", KeyPurpose.OCSP), SHA256())
        )
        assert holds(public, answer.signature, answer.tbs_response_bytes)

    @pytest.mark.parametrize("spec", SPECS)
    def test_messages_are_signed_with_it(self, provider: KeyPairProvider, spec: KeySpec) -> None:
        public = provider.generate("cms", spec, (KeyPurpose.CMS,))
        signer = provider.signer("cms", KeyPurpose.CMS)
        issued = certificate(generate(KeySpec.P256), public)
        cms = pkcs7.PKCS7SignatureBuilder(b"data", [(issued, signer, SHA256(), None)]).sign(
            Encoding.DER, [pkcs7.PKCS7Options.Binary]
        )
        signed = asn1_cms.ContentInfo.load(cms)["content"]["signer_infos"][0]
        attributes = signed["signed_attrs"].untag().dump()
        assert holds(public, signed["signature"].native, attributes)

    @pytest.mark.parametrize(
        ("spec", "alg"), [(KeySpec.P256, Algorithm.ES256), (KeySpec.RSA2048, Algorithm.PS256)]
    )
    def test_tokens_are_signed_with_it(
        self, provider: KeyPairProvider, spec: KeySpec, alg: Algorithm
    ) -> None:
        public = provider.generate("token", spec, (KeyPurpose.TOKEN,))
        signer = provider.signer("token", KeyPurpose.TOKEN)
        token = jose.sign_compact(b"{}", signer, alg=alg, typ="t")
        assert jose.verify_compact(token, public, algs=(alg,), typ="t").payload == b"{}"

    @pytest.mark.parametrize("purpose", KeyPurpose)
    def test_a_key_serves_its_own_purpose_only(
        self, provider: KeyPairProvider, purpose: KeyPurpose
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
        self, provider: KeyPairProvider, purposes: tuple[KeyPurpose, ...]
    ) -> None:
        with pytest.raises(KeyPurposeRefused):
            provider.generate("mixed", KeySpec.P256, purposes)
        assert provider.labels() == ()

    def test_a_key_is_never_overwritten(self, provider: KeyPairProvider, reopen: Reopen) -> None:
        public = provider.generate("ca", KeySpec.P256, CA)
        for opened in (provider, reopen()):
            with pytest.raises(KeyExists):
                opened.generate("ca", KeySpec.P256, CA)
        assert reopen().public_key("ca") == public

    @pytest.mark.parametrize(
        "label", ["", "A", "../ca", "a/b", ".hidden", "a" * 65, "ca\n", "ca\0", "憑證", "-x", "a b"]
    )
    def test_labels_have_one_form(self, provider: KeyPairProvider, label: str) -> None:
        calls: list[Callable[[], Any]] = [
            lambda: provider.generate(label, KeySpec.P256, CA),
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

    def test_rivals_sign_side_by_side(self, provider: KeyPairProvider) -> None:
        publics = {
            label: provider.generate(label, spec, (KeyPurpose.CRL,))
            for label, spec in (("one", KeySpec.P256), ("two", KeySpec.RSA2048))
        }

        def sign(number: int) -> bool:
            label = ("one", "two")[number % 2]
            builder = x509.CertificateRevocationListBuilder(NAME, NOW, LATER)
            builder = builder.add_extension(x509.CRLNumber(number), critical=False)
            signer = provider.signer(label, KeyPurpose.CRL)
            return builder.sign(signer, SHA256()).is_signature_valid(publics[label])

        with ThreadPoolExecutor(8) as pool:
            assert all(pool.map(sign, range(64)))

    def test_all_keys_are_listed(self, provider: KeyPairProvider, reopen: Reopen) -> None:
        assert provider.labels() == ()
        for label in ("b", "a.1", "c-2"):
            provider.generate(label, KeySpec.P256, (KeyPurpose.OCSP,))
        assert provider.labels() == reopen().labels() == ("a.1", "b", "c-2")

    def test_what_is_no_whole_message_is_not_signed(self, provider: KeyPairProvider) -> None:
        provider.generate("ca", KeySpec.P256, CA)
        signer = provider.signer("ca", KeyPurpose.CERT)
        assert isinstance(signer, ec.EllipticCurvePrivateKey)
        if type(signer).__module__.startswith("cryptography."):
            return  # a key in memory does what it is asked; the guard stands before it
        with pytest.raises(SignatureSchemeRefused):
            signer.sign(bytes(32), ec.ECDSA(Prehashed(SHA256())))
        with pytest.raises(SignatureSchemeRefused):
            signer.private_numbers()


class KeyProviderContract(KeyPairContract):
    @pytest.fixture
    def provider(self) -> KeyProvider:
        raise NotImplementedError

    @pytest.fixture
    def reopen(self) -> ReopenAll:
        raise NotImplementedError

    def test_a_secret_has_a_label_of_the_same_form(self, provider: KeyProvider) -> None:
        for label in ("", "A", "../ca", ".hidden"):
            with pytest.raises(KeyLabelMalformed):
                provider.secret(label, KeyPurpose.MAC)

    @pytest.mark.parametrize("purpose", sorted(SECRET_PURPOSES))
    def test_a_secret_is_made_once(
        self, provider: KeyProvider, reopen: ReopenAll, purpose: KeyPurpose
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
