"""A phone in JavaScript whose keys are elsewhere: one confirmation for each signature, and renewal without the card."""

import msgspec
import pytest

from inkan.client.authenticator_data import Ceremony
from support.node import Node
from support.phone_platform import PhonePlatform
from support.phone_words import FRAME, Refusal
from support.receipt_world import seeded
from wallet.js_phones import sent_to
from wallet.remote_phones import BENT, SPECS, asked_of, bent, bound, window

DECIDE = "/phone/v1/approvals/id-approval/decide"
RENEW = "/phone/v1/renew"
CONTENT = {
    "id": "doc_1",
    "name": "申報書.pdf",
    "digest": seeded(31),
    "alg": "sha-256",
    "format": "cms",
    "tbs_sha256": seeded(32),
}


@pytest.fixture
def platform() -> PhonePlatform:
    return window()


# --- approving ------------------------------------------------------------------------------------------


@pytest.mark.req("TW-42")
@pytest.mark.parametrize("spec", SPECS)
@pytest.mark.parametrize("kind", ["identify", "approve", "sign"])
def test_statement_and_assertion_are_sent_and_no_signature(
    node: Node, spec: str, kind: str
) -> None:
    platform = window(spec)
    phone = bound(node, platform)
    asked = asked_of(phone)
    platform.ask(kind=kind, contents=(CONTENT,) if kind == "sign" else ())
    phone("openFrame", FRAME)
    decision = phone("approve")
    assert (decision["state"], decision["outcome"]) == ("closed", "ok")
    assert asked == [Ceremony.GET]
    (body,) = map(msgspec.json.decode, sent_to(platform, DECIDE))
    assert set(body) == {"statement", "assertion"}
    assert phone("openApprovals") == []


@pytest.mark.req("TW-52")
def test_without_the_owner_nothing_is_sent(node: Node, platform: PhonePlatform) -> None:
    phone = bound(node, platform)
    platform.ask()
    phone("openFrame", FRAME)
    phone.verify_user = lambda _: False
    assert phone.refused("approve").code == "authenticator_user_not_verified"
    assert sent_to(platform, DECIDE) == []


def test_an_answer_lost_behind_the_signature_costs_one_more_confirmation(
    node: Node, platform: PhonePlatform
) -> None:
    """The holder signed, and the platform never heard it: the same assertion releases nothing more."""
    phone = bound(node, platform)
    asked = asked_of(phone)
    platform.ask()
    phone("openFrame", FRAME)
    platform.silent_after_signing = 1
    assert phone.refused("approve").code == "activation_used"
    assert asked == [Ceremony.GET]
    (held,) = phone("openApprovals")
    assert held["body"] is None
    phone.reopen()
    assert phone("approve")["outcome"] == "ok"
    assert asked == [Ceremony.GET] * 2
    assert len(set(sent_to(platform, DECIDE))) == 2
    assert phone("openApprovals") == []


def test_an_answer_lost_behind_the_decision_is_asked_for_with_the_same_bytes(
    node: Node, platform: PhonePlatform
) -> None:
    phone = bound(node, platform)
    asked = asked_of(phone)
    platform.ask()
    phone("openFrame", FRAME)
    platform.lose[DECIDE] = 3
    assert phone.refused("approve").code == "platform_unreachable"
    assert phone("approve")["outcome"] == "ok"
    assert asked == [Ceremony.GET]
    assert len(set(sent_to(platform, DECIDE))) == 1


@pytest.mark.parametrize(
    ("status", "code", "left"),
    [(403, "activation_refused", 0), (403, "outside_network", 0), (429, "not_now", 1)],
)
def test_other_refusals_are_as_with_any_phone(
    node: Node, platform: PhonePlatform, status: int, code: str, left: int
) -> None:
    phone = bound(node, platform)
    platform.ask()
    phone("openFrame", FRAME)
    platform.refuse[DECIDE] = Refusal(status, code)
    assert phone.refused("approve").code == code
    assert len(phone("openApprovals")) == left


# --- renewal --------------------------------------------------------------------------------------------


@pytest.mark.req("TW-32")
@pytest.mark.parametrize("spec", SPECS)
def test_renewal_takes_new_keys_and_sends_the_content(node: Node, spec: str) -> None:
    platform = window(spec)
    phone = bound(node, platform)
    before = phone("bound")
    asked = asked_of(phone)
    made = phone("renew")
    after = made["result"]
    assert made["steps"] == ["passkey", "sending", "checking"]
    assert asked == [Ceremony.GET]
    (body,) = map(msgspec.json.decode, sent_to(platform, RENEW))
    assert set(body) == {"content", "assertion"}
    for use in ("auth", "sign"):
        assert after["keys"][use]["spki"] != before["keys"][use]["spki"]
        assert set(after["keys"][use]) == {"backEnd", "keySpec", "spki"}
        assert after["certificates"][use]["der"] == platform.certificates[use].der
    assert (after["backEnd"], platform.confirmed) == ("B", 1)
    platform.ask()
    phone("openFrame", FRAME)
    assert phone("approve")["outcome"] == "ok"


@pytest.mark.parametrize("how", BENT)
def test_a_renewal_over_keys_that_do_not_prove_themselves_asks_nobody(
    node: Node, platform: PhonePlatform, how: str
) -> None:
    phone = bound(node, platform)
    asked = asked_of(phone)
    platform.bend["/begin"] = lambda answer: bent(answer, how, "P-256")
    refused = phone.refused("renew")
    assert (refused.code, refused.member) == ("phone_renewal_substituted", "keys")
    assert asked == []
    assert phone("isRenewing") is False


def test_a_renewal_lost_behind_the_signature_is_begun_anew(
    node: Node, platform: PhonePlatform
) -> None:
    phone = bound(node, platform)
    asked = asked_of(phone)
    platform.silent_after_signing = 1
    assert phone.refused("renew").code == "activation_used"
    assert phone("isRenewing") is False
    phone("renew")
    assert asked == [Ceremony.GET] * 2
    assert platform.confirmed == 1


def test_a_renewal_whose_answer_is_lost_goes_on(node: Node, platform: PhonePlatform) -> None:
    phone = bound(node, platform)
    asked = asked_of(phone)
    platform.lose[RENEW] = 3
    assert phone.refused("renew").code == "platform_unreachable"
    phone.reopen()
    phone("renew")
    assert asked == [Ceremony.GET]
    assert len(set(sent_to(platform, RENEW))) == 1
