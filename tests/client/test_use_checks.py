"""The proof of a use, checked offline: only this session in this second, under a head that the root vouches for."""

from datetime import timedelta
from typing import Any

import msgspec
import pytest
from click.testing import CliRunner

from inkan.cli.root import root
from inkan.client.use_checks import UseProofUnfit, VerifiedUse, verify_use
from inkan.crypto import base64url, oids
from inkan.crypto.jose import JWSSignatureWrong
from inkan.crypto.merkle import ProofRefused
from inkan.crypto.path import CertificatePolicyUnmet, CertificateUntrusted
from inkan.kernel.clock import from_microseconds, rfc3339
from inkan.kernel.errors import InkanError
from inkan.wire.audit_log import parse_event
from inkan.wire.session import Outcome
from inkan.wire.use_proof import (
    LoggedDetails,
    UsedRecord,
    UseProof,
    UseProofMalformed,
    parse_use_proof,
    use_proof_bytes,
)
from support.pki import Authority
from support.receipt_world import ReceiptWorld, b64


def proof_of(world: ReceiptWorld, **changes: Any) -> UseProof:
    """The proof of the world's decision, with members changed and nothing made to fit."""
    inclusion = world.inclusion
    event = parse_event(base64url.decode(inclusion.event))
    said = world.event_details
    members = {
        "v": 1,
        "record": UsedRecord(
            id="use_1",
            at=rfc3339(from_microseconds(event.at)),
            session=event.object,
            relying_party="Tax Office",
            domain="tax.example",
            outcome=Outcome(said["outcome"]),
            reason=None,
        ),
        "details": msgspec.convert(said, LoggedDetails),
        "salt": inclusion.salt,
        "event": inclusion.event,
        "index": inclusion.index,
        "tree_size": inclusion.tree_size,
        "path": inclusion.path,
        "head_jws": inclusion.head_jws,
    }
    return UseProof(**members | changes)


def verified(world: ReceiptWorld, proof: UseProof) -> VerifiedUse:
    return verify_use(use_proof_bytes(proof), world.anchors)


def bent(proof: UseProof, **changes: Any) -> UseProof:
    """With members of the record changed."""
    return msgspec.structs.replace(proof, record=msgspec.structs.replace(proof.record, **changes))


def test_an_honest_proof_holds(world: ReceiptWorld) -> None:
    found = verified(world, proof_of(world))
    assert found.is_opened
    assert found.record.relying_party == "Tax Office"
    assert found.receipt_sha256 == world.event_details["receipt_sha256"]


def test_without_details_the_session_and_the_second_are_proved(world: ReceiptWorld) -> None:
    found = verified(world, proof_of(world, details=None, salt=None))
    assert (found.is_opened, found.receipt_sha256) == (False, None)


@pytest.mark.parametrize(
    ("changes", "member"),
    [
        ({"session": "ses_other"}, "record/session"),
        ({"at": "2026-01-01T00:00:00Z"}, "record/at"),
        ({"outcome": Outcome.REFUSED}, "record/outcome"),
        ({"reason": "user_refused"}, "record/reason"),
    ],
)
def test_another_record_is_refused(
    world: ReceiptWorld, changes: dict[str, Any], member: str
) -> None:
    with pytest.raises(UseProofUnfit) as refused:
        verified(world, bent(proof_of(world), **changes))
    assert refused.value.facts == {"member": member}


def test_an_erased_record_holds_by_its_second(world: ReceiptWorld) -> None:
    proof = bent(proof_of(world), session=None, relying_party=None, domain=None)
    assert verified(world, proof).record.session is None


def test_other_details_and_another_salt_are_refused(world: ReceiptWorld) -> None:
    proof = proof_of(world)
    other = msgspec.structs.replace(proof.details, receipt_sha256=b64(b"x" * 32))
    for changes in ({"details": other}, {"salt": b64(b"x" * 16)}):
        with pytest.raises(UseProofUnfit):
            verified(world, proof_of(world, **changes))


def test_another_act_is_refused() -> None:
    """A true proof under a true head, of an event that is no use."""
    world = ReceiptWorld(event={"use_case": "enrolment.phone_revoked"})
    with pytest.raises(UseProofUnfit) as refused:
        verified(world, proof_of(world))
    assert refused.value.facts == {"member": "event/use_case"}


def test_another_place_or_path_is_refused(world: ReceiptWorld) -> None:
    proof = proof_of(world)
    for changes in ({"index": proof.index - 1}, {"path": proof.path[:-1]}, {"path": ()}):
        with pytest.raises(ProofRefused):
            verified(world, proof_of(world, **changes))


def test_a_head_of_a_stranger_is_refused(world: ReceiptWorld) -> None:
    with pytest.raises(CertificateUntrusted):
        verify_use(use_proof_bytes(proof_of(world)), (Authority.root("Stranger").der,))
    head, _, signature = proof_of(world).head_jws.rpartition(".")
    turned = f"{head}.{'A' if signature[0] != 'A' else 'B'}{signature[1:]}"
    with pytest.raises(JWSSignatureWrong):
        verified(world, proof_of(world, head_jws=turned))


def test_a_key_for_other_things_signs_no_head() -> None:
    world = ReceiptWorld(head_signer={"policies": [oids.POLICY_RECEIPT]})
    with pytest.raises(CertificatePolicyUnmet):
        verified(world, proof_of(world))


@pytest.mark.parametrize(
    "changes",
    [{"salt": None}, {"details": None}, {"index": 10**9}],
    ids=["details without a salt", "a salt without details", "outside the tree"],
)
def test_a_proof_in_two_minds_is_malformed(world: ReceiptWorld, changes: dict[str, Any]) -> None:
    data = msgspec.json.encode(proof_of(world, **changes), order="sorted")
    with pytest.raises(UseProofMalformed):
        parse_use_proof(data)


@pytest.mark.parametrize("name", ["\x1b[2Jgone", "a\u202eb", "", "W" * 201])
def test_a_name_that_deceives_a_terminal_is_malformed(world: ReceiptWorld, name: str) -> None:
    data = msgspec.json.encode(bent(proof_of(world), relying_party=name), order="sorted")
    with pytest.raises(UseProofMalformed):
        verify_use(data, world.anchors)


def test_every_bit_counts(world: ReceiptWorld) -> None:
    data = use_proof_bytes(proof_of(world))
    free = {b'"Tax Office"', b'"tax.example"', b'"use_1"'}  # the platform's word
    for place in range(0, len(data), 97):
        changed = bytearray(data)
        changed[place] ^= 1
        if any(word not in changed for word in free):
            continue
        with pytest.raises(InkanError):
            verify_use(bytes(changed), world.anchors)


def test_the_command_line_says_what_is_proved(world: ReceiptWorld, tmp_path: Any) -> None:
    anchor, file = tmp_path / "root.cer", tmp_path / "use.json"
    anchor.write_bytes(world.anchors[0])
    file.write_bytes(use_proof_bytes(proof_of(world)))
    command = ["verify", "use", str(file), "--anchor", str(anchor)]
    said = CliRunner().invoke(root, command, standalone_mode=False)
    assert said.return_value == 0, said.output
    assert "stands in the audit log" in said.output
    assert "platform's word" in said.output
    file.write_bytes(file.read_bytes().replace(b'"index":', b'"index":1'))
    said = CliRunner().invoke(root, command, standalone_mode=False)
    assert said.return_value == 1
    assert "Not proved" in said.output


def test_a_later_second_is_another(world: ReceiptWorld) -> None:
    event = parse_event(base64url.decode(world.inclusion.event))
    later = rfc3339(from_microseconds(event.at) + timedelta(seconds=1))
    with pytest.raises(UseProofUnfit):
        verified(world, bent(proof_of(world), at=later))
