"""The phone against a stand-in of the platform: what it sends, what it believes, what survives a lost answer."""

import json
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest

from inkan.client.authenticator import Backup, UserNotVerified
from inkan.client.authenticator_data import Ceremony
from inkan.client.card import DigitsMismatch
from inkan.client.certificate_keys import unwrap
from inkan.client.draft_check import DraftRefused
from inkan.client.enrolment import EnrolmentClient, EnrolmentEnded
from inkan.client.exchange import CallConflict, CallForbidden, PlatformUnreachable
from inkan.client.http import AsyncTransport
from inkan.client.phone import Phone
from inkan.client.phone_approval import ApprovalNotOpen
from inkan.client.phone_certificates import CertificateNotOurs
from inkan.client.phone_enrolment import EnrolmentSubstituted, NothingToBind, PhoneBound
from inkan.client.phone_parts import PhoneNotBound
from inkan.client.phone_renewal import RenewalSubstituted
from inkan.client.phone_state import PhoneState
from inkan.client.software_card import SoftwareCard
from inkan.crypto.certificate_requests import parse_csr, verify_csr
from inkan.crypto.keys import KeySpec
from inkan.crypto.path import CertificatePolicyUnmet, CertificateUntrusted, CertificateWrongPurpose
from inkan.kernel.sensitive import Secret
from inkan.wire import enrolment_request as requests
from inkan.wire.enrolment_request import KeyUse, RevokeCause
from inkan.wire.qr import QRFrameMalformed
from inkan.wire.session import Outcome
from inkan.wire.shown import Language
from support.phone_platform import (
    ENROL_FRAME,
    FRAME,
    PLATFORM,
    WALLET,
    KeyOf,
    PhonePlatform,
    Refusal,
    b64,
)
from support.pki import Authority
from support.receipt_world import seeded

PASSPHRASE = Secret("correct horse battery staple")
PIN = Secret("246810")
EVIL = b64(b"e" * 32)


@pytest.fixture
def platform() -> PhonePlatform:
    return PhonePlatform()


def make(tmp_path: Path, platform: PhonePlatform, **options) -> Phone:
    settings = {
        "platform": PLATFORM,
        "wallet_origin": WALLET,
        "name": "ASUS_A007",
        "verify_user": lambda _: True,
        "scrypt_n": 2**10,
        "transport": AsyncTransport(platform),
        "anchors": (platform.root.der,),
    }
    return Phone.create(tmp_path / "phone.inkan", PASSPHRASE, **settings | options)


def reopen(tmp_path: Path, platform: PhonePlatform, **options) -> Phone:
    settings = {
        "verify_user": lambda _: True,
        "transport": AsyncTransport(platform),
        "anchors": (platform.root.der,),
    }
    return Phone.open(tmp_path / "phone.inkan", PASSPHRASE, **settings | options)


@asynccontextmanager
async def bound(tmp_path: Path, platform: PhonePlatform, **options):
    """A phone that is bound already; the card's part is played by the stand-in."""
    phone = make(tmp_path, platform, **options)
    await phone.join(ENROL_FRAME)
    await phone.prepare()
    issue(platform)
    assert await phone.collect() is not None
    platform.calls.clear()
    platform.bodies.clear()
    async with phone:
        yield phone


def issue(platform: PhonePlatform, **bent) -> None:
    """What the platform does when the card has signed."""
    platform.certificates = {
        use: platform.issue(use, spki, **bent) for use, spki in platform.spkis.items()
    }
    platform.state = "issued"


# --- binding -----------------------------------------------------------------------------------------


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


# --- approvals ------------------------------------------------------------------------------------------

CONTENT = {
    "id": "doc_1",
    "name": "申報書.pdf",
    "digest": seeded(31),
    "alg": "sha-256",
    "format": "cms",
    "tbs_sha256": seeded(32),
}


@pytest.mark.req("TW-42", "TW-51")
@pytest.mark.parametrize("spec", [KeySpec.RSA2048, KeySpec.P256])
@pytest.mark.parametrize("kind", ["identify", "approve", "sign"])
async def test_an_approval_from_the_code_to_the_answer(tmp_path, spec, kind):
    platform = PhonePlatform(key_spec=spec)
    asked = []
    async with bound(tmp_path, platform, verify_user=lambda c: asked.append(c) or True) as phone:
        asked.clear()
        contents = (CONTENT,) if kind == "sign" else ()
        platform.ask(kind=kind, contents=contents)
        opened = await phone.open_frame(FRAME)
        assert "財政部稅務署" in opened.text
        assert "tax.example.org" in opened.text
        assert asked == []
        decision = await phone.approve()
        assert (decision.state, decision.outcome) == ("closed", "ok")
        assert asked == [Ceremony.GET]
        assert phone.open_approvals == []


@pytest.mark.req("TW-52")
async def test_without_the_owner_nothing_is_signed(tmp_path, platform):
    async with bound(tmp_path, platform):
        platform.ask()
    async with reopen(tmp_path, platform, verify_user=lambda _: False) as phone:
        await phone.open_frame(FRAME)
        with pytest.raises(UserNotVerified):
            await phone.approve()
        assert platform.decided is None
        assert len(phone.open_approvals) == 1


async def test_refusing_and_reporting_need_no_owner(tmp_path, platform):
    async with bound(tmp_path, platform):
        pass
    async with reopen(tmp_path, platform, verify_user=lambda _: False) as phone:
        for answer in (phone.refuse, phone.report):
            platform.ask()
            await phone.open_frame(FRAME)
            assert (await answer()).outcome is Outcome.REFUSED
        with pytest.raises(ApprovalNotOpen):
            await phone.refuse()


async def test_an_opened_approval_survives_a_restart(tmp_path, platform):
    async with bound(tmp_path, platform) as phone:
        platform.ask()
        opened = await phone.open_frame(FRAME)
    async with reopen(tmp_path, platform) as phone:
        assert phone.open_approvals == [opened]
        assert (await phone.approve(opened.id)).outcome is Outcome.OK


async def test_a_lost_answer_is_asked_for_with_the_same_bytes(tmp_path, platform):
    decide = "/phone/v1/approvals/id-approval/decide"
    async with bound(tmp_path, platform) as phone:
        platform.ask()
        await phone.open_frame(FRAME)
        platform.lose[decide] = 3
        with pytest.raises(PlatformUnreachable):
            await phone.approve()
    async with reopen(tmp_path, platform, verify_user=lambda _: False) as phone:
        assert (await phone.approve()).outcome is Outcome.OK
    sent = sent_to(platform, decide)
    assert len(sent) == 4
    assert len(set(sent)) == 1


async def test_a_final_refusal_ends_the_approval_here_too(tmp_path, platform):
    async with bound(tmp_path, platform) as phone:
        platform.ask()
        await phone.open_frame(FRAME)
        platform.refuse["/phone/v1/approvals/id-approval/decide"] = Refusal(409, "approval_ended")
        with pytest.raises(CallConflict) as refused:
            await phone.approve()
        assert refused.value.problem_code == "approval_ended"
        assert phone.open_approvals == []


@pytest.mark.parametrize(
    "frame",
    [
        "https://evil.example.org/q#1.abcdefghijklmnop.0.AAAAAAAAAAAAAAAAAAAAAA",
        f"{WALLET}/q#garbage",
        f"{WALLET}.evil.org/q#1.abcdefghijklmnop.0.AAAAAAAAAAAAAAAAAAAAAA",
        ENROL_FRAME,
        "",
    ],
)
async def test_codes_of_others_are_not_sent_anywhere(tmp_path, platform, frame):
    async with bound(tmp_path, platform) as phone:
        with pytest.raises(QRFrameMalformed):
            await phone.open_frame(frame)
        assert platform.calls == []


DRAFT_LIES = {
    "iss": "https://id.evil.org",
    "cert_sha256": EVIL,
    "cred_sha256": EVIL,
    "return_origin": "https://evil.example.org",
    "at": "2020-01-01T00:00:00Z",
}


@pytest.mark.parametrize("member", DRAFT_LIES)
async def test_a_draft_about_something_else_is_not_shown(tmp_path, platform, member):
    async with bound(tmp_path, platform) as phone:
        platform.ask(**{member: DRAFT_LIES[member]})
        with pytest.raises(DraftRefused) as refused:
            await phone.open_frame(FRAME)
        assert refused.value.facts["member"] == member
        assert phone.open_approvals == []
        assert platform.given_back == 1


@pytest.mark.parametrize(
    "change",
    [
        {"v": 2},
        {"decision": "refuse"},
        {"extra": "member"},
        {"server_nonce": "short"},
        {"claims": ["a", "a"]},
        {"kind": "approve"},
        {"door": "carrier_pigeon"},
    ],
)
async def test_a_draft_of_another_form_is_not_shown(tmp_path, platform, change):
    async with bound(tmp_path, platform) as phone:
        platform.ask()
        platform.draft |= change
        with pytest.raises(DraftRefused):
            await phone.open_frame(FRAME)


@pytest.mark.parametrize("kind", ["identify", "sign"])
async def test_a_certificate_of_the_other_use_is_not_used(tmp_path, platform, kind):
    """A statement of kind identify under the `sign` certificate, and the other way round (TW-23)."""
    async with bound(tmp_path, platform) as phone:
        other = "auth" if kind == "sign" else "sign"
        contents = (CONTENT,) if kind == "sign" else ()
        wrong = b64(platform.certificates[other].certificate.sha256)
        platform.ask(kind=kind, contents=contents, cert_sha256=wrong)
        with pytest.raises(DraftRefused):
            await phone.open_frame(FRAME)


@pytest.mark.req("TW-51")
@pytest.mark.parametrize(
    "lie",
    [
        lambda text: text.replace("財政部稅務署", "您的銀行"),
        lambda text: text.replace("tax.example.org", "evil.example.org"),
        lambda text: text.replace("身分識別", "抽獎活動"),
        lambda text: text + "\n",
        lambda text: text + "\n中獎！",
        lambda text: text.replace("登入報稅系統", "登入\u202e報稅系統"),
        lambda text: text.replace("登入報稅系統", ""),
        lambda text: "\n".join(line for line in text.split("\n") if "用途" not in line),
        lambda text: text.replace("您用這部裝置掃描", "由這部裝置的瀏覽器"),
        lambda text: "",
    ],
)
async def test_a_text_that_lies_is_not_shown_even_with_the_right_hash(tmp_path, platform, lie):
    from inkan.wire.shown import text_sha256

    async with bound(tmp_path, platform) as phone:
        platform.ask()
        platform.text = lie(platform.text)
        platform.draft["shown"]["text_sha256"] = text_sha256(platform.text)
        with pytest.raises(DraftRefused) as refused:
            await phone.open_frame(FRAME)
        assert refused.value.facts["member"] == "shown"


async def test_a_text_of_another_document_is_not_shown(tmp_path, platform):
    from inkan.wire.shown import text_sha256

    async with bound(tmp_path, platform) as phone:
        platform.ask(kind="sign", contents=(CONTENT,))
        honest = platform.text
        platform.ask(kind="sign", contents=(CONTENT | {"digest": seeded(99)},))
        platform.text = honest
        platform.draft["shown"]["text_sha256"] = text_sha256(honest)
        with pytest.raises(DraftRefused):
            await phone.open_frame(FRAME)


async def test_a_hash_of_another_text_is_not_signed(tmp_path, platform):
    async with bound(tmp_path, platform) as phone:
        platform.ask()
        platform.draft["shown"]["text_sha256"] = EVIL
        with pytest.raises(DraftRefused):
            await phone.open_frame(FRAME)


@pytest.mark.parametrize("lang", Language)
async def test_texts_come_in_the_persons_language(tmp_path, platform, lang):
    async with bound(tmp_path, platform, lang=lang) as phone:
        platform.ask(lang=lang, claims=("name", "birth_date"), full_evidence=True)
        opened = await phone.open_frame(FRAME)
        assert opened.text == platform.text
        assert (await phone.approve()).outcome is Outcome.OK
        other = next(each for each in Language if each is not lang)
        platform.ask(lang=other)
        with pytest.raises(DraftRefused):
            await phone.open_frame(FRAME)


async def test_a_return_into_the_asking_domain_is_fine(tmp_path, platform):
    async with bound(tmp_path, platform) as phone:
        for origin in ("https://tax.example.org", "https://login.tax.example.org:8443"):
            platform.ask(return_origin=origin)
            await phone.open_frame(FRAME)
        platform.ask(return_origin="https://eviltax.example.org")
        with pytest.raises(DraftRefused):
            await phone.open_frame(FRAME)


async def test_an_approval_can_be_given_back(tmp_path, platform):
    async with bound(tmp_path, platform) as phone:
        platform.ask()
        await phone.open_frame(FRAME)
        await phone.give_back()
        assert platform.given_back == 1
        with pytest.raises(ApprovalNotOpen):
            await phone.approve()


async def test_the_same_approval_stands_once_and_old_ones_go(tmp_path, platform):
    async with bound(tmp_path, platform) as phone:
        platform.ask()
        await phone.open_frame(FRAME)
        await phone.open_frame(FRAME)
        assert len(phone.open_approvals) == 1
        platform.bend["/open"] = lambda answer: (
            answer
            | {
                "approval": "id-second",
                "expires_at": "2020-01-01T00:00:00Z",
            }
        )
        await phone.open_frame(FRAME)
        platform.bend["/open"] = lambda answer: answer | {"approval": "id-third"}
        await phone.open_frame(FRAME)
        assert [held.id for held in phone.open_approvals] == ["id-approval", "id-third"]


# --- renewal ----------------------------------------------------------------------------------------------


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


def sent_to(platform, path) -> list[bytes]:
    return [
        body
        for (_, called), body in zip(platform.calls, platform.bodies, strict=True)
        if called == path
    ]


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


# --- settings -----------------------------------------------------------------------------------------------


async def test_settings_ask_the_person_once(tmp_path, platform):
    asked = []
    async with bound(tmp_path, platform, verify_user=lambda c: asked.append(c) or True) as phone:
        asked.clear()
        [phone_view] = await phone.phones()
        assert (phone_view.id, phone_view.this) == ("id-phone", True)
        assert await phone.records() == [{"id": "rec_1"}]
        assert asked == [Ceremony.GET]
        await phone.revoke("id-phone", RevokeCause.LOST)
        assert platform.revoked == {"phone": "id-phone", "reason": "lost"}


async def test_a_synced_passkey_says_so(tmp_path, platform):
    async with bound(tmp_path, platform, backup=Backup.SYNCED):
        assert platform.credential.backed_up


async def test_every_request_has_a_proof_of_its_own(tmp_path, platform):
    """The stand-in refuses a proof that it has seen; this names what would otherwise pass unnoticed."""
    async with bound(tmp_path, platform):
        assert len(platform._seen) >= 4
