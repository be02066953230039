"""Binding a phone: it believes only its own platform and its own keys, and survives a lost answer."""

import json
from datetime import timedelta

import msgspec
import pytest

from client.card_requests import PIN
from client.phones import EVIL, bound, issue, make, reopen, sent_to
from inkan.client.authenticator import Backup, UserNotVerified
from inkan.client.authenticator_data import Ceremony
from inkan.client.card import DigitsMismatch
from inkan.client.certificate_keys import unwrap
from inkan.client.enrolment import EnrolmentClient, EnrolmentEnded
from inkan.client.exchange import PlatformUnreachable
from inkan.client.http import AsyncTransport
from inkan.client.phone_certificates import CertificateNotOurs
from inkan.client.phone_enrolment import EnrolmentSubstituted, NothingToBind, PhoneBound
from inkan.client.phone_parts import PhoneNotBound
from inkan.client.phone_state import PhoneState
from inkan.client.software_card import SoftwareCard
from inkan.crypto.certificate_requests import parse_csr, verify_csr
from inkan.crypto.keys import KeySpec
from inkan.crypto.path import CertificatePolicyUnmet, CertificateUntrusted, CertificateWrongPurpose
from inkan.wire import enrolment_request as requests
from inkan.wire.enrolment_request import KeyUse
from inkan.wire.session import Outcome
from support.phone_platform import PhonePlatform
from support.phone_words import ENROL_FRAME, FRAME, PLATFORM, KeyOf, b64
from support.pki import Authority

# --- binding ---------------------------------------------------------------------------------------


@pytest.mark.req("TW-26", "TW-28")
@pytest.mark.parametrize("spec", [KeySpec.RSA2048, KeySpec.P256])
async def test_a_card_binds_a_phone(tmp_path, spec):
    platform = PhonePlatform(key_spec=spec)
    card, csr = SoftwareCard.make(tmp_path / "card", pin=PIN, spec=KeySpec.P256)
    key = KeyOf(verify_csr(parse_csr(csr)).public_key)
    issued = platform.issuing.issue("Card", key=key, usage=["content_commitment"], **platform.term)
    card.put_certificate(issued.der)
    async with (
        make(tmp_path, platform) as phone,
        EnrolmentClient(PLATFORM, transport=AsyncTransport(platform)) as desk,
    ):
        started = await desk.start("tw-citizen", terms_version="2026-1")
        joined = await phone.join(await started.frame())
        assert joined.scheme == "tw-citizen"
        assert phone.binding is None
        digits = await phone.prepare()
        assert digits == phone.digits()
        assert len(digits) == 8
        assert digits.isdigit()
        assert await phone.collect(wait_s=0) is None
        assert (await started.wait_prepared()).phone_name == "ASUS"
        with card:
            with pytest.raises(DigitsMismatch):
                await started.sign_with(card, pin=PIN, confirm=lambda _: "00000000")
            accepted = await started.sign_with(card, pin=PIN, confirm=lambda _: digits)
        assert accepted.state == "issued"
        binding = await phone.collect()
        assert binding.binding_id == binding.phone == "id-phone"
        assert set(phone.certificates) == {KeyUse.AUTH, KeyUse.SIGN}
        with pytest.raises(PhoneBound):
            await phone.join(ENROL_FRAME)


async def test_prf_may_need_one_more_touch(tmp_path, platform):
    asked = []
    options = {"prf_at_creation": False, "verify_user": lambda c: asked.append(c) or True}
    async with bound(tmp_path, platform, **options) as phone:
        assert asked == [Ceremony.CREATE, Ceremony.GET]
        platform.ask()
        await phone.open_frame(FRAME)
        assert (await phone.approve()).outcome is Outcome.OK


async def test_a_person_who_is_not_recognised_makes_nothing(tmp_path, platform):
    async with make(tmp_path, platform, verify_user=lambda _: False) as phone:
        await phone.join(ENROL_FRAME)
        with pytest.raises(UserNotVerified):
            await phone.prepare()
        assert platform.state == "joined"
        with pytest.raises(NothingToBind):
            phone.digits()


async def test_a_passkey_whose_second_touch_fails_is_forgotten(tmp_path, platform):
    answers = iter([True, False])
    options = {"prf_at_creation": False, "verify_user": lambda _: next(answers)}
    async with make(tmp_path, platform, **options) as phone:
        await phone.join(ENROL_FRAME)
        with pytest.raises(UserNotVerified):
            await phone.prepare()
        assert phone._parts.state.authenticator.credentials == []


async def test_nothing_to_bind_before_joining(tmp_path, platform):
    async with make(tmp_path, platform) as phone:
        for step in (phone.prepare, phone.collect):
            with pytest.raises(NothingToBind):
                await step()
        for step in (phone.renew, lambda: phone.open_frame(FRAME)):
            with pytest.raises(PhoneNotBound):
                await step()


@pytest.mark.parametrize(
    ("member", "value"),
    [("issuer", "https://id.evil.org"), ("rp_id", "evil.localhost"), ("uses", ["sign", "auth"])],
)
async def test_another_platform_is_not_joined(tmp_path, platform, member, value):
    platform.bend["/enrolments"] = lambda answer: answer | {member: value}
    async with make(tmp_path, platform) as phone:
        with pytest.raises(EnrolmentSubstituted):
            await phone.join(ENROL_FRAME)
        with pytest.raises(NothingToBind):
            await phone.prepare()


SWAPS = {
    "aud": "https://id.evil.org",
    "scheme": "hca",
    "nonce": EVIL,
    "credential_id_sha256": EVIL,
    "cose_key_sha256": EVIL,
    "channel_jkt": EVIL,
    "rp_id": "evil.localhost",
    "back_end": "C",
    "attestation_sha256": EVIL,
    "terms_version": "2020-1",
    "phone_name": "Somebody's",
}


@pytest.mark.parametrize("member", [*SWAPS, "keys"])
async def test_a_content_over_something_else_is_noticed_before_the_digits(
    tmp_path, platform, member
):
    """Threat 6: the card would sign for another phone's keys."""

    def swap(answer):
        bind = requests.parse_bind(platform.content)
        first, second = bind.keys
        evil = msgspec.structs.replace(first, spki_sha256=EVIL)
        value = (evil, second) if member == "keys" else SWAPS[member]
        changed = msgspec.structs.replace(bind, **{member: value})
        return answer | {"content": b64(requests.content_bytes(changed))}

    platform.bend["/csr"] = swap
    async with make(tmp_path, platform) as phone:
        await phone.join(ENROL_FRAME)
        with pytest.raises(EnrolmentSubstituted) as refused:
            await phone.prepare()
        assert refused.value.facts["member"] == member


async def test_every_member_of_a_content_is_compared():
    fixed = {"v", "purpose", "at", "scope"}
    assert set(requests.BindContent.__struct_fields__) == fixed | set(SWAPS) | {"keys"}


async def test_a_content_that_cannot_be_read_is_refused(tmp_path, platform):
    platform.bend["/csr"] = lambda answer: answer | {"content": b64(b"{}")}
    async with make(tmp_path, platform) as phone:
        await phone.join(ENROL_FRAME)
        with pytest.raises(EnrolmentSubstituted):
            await phone.prepare()


async def test_digits_are_those_of_the_phones_own_values(tmp_path, platform):
    async with make(tmp_path, platform) as phone:
        await phone.join(ENROL_FRAME)
        digits = await phone.prepare()
        assert digits == requests.pairing_digits(requests.parse_bind(platform.content))


async def test_preparing_again_sends_the_same_bytes(tmp_path, platform):
    async with make(tmp_path, platform) as phone:
        await phone.join(ENROL_FRAME)
        platform.lose["/phone/v1/enrolments/id-request/csr"] = 3
        with pytest.raises(PlatformUnreachable):
            await phone.prepare()
    async with reopen(tmp_path, platform) as phone:
        digits = await phone.prepare()
        sent = set(sent_to(platform, "/phone/v1/enrolments/id-request/csr"))
        assert len(sent) == 1
        assert digits == phone.digits()


async def test_a_refused_binding_is_forgotten(tmp_path, platform):
    async with make(tmp_path, platform) as phone:
        await phone.join(ENROL_FRAME)
        await phone.prepare()
        platform.state = "refused"
        with pytest.raises(EnrolmentEnded) as ended:
            await phone.collect()
        assert ended.value.facts["refusal"] == "no_free_slot"
        with pytest.raises(NothingToBind):
            phone.digits()
        platform.state = "started"
        await phone.join(ENROL_FRAME)
        await phone.prepare()


@pytest.mark.parametrize(
    ("bent", "refusal"),
    [
        ({"credential": b"another passkey"}, CertificateNotOurs),
        ({"extra": []}, CertificateNotOurs),
        ({"usage": ["digital_signature", "content_commitment"]}, CertificateWrongPurpose),
        ({"policies": []}, CertificatePolicyUnmet),
        ({"issuer": Authority.root("Rogue")}, CertificateUntrusted),
    ],
)
async def test_certificates_that_do_not_fit_are_not_kept(tmp_path, platform, bent, refusal):
    async with make(tmp_path, platform) as phone:
        await phone.join(ENROL_FRAME)
        await phone.prepare()
        issue(platform, **bent)
        with pytest.raises(refusal):
            await phone.collect()
        assert phone.binding is None
        issue(platform)
        assert await phone.collect() is not None


async def test_certificates_over_other_keys_are_not_kept(tmp_path, platform):
    async with make(tmp_path, platform) as phone:
        await phone.join(ENROL_FRAME)
        await phone.prepare()
        swapped = dict(zip(platform.spkis, reversed(platform.spkis.values()), strict=True))
        platform.spkis = swapped
        issue(platform)
        with pytest.raises(CertificateNotOurs) as refused:
            await phone.collect()
        assert refused.value.facts["member"] == "key"


async def test_two_bindings_are_not_one_phone(tmp_path, platform):
    async with make(tmp_path, platform) as phone:
        await phone.join(ENROL_FRAME)
        await phone.prepare()
        issue(platform)
        platform.certificates["sign"] = platform.issue(
            "sign", platform.spkis["sign"], binding="id-other"
        )
        with pytest.raises(CertificateNotOurs):
            await phone.collect()


async def test_a_missing_certificate_is_noticed(tmp_path, platform):
    async with make(tmp_path, platform) as phone:
        await phone.join(ENROL_FRAME)
        await phone.prepare()
        issue(platform)
        del platform.certificates["sign"]
        with pytest.raises(CertificateNotOurs):
            await phone.collect()


async def test_without_anchors_purpose_and_keys_are_still_checked(tmp_path, platform):
    async with make(tmp_path, platform, anchors=()) as phone:
        await phone.join(ENROL_FRAME)
        await phone.prepare()
        issue(platform, usage=["key_encipherment"])
        with pytest.raises(CertificateWrongPurpose):
            await phone.collect()
        issue(platform)
        assert await phone.collect() is not None


async def test_certificates_are_fetched_after_a_proof_of_presence_where_that_is_asked(
    tmp_path, platform
):
    platform.guards_certificates = True
    async with bound(tmp_path, platform):
        assert platform.present


async def test_the_platforms_time_is_remembered(tmp_path):
    """An instance that has travelled forward issues certificates of its own time."""
    platform = PhonePlatform(ahead=timedelta(days=400))
    async with bound(tmp_path, platform):
        pass
    async with reopen(tmp_path, platform) as phone:
        assert abs(phone._parts.api.now() - platform.now()) < timedelta(seconds=5)
        platform.bend["/renew/begin"] = lambda answer: {
            name: value for name, value in answer.items() if name != "now"
        }
        await phone.renew()


@pytest.mark.req("TW-26")
async def test_the_file_of_a_bound_phone_shows_no_certificate_key(tmp_path, platform):
    async with bound(tmp_path, platform) as phone:
        parts = phone._parts
        content = msgspec.json.encode(parts.file.load(PhoneState))
        _, prf = parts.assert_user(bytes(32))
        for key in parts.bound.keys.values():
            private = unwrap(key, prf)
            value = private.private_numbers().private_value
            spellings = [value.to_bytes(32).hex(), b64(value.to_bytes(32)), str(value)]
            assert not any(spelling.encode() in content for spelling in spellings)
            assert not _in_any_blob(content, value.to_bytes(32))
        # The control: the channel key, which the file does hold, is found by the same search.
        channel = parts.api._channel_key.private_numbers().private_value.to_bytes(32)
        assert _in_any_blob(content, channel)
        assert channel not in (tmp_path / "phone.inkan").read_bytes()


def _in_any_blob(content: bytes, sought: bytes) -> bool:
    import base64

    def texts(value):
        if isinstance(value, dict):
            return [text for member in value.values() for text in texts(member)]
        if isinstance(value, list):
            return [text for item in value for text in texts(item)]
        return [value] if isinstance(value, str) else []

    def decoded(text):
        try:
            return base64.b64decode(text + "=" * (-len(text) % 4))
        except ValueError:
            return b""

    return any(sought in decoded(text) for text in texts(json.loads(content)))


# --- settings --------------------------------------------------------------------------------------


async def test_a_synced_passkey_says_so(tmp_path, platform):
    async with bound(tmp_path, platform, backup=Backup.SYNCED):
        assert platform.credential.backed_up
