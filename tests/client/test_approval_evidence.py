"""The evidence of an approval: a receipt over a statement, certificate or assertion that does not fit is invalid."""

import msgspec
import pytest

from client.verdicts import SECOND, refused_at, verify
from inkan.client.receipt_report import Trust, Verdict
from inkan.crypto import oids
from inkan.wire.receipt import Receipt
from support.authenticator import BE, UP, UV, Authenticator
from support.keyring import ec_key, rsa_key
from support.pki import AT, Authority
from support.receipt_world import WALLET, ReceiptWorld, replaced, seeded

# --- lies that are signed properly -----------------------------------------------------------------


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


# --- the phone certificate -------------------------------------------------------------------------


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


# --- proofs ----------------------------------------------------------------------------------------


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
