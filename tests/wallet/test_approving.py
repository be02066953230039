"""Approvals in JavaScript: nothing is signed without its owner, and no text that lies is shown."""

from datetime import timedelta

import pytest

from inkan.client.authenticator_data import Ceremony
from inkan.crypto.keys import KeySpec
from inkan.wire.shown import Language, text_sha256
from support.phone_platform import PhonePlatform
from support.phone_words import ENROL_FRAME, FRAME, PLATFORM, WALLET, Refusal, b64
from support.receipt_world import seeded
from wallet.js_phones import EVIL, bound, sent_to

DECIDE = "/phone/v1/approvals/id-approval/decide"
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
def test_an_approval_from_the_code_to_the_answer(node, spec, kind):
    platform = PhonePlatform(key_spec=spec)
    asked: list[Ceremony] = []
    phone = bound(node, platform, verify_user=lambda c: asked.append(c) or True)
    asked.clear()
    platform.ask(kind=kind, contents=(CONTENT,) if kind == "sign" else ())
    opened = phone("openFrame", FRAME)
    assert opened["text"] == platform.text
    assert asked == []
    decision = phone("approve")
    assert (decision["state"], decision["outcome"]) == ("closed", "ok")
    assert asked == [Ceremony.GET]
    assert phone("openApprovals") == []


@pytest.mark.req("TW-42")
def test_a_single_key_answers_everything(node):
    platform = PhonePlatform(uses=("auth", "sign"))
    phone = bound(node, platform)
    assert set(phone("bound")["keys"]) == {"auth", "sign"}
    bound_ = {"keys": {"single": {}}, "certificates": {}}
    for kind in ("identify", "approve", "sign"):
        assert node.call("draft", "useFor", bound_, kind) == "single"
        pair = {"keys": {"auth": {}, "sign": {}}}
        assert node.call("draft", "useFor", pair, kind) == ("sign" if kind == "sign" else "auth")


def test_a_hundred_documents_are_signed_by_one_gesture(node, platform):
    contents = tuple(
        CONTENT
        | {"id": f"doc_{n:060d}", "name": "\U0002000b" * 200, "format": "statement"}
        | {"tbs_sha256": None, "alg": "sha-512", "digest": b64(n.to_bytes(64, "big"))}
        for n in range(100)
    )
    asked: list[Ceremony] = []
    phone = bound(node, platform, verify_user=lambda c: asked.append(c) or True)
    asked.clear()
    platform.ask(kind="sign", contents=contents)
    assert phone("openFrame", FRAME)["text"].count("SHA-512 ") == 100
    assert phone("approve")["outcome"] == "ok"
    assert asked == [Ceremony.GET]
    (sent,) = sent_to(platform, DECIDE)
    assert len(sent) < 400_000


@pytest.mark.req("TW-52")
def test_without_the_owner_nothing_is_signed(node, platform):
    phone = bound(node, platform)
    platform.ask()
    phone("openFrame", FRAME)
    phone.verify_user = lambda _: False
    assert phone.refused("approve").code == "authenticator_user_not_verified"
    assert platform.decided is None
    assert sent_to(platform, DECIDE) == []
    assert len(phone("openApprovals")) == 1


def test_another_passkeys_value_signs_nothing(node, platform):
    """The assertion alone is not enough: the keys open under their own passkey's value only."""
    phone = bound(node, platform)
    platform.ask()
    phone("openFrame", FRAME)
    for credential in phone.state.credentials:
        credential.prf_secret = bytes(32)
    assert phone.refused("approve").code == "phone_key_not_unwrapped"
    assert sent_to(platform, DECIDE) == []


def test_refusing_and_reporting_need_no_owner(node, platform):
    phone = bound(node, platform)
    phone.verify_user = lambda _: False
    for answer in ("refuse", "report"):
        platform.ask()
        phone("openFrame", FRAME)
        assert phone(answer)["outcome"] == "refused"
    assert phone.refused("refuse").code == "phone_approval_not_open"


def test_an_opened_approval_survives_a_restart(node, platform):
    phone = bound(node, platform)
    platform.ask()
    opened = phone("openFrame", FRAME)
    phone.reopen()
    assert phone("openApprovals") == [opened]
    assert phone("approve", opened["id"])["outcome"] == "ok"


def test_a_lost_answer_is_asked_for_with_the_same_bytes(node, platform):
    phone = bound(node, platform)
    platform.ask()
    phone("openFrame", FRAME)
    platform.lose[DECIDE] = 3
    assert phone.refused("approve").code == "platform_unreachable"
    phone.verify_user = lambda _: False
    phone.reopen()
    assert phone("approve")["outcome"] == "ok"
    sent = sent_to(platform, DECIDE)
    assert len(sent) == 4
    assert len(set(sent)) == 1


@pytest.mark.parametrize("status", [400, 403, 404, 409, 410, 413, 422])
def test_a_final_refusal_ends_the_approval_here_too(node, platform, status):
    phone = bound(node, platform)
    platform.ask()
    phone("openFrame", FRAME)
    platform.refuse[DECIDE] = Refusal(status, "approval_ended", text="這個請求已經結束。")
    refused = phone.refused("approve")
    assert (refused.code, refused.facts["status"]) == ("approval_ended", status)
    assert phone("openApprovals") == []


@pytest.mark.parametrize("status", [401, 429])
def test_a_refusal_that_passes_keeps_the_approval(node, platform, status):
    phone = bound(node, platform)
    platform.ask()
    phone("openFrame", FRAME)
    platform.refuse[DECIDE] = Refusal(status, "not_now")
    assert phone.refused("approve").code == "not_now"
    assert phone("approve")["outcome"] == "ok"


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
def test_codes_of_others_are_not_sent_anywhere(node, platform, frame):
    phone = bound(node, platform)
    assert phone.refused("openFrame", frame).code == "qr_frame_malformed"
    assert phone.refused("openLink", frame).code == "link_malformed"
    assert platform.calls == []


DRAFT_LIES = {
    "iss": "https://id.evil.org",
    "cert_sha256": EVIL,
    "cred_sha256": EVIL,
    "return_origin": "https://evil.example.org",
    "at": "2020-01-01T00:00:00Z",
}


@pytest.mark.parametrize("member", DRAFT_LIES)
def test_a_draft_about_something_else_is_not_shown(node, platform, member):
    phone = bound(node, platform)
    platform.ask(**{member: DRAFT_LIES[member]})
    refused = phone.refused("openFrame", FRAME)
    assert (refused.code, refused.member) == ("phone_draft_refused", member)
    assert phone("openApprovals") == []
    assert platform.given_back == 1


@pytest.mark.parametrize(
    "change",
    [
        {"v": 2},
        {"v": "1"},
        {"v": True},
        {"decision": "refuse"},
        {"extra": "member"},
        {"__proto__": "member"},
        {"server_nonce": "short"},
        {"server_nonce": None},
        {"claims": ["a", "a"]},
        {"claims": "name"},
        {"kind": "approve"},
        {"kind": "sign"},
        {"door": "carrier_pigeon"},
        {"door": "constructor"},
        {"purpose": "Login"},
        {"relying_party": {"id": "rp", "name": "稅務署"}},
        {"relying_party": None},
        {"contents": [CONTENT]},
        {"at": "2026-02-30T00:00:00Z"},
        {"at": "2026-11-21T22:55:04+00:00"},
    ],
)
def test_a_draft_of_another_form_is_not_shown(node, platform, change):
    phone = bound(node, platform)
    platform.ask()
    platform.draft |= change
    assert phone.refused("openFrame", FRAME).code == "phone_draft_refused"


@pytest.mark.parametrize("member", ["v", "iss", "shown", "claims", "return_origin", "at", "system"])
def test_a_draft_without_a_member_is_not_shown(node, platform, member):
    phone = bound(node, platform)
    platform.ask()
    del platform.draft[member]
    assert phone.refused("openFrame", FRAME).code == "phone_draft_refused"


def test_a_certificate_that_has_ended_signs_nothing(node, platform):
    phone = bound(node, platform)
    platform.ahead = timedelta(days=366)
    platform.ask()
    assert phone.refused("openFrame", FRAME).member == "cert_sha256"


@pytest.mark.req("TW-23")
@pytest.mark.parametrize("kind", ["identify", "sign"])
def test_a_certificate_of_the_other_use_is_not_used(node, platform, kind):
    phone = bound(node, platform)
    other = "auth" if kind == "sign" else "sign"
    wrong = b64(platform.certificates[other].certificate.sha256)
    platform.ask(kind=kind, contents=(CONTENT,) if kind == "sign" else (), cert_sha256=wrong)
    assert phone.refused("openFrame", FRAME).member == "cert_sha256"


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
def test_a_text_that_lies_is_not_shown_even_with_the_right_hash(node, platform, lie):
    phone = bound(node, platform)
    platform.ask()
    platform.text = lie(platform.text)
    platform.draft["shown"]["text_sha256"] = text_sha256(platform.text)
    assert phone.refused("openFrame", FRAME).member == "shown"


def test_a_text_of_another_document_is_not_shown(node, platform):
    phone = bound(node, platform)
    platform.ask(kind="sign", contents=(CONTENT,))
    honest = platform.text
    platform.ask(kind="sign", contents=(CONTENT | {"digest": seeded(99)},))
    platform.text = honest
    platform.draft["shown"]["text_sha256"] = text_sha256(honest)
    assert phone.refused("openFrame", FRAME).member == "shown"


@pytest.mark.req("TW-68")
@pytest.mark.parametrize(
    "given", [("birth_date",), ("name", "birth_date"), ("birth_date", "name"), ()]
)
def test_a_text_that_names_other_attributes_is_not_shown(node, platform, given):
    phone = bound(node, platform)
    platform.ask(claims=("name",))
    platform.draft["claims"] = given
    assert phone.refused("openFrame", FRAME).member == "shown"


def test_a_hash_of_another_text_is_not_signed(node, platform):
    phone = bound(node, platform)
    platform.ask()
    platform.draft["shown"]["text_sha256"] = EVIL
    assert phone.refused("openFrame", FRAME).member == "shown"


def test_a_text_that_is_no_text_is_not_shown(node, platform):
    phone = bound(node, platform)
    platform.ask()
    platform.text = None
    assert phone.refused("openFrame", FRAME).code == "phone_draft_refused"


@pytest.mark.parametrize("lang", Language)
def test_texts_come_in_the_persons_language(node, platform, lang):
    phone = bound(node, platform, lang=str(lang))
    platform.ask(lang=lang, claims=("name", "birth_date"), full_evidence=True)
    assert phone("openFrame", FRAME)["text"] == platform.text
    assert phone("approve")["outcome"] == "ok"
    other = next(each for each in Language if each is not lang)
    platform.ask(lang=other)
    assert phone.refused("openFrame", FRAME).member == "shown"
    phone("setLang", str(other))
    assert phone("openFrame", FRAME)["text"] == platform.text


def test_a_return_into_the_asking_domain_is_fine(node, platform):
    phone = bound(node, platform)
    for origin in ("https://tax.example.org", "https://login.tax.example.org:8443"):
        platform.ask(return_origin=origin)
        phone("openFrame", FRAME)
    for origin in ("https://eviltax.example.org", "https://tax.example.org.evil.org"):
        platform.ask(return_origin=origin)
        assert phone.refused("openFrame", FRAME).member == "return_origin"


def test_the_platform_takes_the_browser_back_itself_as_an_openid_provider(node, platform):
    phone = bound(node, platform)
    platform.ask(return_origin=PLATFORM)
    phone("openFrame", FRAME)
    for origin in (
        PLATFORM.replace("8480", "8481"),
        PLATFORM.replace("://", "://login."),
        "https://id.evil.org",
    ):
        platform.ask(return_origin=origin)
        assert phone.refused("openFrame", FRAME).member == "return_origin"


def test_an_approval_can_be_given_back(node, platform):
    phone = bound(node, platform)
    platform.ask()
    phone("openFrame", FRAME)
    phone("giveBack")
    assert platform.given_back == 1
    assert phone.refused("approve").code == "phone_approval_not_open"


def test_the_same_approval_stands_once_and_old_ones_go(node, platform):
    phone = bound(node, platform)
    platform.ask()
    phone("openFrame", FRAME)
    phone("openFrame", FRAME)
    assert len(phone("openApprovals")) == 1
    over = {"approval": "id-second", "expires_at": "2020-01-01T00:00:00Z"}
    platform.bend["/open"] = lambda answer: answer | over
    phone("openFrame", FRAME)
    platform.bend["/open"] = lambda answer: answer | {"approval": "id-third"}
    phone("openFrame", FRAME)
    assert [held["id"] for held in phone("openApprovals")] == ["id-approval", "id-third"]


def test_a_wrong_code_is_not_sent_twice(node, platform):
    phone = bound(node, platform)
    path = "/phone/v1/approvals/open"
    platform.dead = {path}
    sends = []
    send = phone.asked.send
    phone.asked.send = lambda request: sends.append(request.url.path) or send(request)
    assert phone.refused("openPush", "id-approval", "000000").code == "platform_unreachable"
    assert sends == [path]
    assert phone.refused("openPush", "id-approval").code == "platform_unreachable"
    assert sends == [path] * 4
