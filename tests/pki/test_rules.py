"""Profiles and the ceilings in code that none of them may break."""

import msgspec
import pytest

from inkan.pki.model import CertificateState, CertificateStep, ProfileWrong
from inkan.pki.rules import KEY_USAGES, MACHINE, MAX_BACKDATE_S, MAX_DAYS, check_profile, profiles

BREAKS = {
    "longer than its purpose": {"max_days": MAX_DAYS["holder"] + 1},
    "no term": {"max_days": 0},
    "two purposes": {"key_usage": ["digital_signature", "content_commitment"]},
    "a holder that certifies": {"key_usage": ["key_cert_sign"]},
    "a holder that signs lists": {"key_usage": ["crl_sign"]},
    "backdated": {"backdate_s": MAX_BACKDATE_S + 1},
    "a holder with a path length": {"path_length": 0},
    "no-check without an OCSP signer": {"ocsp_no_check": True},
    "no revocation source": {"revocation": False},
}


@pytest.mark.req("TW-23")
@pytest.mark.parametrize("name", BREAKS)
def test_no_profile_breaks_a_ceiling(name):
    good = profiles()["phone-auth"]
    with pytest.raises(ProfileWrong):
        check_profile(msgspec.structs.replace(good, **BREAKS[name]))
    assert check_profile(good) is good


def test_a_ca_needs_a_path_length_and_nothing_but_certificates_and_lists():
    issuing = profiles()["issuing"]
    for bent in ({"path_length": None}, {"key_usage": ["key_cert_sign"]}, {"max_days": 10981}):
        with pytest.raises(ProfileWrong):
            check_profile(msgspec.structs.replace(issuing, **bent))


@pytest.mark.parametrize(
    "bent",
    [
        {"extended_key_usage_critical": False},
        {"extended_key_usage": ["time_stamping", "ocsp_signing"]},
        {"purpose": "holder"},
        {"private_key_days": 1831},
    ],
)
def test_time_stamps_are_a_signers_only_purpose(bent):
    """RFC 3161 §2.3."""
    good = profiles()["tsa"]
    assert check_profile(good) is good
    with pytest.raises(ProfileWrong):
        check_profile(msgspec.structs.replace(good, **bent))


@pytest.mark.req("TW-23")
def test_every_shipped_profile_has_one_purpose():
    for profile in profiles().values():
        assert set(profile.key_usage) in KEY_USAGES[profile.purpose]
        assert 0 <= profile.backdate_s <= MAX_BACKDATE_S


def test_what_was_revoked_or_refused_stays_so():
    assert MACHINE.final == {CertificateState.REVOKED, CertificateState.REFUSED}
    assert MACHINE.before(CertificateStep.SIGN) == {CertificateState.INTENDED}
    assert set(CertificateState) == MACHINE.reachable
