"""Renewal on the phone: it replaces the keys, keeps the binding, and is taken up where it broke off."""

import pytest

from client.phones import EVIL, bound, reopen, sent_to
from inkan.client.authenticator_data import Ceremony
from inkan.client.exchange import CallForbidden, PlatformUnreachable
from inkan.client.phone_renewal import RenewalSubstituted
from inkan.crypto.keys import KeySpec
from inkan.wire.enrolment_request import KeyUse
from inkan.wire.session import Outcome
from support.phone_platform import PhonePlatform
from support.phone_words import FRAME, Refusal


@pytest.mark.req("TW-32")
@pytest.mark.parametrize("spec", [KeySpec.RSA2048, KeySpec.P256])
async def test_renewal_replaces_keys_and_keeps_the_binding(tmp_path, spec):
    platform = PhonePlatform(key_spec=spec)
    asked = []
    async with bound(tmp_path, platform, verify_user=lambda c: asked.append(c) or True) as phone:
        before = phone.binding
        asked.clear()
        after = await phone.renew()
        assert asked == [Ceremony.GET]
        assert after.binding_id == before.binding_id
        assert after.credential == before.credential
        for use in before.keys:
            assert after.keys[use].spki != before.keys[use].spki
            assert after.certificates[use].der != before.certificates[use].der
        assert platform.confirmed == 1
        platform.ask()
        await phone.open_frame(FRAME)
        assert (await phone.approve()).outcome is Outcome.OK


@pytest.mark.parametrize("path", ["/phone/v1/renew", "/phone/v1/renew/confirm"])
async def test_a_renewal_whose_answer_is_lost_goes_on(tmp_path, platform, path):
    async with bound(tmp_path, platform) as phone:
        platform.lose[path] = 1
        await phone.renew()
        assert platform.confirmed == 1
        assert phone._parts.state.renewal is None
        assert len(set(sent_to(platform, "/phone/v1/renew"))) == 1


@pytest.mark.parametrize("path", ["/phone/v1/renew", "/phone/v1/renew/confirm"])
async def test_a_renewal_that_broke_off_is_taken_up(tmp_path, platform, path):
    async with bound(tmp_path, platform) as phone:
        if path.endswith("renew"):
            platform.lose[path] = 3
        else:
            platform.dead = {path}
        with pytest.raises(PlatformUnreachable):
            await phone.renew()
    platform.dead = set()
    async with reopen(tmp_path, platform) as phone:
        await phone.renew()
        assert platform.confirmed == 1
        assert phone._parts.state.renewal is None
        assert phone.certificates[KeyUse.AUTH].der == platform.certificates["auth"].der
    assert len(set(sent_to(platform, "/phone/v1/renew"))) == 1
    assert len(sent_to(platform, "/phone/v1/renew/begin")) == 1


@pytest.mark.parametrize(
    ("member", "value"),
    [
        ("aud", "https://id.evil.org"),
        ("scheme", "hca"),
        ("binding_id", "id-other"),
        ("uses", ["auth"]),
        ("old_certificate_sha256", EVIL),
    ],
)
async def test_the_old_key_signs_for_nobody_else(tmp_path, platform, member, value):
    platform.bend["/renew/begin"] = lambda answer: answer | {member: value}
    async with bound(tmp_path, platform) as phone:
        with pytest.raises(RenewalSubstituted) as refused:
            await phone.renew()
        assert refused.value.facts["member"] == member
        assert ("POST", "/phone/v1/renew") not in platform.calls


@pytest.mark.req("TW-33")
async def test_a_refused_renewal_leaves_the_old_certificates(tmp_path, platform):
    async with bound(tmp_path, platform) as phone:
        before = phone.binding
        platform.refuse["/phone/v1/renew"] = Refusal(403, "renewal_refused")
        with pytest.raises(CallForbidden):
            await phone.renew()
        assert phone.binding == before
        assert phone._parts.state.renewal is None


async def test_renewed_certificates_that_do_not_fit_are_not_taken(tmp_path, platform):
    async with bound(tmp_path, platform) as phone:
        before = phone.binding
        platform._issue = lambda use, spki: platform.issue(use, spki, binding="id-other")
        with pytest.raises(RenewalSubstituted):
            await phone.renew()
        assert phone.binding == before
        assert ("POST", "/phone/v1/renew/confirm") not in platform.calls
