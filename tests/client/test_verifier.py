"""The offline verifier: what it accepts, and that no change anywhere is ever called valid."""

import base64
import json
from datetime import timedelta

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inkan.client.receipt_report import SENTENCES, Report, Result, Trust, Verdict
from inkan.client.verifier import verify_receipt
from inkan.crypto import base64url, oids
from inkan.crypto.certificates import CertificateMalformed
from inkan.crypto.jose import Algorithm
from inkan.wire import evidence as wire
from inkan.wire.receipt import Receipt
from support.authenticator import BE, UP, UV, Authenticator
from support.keyring import ec_key, rsa_key
from support.pki import AT, DAY, Authority
from support.receipt_world import (
    DECIDED,
    ISSUER,
    WALLET,
    ReceiptWorld,
    replaced,
    seeded,
)

SECOND = timedelta(seconds=1)


@pytest.fixture(scope="module")
def world() -> ReceiptWorld:
    return ReceiptWorld()


def verify(world: ReceiptWorld, bundle: wire.EvidenceBundle | None = None, **settings) -> Report:
    """The verdict over a world's evidence, or over another bundle beside its receipt."""
    bundle = bundle or world.bundle
    return verify_receipt(world.receipt_jws, world.anchors, evidence=bundle, **settings)


def refused_at(report: Report, step: int, word: str = "") -> None:
    """The verdict is invalid, by this step, for this reason."""
    last = report.checks[-1]
    assert report.verdict is Verdict.INVALID
    assert (last.number, last.result) == (step, Result.FAILED), report.summary
    assert word in last.detail, report.summary


# --- what holds ---------------------------------------------------------------------------------


@pytest.mark.req("TW-22")
@pytest.mark.parametrize("kind", ["identify", "approve", "sign"])
@pytest.mark.parametrize("key", [rsa_key(), ec_key(3)], ids=["RSA-2048", "P-256"])
def test_an_honest_receipt_with_evidence_is_valid(kind, key):
    report = verify(ReceiptWorld(kind=kind, key=key))
    assert report.verdict is Verdict.VALID, report.summary
    assert [check.number for check in report.checks] == list(range(1, 14))
    assert report.receipt.session == "ses_1"
    assert report.at == AT
    assert Trust.APPROVAL not in report.rests_on_platform
    assert Trust.SIGNER_STATUS not in report.rests_on_platform


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


# --- changed bytes ------------------------------------------------------------------------------


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
# What these say stands under no signature, and no verdict rests on it: the words are the verifier's own, and the
# log's heads are vouched for by nobody whom an outsider could check (Trust.LOGGED stays in the report).
UNSIGNED = {"platform_words", "inclusion"}
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


# --- lies that are signed properly ------------------------------------------------------------------

# A receipt that says this, over a statement that says the usual.
LIES = {
    "iss": "https://id.evil.org",
    "session": "ses_2",
    "system": "sys_2",
    "relying_party": {"id": "rp_tax", "name": "財政部稅務署", "domain": "evil.example.org"},
    "purpose": "payment",
    "challenge": seeded(9),
    "door": "push",
    "claims": {"birth_date": "2000-01-01"},
    "decided_at": "2026-11-21T11:59:00Z",
}


@pytest.mark.parametrize("member", LIES)
def test_a_receipt_that_says_otherwise_than_the_statement_is_invalid(member):
    lying = ReceiptWorld(receipt={member: LIES[member]})
    refused_at(verify(lying), 7, "evidence_unfit")


def test_other_contents_than_the_signed_ones_are_invalid():
    honest = ReceiptWorld(kind="sign")
    other = msgspec.to_builtins(honest.contents[0]) | {"digest": seeded(77)}
    lying = ReceiptWorld(kind="sign", receipt={"contents": (other,)})
    refused_at(verify(lying), 7, "contents")


def test_an_approval_does_not_pass_for_a_signature():
    """A statement of kind identify by the `auth` key, under a receipt of kind approve."""
    lying = ReceiptWorld(receipt={"kind": "approve"})
    refused_at(verify(lying), 7, "kind")


def test_every_member_of_a_receipt_is_proved_or_named_as_trusted():
    """Totality: who adds a member to the receipt decides here what proves it."""
    compared = set(LIES) | {"kind", "contents"}
    by_evidence = {"commitments", "single_key", "back_end"}
    by_form = {"v", "outcome", "reason", "evidence"}
    on_trust = {
        "subject": Trust.SUBJECT,
        "claims": Trust.CLAIMS,
        "binding": Trust.BINDING,
        "young": Trust.YOUNG,
        "back_end": Trust.BACK_END,
        "released_at": Trust.TIMES,
        "decided_at": Trust.TIMES,
        "status_at": Trust.STATUS,
        "user_verification": Trust.BACK_END,
    }
    assert set(Receipt.__struct_fields__) == compared | by_evidence | by_form | set(on_trust)


def test_another_receipt_of_the_same_platform_does_not_take_the_evidence(world):
    other = ReceiptWorld(statement={"session": "ses_2"}, root=world.root, issuing=world.issuing)
    refused_at(verify(other, world.bundle), 5, "another receipt")


@pytest.mark.parametrize("part", ["statement", "certificate", "assertion"])
def test_each_commitment_is_opened(part):
    world = ReceiptWorld()
    commitments = world.commitments | {part: seeded(66)}
    refused_at(verify(ReceiptWorld(receipt={"commitments": commitments})), 6, "commitment")


@pytest.mark.parametrize("member", ["cert_sha256", "cred_sha256"])
def test_the_statement_names_certificate_and_credential(member):
    refused_at(verify(ReceiptWorld(statement={member: seeded(55)})), 9, member[:4])


def test_the_header_names_the_certificate():
    refused_at(verify(ReceiptWorld(header={"x5t#S256": seeded(55)})), 9)


def test_another_type_under_the_signature_is_no_statement():
    refused_at(verify(ReceiptWorld(header={"typ": "JWT"})), 6, "jws_malformed")


def test_claims_that_were_approved_may_be_given():
    report = verify(
        ReceiptWorld(
            statement={"claims": ("birth_date", "name")}, receipt={"claims": {"name": "王小明"}}
        )
    )
    assert report.verdict is Verdict.VALID, report.summary


# --- the phone certificate ----------------------------------------------------------------------------


def test_a_certificate_of_another_root_is_invalid(world):
    foreign = ReceiptWorld(root=world.root, issuing=Authority.root("Rogue").subordinate())
    refused_at(verify(foreign), 8, "certificate_untrusted")


@pytest.mark.req("TW-23")
@pytest.mark.parametrize(
    "leaf",
    [
        {"usage": ["content_commitment"]},
        {"usage": ["digital_signature", "content_commitment"]},
        {"usage": ["digital_signature", "key_encipherment"]},
    ],
)
def test_a_key_of_another_purpose_is_invalid(leaf):
    refused_at(verify(ReceiptWorld(leaf=leaf)), 8, "certificate_wrong_purpose")


@pytest.mark.parametrize("policies", [[], [oids.POLICY_PHONE_SIGN], [oids.POLICY_CARD_AUTH]])
def test_another_policy_is_invalid(policies):
    refused_at(verify(ReceiptWorld(leaf={"policies": policies})), 8, "certificate_policy_unmet")


def test_an_authority_that_does_not_carry_the_policy_is_invalid():
    root = Authority.root()
    issuing = root.subordinate("Phone CA", policies=[oids.POLICY_CARD_SIGN])
    refused_at(verify(ReceiptWorld(root=root, issuing=issuing)), 8, "policy_unmet")


@pytest.mark.parametrize(
    ("leaf", "code"),
    [
        ({"not_after": AT - SECOND}, "certificate_expired"),
        ({"not_before": AT + SECOND}, "certificate_not_yet_valid"),
    ],
)
def test_a_certificate_outside_its_term_at_the_decision_is_invalid(leaf, code):
    refused_at(verify(ReceiptWorld(leaf=leaf)), 8, code)


def test_both_ends_of_the_term_are_inside():
    for leaf in ({"not_after": AT}, {"not_before": AT}):
        world = ReceiptWorld(leaf=leaf)
        report = verify(world, replaced(world.bundle, revocation=_fresh(world)))
        assert report.verdict is Verdict.VALID, report.summary


def _fresh(world):
    return world.revocation(
        ocsp=[world.issuing.ocsp(world.phone.certificate, this_update=AT)],
        crls=[world.issuing.crl(), world.root.crl()],
    )


def test_a_certificate_that_ended_before_the_release_is_invalid():
    late = {"released_at": "2026-11-21T12:00:30Z", "status_at": "2026-11-21T12:00:30Z"}
    world = ReceiptWorld(leaf={"not_after": AT + 10 * SECOND}, receipt=late)
    refused_at(verify(world), 8, "certificate_expired")


def test_a_certificate_of_another_credential_is_invalid():
    """The extension ties the two proofs together: another passkey's assertion proves nothing."""
    other = Authenticator(rp_id="wallet.example.org", origin=WALLET, key=ec_key(70))
    honest = ReceiptWorld()
    lying = ReceiptWorld(root=honest.root, issuing=honest.issuing)
    lying.__dict__["phone"] = honest.phone
    lying.authenticator = other
    refused_at(verify(lying), 9, "names another credential")


# --- proofs -------------------------------------------------------------------------------------------


def test_a_statement_signed_by_another_key_is_invalid():
    honest = ReceiptWorld()
    lying = ReceiptWorld(root=honest.root, issuing=honest.issuing, key=rsa_key(1))
    lying.__dict__["phone"] = honest.phone
    refused_at(verify(lying), 10, "jws_signature_wrong")


@pytest.mark.parametrize(
    ("assertion", "check"),
    [
        ({"challenge": bytes(32)}, "challenge"),
        ({"kind": "webauthn.create"}, "type"),
        ({"origin": "https://evil.example.org"}, "rp_id"),
        ({"origin": "https://example.org"}, "rp_id"),
        ({"origin": "not an origin"}, "rp_id"),
        ({"origin": "https://[wallet"}, "rp_id"),
        ({"rp_id": "example.org"}, "rp_id"),
        ({"flags": UV}, "user_present"),
        ({"flags": UP}, "user_verified"),
        ({"key": ec_key(71)}, "signature"),
        ({"extra": {"crossOrigin": True}}, "cross_origin"),
    ],
)
def test_an_assertion_that_does_not_hold_is_invalid(assertion, check):
    refused_at(verify(ReceiptWorld(assertion=assertion)), 11, check)


def test_whether_the_passkey_may_be_copied_is_proved():
    synced = {"kind": "A", "attested": False, "synced": True}
    refused_at(verify(ReceiptWorld(assertion={"flags": UP | UV | BE})), 11, "copies")
    honest = ReceiptWorld(assertion={"flags": UP | UV | BE}, receipt={"back_end": synced})
    assert verify(honest).verdict is Verdict.VALID


# --- revocation ---------------------------------------------------------------------------------------


def _with(world, **evidence) -> Report:
    return verify(world, replaced(world.bundle, revocation=world.revocation(**evidence)))


def _unknown_at(report: Report, step: int) -> None:
    assert report.verdict is Verdict.INDETERMINATE, report.summary
    unknown = [check for check in report.checks if check.result is Result.UNKNOWN]
    assert [check.number for check in unknown] == [step]


def test_ocsp_or_crl_alone_will_do_for_the_phone(world):
    ocsp, crls = world.issuing.ocsp(world.phone.certificate), world.issuing.crl()
    for evidence in (
        {"ocsp": [ocsp], "crls": [world.root.crl()]},
        {"ocsp": [], "crls": [crls, world.root.crl()]},
    ):
        assert _with(world, **evidence).verdict is Verdict.VALID


def test_without_word_of_the_phone_the_answer_is_open(world):
    _unknown_at(_with(world, ocsp=[], crls=[world.root.crl()]), 12)


def test_without_word_of_its_authority_the_answer_is_open(world):
    report = _with(world, crls=[world.issuing.crl()])
    _unknown_at(report, 12)
    assert Trust.SIGNER_STATUS in report.rests_on_platform


@pytest.mark.parametrize("way", ["ocsp", "crl"])
@pytest.mark.parametrize("before", [0, 1, 3600])
def test_revoked_by_the_release_is_invalid(world, way, before):
    when = AT - timedelta(seconds=before)
    phone = world.phone.certificate
    if way == "ocsp":
        evidence = {
            "ocsp": [
                world.issuing.ocsp(
                    phone, status="revoked", revoked_at=when, this_update=AT + SECOND
                )
            ]
        }
    else:
        listed = world.issuing.crl([phone], revoked_at=when, this_update=AT + SECOND)
        evidence = {"crls": [listed, world.root.crl()]}
    refused_at(_with(world, **evidence), 12, "certificate_revoked")


def test_revoked_after_the_release_changes_nothing(world):
    later = world.issuing.ocsp(
        world.phone.certificate,
        status="revoked",
        revoked_at=AT + SECOND,
        this_update=AT + 2 * SECOND,
    )
    assert _with(world, ocsp=[later]).verdict is Verdict.VALID


def test_a_good_answer_beside_a_bad_one_does_not_win(world):
    phone = world.phone.certificate
    bad = world.issuing.ocsp(phone, status="revoked", revoked_at=AT - SECOND)
    refused_at(_with(world, ocsp=[world.issuing.ocsp(phone), bad]), 12, "certificate_revoked")


def test_an_old_answer_says_nothing(world):
    """Threat 36: a good answer from before the decision, replayed."""
    window = {"this_update": AT - 2 * DAY, "next_update": AT - DAY}
    old = [world.issuing.ocsp(world.phone.certificate, **window)]
    _unknown_at(_with(world, ocsp=old, crls=[world.root.crl()]), 12)
    old = [world.issuing.crl(**window), world.root.crl()]
    _unknown_at(_with(world, ocsp=[], crls=old), 12)


def test_a_later_answer_speaks_for_the_release_too(world):
    window = {"this_update": AT + DAY, "next_update": AT + 2 * DAY}
    phone = world.phone.certificate
    assert _with(world, ocsp=[world.issuing.ocsp(phone, **window)]).verdict is Verdict.VALID


def test_a_list_from_after_the_term_says_nothing():
    """Lists forget certificates that have ended."""
    world = ReceiptWorld(leaf={"not_after": AT + DAY})
    late = world.issuing.crl(this_update=AT + 2 * DAY, next_update=AT + 3 * DAY)
    _unknown_at(_with(world, ocsp=[], crls=[late, world.root.crl()]), 12)


def test_a_responder_that_does_not_know_leaves_the_answer_open(world):
    unknown = world.issuing.ocsp(world.phone.certificate, status="unknown")
    _unknown_at(_with(world, ocsp=[unknown]), 12)


def test_a_revoked_authority_is_invalid(world):
    listed = world.root.crl([world.issuing.certificate], revoked_at=AT - SECOND)
    refused_at(_with(world, crls=[listed, world.issuing.crl()]), 12, "certificate_revoked")


def test_a_revoked_authority_is_not_hidden_by_a_gap_below_it(world):
    listed = world.root.crl([world.issuing.certificate], revoked_at=AT - SECOND)
    refused_at(_with(world, ocsp=[], crls=[listed]), 12, "certificate_revoked")


def test_a_revoked_receipt_signer_is_invalid(world):
    listed = world.root.crl([world.receipt_signer.certificate], revoked_at=AT - SECOND)
    refused_at(_with(world, crls=[listed, world.issuing.crl()]), 12, "certificate_revoked")


def test_forged_and_foreign_proofs_of_status_are_invalid(world):
    rogue = Authority.root("Rogue")
    phone = world.phone.certificate
    cases = [
        {"ocsp": [world.issuing.ocsp(phone, responder=rogue.responder())]},
        {"ocsp": [_flipped(world.issuing.ocsp(phone, embed=[], responder=world.issuing))]},
        {"ocsp": [rogue.ocsp(rogue.issue().certificate)]},
        {"crls": [world.issuing.crl(signer=rogue), world.root.crl()]},
        {"crls": [rogue.crl(), world.root.crl()]},
        {"ocsp": [b"\x30\x00"]},
        {"crls": [b"\x30\x00"]},
    ]
    for evidence in cases:
        refused_at(_with(world, **evidence), 12)


def _flipped(der: bytes) -> bytes:
    return der[:-1] + bytes([der[-1] ^ 1])


def test_a_proof_about_another_holder_is_invalid(world):
    neighbour = world.issuing.issue("Neighbour").certificate
    good = [world.issuing.ocsp(world.phone.certificate), world.issuing.ocsp(neighbour)]
    refused_at(_with(world, ocsp=good), 12, "status_unproved")


# --- time asked about -----------------------------------------------------------------------------------


def test_before_the_release_there_was_no_receipt(world):
    refused_at(verify(world, at=AT - SECOND), 4, "receipt_not_released_yet")


def test_long_after_the_release_it_still_holds(world):
    report = verify(world, at=AT + 200 * DAY)
    assert report.verdict is Verdict.VALID
    assert report.at == AT + 200 * DAY


def test_after_the_signers_term_nothing_proves_the_age_of_the_signature(world):
    _unknown_at(verify(world, at=AT + 301 * DAY), 4)


def test_the_phones_own_end_does_not_matter_later():
    world = ReceiptWorld(leaf={"not_after": AT + DAY})
    assert verify(world, at=AT + 100 * DAY).verdict is Verdict.VALID


def test_a_timestamp_leaves_the_answer_open(world):
    _unknown_at(verify(world, replaced(world.bundle, timestamp="MAMCAQA")), 13)


# --- the receipt's signer ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("signer", "code"),
    [
        ({"usage": ["content_commitment"]}, "certificate_wrong_purpose"),
        ({"usage": ["digital_signature", "content_commitment"]}, "certificate_wrong_purpose"),
        ({"policies": [oids.POLICY_PHONE_AUTH]}, "certificate_policy_unmet"),
        ({"policies": [oids.ANY_POLICY]}, "certificate_policy_unmet"),
        ({"policies": []}, "certificate_policy_unmet"),
        ({"not_after": AT - SECOND}, "certificate_expired"),
        ({"not_before": AT + SECOND}, "certificate_not_yet_valid"),
    ],
)
def test_only_a_receipt_signer_signs_receipts(signer, code):
    refused_at(verify(ReceiptWorld(signer=signer)), 2, code)


def test_a_phone_cannot_sign_its_own_receipt(world):
    phone = ReceiptWorld(key=ec_key(3), root=world.root, issuing=world.issuing)
    chain = [phone.phone.der, phone.issuing.der]
    forged = phone.sign_receipt(phone.receipt_payload, key=phone.key, chain=chain)
    refused_at(verify_receipt(forged, phone.anchors), 2, "policy_unmet")


def test_a_chain_that_ends_nowhere_is_invalid(world):
    refused_at(verify_receipt(world.receipt_jws, (Authority.root().der,)), 2, "untrusted")
    refused_at(verify_receipt(world.receipt_jws, ()), 2, "untrusted")


def test_a_root_that_signs_as_itself_is_no_signer(world):
    forged = world.sign_receipt(world.receipt_payload, key=ec_key(8), chain=[world.root.der])
    refused_at(verify_receipt(forged, world.anchors), 2)


def test_the_certificate_of_another_key_does_not_vouch(world):
    forged = world.sign_receipt(world.receipt_payload, key=ec_key(9))
    refused_at(verify_receipt(forged, world.anchors), 3)


def test_another_type_is_no_receipt(world):
    forged = world.sign_receipt(world.receipt_payload, typ="inkan-statement+jws")
    refused_at(verify_receipt(forged, world.anchors), 1)


def test_a_receipt_in_another_spelling_is_no_receipt(world):
    pretty = json.dumps(json.loads(world.receipt_payload)).encode()
    refused_at(verify_receipt(world.sign_receipt(pretty), world.anchors), 1, "not_canonical")


def test_x5c_is_standard_base64_in_one_spelling(world):
    from inkan.crypto import jose

    der = world.receipt_signer.der
    good = base64.b64encode(der).decode()
    for text in (base64url.encode(der), good + "\n", good.rstrip("=") + "====", " " + good, "§"):
        if text == good:
            continue
        forged = jose.sign_compact(
            world.receipt_payload,
            world.receipt_signer.key,
            alg=Algorithm.ES256,
            typ="inkan-receipt+jws",
            header={"x5c": [text]},
        )
        refused_at(verify_receipt(forged, world.anchors), 2)


def test_an_anchor_that_is_no_certificate_is_the_callers_mistake(world):
    with pytest.raises(CertificateMalformed):
        verify_receipt(world.receipt_jws, (b"root",))


def test_the_summary_names_the_step(world):
    report = verify_receipt("x", world.anchors)
    assert report.summary.startswith("invalid: 1. form: jws_malformed")
    assert report.receipt is None
    assert report.at is None
    assert verify(world).summary == "valid"


def test_the_world_is_the_one_that_the_tests_speak_of(world):
    payload = json.loads(world.receipt_payload)
    assert (payload["iss"], payload["decided_at"]) == (ISSUER, DECIDED)
