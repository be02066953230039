"""Approvals on the phone: nothing is signed without its owner, and no text that lies is shown."""

import pytest

from client.phones import EVIL, bound, reopen, sent_to
from inkan.client.authenticator import UserNotVerified
from inkan.client.authenticator_data import Ceremony
from inkan.client.draft_check import DraftRefused
from inkan.client.exchange import CallConflict, PlatformUnreachable
from inkan.client.phone_approval import ApprovalNotOpen
from inkan.crypto.keys import KeySpec
from inkan.wire.qr import QRFrameMalformed
from inkan.wire.session import Outcome
from inkan.wire.shown import Language
from support.phone_platform import PhonePlatform
from support.phone_words import ENROL_FRAME, FRAME, PLATFORM, WALLET, Refusal, b64
from support.receipt_world import seeded

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


async def test_a_hundred_documents_are_signed_by_one_gesture(tmp_path, platform):
    """The longest batch there is: one verification, one statement, and every body within its limit."""
    contents = tuple(
        CONTENT
        | {
            "id": f"doc_{n:060d}",
            "name": "\U0002000b" * 200,
            "format": "statement",
            "tbs_sha256": None,
        }
        | {"alg": "sha-512", "digest": b64(n.to_bytes(64, "big"))}
        for n in range(100)
    )
    asked = []
    async with bound(tmp_path, platform, verify_user=lambda c: asked.append(c) or True) as phone:
        asked.clear()
        platform.ask(kind="sign", contents=contents)
        opened = await phone.open_frame(FRAME)
        assert opened.text.count("SHA-512 ") == 100
        assert (await phone.approve()).outcome is Outcome.OK
        assert asked == [Ceremony.GET]
    (sent,) = sent_to(platform, "/phone/v1/approvals/id-approval/decide")
    assert len(sent) < 400_000


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


@pytest.mark.req("TW-68")
@pytest.mark.parametrize(
    "given", [("birth_date",), ("name", "birth_date"), ("birth_date", "name"), ()]
)
async def test_a_text_that_names_other_attributes_is_not_shown(tmp_path, platform, given):
    async with bound(tmp_path, platform) as phone:
        platform.ask(claims=("name",))
        platform.draft["claims"] = given
        with pytest.raises(DraftRefused) as refused:
            await phone.open_frame(FRAME)
        assert refused.value.facts["member"] == "shown"


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


async def test_the_platform_takes_the_browser_back_itself_as_an_openid_provider(tmp_path, platform):
    async with bound(tmp_path, platform) as phone:
        platform.ask(return_origin=PLATFORM)
        await phone.open_frame(FRAME)
        for origin in (
            PLATFORM.replace("8480", "8481"),
            PLATFORM.replace("://", "://login."),
            "https://id.evil.org",
        ):
            platform.ask(return_origin=origin)
            with pytest.raises(DraftRefused) as refused:
                await phone.open_frame(FRAME)
            assert refused.value.facts["member"] == "return_origin"


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
