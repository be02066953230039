"""The offline verifier: what it accepts, and that no changed byte anywhere is ever called valid."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from client.verdicts import SECOND, refused_at, unknown_at, verify
from inkan.client.receipt_report import SENTENCES, Trust, Verdict
from inkan.client.verifier import verify_receipt
from inkan.crypto.jose import Algorithm
from inkan.wire import evidence as wire
from support.keyring import ec_key, rsa_key
from support.pki import AT, DAY
from support.receipt_world import DECIDED, ISSUER, ReceiptWorld, replaced

# --- what holds ------------------------------------------------------------------------------------


@pytest.mark.req("TW-22")
@pytest.mark.parametrize("kind", ["identify", "approve", "sign"])
@pytest.mark.parametrize("key", [rsa_key(), ec_key(3)], ids=["RSA-2048", "P-256"])
def test_an_honest_receipt_with_evidence_is_valid(kind, key):
    report = verify(ReceiptWorld(kind=kind, key=key))
    assert report.verdict is Verdict.VALID, report.summary
    assert [check.number for check in report.checks] == list(range(1, 15))
    assert report.receipt.session == "ses_1"
    assert report.at == AT
    assert Trust.APPROVAL not in report.rests_on_platform
    assert Trust.SIGNER_STATUS not in report.rests_on_platform
    assert report.is_logged


def test_evidence_may_come_as_bytes(world):
    pretty = json.dumps(json.loads(wire.evidence_bytes(world.bundle)), indent=2).encode()
    report = verify_receipt(world.receipt_jws, world.anchors, evidence=pretty)
    assert report.verdict is Verdict.VALID, report.summary


def test_a_receipt_alone_is_valid_and_says_what_it_rests_on(world):
    report = verify_receipt(world.receipt_jws, world.anchors)
    assert report.verdict is Verdict.VALID, report.summary
    assert [check.number for check in report.checks] == [1, 2, 3, 4]
    assert set(report.rests_on_platform) == set(Trust)
    assert len(report.trust) == len(Trust)


def test_every_word_of_trust_has_its_sentence():
    assert set(SENTENCES) == set(Trust)
    assert {str(word) for word in wire.PlatformWord} <= {str(word) for word in Trust}


def test_a_refusal_has_a_receipt_and_no_evidence(world):
    refused = {
        "outcome": "refused",
        "reason": "user_refused",
        "subject": None,
        "commitments": None,
    }
    other = ReceiptWorld(receipt=refused, root=world.root, issuing=world.issuing)
    assert verify_receipt(other.receipt_jws, other.anchors).verdict is Verdict.VALID
    bundle = replaced(world.bundle, receipt=other.receipt_jws)
    refused_at(verify(other, bundle), 5, "nobody approved")


def test_a_single_key_serves_both_kinds_where_the_receipt_says_so():
    for kind in ("identify", "sign"):
        report = verify(ReceiptWorld(kind=kind, single_key=True))
        assert report.verdict is Verdict.VALID, report.summary
    lying = ReceiptWorld(single_key=True, receipt={"single_key": False})
    refused_at(verify(lying), 8, "certificate_wrong_purpose")
    lying = ReceiptWorld(receipt={"single_key": True})
    refused_at(verify(lying), 8, "certificate_wrong_purpose")


def test_rsa_with_pkcs1_is_accepted_where_a_scheme_allowed_it():
    report = verify(ReceiptWorld(alg=Algorithm.RS256))
    assert report.verdict is Verdict.VALID, report.summary


# --- changed bytes ---------------------------------------------------------------------------------


@given(position=st.integers(0, 10**6), bit=st.integers(0, 7))
@settings(deadline=None)
def test_no_changed_byte_of_a_receipt_is_valid(world, position, bit):
    jws = bytearray(world.receipt_jws.encode())
    jws[position % len(jws)] ^= 1 << bit
    report = verify_receipt(jws.decode("latin-1"), world.anchors)
    assert report.verdict is Verdict.INVALID


def _leaves(value, path=()):
    """Every place of a JSON value that holds a string, a number, null, or an empty list."""
    if isinstance(value, dict):
        for name, member in value.items():
            yield from _leaves(member, (*path, name))
    elif isinstance(value, list) and value:
        for index, item in enumerate(value):
            yield from _leaves(item, (*path, index))
    else:
        yield path


def _spoilt(value):
    """A few other values of the same form."""
    if isinstance(value, str) and len(value) > 40:
        last = "A" if value[-1] != "A" else "E"
        flipped = "B" if value[0] != "B" else "C"
        yield flipped + value[1:]
        yield value[:-1] + last
        middle = len(value) // 2
        yield value[:middle] + ("x" if value[middle] != "x" else "y") + value[middle + 1 :]
        yield value[: len(value) // 8 * 4]
    elif isinstance(value, str):
        yield value + "x"
    elif isinstance(value, int):
        yield value + 1
    elif value is None:
        yield "AAAA"
    elif value == []:
        yield ["AAAA"]


def _put(value, path, new):
    head, *rest = path
    copy = dict(value) if isinstance(value, dict) else list(value)
    copy[head] = _put(copy[head], rest, new) if rest else new
    return copy


BUNDLE = json.loads(wire.evidence_bytes(ReceiptWorld().bundle))
# What stands here is under no signature, and no verdict rests on it: the words are the verifier's own.
UNSIGNED = {"platform_words"}
PLACES = [path for path in _leaves(BUNDLE) if path[0] not in UNSIGNED]


@pytest.mark.parametrize("path", PLACES, ids=lambda path: "/".join(map(str, path)))
def test_no_changed_member_of_the_evidence_is_valid(world, path):
    bundle = json.loads(wire.evidence_bytes(world.bundle))
    value = bundle
    for step in path:
        value = value[step]
    for spoilt in _spoilt(value):
        changed = json.dumps(_put(bundle, path, spoilt)).encode()
        report = verify_receipt(world.receipt_jws, world.anchors, evidence=changed)
        assert report.verdict is not Verdict.VALID, (path, spoilt)


def test_words_in_the_bundle_change_nothing(world):
    changed = replaced(world.bundle, platform_words=())
    assert verify(world, changed) == verify(world)


@pytest.mark.parametrize("member", ["certificates", "revocation", "salts", "assertion"])
def test_a_missing_member_is_no_evidence(world, member):
    bundle = json.loads(wire.evidence_bytes(world.bundle))
    del bundle[member]
    report = verify_receipt(world.receipt_jws, world.anchors, evidence=json.dumps(bundle).encode())
    refused_at(report, 5, "evidence_malformed")


@given(st.binary(max_size=200))
def test_no_bytes_whatever_raise_anything(world, data):
    text = data.decode("latin-1")
    assert verify_receipt(text, world.anchors).verdict is Verdict.INVALID
    report = verify_receipt(world.receipt_jws, world.anchors, evidence=data)
    assert report.verdict is Verdict.INVALID


@given(
    st.lists(st.text(alphabet=st.characters(codec="ascii"), max_size=60), max_size=3),
)
def test_no_chain_whatever_raises_anything(world, x5c):
    from inkan.crypto import jose

    jws = jose.sign_compact(
        world.receipt_payload,
        world.receipt_signer.key,
        alg=Algorithm.ES256,
        typ="inkan-receipt+jws",
        header={"x5c": x5c},
    )
    refused_at(verify_receipt(jws, world.anchors), 2)


# --- time asked about ------------------------------------------------------------------------------


def test_before_the_release_there_was_no_receipt(world):
    refused_at(verify(world, at=AT - SECOND), 4, "receipt_not_released_yet")


def test_long_after_the_release_it_still_holds(world):
    report = verify(world, at=AT + 200 * DAY)
    assert report.verdict is Verdict.VALID
    assert report.at == AT + 200 * DAY


def test_after_the_signers_term_nothing_proves_the_age_of_the_signature(world):
    unknown_at(verify(world, at=AT + 301 * DAY), 4)


def test_the_phones_own_end_does_not_matter_later():
    world = ReceiptWorld(leaf={"not_after": AT + DAY})
    assert verify(world, at=AT + 100 * DAY).verdict is Verdict.VALID


def test_a_timestamp_leaves_the_answer_open(world):
    unknown_at(verify(world, replaced(world.bundle, timestamp="MAMCAQA")), 13)


# --- the receipt's signer --------------------------------------------------------------------------


def test_the_summary_names_the_step(world):
    report = verify_receipt("x", world.anchors)
    assert report.summary.startswith("invalid: 1. form: jws_malformed")
    assert report.receipt is None
    assert report.at is None
    assert verify(world).summary == "valid"


def test_the_world_is_the_one_that_the_tests_speak_of(world):
    payload = json.loads(world.receipt_payload)
    assert (payload["iss"], payload["decided_at"]) == (ISSUER, DECIDED)
