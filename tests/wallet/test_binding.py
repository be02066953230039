"""Binding in JavaScript: the wallet believes only its own platform and its own keys, and survives a lost answer."""

from datetime import timedelta
from typing import Any

import msgspec
import pytest

from inkan.client.authenticator import Backup
from inkan.client.authenticator_data import Ceremony
from inkan.crypto.keys import KeySpec
from inkan.wire import enrolment_request as requests
from support.node import Thrown
from support.phone_platform import PhonePlatform
from support.phone_words import ENROL_FRAME, FRAME, WALLET, b64
from wallet.js_phones import EVIL, NAME, JSPhone, bound, issue, prepared, sent_to


@pytest.mark.req("TW-26", "TW-28")
@pytest.mark.parametrize("spec", [KeySpec.RSA2048, KeySpec.P256])
def test_a_phone_is_bound(node, spec):
    platform = PhonePlatform(key_spec=spec)
    phone = JSPhone(node, platform)
    joined = phone("join", ENROL_FRAME)
    assert joined["scheme"] == "tw-citizen"
    assert phone("bound") is None
    made = phone("prepare")
    assert made["steps"] == ["passkey", "keys", "sending", "checking"]
    assert made["result"] == phone("digits")
    assert made["result"] == requests.pairing_digits(requests.parse_bind(platform.content))
    assert phone("collect", {"waitS": 0}) is None
    issue(platform)
    binding = phone("collect")
    assert binding["bindingId"] == binding["phone"] == "id-phone"
    assert list(binding["certificates"]) == ["auth", "sign"]
    assert phone("enrolment") is None
    assert phone.refused("join", ENROL_FRAME).code == "phone_bound"


def test_the_person_is_asked_as_the_platform_wants_it(node, platform):
    phone = prepared(node, platform)
    (asked,) = phone.asked.creations
    assert asked["rp"]["id"] == "wallet.localhost"
    assert asked["user"]["name"] == NAME
    assert asked["attestation"] == "direct"
    assert asked["authenticatorSelection"] == {
        "authenticatorAttachment": "platform",
        "residentKey": "required",
        "requireResidentKey": True,
        "userVerification": "required",
    }


def test_prf_may_need_one_more_touch(node, platform):
    asked: list[Ceremony] = []
    phone = JSPhone(
        node, platform, prf_at_creation=False, verify_user=lambda c: asked.append(c) or True
    )
    phone("join", ENROL_FRAME)
    made = phone("prepare")
    assert made["steps"] == ["passkey", "passkey_again", "keys", "sending", "checking"]
    assert asked == [Ceremony.CREATE, Ceremony.GET]
    issue(platform)
    assert phone("collect") is not None
    platform.ask()
    phone("openFrame", FRAME)
    assert phone("approve")["outcome"] == "ok"


def test_a_passkey_without_prf_protects_nothing(node, platform):
    phone = JSPhone(node, platform)
    create = phone.asked.create
    phone.asked.create = lambda public_key: create(public_key) | {"extensions": {}}
    phone("join", ENROL_FRAME)
    assert phone.refused("prepare").code == "phone_prf_unavailable"
    assert platform.state == "joined"
    assert phone("isPrepared") is False


@pytest.mark.req("TW-52")
def test_a_person_who_is_not_recognised_makes_nothing(node, platform):
    phone = JSPhone(node, platform, verify_user=lambda _: False)
    phone("join", ENROL_FRAME)
    assert phone.refused("prepare").code == "authenticator_user_not_verified"
    assert platform.state == "joined"
    assert phone.refused("digits").code == "phone_nothing_to_bind"


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("NotAllowedError", "authenticator_user_not_verified"),
        ("AbortError", "authenticator_user_not_verified"),
        ("InvalidStateError", "authenticator_credential_excluded"),
        ("SecurityError", "phone_passkeys_unavailable"),
        ("NotSupportedError", "phone_passkeys_unavailable"),
    ],
)
def test_what_a_browser_says_of_passkeys_has_a_code(node, platform, name, code):
    def refuse(public_key):
        raise Thrown(name, "no")

    phone = JSPhone(node, platform)
    phone.asked.create = refuse
    phone("join", ENROL_FRAME)
    assert phone.refused("prepare").code == code


def test_a_passkey_whose_second_touch_fails_is_forgotten(node, platform):
    answers = iter([True, False])
    phone = JSPhone(node, platform, prf_at_creation=False, verify_user=lambda _: next(answers))
    phone("join", ENROL_FRAME)
    assert phone.refused("prepare").code == "authenticator_user_not_verified"
    assert phone.state.credentials == []


@pytest.mark.parametrize("way", ["join", "leaveEnrolment"])
def test_a_passkey_of_an_earlier_attempt_is_forgotten(node, platform, way):
    phone = prepared(node, platform)
    assert len(phone.state.credentials) == 1
    phone(way, *([ENROL_FRAME] if way == "join" else []))
    assert phone.state.credentials == []
    assert phone("isPrepared") is False


def test_nothing_to_bind_before_joining(node, platform):
    phone = JSPhone(node, platform)
    for verb in ("prepare", "collect", "digits"):
        assert phone.refused(verb).code == "phone_nothing_to_bind"
    for verb, *args in (("renew",), ("openFrame", FRAME)):
        assert phone.refused(verb, *args).code == "phone_not_bound"


@pytest.mark.parametrize("name", ["", " A", "a\u202eb", "a\nb", "x" * 65, "\ud83d"])
def test_a_name_is_one_visible_line(node, platform, name):
    phone = JSPhone(node, platform, named=False)
    assert phone.refused("setName", name).code == "unsafe_text"
    assert phone.refused("join", ENROL_FRAME).code == "unsafe_text"
    phone("setName", "\U0002000b" * 64)
    assert phone("name") == "\U0002000b" * 64


@pytest.mark.parametrize("frame", [FRAME, "", "https://evil.example.org/e#1.a.0.b", f"{WALLET}/e#"])
def test_codes_of_others_are_not_joined(node, platform, frame):
    phone = JSPhone(node, platform)
    assert phone.refused("join", frame).code == "qr_frame_malformed"
    assert platform.calls == []


@pytest.mark.parametrize(
    ("member", "value"),
    [("issuer", "https://id.evil.org"), ("rp_id", "evil.localhost"), ("uses", ["sign", "auth"])],
)
def test_another_platform_is_not_joined(node, platform, member, value):
    platform.bend["/enrolments"] = lambda answer: answer | {member: value}
    phone = JSPhone(node, platform)
    refused = phone.refused("join", ENROL_FRAME)
    assert (refused.code, refused.member) == ("phone_enrolment_substituted", member)
    assert phone.refused("prepare").code == "phone_nothing_to_bind"


SWAPS: dict[str, Any] = {
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
def test_a_content_over_something_else_is_noticed_before_the_digits(node, platform, member):
    """Threat 6: the card would sign for another phone's keys."""

    def swap(answer):
        bind = requests.parse_bind(platform.content)
        first, second = bind.keys
        evil = msgspec.structs.replace(first, spki_sha256=EVIL)
        value = (evil, second) if member == "keys" else SWAPS[member]
        changed = msgspec.structs.replace(bind, **{member: value})
        return answer | {"content": b64(requests.content_bytes(changed))}

    platform.bend["/csr"] = swap
    phone = JSPhone(node, platform)
    phone("join", ENROL_FRAME)
    refused = phone.refused("prepare")
    assert (refused.code, refused.member) == ("phone_enrolment_substituted", member)


def test_every_member_of_a_content_is_compared():
    fixed = {"v", "purpose", "at", "scope"}
    assert set(requests.BindContent.__struct_fields__) == fixed | set(SWAPS) | {"keys"}


@pytest.mark.parametrize("content", [b"{}", b"", b"[]", b'{"v":1 }'])
def test_a_content_that_cannot_be_read_is_refused(node, platform, content):
    platform.bend["/csr"] = lambda answer: answer | {"content": b64(content)}
    phone = JSPhone(node, platform)
    phone("join", ENROL_FRAME)
    assert phone.refused("prepare").member == "content"


def test_a_phone_may_be_renamed_while_it_is_bound(node, platform):
    """The card's dialog shows the name that it joined with."""
    phone = JSPhone(node, platform)
    phone("join", ENROL_FRAME)
    phone("setName", "Another")
    assert phone("prepare")["result"] == phone("digits")
    assert requests.parse_bind(platform.content).phone_name == NAME


def test_preparing_again_sends_the_same_bytes(node, platform):
    phone = JSPhone(node, platform)
    phone("join", ENROL_FRAME)
    platform.lose["/phone/v1/enrolments/id-request/csr"] = 3
    assert phone.refused("prepare").code == "platform_unreachable"
    phone.reopen()
    made = phone("prepare")
    assert made["steps"] == ["sending", "checking"]
    assert len(set(sent_to(platform, "/phone/v1/enrolments/id-request/csr"))) == 1
    assert made["result"] == phone("digits")


def test_a_refused_binding_is_forgotten(node, platform):
    phone = prepared(node, platform)
    platform.state = "refused"
    ended = phone.refused("collect")
    assert (ended.code, ended.facts["refusal"]) == ("client_enrolment_ended", "no_free_slot")
    assert phone.refused("digits").code == "phone_nothing_to_bind"
    platform.state = "started"
    phone("join", ENROL_FRAME)
    phone("prepare")


@pytest.mark.parametrize(
    ("bent", "member"),
    [
        ({"credential": b"another passkey"}, "credential"),
        ({"extra": []}, "credential"),
        ({"usage": ["digital_signature", "content_commitment"]}, "usage"),
        ({"usage": ["key_encipherment"]}, "usage"),
    ],
)
def test_certificates_that_do_not_fit_are_not_kept(node, platform, bent, member):
    phone = prepared(node, platform)
    issue(platform, **bent)
    refused = phone.refused("collect")
    assert (refused.code, refused.member) == ("phone_certificate_not_ours", member)
    assert phone("bound") is None
    issue(platform)
    assert phone("collect") is not None


def test_certificates_over_other_keys_are_not_kept(node, platform):
    phone = prepared(node, platform)
    platform.spkis = dict(zip(platform.spkis, reversed(platform.spkis.values()), strict=True))
    issue(platform)
    assert phone.refused("collect").member == "key"


def test_two_bindings_are_not_one_phone(node, platform):
    phone = prepared(node, platform)
    issue(platform)
    other = platform.issue("sign", platform.spkis["sign"], binding="id-other")
    platform.certificates["sign"] = other
    assert phone.refused("collect").member == "binding"


def test_a_missing_certificate_is_noticed(node, platform):
    phone = prepared(node, platform)
    issue(platform)
    del platform.certificates["sign"]
    assert phone.refused("collect").member == "uses"


@pytest.mark.parametrize(
    "change",
    [
        {"not_after": "2020-01-01T00:00:00Z"},
        {"not_before": "2999-01-01T00:00:00Z"},
        {"not_after": "soon"},
    ],
)
def test_certificates_out_of_their_term_are_not_kept(node, platform, change):
    phone = prepared(node, platform)
    issue(platform)
    for path in ("/phone/v1/certificates/" + each for each in platform._ids().values()):
        platform.bend[path] = lambda answer: answer | change
    assert phone.refused("collect").member == "term"


def test_certificates_are_fetched_after_a_proof_of_presence_where_that_is_asked(node, platform):
    platform.guards_certificates = True
    bound(node, platform)
    assert platform.present


@pytest.mark.parametrize("ahead", [timedelta(days=400), timedelta(0), timedelta(hours=-2)])
def test_the_platforms_time_is_remembered(node, ahead):
    """An instance that has travelled forward issues certificates of its own time."""
    platform = PhonePlatform(ahead=ahead)
    phone = bound(node, platform)
    phone.reopen()
    assert abs(phone.stored()["aheadS"] - ahead.total_seconds()) < 5
    platform.ask()
    platform.bend["/open"] = lambda answer: {k: v for k, v in answer.items() if k != "now"}
    assert phone("openFrame", FRAME)["id"] == "id-approval"


def test_a_synced_passkey_says_so(node, platform):
    bound(node, platform, backup=Backup.SYNCED)
    assert platform.credential.backed_up


@pytest.mark.req("TW-26")
@pytest.mark.parametrize("spec", [KeySpec.RSA2048, KeySpec.P256])
def test_the_memory_of_a_bound_phone_shows_no_certificate_key(node, spec):
    """Wrapped bytes alone, and a channel key that code cannot read."""
    phone = bound(node, PhonePlatform(key_spec=spec))
    held = phone.stored()
    assert held["channel"]["key"] == {
        "$key": "ECDSA",
        "extractable": False,
        "usages": ["sign"],
    }
    for key in held["bound"]["keys"].values():
        assert set(key) == {"backEnd", "keySpec", "spki", "nonce", "wrapped"}
        assert not key["wrapped"].startswith(b"\x30\x82")
        assert not key["wrapped"].startswith(b"\x30\x81")


# --- keys that are not wrapped ------------------------------------------------------------------------


@pytest.mark.parametrize("spec", [KeySpec.RSA2048, KeySpec.P256])
def test_plain_keys_are_for_the_sandbox(node, spec):
    platform = PhonePlatform(key_spec=spec)
    phone = JSPhone(node, platform)
    refused = phone.refused("join", ENROL_FRAME, {"backEnd": "plain"})
    assert refused.code == "phone_back_end_unavailable"
    phone = JSPhone(node, platform, options={"allowPlain": True})
    phone("join", ENROL_FRAME, {"backEnd": "plain"})
    phone("prepare")
    assert platform.back_end == "plain"
    issue(platform)
    assert phone("collect")["backEnd"] == "plain"
    for key in phone.stored()["bound"]["keys"].values():
        assert not any(handle["extractable"] for handle in key["handles"].values())
    platform.ask()
    phone("openFrame", FRAME)
    assert phone("approve")["outcome"] == "ok"


@pytest.mark.parametrize("back_end", ["C", "D"])
def test_other_places_for_keys_are_not_promised(node, platform, back_end):
    phone = JSPhone(node, platform, options={"allowPlain": True})
    refused = phone.refused("join", ENROL_FRAME, {"backEnd": back_end})
    assert refused.code == "phone_back_end_unavailable"
    assert platform.calls == []
