"""Back end B in JavaScript: the wallet holds no key, shows digits over the holder's keys, and asks for each signature."""

from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from inkan.client.authenticator_data import Ceremony
from inkan.crypto import base64url
from inkan.crypto.certificate_requests import build_csr
from inkan.crypto.keys import PrivateKey, spki_der
from inkan.wire import enrolment_request as requests
from support.keyring import ec_key, rsa_key
from support.node import Node, NodeError
from support.phone_platform import PhonePlatform
from support.phone_words import ENROL_FRAME, FRAME
from wallet.js_phones import JSPhone, issue, prepared, sent_to
from wallet.remote_phones import BENT, SPECS, asked_of, bent, other, window

B = {"backEnd": "B"}
CSR = "/phone/v1/enrolments/id-request/csr"


@pytest.fixture
def platform() -> PhonePlatform:
    return window()


# --- binding ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("spec", SPECS)
def test_a_phone_is_bound_with_keys_that_the_platform_brings(node: Node, spec: str) -> None:
    platform = window(spec)
    phone = JSPhone(node, platform)
    asked = asked_of(phone)
    phone("join", ENROL_FRAME, B)
    made = phone("prepare")
    assert platform.back_end == "B"
    assert made["steps"] == ["passkey", "sending", "checking"]
    assert asked == [Ceremony.CREATE]
    (body,) = map(msgspec.json.decode, sent_to(platform, CSR))
    assert body["csrs"] == {}
    issue(platform)
    binding = phone("collect")
    assert binding["backEnd"] == "B"
    for use, key in phone.stored()["bound"]["keys"].items():
        spki = base64url.decode(platform.made("bind")["spkis"][use])
        assert key == {"backEnd": "B", "keySpec": spec, "spki": spki}


def test_the_digits_are_over_the_keys_of_the_holder(node: Node, platform: PhonePlatform) -> None:
    phone = prepared(node, platform, back_end="B")
    said = requests.parse_bind(platform.content)
    assert phone("digits") == requests.pairing_digits(said)
    assert said.back_end == "B"
    phone.reopen()
    assert phone("isPrepared") is True
    assert phone("digits") == requests.pairing_digits(said)


def test_no_secret_is_asked_of_the_passkey(node: Node, platform: PhonePlatform) -> None:
    """A browser without PRF is what this back end is for."""
    phone = JSPhone(node, platform)
    create, get = phone.asked.create, phone.asked.get
    seen: list[Any] = []
    for name, ceremony in (("create", create), ("get", get)):

        def without(public_key: Any, ceremony: Callable[[Any], Any] = ceremony) -> Any:
            seen.append(public_key.get("extensions"))
            return ceremony(public_key) | {"extensions": {}}

        setattr(phone.asked, name, without)
    phone("join", ENROL_FRAME, B)
    phone("prepare")
    issue(platform)
    phone("collect")
    platform.ask()
    phone("openFrame", FRAME)
    assert phone("approve")["outcome"] == "ok"
    assert seen == [None, None]


def test_keys_stay_on_the_phone_unless_it_is_told_otherwise(
    node: Node, platform: PhonePlatform
) -> None:
    phone = prepared(node, platform)
    assert platform.back_end == "A"
    issue(platform)
    assert phone("collect")["backEnd"] == "A"
    assert all("wrapped" in key for key in phone.stored()["bound"]["keys"].values())


@pytest.mark.req("TW-26")
def test_where_the_scheme_does_not_allow_it_nothing_begins(node: Node) -> None:
    phone = JSPhone(node, PhonePlatform())
    assert phone.refused("join", ENROL_FRAME, B).code == "back_end_refused"
    assert phone("enrolment") is None
    assert phone.refused("prepare").code == "phone_nothing_to_bind"


@pytest.mark.parametrize("told", [("A", "B"), ("A",)])
def test_what_else_is_allowed_is_known_after_joining(node: Node, told: tuple[str, ...]) -> None:
    phone = JSPhone(node, PhonePlatform(key_backends=told))
    phone("join", ENROL_FRAME)
    assert tuple(phone("enrolment")["key_backends"]) == told


def test_a_platform_that_does_not_say_what_is_allowed_allows_nothing_else(
    node: Node, platform: PhonePlatform
) -> None:
    platform.bend["/enrolments"] = lambda answer: answer | {"key_backends": None}
    phone = JSPhone(node, platform)
    phone("join", ENROL_FRAME)
    assert phone("enrolment")["key_backends"] == []


def test_one_begins_anew_elsewhere_when_the_passkey_protects_nothing(
    node: Node, platform: PhonePlatform
) -> None:
    phone = JSPhone(node, platform)
    create = phone.asked.create
    phone.asked.create = lambda public_key: create(public_key) | {"extensions": {}}
    phone("join", ENROL_FRAME)
    assert phone.refused("prepare").code == "phone_prf_unavailable"
    assert "B" in phone("enrolment")["key_backends"]
    phone("join", ENROL_FRAME, B)
    phone("prepare")
    issue(platform)
    assert phone("collect")["backEnd"] == "B"


@pytest.mark.parametrize("spec", SPECS)
@pytest.mark.parametrize("how", BENT)
def test_keys_that_do_not_prove_themselves_bring_no_digits(node: Node, spec: str, how: str) -> None:
    platform = window(spec)
    platform.bend["/csr"] = lambda answer: bent(answer, how, spec)
    phone = JSPhone(node, platform)
    phone("join", ENROL_FRAME, B)
    refused = phone.refused("prepare")
    assert (refused.code, refused.member) == ("phone_enrolment_substituted", "keys")
    assert phone("isPrepared") is False
    assert phone.refused("digits").code == "phone_nothing_to_bind"


@pytest.mark.parametrize("missing", ["csrs", "spkis"])
def test_an_answer_without_keys_is_refused(
    node: Node, platform: PhonePlatform, missing: str
) -> None:
    platform.bend["/csr"] = lambda answer: {k: v for k, v in answer.items() if k != missing}
    phone = JSPhone(node, platform)
    phone("join", ENROL_FRAME, B)
    assert phone.refused("prepare").member == "keys"


def test_proper_keys_that_the_card_will_not_sign_for_are_noticed(
    node: Node, platform: PhonePlatform
) -> None:
    """The content that the card signs names others than those that the phone was shown."""

    def swap(answer: dict[str, Any]) -> dict[str, Any]:
        csr, spki = other("P-256")
        csrs, spkis = answer["csrs"] | {"sign": csr}, answer["spkis"] | {"sign": spki}
        return answer | {"csrs": csrs, "spkis": spkis}

    platform.bend["/csr"] = swap
    phone = JSPhone(node, platform)
    phone("join", ENROL_FRAME, B)
    assert phone.refused("prepare").member == "keys"


def test_keys_of_another_kind_are_refused(node: Node) -> None:
    platform = window("RSA-2048")
    platform.bend["/enrolments"] = lambda answer: answer | {"key_spec": "P-256"}
    phone = JSPhone(node, platform)
    phone("join", ENROL_FRAME, B)
    assert phone.refused("prepare").member == "keys"


def test_keys_stay_what_they_were(node: Node, platform: PhonePlatform) -> None:
    phone = prepared(node, platform, back_end="B")
    before = phone("digits")
    assert phone("prepare")["result"] == before
    platform.batches.clear()
    refused = phone.refused("prepare")
    assert (refused.code, refused.member) == ("phone_enrolment_substituted", "keys")
    assert phone("digits") == before


def test_a_lost_answer_brings_the_same_keys_again(node: Node, platform: PhonePlatform) -> None:
    phone = JSPhone(node, platform)
    phone("join", ENROL_FRAME, B)
    platform.lose[CSR] = 3
    assert phone.refused("prepare").code == "platform_unreachable"
    assert phone("isPrepared") is False
    assert phone.refused("collect").code == "phone_nothing_to_bind"
    phone.reopen()
    made = phone("prepare")
    assert made["steps"] == ["sending", "checking"]
    assert made["result"] == requests.pairing_digits(requests.parse_bind(platform.content))
    assert len(set(sent_to(platform, CSR))) == 1


@pytest.mark.parametrize("way", ["join", "leaveEnrolment"])
def test_a_passkey_without_keys_is_forgotten_too(
    node: Node, platform: PhonePlatform, way: str
) -> None:
    phone = JSPhone(node, platform)
    phone("join", ENROL_FRAME, B)
    platform.lose[CSR] = 3
    phone.refused("prepare")
    assert len(phone.state.credentials) == 1
    phone(way, *([ENROL_FRAME] if way == "join" else []))
    assert phone.state.credentials == []


# --- requests, as others write them -----------------------------------------------------------------------


@pytest.mark.parametrize("number", range(40))
def test_requests_of_other_writers_are_believed(node: Node, number: int) -> None:
    """Halves of ECDSA signatures have 31 to 33 octets."""
    key = ec_key(number)
    node.call("csr", "verifyRequest", build_csr(key), spki_der(key.public_key()), "P-256")


@pytest.mark.parametrize(("bits", "spec"), [(2048, "RSA-2048"), (3072, "RSA-3072")])
def test_an_rsa_key_of_another_size_is_not_the_one_that_was_asked_for(
    node: Node, bits: int, spec: str
) -> None:
    key = rsa_key(bits=bits)
    csr, spki = build_csr(key), spki_der(key.public_key())
    node.call("csr", "verifyRequest", csr, spki, spec)
    for wrong in {"RSA-2048", "RSA-3072", "P-256", "P-384"} - {spec}:
        with pytest.raises(NodeError) as refused:
            node.call("csr", "verifyRequest", csr, spki, wrong)
        assert refused.value.code == "malformed"


@pytest.mark.parametrize(("key", "spec"), [(ec_key(3), "P-256"), (rsa_key(3), "RSA-2048")])
def test_no_byte_of_a_request_can_be_another(node: Node, key: PrivateKey, spec: str) -> None:
    csr, spki = build_csr(key), spki_der(key.public_key())
    # Of RSA's key and signature, some are enough.
    places = [*range(40), *range(40, len(csr) - 40, 7), *range(len(csr) - 40, len(csr))]
    for place in places:
        changed = bytearray(csr)
        changed[place] ^= 1
        with pytest.raises(NodeError) as refused:
            node.call("csr", "verifyRequest", bytes(changed), spki, spec)
        assert refused.value.code in {"malformed", "der_unwritable"}, place


def test_a_request_is_the_keys_own(node: Node) -> None:
    """The first key's request with the second one's signature, and with none."""
    first, second = ec_key(1), ec_key(2)
    spki = spki_der(first.public_key())
    mine, theirs = build_csr(first), build_csr(second)
    head = len(mine) - 80
    for csr in (mine[:head] + theirs[-80:], mine[:-1], b"", spki):
        with pytest.raises(NodeError) as refused:
            node.call("csr", "verifyRequest", csr, spki, "P-256")
        assert refused.value.code in {"malformed", "der_unwritable"}
