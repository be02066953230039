"""The memory of a phone in JavaScript: several tabs are one phone, and what is wiped is gone."""

import pytest

from support.node import NodeError
from support.phone_words import ENROL_FRAME, FRAME, PLATFORM, WALLET
from wallet.js_phones import NAME, JSPhone, bound, sent_to


def test_two_tabs_are_one_phone(node, platform):
    phone = JSPhone(node, platform)
    jwk = phone.stored()["channel"]["jwk"]
    phone.reopen()
    assert phone.stored()["channel"]["jwk"] == jwk
    assert phone("name") == NAME


def test_two_tabs_that_start_together_are_one_phone(node):
    one, other = node.call("probes", "beginTwice")
    assert one == other


def test_two_tabs_that_prepare_together_make_one_passkey(node, platform):
    phone = JSPhone(node, platform)
    phone("join", ENROL_FRAME)
    settings = {"platform": PLATFORM, "walletOrigin": WALLET, "lang": "en"}
    node.open(f"{phone.key}-tab", phone.key, **settings)
    one, other = node.both([phone.key, f"{phone.key}-tab"], "prepare")
    assert one == other
    assert len(phone.state.credentials) == 1


def test_two_tabs_that_approve_together_sign_once(node, platform):
    phone = bound(node, platform)
    platform.ask()
    phone("openFrame", FRAME)
    settings = {"platform": PLATFORM, "walletOrigin": WALLET, "lang": "zh-Hant"}
    node.open(f"{phone.key}-tab", phone.key, **settings)
    with pytest.raises(NodeError) as refused:
        node.both([phone.key, f"{phone.key}-tab"], "approve")
    assert refused.value.code == "phone_approval_not_open"
    assert len(set(sent_to(platform, "/phone/v1/approvals/id-approval/decide"))) == 1


def test_a_wiped_phone_is_gone(node, platform):
    phone = bound(node, platform)
    jwk = phone.stored()["channel"]["jwk"]
    phone("wipe")
    assert phone.stored() == {}
    assert phone.refused("refresh").code == "phone_storage_unavailable"
    phone.reopen()
    assert phone("bound") is None
    assert phone.stored()["channel"]["jwk"] != jwk


def test_the_memory_of_another_platform_is_not_taken(node, platform):
    phone = JSPhone(node, platform)
    with pytest.raises(NodeError) as refused:
        node.open(
            phone.key, phone.key, platform="https://id.evil.org", walletOrigin=WALLET, lang="en"
        )
    assert refused.value.code == "phone_other_platform"
